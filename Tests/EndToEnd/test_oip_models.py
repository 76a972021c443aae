"""Models to the Open Inference Protocol: metadata, configuration, readiness, statistics, the repository, keys (OIP.md, sections 1 and 5)."""

import shutil

import numpy as np
import pytest

from certificates import write
from oip import ADMIN, LAYERS, RANDOM, answer, infer, json_input, refused, register
from problems import problem
from server import Server, request

ADMINISTRATOR = {"Authorization": f"Bearer {ADMIN}"}
# name: announced shape and max_batch_size > 0.
SHAPES = {
    "bn": ([-1, 3, -1], True), "ln-fp32": ([-1, 8], True), "gn.a-b_c": ([-1, -1, -1], True), "last": ([-1, -1, 2], True),
    "spectral": ([-1, -1], False), "scaler": ([-1, 2], True),
}  # fmt: skip


def post(server, path, document=None, headers=ADMINISTRATOR):
    return server.session.post(f"{server.url}/v2/{path}", json=document, headers=headers, timeout=10)


def get(server, path):
    response = server.get(f"/v2/{path}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json" and "Vary" not in response.headers
    return response.json()


def test_server(models):
    document = models.get("/v2").json()
    assert document["name"] == "normserve" and document["version"]
    assert document["extensions"] == ["binary_tensor_data", "model_configuration", "model_repository", "parameters", "statistics"]
    assert get(models, "health/live") == {"live": True} and get(models, "health/ready") == {"ready": True}


@pytest.mark.parametrize("name", [name for name, *_ in LAYERS])
def test_metadata_and_configuration(models, name):
    """What one says the other says, too; and a tensor of the announced shape is taken."""
    layer, datatype = next((layer, datatype) for known, layer, datatype in LAYERS if known == name)
    metadata, configuration = get(models, f"models/{name}"), get(models, f"models/{name}/config")
    assert metadata["name"] == configuration["name"] == name
    assert metadata["versions"] == ["1"] and metadata["platform"] == configuration["platform"] == "normserve"
    [tensor] = metadata["inputs"]
    assert tensor["name"] == "input" and tensor["datatype"] == datatype
    assert metadata["outputs"] == [tensor | {"name": "output"}]
    [described] = configuration["input"]
    assert described["data_type"] == f"TYPE_{datatype}" and configuration["output"] == [described | {"name": "output"}]
    assert configuration["parameters"] == {"layer_type": {"string_value": layer["type"]}}
    batch = [-1] if configuration["max_batch_size"] > 0 else []
    assert tensor["shape"] == batch + described["dims"]
    if name in SHAPES:
        assert (tensor["shape"], configuration["max_batch_size"] > 0) == SHAPES[name]
    for length in (1, 2, 6):
        shape = [length if dimension == -1 else dimension for dimension in tensor["shape"]]
        if name == "gn.a-b_c":
            shape[1] = 4  # It has no parameter that tells the number of its channels, but two groups.
        document, _ = answer(infer(models, name, {"inputs": [json_input(RANDOM.standard_normal(shape), datatype)]}))
        assert document["outputs"][0]["shape"] == shape
    assert get(models, f"models/{name}/ready") == {"name": name, "ready": True}


def test_versions(models):
    for number in ("1", "2", "3"):
        assert register(models, "versions", {"type": "lp_norm", "p": 1 if number == "1" else 2}, "FP32" if number == "1" else "FP64") == number
    assert get(models, "models/versions")["versions"] == ["1", "2", "3"]
    assert get(models, "models/versions")["inputs"][0]["datatype"] == "FP64"
    for version, datatype in [("1", "FP32"), ("3", "FP64")]:
        assert get(models, f"models/versions/versions/{version}")["inputs"][0]["datatype"] == datatype
        assert get(models, f"models/versions/versions/{version}/config")["input"][0]["data_type"] == f"TYPE_{datatype}"
        assert get(models, f"models/versions/versions/{version}/ready")["ready"] is True
        document, values = answer(infer(models, f"versions/versions/{version}", {"inputs": [json_input([[3.0, 4.0]], datatype)]}))
        assert document["model_version"] == version
        np.testing.assert_allclose(values, [[3 / 7, 4 / 7]] if version == "1" else [[0.6, 0.8]], rtol=1e-6)
    assert answer(infer(models, "versions", {"inputs": [json_input([[3.0, 4.0]], "FP64")]}))[0]["model_version"] == "3"
    for version in ("0", "4", "01", "99999999999999999999999"):
        refused(models.get(f"/v2/models/versions/versions/{version}"), 404, "unknown_layer", "is not found")
        refused(infer(models, f"versions/versions/{version}", {"inputs": []}), 404, "unknown_layer")
    for version in ("x", "1x", "-1", "1.0", "", "%31x"):
        refused(models.get(f"/v2/models/versions/versions/{version}"), 404, "not_found")


@pytest.mark.parametrize("name", ["nothing", "BN", "bn%20", "a" * 500, ".hidden", "b%0An", "%C3%A9", "..%2e"])
def test_unknown_models(models, name):
    """400 and Triton's words, whatever is asked."""
    for path in ("", "/ready", "/config", "/stats", "/versions/1", "/versions/1/ready"):
        refused(models.get(f"/v2/models/{name}{path}"), 400, "unknown_model", "Request for unknown model: '")
    refused(infer(models, name, {"inputs": []}), 400, "unknown_model")
    for action in ("load", "unload"):
        refused(post(models, f"repository/models/{name}/{action}"), 400, "unknown_model")


def test_encoded_names(models):
    for name in ("gn%2Ea-b_c", "%67%6E.a-b%5fc"):
        assert get(models, f"models/{name}")["name"] == "gn.a-b_c"
        answer(infer(models, name, {"inputs": [json_input(np.zeros((1, 2, 3)))]}))
    assert get(models, "models/bn?query=1&x")["name"] == "bn"


@pytest.mark.parametrize("path", ["/v2/", "/v2x", "/v22", "/v2/health", "/v2/health/", "/v2/health/live/", "/v2/models", "/v2/models/", "/v2/models/bn/", "/v2/models/bn/nothing",
    "/v2/models/bn/versions", "/v2/models/bn/versions/1/", "/v2/models//ready", "/v2/models/bn/ready/x", "/v2/repository", "/v2/repository/index/x", "/v2/repository/models/bn",
    "/v2/repository/models//load", "/v2/trace", "/v2/models/b%2Fn", "/V2", "/v2/systemsharedmemory"])  # fmt: skip
def test_unknown_paths(models, path):
    for method in ("GET", "POST"):
        refused(models.session.request(method, models.url + path, timeout=10), 404, "not_found")


GET_PATHS = ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/stats", "/v2/models/bn", "/v2/models/bn/ready", "/v2/models/bn/config", "/v2/models/bn/stats",
    "/v2/models/bn/versions/1", "/v2/models/bn/versions/1/ready", "/v2/models/bn/versions/1/config", "/v2/models/bn/versions/1/stats"]  # fmt: skip
POST_PATHS = ["/v2/models/bn/infer", "/v2/models/bn/versions/1/infer", "/v2/repository/index", "/v2/repository/models/bn/load", "/v2/repository/models/bn/unload"]


@pytest.mark.parametrize("path", GET_PATHS + POST_PATHS)
def test_methods(models, path):
    allowed = "GET, HEAD, OPTIONS" if path in GET_PATHS else "POST, OPTIONS"
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        if method == "POST" and path in POST_PATHS:
            continue
        response = models.session.request(method, models.url + path, headers=ADMINISTRATOR, timeout=10)
        if method == "OPTIONS":
            assert response.status_code == 204 and response.headers["Allow"] == allowed
        elif method in allowed:
            assert response.status_code == 200
        else:
            assert response.status_code == 405 and response.headers["Allow"] == allowed
            assert method == "HEAD" or problem(response)["code"] == "method_not_allowed"
    if path in GET_PATHS:
        head, got = models.session.head(models.url + path, timeout=10), models.get(path)
        assert head.headers["Content-Type"] == got.headers["Content-Type"] and not head.content


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "systemsharedmemory/status"), ("GET", "systemsharedmemory/region/r/status"), ("POST", "systemsharedmemory/region/r/register"),
    ("POST", "systemsharedmemory/unregister"), ("GET", "cudasharedmemory/status"), ("POST", "cudasharedmemory/region/r/register"), ("GET", "trace/setting"),
    ("POST", "trace/setting"), ("GET", "models/bn/trace/setting"), ("POST", "models/bn/trace/setting"), ("GET", "logging"), ("POST", "logging"),
    ("POST", "models/bn/generate"), ("POST", "models/bn/generate_stream"),
])  # fmt: skip
def test_what_is_not_here(models, method, path):
    refused(models.session.request(method, f"{models.url}/v2/{path}", json={}, timeout=10), 501, "not_supported")


def test_statistics(models):
    """Each number is what was done since the version was registered; the schema is that which perf_analyzer asserts."""
    register(models, "counted", {"type": "rms_norm", "axis": -1})
    for batch in (1, 4, 4, 0):
        answer(infer(models, "counted", {"inputs": [json_input(np.ones((batch, 4)))]}))
    for shape in ([2, 2, 2], [4]):
        answer(infer(models, "counted", {"inputs": [json_input(np.ones(shape))]}))
    for _ in range(3):
        assert infer(models, "counted", {"inputs": []}).status_code == 400
    [statistics] = get(models, "models/counted/stats")["model_stats"]
    assert statistics["name"] == "counted" and statistics["version"] == "1"
    assert statistics["execution_count"] == 6 and statistics["inference_count"] == 1 + 4 + 4 + 0 + 2 + 1
    assert 1.6e12 < statistics["last_inference"] < 1e14 and isinstance(statistics["last_inference"], int)
    durations = statistics["inference_stats"]
    assert set(durations) == {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"}
    assert {name: duration["count"] for name, duration in durations.items()} == {
        "success": 6, "fail": 3, "queue": 6, "compute_input": 6, "compute_infer": 6, "compute_output": 6, "cache_hit": 0, "cache_miss": 0,
    }  # fmt: skip
    assert all(isinstance(duration["ns"], int) and duration["ns"] >= 0 for duration in durations.values())
    stages = ["queue", "compute_input", "compute_infer", "compute_output"]
    assert durations["success"]["ns"] >= sum(durations[stage]["ns"] for stage in stages) > 0
    batches = {entry.pop("batch_size"): entry for entry in statistics["batch_stats"]}
    assert {size: entry["compute_infer"]["count"] for size, entry in batches.items()} == {0: 1, 1: 2, 2: 1, 4: 2}
    for stage in stages[1:]:
        assert sum(entry[stage]["ns"] for entry in batches.values()) == durations[stage]["ns"]
    assert statistics["response_stats"] == {} and statistics["memory_usage"] == []

    register(models, "counted", {"type": "rms_norm", "axis": -1})
    everything = get(models, "models/counted/stats")["model_stats"]
    assert [(entry["version"], entry["execution_count"]) for entry in everything] == [("1", 6), ("2", 0)]
    assert get(models, "models/counted/versions/1/stats")["model_stats"] == everything[:1]
    assert [entry for entry in get(models, "models/stats")["model_stats"] if entry["name"] == "counted"] == everything


def test_sizes_of_batches_are_counted_within_bounds(models):
    register(models, "sizes", {"type": "lp_norm"})
    for size in range(1, 100):
        answer(infer(models, "sizes", {"inputs": [json_input(np.ones((size, 1)))]}))
    [statistics] = get(models, "models/sizes/stats")["model_stats"]
    assert len(statistics["batch_stats"]) == 64 and statistics["inference_count"] == sum(range(1, 100))


def index(server, **members):
    listed = post(server, "repository/index", members or None, headers={})
    assert listed.status_code == 200, listed.text
    return {(entry["name"], entry["version"]): entry for entry in listed.json()}


def test_repository(models):
    """Unloaded versions are not ready, until they are loaded again; a version that comes later is."""
    register(models, "loaded", {"type": "lp_norm"})
    document = {"inputs": [json_input([[3.0, 4.0]])]}
    assert index(models)["loaded", "1"] == {"name": "loaded", "version": "1", "state": "READY"}
    assert {name for name, *_ in LAYERS} <= {name for name, _ in index(models)}

    response = post(models, "repository/models/loaded/unload", {"parameters": {"unload_dependents": False}})
    assert response.status_code == 200 and not response.content
    assert index(models)["loaded", "1"]["state"] == "UNAVAILABLE" and ("loaded", "1") not in index(models, ready=True)
    assert get(models, "models/loaded")["versions"] == ["1"] and get(models, "models/loaded/config")
    for response in (infer(models, "loaded", document), models.get("/v2/models/loaded/ready"), models.get("/v2/models/loaded/versions/1/ready")):
        refused(response, 503, "model_not_ready", "unloaded")
        assert response.headers["Retry-After"]
    assert models.normalize({"layer": "loaded", "input": [[3, 4]]})["output"]["data"], "unloading is about the protocol's models only"
    assert get(models, "health/ready") == {"ready": True}

    register(models, "loaded", {"type": "lp_norm", "p": 1})
    assert answer(infer(models, "loaded", document))[0]["model_version"] == "2"
    refused(infer(models, "loaded/versions/1", document), 503, "model_not_ready")
    assert [index(models)["loaded", version]["state"] for version in "12"] == ["UNAVAILABLE", "READY"]

    assert post(models, "repository/models/loaded/load").status_code == 200
    assert answer(infer(models, "loaded/versions/1", document))[0]["model_version"] == "1"
    assert post(models, "repository/models/loaded/load").status_code == 200, "twice is no harm"


def test_a_removed_layer_is_forgotten(models):
    """What comes under its name later is another model."""
    register(models, "removed", {"type": "lp_norm"})
    assert post(models, "repository/models/removed/unload").status_code == 200
    assert models.session.delete(f"{models.url}/layers/removed", headers=ADMINISTRATOR, timeout=10).status_code < 300
    refused(models.get("/v2/models/removed/ready"), 400, "unknown_model")
    register(models, "removed", {"type": "lp_norm"})
    assert get(models, "models/removed/ready")["ready"] is True
    assert post(models, "repository/models/removed/load").status_code == 200


def test_load_reads_the_directory(tmp_path):
    """A version that another process wrote is there after load; what was counted stays."""
    layers = tmp_path / "layers"
    layers.mkdir()
    with Server("--layers", str(layers), "--admin-key-file", write(tmp_path / "admin", ADMIN.encode())) as server:
        register(server, "stored", {"type": "lp_norm"})
        document = {"inputs": [json_input([[3.0, 4.0]])]}
        answer(infer(server, "stored", document))
        refused(post(server, "repository/models/copied/load"), 400, "unknown_model")
        shutil.copytree(layers / "stored", layers / "copied")
        refused(infer(server, "copied", document), 400, "unknown_model")
        assert post(server, "repository/models/copied/load").status_code == 200
        answer(infer(server, "copied", document))
        assert get(server, "models/stored/stats")["model_stats"][0]["execution_count"] == 1
        answer(infer(server, "stored", document))
        assert get(server, "models/stored/stats")["model_stats"][0]["execution_count"] == 2
        shutil.rmtree(layers / "stored")
        refused(post(server, "repository/models/stored/load"), 400, "unknown_model")


@pytest.mark.parametrize("parameters", [{"config": "{}"}, {"file:1/model.onnx": "AAAA"}])
def test_nothing_is_loaded_from_a_request(models, parameters):
    refused(post(models, "repository/models/bn/load", {"parameters": parameters}), 501, "not_supported", "PUT /layers")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"ready": 1}', b'{"ready": true, "ready": true}', b"\xff"])
def test_malformed_control(models, content):
    response = models.session.post(f"{models.url}/v2/repository/index", data=content, timeout=10)
    assert response.status_code == 400 and response.json()["error"]


def test_keys(models):
    """Health is open; the rest needs a key, and what changes something the administrator's."""
    def status(method, path, *fields):
        return models.exchange(request(method, path, b"", *fields)).status

    for path in GET_PATHS:
        assert status("GET", path) == (200 if "/health/" in path else 401)
        assert status("GET", path, "Authorization: Bearer wrong") == (200 if "/health/" in path else 401)
        assert status("GET", path, *models.authorization) == 200
    for path in POST_PATHS + ["/v2/logging", "/v2/nothing", "/v2/models/nothing/infer", "/v2/repository/models/nothing/load"]:
        assert status("POST", path) == 401
    for action in ("load", "unload"):
        assert status("POST", f"/v2/repository/models/gn.a-b_c/{action}", *models.authorization) == 403
    assert status("OPTIONS", "/v2/health/live") == 204 and status("POST", "/v2/health/live") == 405


def test_without_keys_nothing_can_be_unloaded():
    with Server() as server:
        for action in ("load", "unload"):
            refused(server.session.post(f"{server.url}/v2/repository/models/x/{action}", timeout=10), 403, "forbidden")
        assert server.session.post(f"{server.url}/v2/repository/index", timeout=10).json() == []
        assert server.get("/v2/models/stats").json() == {"model_stats": []}
        assert server.get("/v2").json()["name"] == "normserve"

"""The unmodified `tritonclient`, synchronous and for asyncio, of which only the URL is changed."""

import asyncio
import pathlib
import warnings

import numpy as np
import pytest

# gevent and geventhttpclient warn of each other's age.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.http as triton
    import tritonclient.http.aio as triton_aio
    from tritonclient.utils import InferenceServerException

from certificates import write
from oip import ADMIN, API, BATCH_NORM, DATATYPES, LAYER_NORM, LAYERS, RANDOM, close, expected, numpy_type, register
from server import Server

KEY = {"Authorization": f"Bearer {API}"}
ADMINISTRATOR = {"Authorization": f"Bearer {ADMIN}"}
X = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
ROWS = RANDOM.standard_normal((5, 8))
CODINGS = [None, "gzip", "deflate"]


@pytest.fixture(scope="module")
def client(models):
    with triton.InferenceServerClient(f"127.0.0.1:{models.port}", concurrency=4) as connected:
        yield connected


def tensor(x, datatype="FP32", binary=True):
    described = triton.InferInput("input", list(x.shape), datatype)
    described.set_data_from_numpy(x, binary_data=binary)
    return described


def asked(binary):
    return [triton.InferRequestedOutput("output", binary_data=binary)]


def headers():
    """Of each call its own: the client adds to what it is given."""
    return dict(KEY)


def test_the_server(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_server_live(headers=headers(), query_params={"a": 1})
    metadata = client.get_server_metadata(headers=headers())
    assert metadata["name"] == "normserve" and {"binary_tensor_data", "statistics"} <= set(metadata["extensions"])


def test_a_model(client):
    assert client.is_model_ready("bn", headers=headers()) and client.is_model_ready("bn", "1", headers=headers())
    assert not client.is_model_ready("nothing", headers=headers()) and not client.is_model_ready("bn", "2", headers=headers())
    metadata = client.get_model_metadata("bn", headers=headers())
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 3, -1]}]
    assert client.get_model_metadata("bn", "1", headers=headers()) == metadata
    assert client.get_model_config("bn", headers=headers())["input"][0]["dims"] == [3, -1]
    assert {model["name"] for model in client.get_model_repository_index(headers=headers())} >= {name for name, *_ in LAYERS}


def test_unload_and_load(client, models):
    register(models, "triton-loaded", {"type": "lp_norm"})
    client.unload_model("triton-loaded", headers=dict(ADMINISTRATOR))
    assert not client.is_model_ready("triton-loaded", headers=headers())
    with pytest.raises(InferenceServerException, match="not ready") as raised:
        client.infer("triton-loaded", [tensor(np.ones((1, 2), np.float32))], headers=headers())
    assert raised.value.status() == "503"
    client.load_model("triton-loaded", headers=dict(ADMINISTRATOR))
    assert client.is_model_ready("triton-loaded", headers=headers())
    for options in ({"config": "{}"}, {"config": "{}", "files": {"file:1/model.py": b"x"}}):
        with pytest.raises(InferenceServerException, match="PUT /layers") as raised:
            client.load_model("triton-loaded", headers=dict(ADMINISTRATOR), **options)
        assert raised.value.status() == "501"
    with pytest.raises(InferenceServerException, match="administrator") as raised:
        client.unload_model("triton-loaded", headers=headers())
    assert raised.value.status() == "403"


def test_statistics(client, models):
    register(models, "triton-counted", {"type": "lp_norm"})
    for _ in range(3):
        client.infer("triton-counted", [tensor(np.ones((2, 2), np.float32))], headers=headers())
    [statistics] = client.get_inference_statistics("triton-counted", headers=headers())["model_stats"]
    assert statistics["inference_count"] == 6 and statistics["inference_stats"]["success"]["count"] == 3
    assert len(client.get_inference_statistics(headers=headers())["model_stats"]) >= len(LAYERS)


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("outputs", [None, True, False], ids=["default", "binary", "json"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_infer(client, binary, outputs, datatype):
    """In all forms and types; BF16 by ml_dtypes, which the client does not send as JSON."""
    if datatype == "BF16" and not binary:
        return  # Nothing would be sent: the client refuses.
    x = ROWS.astype(numpy_type(datatype))
    result = client.infer(
        DATATYPES[datatype], [tensor(x, datatype, binary)], outputs=None if outputs is None else asked(outputs), request_id="7", headers=headers()
    )  # fmt: skip
    y = result.as_numpy("output")
    assert y.dtype == numpy_type(datatype) and y.shape == (5, 8)
    close(y, expected(LAYER_NORM, ROWS, datatype), datatype)
    response = result.get_response()
    assert response["id"] == "7" and response["model_name"] == DATATYPES[datatype] and response["model_version"] == "1"
    assert response["parameters"]["total_us"] > 0
    assert ("data" in result.get_output("output")) == (outputs is False)


@pytest.mark.parametrize("x", [np.array([[np.nan, np.inf], [-np.inf, 1]], np.float32)], ids=["not finite"])
@pytest.mark.parametrize("binary", [True, False])
def test_numbers_that_json_has_not(client, x, binary):
    result = client.infer("gn.a-b_c", [tensor(x, binary=binary)], outputs=asked(binary), headers=headers())
    assert np.isnan(result.as_numpy("output")[0]).all()


@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("binary", [True, False])
def test_no_elements(client, binary_input, binary):
    result = client.infer("bn", [tensor(np.empty((0, 3, 4), np.float32), binary=binary_input)], outputs=asked(binary), headers=headers())
    assert result.as_numpy("output").shape == (0, 3, 4)


@pytest.mark.parametrize("answer", CODINGS)
@pytest.mark.parametrize("request_coding", CODINGS)
@pytest.mark.parametrize("binary", [True, False])
def test_codings(client, binary, request_coding, answer):
    x = np.zeros((256, 8), np.float32)
    result = client.infer(
        "ln-fp32", [tensor(x, binary=binary)], outputs=asked(binary), headers=headers(),
        request_compression_algorithm=request_coding, response_compression_algorithm=answer,
    )  # fmt: skip
    close(result.as_numpy("output"), expected(LAYER_NORM, x))


def test_async_infer(client):
    inputs = [RANDOM.standard_normal((batch, 3)).astype(np.float32) for batch in range(1, 9)]
    pending = [client.async_infer("bn", [tensor(x)], request_id=str(len(x)), headers=headers()) for x in inputs]
    for x, request in zip(inputs, pending):
        result = request.get_result()
        assert result.get_response()["id"] == str(len(x))
        close(result.as_numpy("output"), expected(BATCH_NORM, x))
    failing = client.async_infer("bn", [tensor(np.ones((1, 4), np.float32))], headers=headers())
    with pytest.raises(InferenceServerException, match="unexpected shape"):
        failing.get_result()


def test_parameters_of_a_request(client):
    result = client.infer("bn", [tensor(X)], parameters={"own": "x", "other": 3}, priority=1, timeout=1_000_000, sequence_id=5, sequence_start=True, headers=headers())
    close(result.as_numpy("output"), expected(BATCH_NORM, X))


@pytest.mark.parametrize(("model", "x", "options", "status", "words"), [
    ("nothing", X, {}, "400", "Request for unknown model: 'nothing' is not found"), ("bn", X, {"model_version": "9"}, "404", "version 9 is not found"),
    ("bn", X.astype(np.float64), {}, "400", "inference input 'input' data-type is 'FP64', but model 'bn' expects 'FP32'"),
    ("bn", X[:, :2], {}, "400", "unexpected shape for input 'input' for model 'bn'. Expected [-1,3,-1], got [2,2,4]"),
    ("bn", X, {"outputs": [triton.InferRequestedOutput("output", class_count=2)]}, "501", "no classes"),
    ("bn", X, {"outputs": [triton.InferRequestedOutput("other")]}, "400", "unexpected inference output 'other'"),
    ("bn", X, {"headers": {}}, "401", "this needs a key"),
], ids=["model", "version", "datatype", "shape", "classes", "output", "key"])  # fmt: skip
def test_errors(client, model, x, options, status, words):
    datatype = {"float32": "FP32", "float64": "FP64"}[str(x.dtype)]
    with pytest.raises(InferenceServerException) as raised:
        client.infer(model, [tensor(x, datatype)], **{"headers": headers()} | options)
    assert raised.value.status() == status and words in raised.value.message()


@pytest.mark.parametrize("call", [
    lambda client: client.get_system_shared_memory_status(headers=headers()), lambda client: client.register_system_shared_memory("r", "/r", 64, headers=headers()),
    lambda client: client.unregister_system_shared_memory(headers=headers()), lambda client: client.get_cuda_shared_memory_status(headers=headers()),
    lambda client: client.get_trace_settings(headers=headers()), lambda client: client.update_trace_settings("bn", {"trace_level": ["TIMESTAMPS"]}, headers=headers()),
    lambda client: client.get_log_settings(headers=headers()), lambda client: client.update_log_settings({"log_info": True}, headers=headers()),
])  # fmt: skip
def test_what_is_not_here(client, call):
    with pytest.raises(InferenceServerException) as raised:
        call(client)
    assert raised.value.status() == "501" and raised.value.message()


def test_reused_headers(client):
    """The client leaves the length of the JSON in the caller's dictionary; a JSON request with that length is refused, and no other follows from it."""
    stale = headers()
    client.infer("bn", [tensor(X)], headers=stale)
    assert "Inference-Header-Content-Length" in stale
    with pytest.raises(InferenceServerException) as raised:
        client.infer("bn", [tensor(X, binary=False)], headers=stale)
    assert raised.value.status() == "400"
    close(client.infer("bn", [tensor(X)], headers=headers()).as_numpy("output"), expected(BATCH_NORM, X))


def test_the_connection_is_kept(models):
    """Bodies that the client never reads do not cost it its connection."""
    before = models.metric("normserve_connections_accepted_total")
    with triton.InferenceServerClient(f"127.0.0.1:{models.port}") as client:
        for _ in range(5):
            assert client.is_server_ready() and client.is_server_live() and client.is_model_ready("bn", headers=headers())
            client.infer("bn", [tensor(X)], headers=headers())
    # Those of asking for the metrics.
    assert models.metric("normserve_connections_accepted_total") - before <= 2


def test_tls(ecdsa, tmp_path):
    keys = ["--admin-key-file", write(tmp_path / "admin", ADMIN.encode())]
    with Server(*keys, tls=ecdsa) as server:
        register(server, "bn", BATCH_NORM)
        authority = str(pathlib.Path(ecdsa.authority.certificate))
        import gevent.ssl

        with triton.InferenceServerClient(
            f"localhost:{server.port}", ssl=True, ssl_options={"ca_certs": authority}, ssl_context_factory=gevent.ssl.create_default_context
        ) as client:  # fmt: skip
            close(client.infer("bn", [tensor(X)]).as_numpy("output"), expected(BATCH_NORM, X))


def asynchronous(body):
    """Runs `body` with a client for asyncio, which says on every call that it takes gzip, deflate and br, and decodes nothing but answers."""

    def test(models):
        async def run():
            async with triton_aio.InferenceServerClient(f"127.0.0.1:{models.port}") as client:
                await body(client)

        asyncio.run(run())

    return test


@asynchronous
async def test_aio_metadata(client):
    assert await client.is_server_live() and await client.is_server_ready()
    assert await client.is_model_ready("bn", headers=headers()) and not await client.is_model_ready("nothing", headers=headers())
    assert (await client.get_server_metadata(headers=headers()))["name"] == "normserve"
    assert (await client.get_model_metadata("bn", headers=headers()))["name"] == "bn"
    assert (await client.get_model_config("bn", headers=headers()))["name"] == "bn"
    # Long enough to be worth a coding.
    assert len(await client.get_model_repository_index(headers=headers())) >= len(LAYERS)
    assert len((await client.get_inference_statistics(headers=headers()))["model_stats"]) >= len(LAYERS)


@asynchronous
async def test_aio_infer(client):
    x = np.zeros((256, 8), np.float32)
    for binary in (True, False):
        for codings in ({}, {"request_compression_algorithm": "gzip"}, {"response_compression_algorithm": "deflate"}, {"request_compression_algorithm": "deflate", "response_compression_algorithm": "gzip"}):
            result = await client.infer("ln-fp32", [tensor(x, binary=binary)], outputs=asked(binary), headers=headers(), **codings)
            close(result.as_numpy("output"), expected(LAYER_NORM, x))
    for datatype, model in DATATYPES.items():
        result = await client.infer(model, [tensor(ROWS.astype(numpy_type(datatype)), datatype)], headers=headers())
        close(result.as_numpy("output"), expected(LAYER_NORM, ROWS, datatype), datatype)


@asynchronous
async def test_aio_many_at_a_time(client):
    inputs = [RANDOM.standard_normal((batch, 3)).astype(np.float32) for batch in range(1, 33)]
    results = await asyncio.gather(*[client.infer("bn", [tensor(x)], headers=headers()) for x in inputs])
    for x, result in zip(inputs, results):
        close(result.as_numpy("output"), expected(BATCH_NORM, x))


@asynchronous
async def test_aio_errors(client):
    for model, x, status in [("nothing", X, "400"), ("bn", X[:, :1], "400")]:
        with pytest.raises(InferenceServerException) as raised:
            await client.infer(model, [tensor(x)], headers=headers())
        assert raised.value.status() == status and "exception" not in raised.value.message()
    with pytest.raises(InferenceServerException) as raised:
        await client.get_trace_settings(headers=headers())
    assert raised.value.status() == "501"

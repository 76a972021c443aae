"""Raw bytes with the layer and the shape in the query (API.md, section 3), and what queries are made of."""

import io
import json
import urllib.parse

import numpy as np
import pytest

import reference
from layers import LAYER_TYPES, assert_close, expected_of, generator, layer_of, shapes_of
from problems import problem
from server import request
from tensors import FLOATING, INTEGER, decode, encode, rounded, unframe

RANDOM = np.random.default_rng(23)
RAW = {"Content-Type": "application/octet-stream"}


def post(server, query, content=b"", accept=None, **fields):
    if isinstance(query, dict):
        query = urllib.parse.urlencode(query)
    headers = RAW | fields | ({"Accept": accept} if accept else {})
    return server.session.post(f"{server.url}/normalize?{query}", data=content, headers=headers, timeout=60)


def load(response):
    """The output's FP64 values, by what the fields say of it."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert "Inference-Header-Content-Length" not in response.headers
    assert "total;dur=" in response.headers["Server-Timing"]
    shape = [int(size) for size in response.headers["Normserve-Shape"].split(",") if size]
    return decode(response.content, response.headers["Normserve-Datatype"], shape)


@pytest.mark.parametrize("datatype", FLOATING + INTEGER)
def test_every_type(server, datatype):
    x = RANDOM.integers(0, 2, (3, 4, 5)).astype(np.float64)
    response = post(server, f"type=layer_norm&axis=-1&shape=3,4,5&datatype={datatype}", encode(x, datatype))
    output = datatype if datatype in FLOATING else "FP32"
    assert response.headers["Normserve-Datatype"] == output
    assert_close(load(response), reference.layer_norm(x, [5]), output, "FP64" if datatype == "FP64" else "FP32")


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_every_layer(server, kind):
    """All parameters of any layer can stand in a query, tensors as lists."""
    random = generator("query", kind)
    shape = shapes_of(kind)[0 if kind == "dynamic_tanh" else 1]
    layer = layer_of(kind, shape, random)
    x = rounded(random.standard_normal(shape), "FP32")
    query = {"shape": ",".join(map(str, shape))}
    for name, value in layer.items():
        flat = np.ravel(value).tolist() if isinstance(value, list) else value
        nested = isinstance(value, list) and np.ndim(value) > 1
        query[name] = json.dumps(value) if nested or not isinstance(value, (list, str)) else ",".join(map(repr, flat)) if isinstance(flat, list) else value
    y = load(post(server, query, encode(x, "FP32")))
    assert_close(y, expected_of(layer, x, "FP32"), "FP32")


def test_defaults(server):
    """FP32, as in JSON."""
    x = np.float32([[1, 2, 4]])
    np.testing.assert_allclose(load(post(server, "shape=1,3&type=rms_norm&normalized_shape=3&eps=0", x.tobytes())),
                               x / np.sqrt(np.mean(np.square(x))), atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("query", [
    "shape=2,3&type=layer_norm&normalized_shape=3&eps=1e-3", "type=layer%5Fnorm&%73hape=2%2c3&normalized_shape=%5B3%5D&eps=1e-3",
    "&&shape=2,3&type=layer_norm&&axis=1&eps=1E-3&", "shape=2,3&type=layer_norm&axis=-1&eps=0.001&datatype=FP32&weight=null",
    "shape=2,3&type=layer_norm&axis=-1&eps=1.0e-3&weight=1,1,1&bias=[0,0,0]&epsilon_placement=variance&output_datatype=FP32",
])  # fmt: skip
def test_spellings(server, query):
    x = RANDOM.standard_normal((2, 3)).astype(np.float32)
    expected = reference.layer_norm(x.astype(np.float64), [3], eps=1e-3)
    np.testing.assert_allclose(load(post(server, query, x.tobytes())), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("parameters", "layer"), [
    ("type=lp_norm&p=inf", {"type": "lp_norm", "p": "inf"}), ("type=lp_norm&p=1", {"type": "lp_norm", "p": 1}),
    ("type=weight_norm&weight_g=2&dim=null", {"type": "weight_norm", "weight_g": [2], "dim": None}),
    ("type=mean_variance_norm&axes=0,-1", {"type": "mean_variance_norm", "axes": [0, -1]}),
    ("type=dynamic_tanh&alpha=0.5", {"type": "dynamic_tanh", "alpha": 0.5}),
    ("type=batch_norm&use_batch_statistics=true", {"type": "batch_norm", "use_batch_statistics": True}),
])  # fmt: skip
def test_kinds_of_parameters(server, parameters, layer):
    x = RANDOM.standard_normal((2, 3)).astype(np.float32)
    expected = server.normalize({"layer": layer, "input": x.tolist()})["output"]["data"]
    actual = load(post(server, f"shape=2,3&{parameters}", x.tobytes()))
    np.testing.assert_array_equal(np.float32(actual), np.float32(expected))


def test_other_answers(server):
    x = RANDOM.standard_normal((2, 3)).astype(np.float32)
    query = "shape=2,3&type=layer_norm&axis=-1"
    expected = np.float32(load(post(server, query, x.tobytes())))
    answer = post(server, query, x.tobytes(), "application/json").json()
    np.testing.assert_array_equal(np.float32(answer["output"]["data"]).reshape(2, 3), expected)
    npy = post(server, query, x.tobytes(), "application/x-npy")
    np.testing.assert_array_equal(np.load(io.BytesIO(npy.content)), expected)


def test_a_scalar_and_no_elements(server):
    assert problem(post(server, "shape=&type=layer_norm&axis=-1", bytes(4)), 422)["code"] == "invalid_shape"
    assert load(post(server, "shape=0,4&type=layer_norm&axis=-1")).shape == (0, 4)


def test_sigma(server):
    response = post(server, "shape=2,2&type=spectral_norm", np.float32([[3, 0], [0, 4]]).tobytes())
    assert float(response.headers["Normserve-Sigma"]) == pytest.approx(4)


BASE = "shape=2,3&type=layer_norm&axis=-1"
REFUSED = {
    "no shape": ("type=layer_norm&axis=-1", 422, "missing_member", "/input/shape"),
    "no layer": ("shape=2,3", 422, "missing_member", "/layer"),
    "two layers": (BASE + "&layer=bn1", 422, "invalid_value", "/layer"),
    "unknown parameter": (BASE + "&epsilon=1", 422, "unknown_member", "/layer/epsilon"),
    "unknown type": ("shape=2,3&type=nonsense", 422, "unknown_layer_type", "/layer/type"),
    "unknown datatype": (BASE + "&datatype=float32", 422, "unsupported_datatype", "/input/datatype"),
    "unknown output datatype": (BASE + "&output_datatype=INT8", 422, "unsupported_datatype", "/output/datatype"),
    "parameters of a registered layer": ("shape=2,3&layer=bn1&eps=1", 422, "unknown_member", None),
    "odd name": (BASE + "&%00=1", 422, "unknown_member", None), "long name": (BASE + f"&{'x' * 65}=1", 422, "unknown_member", None),
    "repeated": (BASE + "&axis=-1", 400, "invalid_query", None), "repeated otherwise": (BASE + "&a%78is=-1", 400, "invalid_query", None),
    "no UTF-8": (BASE + "&eps=%ff", 400, "invalid_query", None), "surrogate": (BASE + "&eps=%ed%a0%80", 400, "invalid_query", None),
    "negative shape": ("shape=-2,3&type=layer_norm", 422, "invalid_shape", "/input/shape"),
    "shape of another kind": ("shape=2x3&type=layer_norm", 422, "invalid_shape", "/input/shape"),
    "cut shape": ("shape=2,&type=layer_norm", 422, "invalid_shape", "/input/shape"),
    "huge shape": ("shape=9999999999,9999999999&type=layer_norm", 422, "too_many_elements", "/input/shape"),
    "many dimensions": (f"shape={','.join(33 * '1')}&type=layer_norm", 422, "invalid_shape", "/input/shape"),
    **{
        f"{name}={text}": (BASE + f"&{name}={text}", 422, "invalid_value", f"/layer/{name}")
        for name, text in [
            ("eps", ""), ("eps", "small"), ("eps", "+1"), ("eps", "1%20"[:1] + "%2C2"), ("eps", "null"), ("eps", "true"), ("eps", "%221%22x"),
            ("weight", "1,x,2"), ("weight", "1,,2"), ("weight", "[1,2"), ("weight", "1],[2"), ("weight", "true,1,1"),
            ("epsilon_placement", "nowhere"), ("epsilon_placement", "%22std"),
        ]
    },
    "axis=1.5": ("shape=2,3&type=layer_norm&axis=1.5", 422, "invalid_value", "/layer/axis"),
    "normalized_shape=3;": ("shape=2,3&type=layer_norm&normalized_shape=3;", 422, "invalid_value", "/layer/normalized_shape"),
    "many axes": (f"shape=2,3&type=mean_variance_norm&axes={','.join(33 * '0')}", 422, "invalid_value", "/layer/axes"),
}  # fmt: skip


@pytest.mark.parametrize(("query", "status", "code", "pointer"), REFUSED.values(), ids=REFUSED)
def test_refused(server, problem_codes, query, status, code, pointer):
    document = problem(post(server, query, np.zeros((2, 3), np.float32).tobytes()), status, problem_codes)
    assert (document["code"], document.get("pointer")) == (code, pointer), document
    assert server.is_healthy()


@pytest.mark.parametrize("escape", ["%", "%4", "%zz", "%%41"])
def test_cut_escapes(server, escape):
    """Byte by byte, as requests would put them right."""
    raw = request("POST", f"/normalize?{BASE}&eps={escape}", bytes(24), "Content-Type: application/octet-stream")
    response = server.exchange(raw)
    assert response.status == 400 and response.json()["code"] == "invalid_query"


@pytest.mark.parametrize("size", [0, 1, 23, 25, 48])
def test_bytes_that_do_not_fill_the_shape(server, size):
    assert problem(post(server, BASE, bytes(size)), 422)["code"] == "invalid_data"


def test_booleans(server):
    assert problem(post(server, BASE + "&datatype=BOOL", bytes([0, 1, 0, 1, 0, 2])), 422)["code"] == "invalid_data"


def test_unknown_layer(server):
    for query in ("layer=nobody", "layer=nobody&version=2", "layer=", "layer=%00", "layer=..%2f"):
        assert problem(post(server, f"shape=1&{query}", bytes(4)), 404)["code"] == "unknown_layer"


def test_a_query_does_not_go_with_json(server):
    """Nor with the framing, nor with a file that says all itself."""
    for fields in ({"Content-Type": "application/json"}, {"Inference-Header-Content-Length": "2"}, {"Content-Type": "application/x-safetensors"}):
        assert problem(post(server, BASE, b"{}", **fields), 422)["code"] == "unknown_member"


def test_framing_does_not_go_with_files(server):
    for kind in ("npy", "safetensors"):
        fields = {"Content-Type": f"application/x-{kind}", "Inference-Header-Content-Length": "2"}
        query = "type=layer_norm&axis=-1" if kind == "npy" else ""
        assert problem(post(server, query, b"{}", **fields), 400)["code"] == "invalid_binary_framing"


def test_framed_answer(server):
    """JSON asked for as bytes has its header, as ever."""
    document = {"layer": {"type": "layer_norm", "axis": -1}, "input": [[1, 2, 3]]}
    header, _ = unframe(server.post(document, headers={"Accept": "application/octet-stream"}))
    assert header["output"]["shape"] == [1, 3]

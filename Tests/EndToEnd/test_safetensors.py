"""safetensors in, safetensors out: the safetensors package writes the requests and reads the answers (API.md, section 3)."""

import io
import json
import struct

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy

import reference
from layers import LAYER_TYPES, assert_close, expected_of, generator, layer_of, shapes_of
from problems import problem
from tensors import FLOATING, NUMPY, rounded

DTYPES = NUMPY | {"BF16": ml_dtypes.bfloat16}
OUTPUTS = {"F16": np.float16, "BF16": ml_dtypes.bfloat16, "F32": np.float32, "F64": np.float64}
RANDOM = np.random.default_rng(22)
SAFETENSORS = {"Content-Type": "application/x-safetensors"}
LAYER_NORM = {"type": "layer_norm", "axis": "-1"}


def post(server, tensors, metadata=LAYER_NORM, accept=None):
    content = tensors if isinstance(tensors, bytes) else safetensors.numpy.save(tensors, metadata)
    return server.post(content, headers=SAFETENSORS | ({"Accept": accept} if accept else {}))


def load(response):
    """The output, and the metadata with its JSON decoded."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/x-safetensors"
    assert "total;dur=" in response.headers["Server-Timing"]
    ((name, tensor),) = safetensors.deserialize(response.content)
    assert name == "output"
    (length,) = struct.unpack("<Q", response.content[:8])
    assert length % 8 == 0
    header = json.loads(response.content[8 : 8 + length])
    return np.frombuffer(tensor["data"], OUTPUTS[tensor["dtype"]]).reshape(tensor["shape"]), {name: json.loads(text) for name, text in header["__metadata__"].items()}


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_type(server, datatype):
    x = RANDOM.integers(0, 2, (3, 4, 5)).astype(DTYPES[datatype])
    y, metadata = load(post(server, {"input": x}))
    output = datatype if datatype in FLOATING else "FP32"
    assert y.dtype == DTYPES[output]
    expected = reference.layer_norm(x.astype(np.float64), [5])
    assert_close(y.astype(np.float64), expected, output, "FP64" if datatype == "FP64" else "FP32")
    assert metadata["layer"] == {"type": "layer_norm"}
    assert list(metadata["timing"])[-1] == "total_us"


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_every_layer(server, kind):
    """Parameters that are arrays go as tensors, all others as JSON."""
    random = generator("safetensors", kind)
    shape = shapes_of(kind)[1]
    layer = layer_of(kind, shape, random)
    x = rounded(random.standard_normal(shape), "FP32")
    tensors, metadata = {"input": x.astype(np.float32)}, {}
    for name, value in layer.items():
        if isinstance(value, list) and name != "normalized_shape":
            tensors[name] = np.float32(value)
        else:
            metadata[name] = value if isinstance(value, str) else json.dumps(value)
    y, answer = load(post(server, tensors, metadata))
    assert_close(y.astype(np.float64), expected_of(layer, x, "FP32"), "FP32")
    assert answer["layer"]["type"] == kind


@pytest.mark.parametrize("order", [["input", "weight", "bias"], ["a", "b", "c"]])
def test_tensors_that_are_not_aligned(server, order):
    """Other writers may put a wide type after a narrow one."""
    x, weight = np.float64([[1, 2, 4]]), np.float16([1, 2, 3])
    header = {
        "__metadata__": LAYER_NORM, "weight": {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]},
        "input": {"dtype": "F64", "shape": [1, 3], "data_offsets": [6, 30]},
    }  # fmt: skip
    for padding in range(9):
        text = json.dumps(header).encode() + b" " * padding
        y, _ = load(post(server, struct.pack("<Q", len(text)) + text + weight.tobytes() + x.tobytes()))
        np.testing.assert_allclose(y, reference.layer_norm(x, [3]) * weight, rtol=1e-12)


def test_parameters_as_json(server):
    """Also tensors; they are of the precision of the computation. Words need no quotation marks."""
    x = RANDOM.standard_normal((2, 3)).astype(np.float32)
    metadata = {"type": '"layer_norm"', "normalized_shape": "[3]", "eps": "1e-3", "weight": "[0.1, 1, 2]", "epsilon_placement": "std"}
    y, _ = load(post(server, {"input": x}, metadata))
    document = {"layer": {"type": "layer_norm", "normalized_shape": [3], "eps": 1e-3, "weight": [0.1, 1, 2], "epsilon_placement": "std"}}
    expected = server.normalize(document | {"input": x.tolist()})["output"]["data"]
    np.testing.assert_array_equal(y, np.float32(expected))


def test_output_datatype(server):
    y, _ = load(post(server, {"input": np.ones((2, 2), np.float32)}, LAYER_NORM | {"output_datatype": "BF16"}))
    assert y.dtype == ml_dtypes.bfloat16


def test_sigma(server):
    y, metadata = load(post(server, {"input": np.diag([3.0, 4.0])}, {"type": "spectral_norm"}))
    assert metadata["layer"]["sigma"] == pytest.approx(4)


def test_other_answers(server):
    x = RANDOM.standard_normal((2, 3)).astype(np.float32)
    expected, _ = load(post(server, {"input": x}))
    as_npy = post(server, {"input": x}, accept="application/x-npy")
    np.testing.assert_array_equal(np.load(io.BytesIO(as_npy.content)), expected)
    as_json = post(server, {"input": x}, accept="application/json").json()["output"]
    np.testing.assert_array_equal(np.float32(as_json["data"]).reshape(as_json["shape"]), expected)
    document = {"layer": {"type": "layer_norm", "axis": -1}, "input": x.tolist()}
    again, _ = load(server.post(document, headers={"Accept": "application/x-safetensors"}))
    np.testing.assert_array_equal(again, expected)


def test_no_elements(server):
    y, _ = load(post(server, {"input": np.zeros((0, 4), np.float32)}))
    assert y.shape == (0, 4)


def file(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


MALFORMED = {
    "empty": b"", "short": b"\1\0\0", "no header": struct.pack("<Q", 10), "huge header": struct.pack("<Q", 1 << 63) + b"{}",
    "header of 100 MB": struct.pack("<Q", 100_000_000) + b"{}", "no brace": file(b" {}"), "no JSON": file(b"{x}"), "cut JSON": file(b'{"input":'),
    "no UTF-8": file(b'{"\xff": 1}'), "trailing text": file(b"{} {}"), "twice": file(b'{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "metadata of numbers": file({"__metadata__": {"a": 1}}), "entry of another kind": file({"x": []}), "no dtype": file({"x": {"shape": [], "data_offsets": [0, 0]}}),
    "unknown dtype": file({"x": tensor("F128", [], 0, 16)}, bytes(16)), "negative": file({"x": tensor("U8", [-1], 0, 0)}),
    "overflow": file({"x": tensor("U8", [1 << 40, 1 << 40], 0, 0)}), "backwards": file({"x": tensor("U8", [1], 1, 0)}, b"a"),
    "hole": file({"x": tensor("U8", [1], 1, 2)}, b"ab"), "overlap": file({"x": tensor("U8", [2], 0, 2), "y": tensor("U8", [2], 1, 3)}, b"abc"),
    "size": file({"x": tensor("F32", [2], 0, 4)}, bytes(4)), "too little data": file({"x": tensor("U8", [4], 0, 4)}, b"abc"), "too much data": file({}, b"a"),
    "huge offsets": file({"x": tensor("U8", [1], (1 << 63) - 2, (1 << 63) - 1)}), "nested deeply": file(b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}"),
}  # fmt: skip


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed(server, problem_codes, content):
    """What the reference refuses is refused; both are asked."""
    with pytest.raises(safetensors.SafetensorError):
        if content != MALFORMED["twice"] and content != MALFORMED["no brace"]:
            safetensors.deserialize(content)
        raise safetensors.SafetensorError("the format's rules forbid it, but the reference does not look")
    assert problem(post(server, content), 400, problem_codes)["code"] == "invalid_safetensors"
    assert server.is_healthy()


X = {"input": np.ones((2, 3), np.float32)}
IMPOSSIBLE = {
    "no input": ({"weight": np.ones(3)}, LAYER_NORM, "missing_member", "/input"),
    "no layer": (X, {"eps": "1"}, "missing_member", "/layer"),
    "two layers": (X, LAYER_NORM | {"layer": "bn1"}, "invalid_value", "/layer"),
    "unknown type": (X, {"type": "layernorm"}, "unknown_layer_type", "/layer/type"),
    "unknown tensor": (X | {"gamma": np.ones(3)}, LAYER_NORM, "unknown_member", "/layer/gamma"),
    "unknown key": (X, LAYER_NORM | {"epsilon": "1"}, "unknown_member", "/layer/epsilon"),
    "version without name": (X, LAYER_NORM | {"version": "1"}, "unknown_member", None),
    "given twice": (X | {"weight": np.ones(3)}, LAYER_NORM | {"weight": "[1,1,1]"}, "invalid_value", "/layer/weight"),
    "no number": (X, LAYER_NORM | {"eps": "small"}, "invalid_value", "/layer/eps"),
    "list for a number": (X, LAYER_NORM | {"eps": "[1]"}, "invalid_value", "/layer/eps"),
    "two values": (X, LAYER_NORM | {"eps": "1 2"}, "invalid_value", "/layer/eps"),
    "tensor for a number": (X | {"eps": np.ones(1)}, LAYER_NORM, "wrong_type", "/layer/eps"),
    "output datatype": (X, LAYER_NORM | {"output_datatype": "F16"}, "unsupported_datatype", "/output/datatype"),
    "integers for output": (X, LAYER_NORM | {"output_datatype": "INT8"}, "unsupported_datatype", "/output/datatype"),
    "shape": (X | {"weight": np.ones(2)}, LAYER_NORM, "shape_mismatch", "/layer/weight"),
    "parameters of a registered one": (X | {"weight": np.ones(3)}, {"layer": "bn1"}, "unknown_member", None),
}  # fmt: skip


@pytest.mark.parametrize(("tensors", "metadata", "code", "pointer"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible(server, problem_codes, tensors, metadata, code, pointer):
    document = problem(post(server, tensors, metadata), 422, problem_codes)
    assert (document["code"], document.get("pointer")) == (code, pointer), document


def test_types_of_others(server):
    content = file({"__metadata__": LAYER_NORM, "input": tensor("F8_E4M3", [2, 2], 0, 4)}, bytes(4))
    assert problem(post(server, content), 422)["code"] == "unsupported_datatype"


def test_unknown_layer(server):
    assert problem(post(server, X, {"layer": "nobody"}), 404)["code"] == "unknown_layer"

"""The models that the tests of the Open Inference Protocol ask for, and the protocol's frames made by hand."""

import json

import numpy as np

import reference
from problems import check_problem
from tensors import NUMPY, decode, encode, rounded

ADMIN = "administrator-of-models"
API = "user-of-models"
RANDOM = np.random.default_rng(7)
WEIGHT = rounded(0.5 + RANDOM.random(8), "BF16").tolist()
BIAS = rounded(RANDOM.standard_normal(8), "BF16").tolist()

BATCH_NORM = {"type": "batch_norm", "running_mean": [0.5, -1, 2], "running_var": [1, 4, 0.25], "weight": [1, 2, 3], "bias": [0, 1, -1]}
LAYER_NORM = {"type": "layer_norm", "normalized_shape": [8], "weight": WEIGHT, "bias": BIAS}
DATATYPES = {"FP32": "ln-fp32", "FP64": "ln-fp64", "FP16": "ln-fp16", "BF16": "ln-bf16"}

# What is registered: name, layer, announced datatype.
LAYERS = [
    ("bn", BATCH_NORM, "FP32"),
    *((name, LAYER_NORM, datatype) for datatype, name in DATATYPES.items()),
    ("gn.a-b_c", {"type": "group_norm", "num_groups": 2}, "FP32"),
    ("last", {"type": "instance_norm", "data_format": "channels_last", "weight": [1, 2]}, "FP32"),
    ("spectral", {"type": "spectral_norm"}, "FP32"),
    ("scaler", {"type": "standardize", "mean": [1, 2], "std": [3, 4]}, "FP64"),
]


def register(server, name, layer, datatype="FP32"):
    """Registers a new version of a layer and returns its number."""
    response = server.session.put(
        f"{server.url}/layers/{name}", json=layer | {"datatype": datatype}, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=10
    )  # fmt: skip
    assert response.status_code == 201, response.text
    return response.json()["version"]


def expected(layer, x, datatype="FP32"):
    """What the layer makes of `x`, in FP64."""
    return np.asarray(reference.normalize(layer, rounded(x, datatype)), np.float64)


def tolerance(datatype):
    """How far off an output in [-8, 8] may be."""
    return {"FP64": 1e-12, "FP32": 4e-6, "FP16": 8e-3, "BF16": 6e-2}[datatype]


def close(actual, wanted, datatype="FP32"):
    np.testing.assert_allclose(np.asarray(actual, np.float64), wanted, rtol=0, atol=tolerance(datatype))


def json_input(x, datatype="FP32", **members):
    return {"name": "input", "shape": list(np.shape(x)), "datatype": datatype, "data": np.asarray(x).ravel().tolist()} | members


def binary_input(x, datatype="FP32"):
    """An input whose bytes follow the JSON, and those bytes."""
    content = encode(x, datatype)
    described = {"name": "input", "shape": list(np.shape(x)), "datatype": datatype, "parameters": {"binary_data_size": len(content)}}
    return described, content


def infer(server, model, document, *blobs, framed=None, headers=None, **options):
    """The answer to an infer request; framed where there are blobs, or as `framed` says."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    fields = dict(headers or {})
    if bool(blobs) if framed is None else framed:
        fields.setdefault("Inference-Header-Content-Length", str(len(text)))
    return server.session.post(f"{server.url}/v2/models/{model}/infer", data=text + b"".join(blobs), headers=fields, timeout=30, **options)


def answer(response):
    """The document of an answer, held against the protocol, and its one output in FP64."""
    assert response.status_code == 200, response.text
    length = response.headers.get("Inference-Header-Content-Length")
    document = json.loads(response.content[: int(length)] if length else response.content, parse_constant=lambda token: 1 / 0)
    assert set(document) <= {"id", "model_name", "model_version", "outputs", "parameters"}
    assert isinstance(document["model_version"], str) and document.get("id") != ""
    assert all(isinstance(value, (str, int, float, bool)) for value in document["parameters"].values())
    [output] = document["outputs"]
    assert output["name"] == "output"
    blob = response.content[int(length) :] if length else b""
    if "parameters" in output:
        assert set(output) == {"name", "datatype", "shape", "parameters"} and output["parameters"] == {"binary_data_size": len(blob)}
        assert (length is not None) == bool(blob)
        values = decode(blob, output["datatype"], output["shape"])
    else:
        assert set(output) == {"name", "datatype", "shape", "data"} and length is None
        values = np.array(output["data"], np.float64).reshape(output["shape"])
    media_type = "application/octet-stream" if length else "application/json"
    assert response.headers["Content-Type"] == media_type
    return document, values


def refused(response, status, code, words=""):
    """A refusal that the protocol's clients can read."""
    assert response.status_code == status, response.text
    assert "Content-Encoding" not in response.headers
    document = check_problem(status, response.headers["Content-Type"], response.json())
    assert document["code"] == code and words in document["error"], document
    return document


def numpy_type(datatype):
    if datatype == "BF16":
        import ml_dtypes

        return ml_dtypes.bfloat16
    return NUMPY[datatype]

"""The binary framing: tensors behind the JSON header, parameters included (API.md, section 3)."""

import json

import numpy as np
import pytest

import reference
from tensors import frame, rounded, tensor, unframe

RANDOM = np.random.default_rng(11)
X = rounded(RANDOM.standard_normal((2, 3, 4)), "FP32")
PARAMETERS = {
    "running_mean": rounded(RANDOM.standard_normal(3), "FP32"),
    "running_var": rounded(0.5 + RANDOM.random(3), "FP32"),
    "weight": rounded(RANDOM.random(3), "FP32"),
    "bias": rounded(RANDOM.random(3), "FP32"),
}
EXPECTED = reference.batch_norm(X, **PARAMETERS)


def close(actual, expected=EXPECTED, atol=1e-6):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def post(server, document, *blobs, **fields):
    body, headers = frame(document, *blobs)
    return server.post(body, headers=headers | fields)


def test_parameters_as_json(server):
    described, blob = tensor(X)
    layer = {"type": "batch_norm"} | {name: values.tolist() for name, values in PARAMETERS.items()}
    header, actual = unframe(post(server, {"id": "b", "layer": layer, "input": described}, blob))
    close(actual)
    assert header["id"] == "b" and header["layer"]["type"] == "batch_norm" and header["output"]["shape"] == [2, 3, 4]


@pytest.mark.parametrize("input_first", [False, True])
@pytest.mark.parametrize("order", [list(PARAMETERS), list(reversed(PARAMETERS))], ids=["forward", "backward"])
def test_blobs_come_in_the_order_of_the_text(server, order, input_first):
    described, blob = tensor(X)
    layer, blobs = {"type": "batch_norm"}, []
    for name in order:
        layer[name], content = tensor(PARAMETERS[name])
        blobs.append(content)
    if input_first:
        document, blobs = {"input": described, "layer": layer}, [blob, *blobs]
    else:
        document, blobs = {"layer": layer, "input": described}, [*blobs, blob]
    close(unframe(post(server, document, *blobs))[1])


@pytest.mark.parametrize("datatype", ["FP64", "FP16", "BF16"])
def test_parameters_of_other_datatypes(server, datatype):
    described, blob = tensor(X)
    layer, blobs = {"type": "batch_norm"}, []
    for name, values in PARAMETERS.items():
        layer[name], content = tensor(values, datatype)
        blobs.append(content)
    held = {name: rounded(values, datatype) for name, values in PARAMETERS.items()}
    close(unframe(post(server, {"layer": layer, "input": described}, *blobs, blob))[1], reference.batch_norm(X, **held))


def test_mixed_parameters(server):
    described, blob = tensor(X)
    weight, weight_blob = tensor(PARAMETERS["weight"])
    layer = {"type": "batch_norm"} | {name: values.tolist() for name, values in PARAMETERS.items()} | {"weight": weight}
    close(unframe(post(server, {"layer": layer, "input": described}, weight_blob, blob))[1])


def test_binary_parameters_with_json_input(server):
    layer, blobs = {"type": "batch_norm"}, []
    for name, values in PARAMETERS.items():
        layer[name], content = tensor(values)
        blobs.append(content)
    close(unframe(post(server, {"layer": layer, "input": X.tolist()}, *blobs))[1])


def test_content_type_may_be_left_out(server):
    described, blob = tensor(X)
    document = {"layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": described}
    response = post(server, document, blob, **{"Content-Type": None})
    close(unframe(response)[1], reference.layer_norm(X, [4]))


def test_accept_json(server):
    described, blob = tensor(X)
    document = {"layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": described}
    response = post(server, document, blob, Accept="application/json")
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"
    assert "Inference-Header-Content-Length" not in response.headers
    close(np.reshape(response.json()["output"]["data"], X.shape), reference.layer_norm(X, [4]))


@pytest.mark.parametrize("accept", ["application/octet-stream", "text/html, application/octet-stream;q=0.5, application/json;q=0.1"])
def test_json_request_accept_binary(server, accept):
    document = {"layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": X.tolist()}
    close(unframe(server.post(document, headers={"Accept": accept}))[1], reference.layer_norm(X, [4]))


@pytest.mark.parametrize("padding", range(0, 70, 3))
def test_any_header_length(server, padding):
    """Wherever the header ends, what follows it is read right."""
    described, blob = tensor(X)
    document = {"id": "x" * padding, "layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": described}
    close(unframe(post(server, document, blob))[1], reference.layer_norm(X, [4]))


def test_same_answer_as_json(server):
    described, blob = tensor(X)
    layer = {"type": "layer_norm", "normalized_shape": [4]}
    _, binary = unframe(post(server, {"layer": layer, "input": described}, blob))
    text = server.normalize({"layer": layer, "input": X.tolist()})["output"]["data"]
    assert rounded(text, "FP32").tolist() == binary.tolist()


def test_chunked_request(server):
    described, blob = tensor(X)
    body, fields = frame({"layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": described}, blob)
    pieces = (body[start : start + 11] for start in range(0, len(body), 11))
    response = server.session.post(server.url + "/normalize", data=pieces, headers=fields, timeout=10)
    close(unframe(response)[1], reference.layer_norm(X, [4]))


def broken_frames():
    described, blob = tensor(X)
    layer = {"type": "layer_norm", "normalized_shape": [4]}
    document = {"layer": layer, "input": described}
    header = json.dumps(document).encode()
    length = {"Inference-Header-Content-Length": str(len(header))}
    wrong_size = described | {"parameters": {"binary_data_size": 92}}
    yield "blob too short", header + blob[:-1], length, (400, 422)
    yield "no blob", header, length, (400, 422)
    yield "bytes left over", header + blob + b"\0", length, (400, 422)
    yield "header longer than the content", header, {"Inference-Header-Content-Length": "999999"}, (400,)
    yield "header cut", header + blob, {"Inference-Header-Content-Length": "20"}, (400,)
    for number in ("-1", "0x10", "1e2", "+5", "", "abc", "18446744073709551617"):
        yield f"length {number!r}", header + blob, {"Inference-Header-Content-Length": number}, (400,)
    content, fields = frame({"layer": layer, "input": wrong_size}, blob[:92])
    yield "size that the shape does not have", content, fields, (422,)
    content, fields = frame({"layer": layer, "input": described | {"data": [0] * 24}}, blob)
    yield "data and bytes", content, fields, (422,)
    for size in (-96, 96.5, "96", None, 2**63, 2**64):
        content, fields = frame({"layer": layer, "input": described | {"parameters": {"binary_data_size": size}}}, blob)
        yield f"binary_data_size {size!r}", content, fields, (400, 422)
    content, fields = frame({"layer": layer, "input": described | {"parameters": {"binary_size": 96}}}, blob)
    yield "unknown member of parameters", content, fields, (422,)


@pytest.mark.parametrize(
    ("content", "fields", "statuses"), [case[1:] for case in broken_frames()], ids=[case[0] for case in broken_frames()]
)
def test_broken_frames(server, content, fields, statuses):
    response = server.post(content, headers={"Content-Type": "application/octet-stream"} | fields)
    assert response.status_code in statuses, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert server.is_healthy()


def test_binary_size_in_plain_json(server):
    """Without Inference-Header-Content-Length there are no bytes behind the JSON."""
    described, _ = tensor(X)
    response = server.post({"layer": {"type": "layer_norm", "normalized_shape": [4]}, "input": described})
    assert response.status_code in (400, 422), response.text

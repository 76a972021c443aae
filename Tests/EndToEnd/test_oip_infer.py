"""`/v2/models/{model}/infer` request by request (OIP.md, sections 0, 2 and 3), without a client's help."""

import json

import numpy as np
import pytest

from codings import compress
from oip import (
    BATCH_NORM, BIAS, DATATYPES, LAYER_NORM, RANDOM, answer, binary_input, close, expected, infer, json_input, refused,
)  # fmt: skip
from server import ResponseReader, request
from tensors import encode
from test_timing import check as check_timing

X = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
ROWS = RANDOM.standard_normal((5, 8)).astype(np.float32)
OUT = {"name": "output"}
ASKED = {  # How the output is asked for, and whether it comes as bytes.
    "nothing": ({}, False), "listed": ({"outputs": [OUT]}, False), "empty list": ({"outputs": []}, False),
    "binary": ({"outputs": [OUT | {"parameters": {"binary_data": True}}]}, True),
    "json": ({"outputs": [OUT | {"parameters": {"binary_data": False}}]}, False),
    "binary by default": ({"parameters": {"binary_data_output": True}}, True),
    "json by default": ({"parameters": {"binary_data_output": False}}, False),
    "empty list, binary by default": ({"outputs": [], "parameters": {"binary_data_output": True}}, True),
    # As Triton: the default is for outputs that are not listed.
    "listed, binary by default": ({"outputs": [OUT], "parameters": {"binary_data_output": True}}, False),
}  # fmt: skip


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("form", ["json", "framed json", "binary"])
def test_forms(models, form, asked, datatype):
    """JSON and bytes on both ways, of all types; also FP16 and BF16 as JSON, which Triton does not take."""
    members, is_binary = ASKED[asked]
    if form == "binary":
        described, blob = binary_input(ROWS, datatype)
        response = infer(models, DATATYPES[datatype], {"inputs": [described]} | members, blob)
    else:
        response = infer(models, DATATYPES[datatype], {"inputs": [json_input(ROWS, datatype)]} | members, framed=form == "framed json")
    document, values = answer(response)
    assert document["model_name"] == DATATYPES[datatype] and document["model_version"] == "1" and "id" not in document
    assert document["outputs"][0]["datatype"] == datatype and document["outputs"][0]["shape"] == [5, 8]
    assert ("Inference-Header-Content-Length" in response.headers) == is_binary
    close(values, expected(LAYER_NORM, ROWS, datatype), datatype)


@pytest.mark.parametrize("shape", [(1, 3), (7, 3), (2, 3, 4), (2, 3, 2, 2), (1, 3, 2, 1, 2), (0, 3, 4), (2, 3, 0)], ids=str)
@pytest.mark.parametrize("is_binary", [False, True])
def test_any_shape_that_the_layer_takes(models, shape, is_binary):
    """Whatever the rank, and without elements."""
    x = RANDOM.standard_normal(shape)
    described, *blobs = binary_input(x) if is_binary else (json_input(x),)
    document, values = answer(infer(models, "bn", {"inputs": [described], "parameters": {"binary_data_output": is_binary}}, *blobs, framed=is_binary))
    assert document["outputs"][0]["shape"] == list(shape)
    if x.size:
        close(values, expected(BATCH_NORM, x))
    assert ("parameters" in document["outputs"][0]) == is_binary


@pytest.mark.parametrize("fields", [{}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json"}, {"Content-Type": "text/html", "Accept": "text/html"}], ids=str)
@pytest.mark.parametrize("is_binary", [False, True])
def test_media_types_say_nothing(models, fields, is_binary):
    described, *blobs = binary_input(X) if is_binary else (json_input(X),)
    close(answer(infer(models, "bn", {"inputs": [described]}, *blobs, headers=fields))[1], expected(BATCH_NORM, X))


def test_nested_data_and_what_nobody_knows(models):
    """Unknown members are passed over, as Triton does it: kserve's client sends some."""
    document = {
        "model_name": "bn", "more": [{"deep": [1, 2, {"a": "]"}]}], "id": "7",
        "parameters": {"sequence_id": 0, "priority": 1, "timeout": 5, "own key": "x", "own": 1.5},
        "inputs": [json_input(X, data=X.tolist(), more=None, parameters={"own": True})], "outputs": [OUT | {"more": 1, "parameters": {"own": 2}}],
    }  # fmt: skip
    answered, values = answer(infer(models, "bn", document))
    assert answered["id"] == "7"
    close(values, expected(BATCH_NORM, X))


@pytest.mark.parametrize(("id", "echoed"), [("", None), ("7", "7"), ('a"\\\u00e9\n', 'a"\\\u00e9\n'), ("x" * 5000, "x" * 5000)], ids=lambda text: repr(text)[:20])
def test_id(models, id, echoed):
    for members in ({}, {"parameters": {"binary_data_output": True}}):
        document, _ = answer(infer(models, "bn", {"id": id, "inputs": [json_input(X)]} | members))
        assert document.get("id") == echoed


def test_numbers_that_json_has_not(models):
    """Read as tokens, as Python's client sends them, and as strings; written as strings, so that all can read them."""
    text = b'{"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 3, 2], "data": [NaN, Infinity, -Infinity, "NaN", 1, 2]}]}'
    response = infer(models, "bn", text)
    document, values = answer(response)
    assert document["outputs"][0]["data"][:4] == ["NaN", "Infinity", "-Infinity", "NaN"]
    assert np.isnan(values[0, 0, 0]) and values[0, 0, 1] == np.inf and values[0, 1, 0] == -np.inf


def test_raw_request(models):
    """A length of 0: nothing but the bytes of one sample; the answer is binary."""
    for model, x, shape in [("ln-fp32", ROWS[0], [1, 8]), ("bn", X[0], [1, 3, 4]), ("scaler", np.array([4.0, 10.0]), [1, 2])]:
        blob = encode(x, "FP64" if model == "scaler" else "FP32")
        document, values = answer(infer(models, model, b"", blob, headers={"Inference-Header-Content-Length": "0"}))
        assert document["outputs"][0]["shape"] == shape and "parameters" in document["outputs"][0]
        if model == "scaler":
            assert values.tolist() == [[1.0, 2.0]]
        else:
            close(values[0], expected(LAYER_NORM if model == "ln-fp32" else BATCH_NORM, x[None])[0])


@pytest.mark.parametrize(("model", "count"), [("ln-fp32", 31), ("ln-fp32", 64), ("ln-fp32", 0), ("bn", 13), ("bn", 4), ("last", 12), ("spectral", 16)])
def test_raw_request_that_tells_no_shape(models, model, count):
    response = infer(models, model, b"", bytes(count), headers={"Inference-Header-Content-Length": "0"})
    refused(response, 400, "invalid_binary_framing", "raw input")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_coded_request(models, coding):
    """Lengths are those of the decoded body."""
    described, blob = binary_input(ROWS)
    text = json.dumps({"inputs": [described]}).encode()
    fields = {"Content-Encoding": coding, "Inference-Header-Content-Length": str(len(text))}
    response = infer(models, "ln-fp32", b"", compress(text + blob, coding), headers=fields)
    close(answer(response)[1], expected(LAYER_NORM, ROWS))


def test_only_good_answers_are_coded(models):
    """And those only where it is asked for; aiohttp asks for all it knows and undoes nothing."""
    zeros = np.zeros((512, 8), np.float32)
    fields = {"Accept-Encoding": "gzip, deflate, br"}
    assert infer(models, "ln-fp32", {"inputs": [json_input(zeros)]}, headers=fields).headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in infer(models, "ln-fp32", {"inputs": [json_input(zeros)]}).headers
    assert "Content-Encoding" not in infer(models, "ln-fp32", {"inputs": [json_input(zeros)]}, headers={"Accept-Encoding": "br"}).headers
    name = "x" * 64
    response = infer(models, "ln-fp32", {"inputs": [json_input(zeros, name=name)]}, headers=fields)
    refused(response, 400, "invalid_value", name)


def test_timing(models):
    """In Server-Timing, and in the answer's parameters, where the C++ client does not mind it."""
    for members in ({}, {"parameters": {"binary_data_output": True}}):
        response = infer(models, "bn", {"inputs": [json_input(X)]} | members)
        document, _ = answer(response)
        assert list(document)[-1] == "parameters"
        check_timing(document["parameters"], response.headers["Server-Timing"])
    assert "Server-Timing" in infer(models, "bn", {"inputs": []}).headers


def test_sigma(models):
    document, values = answer(infer(models, "spectral", {"inputs": [json_input([[3.0, 0.0], [0.0, 4.0]])]}))
    assert document["parameters"]["sigma"] == 4 and values.tolist() == [[0.75, 0], [0, 1]]


def test_large_tensor_is_answered_by_a_worker(models):
    x = RANDOM.standard_normal((4096, 8)).astype(np.float32).repeat(16, axis=0)
    described, blob = binary_input(x)
    _, values = answer(infer(models, "ln-fp32", {"inputs": [described], "parameters": {"binary_data_output": True}}, blob))
    close(values, expected(LAYER_NORM, x))


def framed(described, blob=b"", length=None, **members):
    text = json.dumps({"inputs": [described]} | members).encode()
    return text, [blob], {"Inference-Header-Content-Length": str(len(text) if length is None else length)}


GOOD, BLOB = binary_input(ROWS)
SIZED = {"binary_data_size": len(BLOB)}
PLAIN = json_input(X)
REFUSALS = {
    "length beyond the body": (*framed(GOOD, BLOB, 100_000), "invalid_binary_framing", "the JSON header is said to have"),
    "negative length": (*framed(GOOD, BLOB, -1), "invalid_binary_framing", "digits"),
    "length that is no number": (*framed(GOOD, BLOB, "12x"), "invalid_binary_framing", "digits"),
    "length that no integer holds": (*framed(GOOD, BLOB, "9" * 30), "invalid_binary_framing", "digits"),
    "stale length": (*framed(PLAIN, b"", 20), "invalid_json", "ends at byte"),
    "short": (*framed(GOOD, BLOB[:-3]), "invalid_binary_framing", "unexpected size for input 'input', expecting 3 additional bytes for model 'ln-fp32'"),
    "long": (*framed(GOOD, BLOB + b"123"), "invalid_binary_framing", "unexpected additional input data for model 'ln-fp32'"),
    "bytes behind JSON data": (*framed(json_input(ROWS), b"1234"), "invalid_binary_framing", "unexpected additional input data"),
    "size and shape disagree": (*framed(GOOD | {"shape": [4, 8]}, BLOB), "invalid_data", "needs 128"),
    "size that no integer holds": (*framed(GOOD | {"parameters": {"binary_data_size": 2**63 - 1}}, BLOB), "invalid_binary_framing", "additional bytes"),
    "negative size": (*framed(GOOD | {"parameters": {"binary_data_size": -4}}, BLOB), "invalid_value", "a number of bytes"),
    "size that is no integer": (*framed(GOOD | {"parameters": {"binary_data_size": 160.0}}, BLOB), "wrong_type", "integer"),
    "data and bytes": (*framed(json_input(ROWS, parameters=SIZED), BLOB), "invalid_value", "both data and"),
}  # fmt: skip
JSON_REFUSALS = {
    "bytes without a length": ({"inputs": [GOOD]}, "invalid_binary_framing", "does not say where its JSON ends"),
    "nowhere": ({"inputs": [{"name": "input", "shape": [1, 8], "datatype": "FP32"}]}, "missing_member", "neither data nor"),
    "not an object": ([], "wrong_type", "an object"),
    "no inputs": ({}, "missing_member", "'inputs'"),
    "inputs of another kind": ({"inputs": {}}, "wrong_type", "an array"),
    "none": ({"inputs": []}, "invalid_value", "expected 1 inputs but got 0 inputs for model 'ln-fp32'"),
    "two": ({"inputs": [json_input(ROWS)] * 2}, "invalid_value", "expected 1 inputs but got 2 inputs"),
    "a thousand": ({"inputs": [json_input([1.0])] * 1000}, "invalid_value", "got 1000 inputs"),
    "unknown input": ({"inputs": [json_input(ROWS, name="x")]}, "invalid_value", "unexpected inference input 'x' for model 'ln-fp32'"),
    "no name": ({"inputs": [{"shape": [1, 8], "datatype": "FP32", "data": [0] * 8}]}, "missing_member", "'name'"),
    "no datatype": ({"inputs": [{"name": "input", "shape": [1, 8], "data": [0] * 8}]}, "missing_member", "'datatype'"),
    "no shape": ({"inputs": [{"name": "input", "datatype": "FP32", "data": [0] * 8}]}, "missing_member", "'shape'"),
    "other datatype": ({"inputs": [json_input(ROWS, "FP64")]}, "unsupported_datatype", "inference input 'input' data-type is 'FP64', but model 'ln-fp32' expects 'FP32'"),
    "strings": ({"inputs": [json_input(ROWS, "BYTES")]}, "unsupported_datatype", "'BYTES'"),
    "no datatype that exists": ({"inputs": [json_input(ROWS, "FP\u00e9\n")]}, "unsupported_datatype", "'FP\\u{00E9}\\n'"),
    "other shape": ({"inputs": [json_input(np.zeros((2, 7)))]}, "shape_mismatch", "unexpected shape for input 'input' for model 'ln-fp32'. Expected [-1,8], got [2,7]"),
    "no dimensions": ({"inputs": [json_input(1.0, shape=[], data=[1])]}, "shape_mismatch", "got []"),
    "six dimensions": ({"inputs": [json_input(np.zeros((1, 1, 1, 1, 1, 8)))]}, "shape_mismatch", "rank 6"),
    "negative dimension": ({"inputs": [json_input(ROWS, shape=[-1, 8])]}, "invalid_shape", "must not be negative"),
    "shape beyond counting": ({"inputs": [json_input(ROWS, shape=[2**62, 8])]}, "too_many_elements", "more elements than can be counted"),
    "shape beyond the limit": ({"inputs": [json_input(ROWS, shape=[2**27, 8])]}, "too_many_elements", "at most"),
    "shape beyond the data": ({"inputs": [json_input(ROWS, shape=[6, 8])]}, "invalid_data", "has 40 elements; the shape [6, 8] needs 48"),
    "fractional dimension": ({"inputs": [json_input(ROWS, shape=[5.0, 8])]}, "wrong_type", "integer"),
    "data of another kind": ({"inputs": [json_input(ROWS, data="AAAA")]}, "wrong_type", "an array"),
    "an element of another kind": ({"inputs": [json_input(ROWS[:1], data=[0] * 7 + [True])]}, "invalid_data", "/inputs/0/data/7"),
    "unknown output": ({"inputs": [json_input(ROWS)], "outputs": [{"name": "y"}]}, "invalid_value", "unexpected inference output 'y' for model 'ln-fp32'"),
    "output twice": ({"inputs": [json_input(ROWS)], "outputs": [OUT, OUT]}, "invalid_value", "requested 2 times"),
    "output without a name": ({"inputs": [json_input(ROWS)], "outputs": [{}]}, "missing_member", "'name'"),
    "output of another kind": ({"inputs": [json_input(ROWS)], "outputs": ["output"]}, "wrong_type", "an object"),
    "binary_data of another kind": ({"inputs": [json_input(ROWS)], "outputs": [OUT | {"parameters": {"binary_data": 1}}]}, "wrong_type", "true or false"),
    "id of another kind": ({"id": 7, "inputs": [json_input(ROWS)]}, "wrong_type", "/id"),
    "reserved parameter": ({"parameters": {"triton_x": 1}, "inputs": [json_input(ROWS)]}, "unknown_member", "triton_x"),
    "twice the same member": (b'{"id": "a", "id": "b", "inputs": []}', "invalid_json", "given twice"),
    "no JSON": (b"hello", "invalid_json", "byte 0"),
    "nothing": (b"", "invalid_json", "byte 0"),
    "no JSON behind a wrong name": (json.dumps({"inputs": [json_input(ROWS, name="x")]}).encode()[:-1], "invalid_json", "ends at byte"),
    "too deep": (b'{"inputs": ' + b"[" * 100 + b"]" * 100 + b"}", "invalid_json", "nested deeper"),
    "too deep where nobody looks": (b'{"more": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "invalid_json", "nested deeper"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_frames(models, what):
    text, blobs, fields, code, words = REFUSALS[what]
    refused(infer(models, "ln-fp32", text, *blobs, headers=fields), 400, code, words)


@pytest.mark.parametrize("what", JSON_REFUSALS)
@pytest.mark.parametrize("is_framed", [False, True])
def test_refused_documents(models, what, is_framed):
    document, code, words = JSON_REFUSALS[what]
    if what == "bytes without a length" and is_framed:
        code, words = "invalid_binary_framing", "expecting 160 additional bytes"
    if what == "nothing" and is_framed:
        words = "raw input"
        code = "invalid_binary_framing"
    refused(infer(models, "ln-fp32", document, framed=is_framed), 400, code, words)


@pytest.mark.parametrize("members", [
    {"outputs": [OUT | {"parameters": {"classification": 2}}]},
    {"outputs": [OUT | {"parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 160}}]},
    {"inputs": [{"name": "input", "shape": [5, 8], "datatype": "FP32", "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 160}}]},
], ids=["classification", "output in shared memory", "input in shared memory"])  # fmt: skip
def test_what_is_not_here(models, members):
    refused(infer(models, "ln-fp32", {"inputs": [json_input(ROWS)]} | members), 501, "not_supported")
    assert answer(infer(models, "ln-fp32", {"inputs": [json_input(ROWS)], "outputs": [OUT | {"parameters": {"classification": 0}}]}))


def test_repeated_length(models):
    """Two lines are no length, even if they say the same."""
    text = json.dumps({"inputs": [PLAIN]}).encode()
    raw = request("POST", "/v2/models/bn/infer", text, *[f"Inference-Header-Content-Length: {len(text)}"] * 2, *models.authorization)
    assert models.exchange(raw).json()["code"] == "invalid_binary_framing"


def test_every_prefix_of_a_request_is_refused(models):
    """And none of them breaks the connection."""
    text, [blob], _ = framed(*binary_input(ROWS[:1]), id="\u00e9")
    with models.connect() as connection:
        reader = ResponseReader(connection)
        for end in range(len(text + blob)):
            fields = [f"Inference-Header-Content-Length: {min(end, len(text))}", *models.authorization]
            connection.sendall(request("POST", "/v2/models/ln-fp32/infer", (text + blob)[:end], *fields))
            response = reader.next()
            assert response.status == 400 and response.json()["error"], end
        assert models.is_healthy()


def test_every_changed_byte_of_a_request_is_answered(models):
    """By the same output where the change does not matter, by a refusal where it does."""
    text, [blob], _ = framed(*binary_input(np.zeros((1, 8))), parameters={"binary_data_output": False})
    statuses = set()
    with models.connect() as connection:
        reader = ResponseReader(connection)
        for index in range(len(text)):
            for byte in (0, 0x22, 0x5B, 0x7D, 0x39, text[index] ^ 0x80):
                changed = bytearray(text)
                changed[index] = byte
                fields = [f"Inference-Header-Content-Length: {len(text)}", *models.authorization]
                connection.sendall(request("POST", "/v2/models/ln-fp32/infer", bytes(changed) + blob, *fields))
                response = reader.next()
                statuses.add(response.status)
                if response.status == 200:
                    assert np.array_equal(np.float32(response.json()["outputs"][0]["data"]), np.float32(BIAS))
                else:
                    assert response.status == 400 and response.json()["error"], (index, byte, response.content)
    assert statuses == {200, 400}

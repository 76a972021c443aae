"""JSON requests: every documented option of POST /normalize (API.md, section 2)."""

import json
import math
import re

import numpy as np
import pytest

from tensors import FLOATING, rounded

LAYER_NORM = {"type": "layer_norm", "normalized_shape": [4]}
IDENTITY = {"type": "batch_norm", "running_mean": [0], "running_var": [1], "eps": 0}
EXAMPLE = {
    "layer": {
        "type": "batch_norm", "running_mean": [0.5, 1.0], "running_var": [1.0, 4.0],
        "weight": [1.0, 1.0], "bias": [0.0, 0.0], "eps": 1e-5,
    },
    "input": {"shape": [1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]},
    "output": {"datatype": "FP32"},
}  # fmt: skip


def values_text(response):
    """The number texts of the output's flat data, as they stand in the response."""
    return re.search(r'"data":\s*\[([^\]]*)\]', response.text)[1].replace(" ", "").split(",")


def through_identity(server, data, datatype="FP32", output=None):
    """What a tensor becomes in a layer that changes nothing."""
    document = {
        "layer": IDENTITY, "input": {"shape": [len(data), 1], "datatype": datatype, "data": data},
        "output": {"datatype": output} if output else {},
    }  # fmt: skip
    return server.post(document)


def test_documented_example(server):
    response = server.post(EXAMPLE | {"id": "7"})
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"
    answer = response.json()
    assert list(answer)[-1] == "timing"
    assert answer["id"] == "7" and answer["layer"]["type"] == "batch_norm"
    assert answer["output"]["shape"] == [1, 2, 2] and answer["output"]["datatype"] == "FP32"
    # The last bit may go either way.
    np.testing.assert_allclose(answer["output"]["data"], [0.4999975, 1.4999925, 0.99999875, 1.4999981], rtol=2.0**-23)


def test_no_id_no_echo(server):
    assert "id" not in server.normalize(EXAMPLE)


@pytest.mark.parametrize("identifier", ["", "ü \" \\ \u0000 \U0001f600", "x" * 1000])
def test_id_is_echoed(server, identifier):
    assert server.normalize(EXAMPLE | {"id": identifier})["id"] == identifier


def test_bare_nested_array(server):
    answer = server.normalize({"layer": LAYER_NORM, "input": [[1, 2, 3, 4], [4, 3, 2, 1]]})
    output = answer["output"]
    assert output["shape"] == [2, 4] and output["datatype"] == "FP32"
    np.testing.assert_allclose(output["data"][1], output["data"][0][::-1])


def test_bare_flat_array(server):
    output = server.normalize({"layer": LAYER_NORM, "input": [1, 1, 3, 3]})["output"]
    assert output["shape"] == [4]
    np.testing.assert_allclose(output["data"], [-1, -1, 1, 1], atol=1e-5)


def test_nested_data_with_shape(server):
    tensor = {"shape": [1, 2, 2], "data": [[[1, 2], [3, 4]]]}
    output = server.normalize(EXAMPLE | {"input": tensor})["output"]
    assert np.shape(output["data"]) == (1, 2, 2)


def test_nested_data_without_shape(server):
    output = server.normalize(EXAMPLE | {"input": {"data": [[[1, 2], [3, 4]]]}})["output"]
    assert output["shape"] == [1, 2, 2]


@pytest.mark.parametrize("nested_input", [False, True])
@pytest.mark.parametrize("representation", ["flat", "nested", None])
def test_representation(server, nested_input, representation):
    data = [[[1, 2], [3, 4]]] if nested_input else [1, 2, 3, 4]
    document = EXAMPLE | {"input": {"shape": [1, 2, 2], "data": data}}
    document["output"] = {"representation": representation} if representation else {}
    nested = representation == "nested" or (representation is None and nested_input)
    assert np.shape(server.normalize(document)["output"]["data"]) == ((1, 2, 2) if nested else (4,))


@pytest.mark.parametrize("members", [["input", "layer", "output"], ["output", "input", "layer"]])
def test_members_in_any_order(server, members):
    answer = server.normalize({name: EXAMPLE[name] for name in members})
    assert answer["output"]["data"] == server.normalize(EXAMPLE)["output"]["data"]


def test_whitespace_and_escaped_names(server):
    text = json.dumps(EXAMPLE, indent="\t").replace('"layer"', '"\\u006cayer"').replace("\n", "\r\n ")
    response = server.post(text.encode())
    assert response.status_code == 200, response.text


def test_parameters_as_tensor_objects(server):
    layer = EXAMPLE["layer"] | {"running_mean": {"shape": [2], "datatype": "FP64", "data": [0.5, 1.0]}}
    assert server.normalize(EXAMPLE | {"layer": layer})["output"] == server.normalize(EXAMPLE)["output"]


@pytest.mark.parametrize("datatype", FLOATING)
def test_numbers_are_correctly_rounded_and_shortest(server, datatype):
    random = np.random.default_rng(7)
    values = rounded(random.standard_normal(500) * 10.0 ** random.integers(-4, 4, 500), datatype)
    response = through_identity(server, values.tolist(), datatype)
    assert response.status_code == 200, response.text
    texts = values_text(response)
    assert rounded([float(text) for text in texts], datatype).tolist() == values.tolist()
    if datatype != "BF16":
        kind = {"FP64": np.float64, "FP32": np.float32, "FP16": np.float16}[datatype]
        for text, value in zip(texts, values, strict=True):
            shortest = np.format_float_scientific(kind(value), unique=True)
            assert significant_digits(text) == significant_digits(shortest), (text, shortest)


def significant_digits(text):
    mantissa = re.split("[eE]", text)[0].lstrip("-").replace(".", "")
    return len(mantissa.lstrip("0").rstrip("0"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-46", 0.0),
        ("-0", -0.0),
        ("1.17549429e-38", float(np.float32(1.17549429e-38))),
        ("1.4e-45", 2.0**-149),
        ("7.006492321624085e-46", 0.0),  # Halfway between 0 and the smallest subnormal number: ties to even.
        ("7.006492321624086e-46", 2.0**-149),
        ("16777217", 16777216.0),
        ("16777219", 16777220.0),
        ("16777217.00000000000000000000000000000000001", 16777218.0),
        ("1.000000059604644775390625", 1.0),
        ("1.000000059604644775390625000000000000001", 1.0 + 2.0**-23),
        ("3.4028235e38", float(np.finfo(np.float32).max)),
        ("0.1e-400", 0.0),
        ("123456789012345678901234567890e-29", float(np.float32(1.2345679))),
    ],
)
def test_hard_numbers(server, text, value):
    """The layer changes nothing, so that what comes back is what was read."""
    body = '{"layer": %s, "input": {"shape": [1, 1], "data": [%s]}}' % (json.dumps(IDENTITY), text)
    response = server.post(body.encode())
    assert response.status_code == 200, response.text
    assert np.float32(response.json()["output"]["data"][0]) == np.float32(value)


@pytest.mark.parametrize("as_strings", [False, True])
def test_non_finite_numbers(server, as_strings):
    """Python's json writes bare tokens, proto3 strings; both are read, and strings are written."""
    text = '["NaN", "Infinity", "-Infinity", 1]' if as_strings else json.dumps([math.nan, math.inf, -math.inf, 1])
    body = '{"layer": %s, "input": {"shape": [4, 1], "data": %s}}' % (json.dumps(IDENTITY), text)
    assert server.normalize(body.encode())["output"]["data"] == ["NaN", "Infinity", "-Infinity", 1]


@pytest.mark.parametrize("output", FLOATING)
def test_output_datatype(server, output):
    answer = server.normalize(EXAMPLE | {"output": {"datatype": output}})
    assert answer["output"]["datatype"] == output


@pytest.mark.parametrize("datatype", ["UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64"])
def test_integer_limits(server, datatype):
    limits = np.iinfo(datatype.lower())
    answer = through_identity(server, [int(limits.min), int(limits.max)], datatype, "FP64").json()
    assert answer["output"]["datatype"] == "FP64"
    data = [float(value) for value in answer["output"]["data"]]
    np.testing.assert_allclose(data, [float(limits.min), float(limits.max)], rtol=2.0**-23)


def test_booleans(server):
    answer = through_identity(server, [True, False, True], "BOOL").json()
    assert answer["output"]["data"] == [1, 0, 1]


def test_no_elements(server):
    answer = server.normalize({"layer": IDENTITY, "input": {"shape": [0, 1], "data": []}})
    assert answer["output"]["shape"] == [0, 1] and answer["output"]["data"] == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", None])
def test_content_type(server, content_type):
    response = server.post(EXAMPLE, headers={"Content-Type": content_type})
    assert response.status_code == 200, response.text


def test_chunked_request(server):
    content = json.dumps(EXAMPLE).encode()
    pieces = (content[start : start + 7] for start in range(0, len(content), 7))
    response = server.session.post(
        server.url + "/normalize", data=pieces, headers={"Content-Type": "application/json"}, timeout=10
    )
    assert response.status_code == 200, response.text


def test_large_tensor(server):
    values = rounded(np.random.default_rng(3).standard_normal((256, 1024)), "FP32")
    layer = {"type": "rms_norm", "normalized_shape": [1024], "eps": 0}
    actual = np.array(server.normalize({"layer": layer, "input": values.tolist()})["output"]["data"])
    np.testing.assert_allclose(actual, values / np.sqrt(np.square(values).mean(1, keepdims=True)), rtol=0, atol=2e-6)

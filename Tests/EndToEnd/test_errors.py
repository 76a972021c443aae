"""Refusals of POST /normalize: status, code, pointer and sentence."""

import json

import pytest

from problems import problem
from test_json import EXAMPLE, IDENTITY, LAYER_NORM

BATCH_NORM = EXAMPLE["layer"]
ONES = {"shape": [1, 4], "data": [1, 1, 1, 1]}


def group_norm(num_groups):
    return {"layer": {"type": "group_norm", "num_groups": num_groups}, "input": ONES}


def with_layer(**parameters):
    return EXAMPLE | {"layer": BATCH_NORM | parameters}


def with_input(**members):
    return EXAMPLE | {"input": EXAMPLE["input"] | members}


def without(document, name):
    return {key: value for key, value in document.items() if key != name}


def test_issue_example(server):
    """The sentence, the code and the pointer are promised to the letter."""
    answer = problem(server.post(group_norm(3)), 422)
    assert answer["code"] == "invalid_parameter"
    assert answer["pointer"] == "/layer/num_groups"
    assert answer["detail"] == "num_groups is 3, which does not divide the 4 channels"
    assert answer["title"] == "Unprocessable Content"


def test_contract_example(server):
    answer = problem(server.post(with_layer(running_mean=[0, 0, 0])), 422)
    assert answer["code"] == "shape_mismatch"
    assert answer["pointer"] == "/layer/running_mean"
    assert answer["detail"] == "running_mean has 3 elements; the input has 2 channels on axis 1"


# What is sent, and the JSON Pointer that must come back; an ending slash stands for anything below.
UNPROCESSABLE = [
    (with_layer(runing_mean=[1, 2]), "/layer/runing_mean", "unknown_member"),
    (EXAMPLE | {"outputs": {}}, "/outputs", "unknown_member"),
    (with_input(dtype="FP32"), "/input/dtype", "unknown_member"),
    (EXAMPLE | {"output": {"dtype": "FP32"}}, "/output/dtype", "unknown_member"),
    (with_layer(num_groups=2), "/layer/num_groups", "unknown_member"),
    (with_layer(**{"a/b~c": 1}), "/layer/a~1b~0c", "unknown_member"),
    (without(EXAMPLE, "layer"), None, None),
    (without(EXAMPLE, "input"), None, None),
    (EXAMPLE | {"layer": without(BATCH_NORM, "type")}, None, None),
    (EXAMPLE | {"layer": without(BATCH_NORM, "running_var")}, None, None),
    (EXAMPLE | {"layer": {"type": "layer_norm"}}, None, None),
    (EXAMPLE | {"layer": {"type": "group_norm"}}, None, None),
    (with_layer(type="batchnorm"), "/layer/type", None),
    (with_layer(type=1), "/layer/type", None),
    (EXAMPLE | {"layer": 1}, "/layer", None),
    (EXAMPLE | {"layer": []}, "/layer", None),
    (EXAMPLE | {"id": 7}, "/id", None),
    (EXAMPLE | {"output": 7}, "/output", None),
    (EXAMPLE | {"input": "x"}, "/input", None),
    (EXAMPLE | {"input": None}, "/input", None),
    (with_input(shape=[1, 2, 3]), "/input/", None),
    (with_input(shape=[1, 2, 2, 2]), "/input/", None),
    (with_input(shape=[-1, 2, 2]), "/input/shape/", None),
    (with_input(shape=[1, 2, 2.5]), "/input/shape/", None),
    (with_input(shape=["1", 2, 2]), "/input/shape/", None),
    (with_input(shape=4), "/input/shape/", None),
    (with_input(shape=[2**32, 2**32, 2**32]), "/input/", None),
    (with_input(shape=[2**63, 2, 2]), "/input/shape/", None),
    (with_input(shape=[1e300, 2, 2]), "/input/shape/", None),
    (with_input(shape=[1, 2, 2, 1, 1, 1]), "/input/", None),
    (with_input(datatype="FP8"), "/input/datatype", None),
    (with_input(datatype="fp32"), "/input/datatype", None),
    (with_input(datatype=32), "/input/datatype", None),
    (with_input(data=[1, 2, 3]), "/input/", None),
    (with_input(data=[1, 2, 3, 4, 5]), "/input/", None),
    (with_input(data=[[[1, 2], [3, 4]], [[1, 2], [3, 4]]]), "/input/", None),
    (with_input(data=[[1, 2, 3, 4]]), "/input/", None),
    (with_input(data={}), "/input/", None),
    (EXAMPLE | {"input": {"shape": [1, 2, 2]}}, "/input", None),
    (EXAMPLE | {"input": [[1, 2], [3]]}, "/input/", None),
    (EXAMPLE | {"input": [[1, 2], 3]}, "/input/", None),
    (EXAMPLE | {"input": [[1, [2]], [3, 4]]}, "/input/", None),
    (EXAMPLE | {"output": {"datatype": "INT8"}}, "/output/datatype", None),
    (EXAMPLE | {"output": {"representation": "tree"}}, "/output/representation", None),
    (with_input(datatype="UINT8", data=[1, 2, 3, 256]), "/input/data/", None),
    (with_input(datatype="UINT8", data=[1, 2, 3, -1]), "/input/data/", None),
    (with_input(datatype="INT32", data=[1, 2, 3, 1.5]), "/input/data/", None),
    (with_layer(running_var=[1, -4]), "/layer/running_var/", "invalid_parameter"),
    (with_layer(running_var=[1, 0], eps=0), "/layer/", "invalid_parameter"),
    (with_layer(eps=-1), "/layer/eps", "invalid_parameter"),
    (with_layer(eps="small"), "/layer/eps", None),
    (with_layer(weight=[1, 1, 1]), "/layer/weight", "shape_mismatch"),
    (with_layer(bias=[1]), "/layer/bias", "shape_mismatch"),
    (with_layer(weight=1), "/layer/weight", None),
    (with_layer(weight=["a", "b"]), "/layer/weight/", None),
    (with_layer(epsilon_placement="inside"), "/layer/epsilon_placement", None),
    (with_layer(data_format="NHWC"), "/layer/data_format", None),
    (with_layer(use_batch_statistics="yes"), "/layer/use_batch_statistics", None),
    (group_norm(0), "/layer/num_groups", "invalid_parameter"),
    (group_norm(-2), "/layer/num_groups", None),
    (group_norm(8), "/layer/num_groups", "invalid_parameter"),
    (group_norm(1.5), "/layer/num_groups", None),
    (group_norm("2"), "/layer/num_groups", None),
    (group_norm(2**70), "/layer/num_groups", None),
    ({"layer": {"type": "layer_norm", "normalized_shape": [3]}, "input": ONES}, "/layer/normalized_shape/", None),
    ({"layer": {"type": "layer_norm", "normalized_shape": []}, "input": ONES}, "/layer/normalized_shape/", None),
    ({"layer": {"type": "layer_norm", "normalized_shape": [-4]}, "input": ONES}, "/layer/normalized_shape/", None),
    ({"layer": {"type": "layer_norm", "axis": 2}, "input": ONES}, "/layer/axis", None),
    ({"layer": {"type": "layer_norm", "axis": -3}, "input": ONES}, "/layer/axis", None),
    ({"layer": LAYER_NORM | {"weight": [1, 1]}, "input": ONES}, "/layer/weight", "shape_mismatch"),
    ({"layer": {"type": "rms_norm", "normalized_shape": [4], "bias": [1, 1, 1, 1]}, "input": ONES}, "/layer/bias", "unknown_member"),
    ({"layer": {"type": "batch_norm", "running_mean": [0], "running_var": [1]}, "input": [1, 2]}, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("document", "pointer", "code"), UNPROCESSABLE, ids=range(len(UNPROCESSABLE)))
def test_unprocessable(server, problem_codes, document, pointer, code):
    answer = problem(server.post(document), 422, problem_codes)
    if pointer and pointer.endswith("/"):
        assert (answer["pointer"] + "/").startswith(pointer), answer
    elif pointer:
        assert answer["pointer"] == pointer, answer
    if code:
        assert answer["code"] == code, answer


def test_detail_names_the_unknown_member(server):
    assert "runing_mean" in server.post(with_layer(runing_mean=[1, 2])).json()["detail"]


def test_detail_names_the_first_offender(server):
    answer = server.post(with_layer(running_var=[1, -4])).json()
    assert "running_var" in answer["detail"] and "1" in answer["detail"] + answer["pointer"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"{", b"}", b"nope", b'{"layer": }', b'{"layer" 1}', b"{'layer': 1}", b'{"layer": 01}', b'{"layer": +1}',
        b'{"layer": .5}', b'{"layer": 1.}', b'{"layer": 1e}', b'{"layer": "\x01"}', b'{"layer": "\\x"}', b'{"layer": "\\ud800"}',
        b'{"layer": "\xff"}', b'{"layer": {}} x', b'{"layer": {},}', b'{"input": [1, 2,]}', b'{"input": [1 2]}', b'{"input": [1,, 2]}',
        b'{"input": [tru]}', b'{"input": [nan]}', b'{"input": [0x10]}', b'{"input": [--1]}', b'{"input": [1, 2', b'{"input": [1, 2}',
        b'\xef\xbb\xbf{', b'{"layer": "', b"\0", b'{"input": [1]]',
    ],
    ids=repr,
)  # fmt: skip
def test_unparsable(server, problem_codes, body):
    answer = problem(server.post(body), 400, problem_codes)
    assert any(character.isdigit() for character in answer["detail"]), "the byte offset is missing"


FLAWS = [
    (b"[1, 2, 3, 4]", flawed)
    for flawed in [
        b"[1, 2, 3, 4,]", b"[1, 2 3, 4]", b"[1, 2,, 3, 4]", b"[,1, 2, 3, 4]", b"[1, 2, 3, 4", b"[1, 2, 3, 4}", b"[1, 2, 3, tru]", b"[1, 2, 3, nan]",
        b"[1, 2, 3, 0x4]", b"[1, 2, 3, --4]", b"[1, 2, 3, +4]", b"[1, 2, 3, 04]", b"[1, 2, 3, 4.]", b"[1, 2, 3, .4]", b"[1, 2, 3, 4e]",
        b"[1, 2, 3, 4e+]", b"[1, 2, 3, -]", b"[1, 2, 3, -Infinit]", b"[1, 2, 3, 4_0]", b"[1, 2, 3, 4\x00]", b"[1, 2, 3, /*4*/ 4]",
    ]
] + [
    (b"1e-05", b"1e"), (b"1e-05", b"01"), (b"1e-05", b"1e-05 1"), (b'"layer":', b'"layer"'), (b'"layer":', b"layer:"), (b'"layer":', b"'layer':"),
    (b"batch_norm", b"batch\nnorm"), (b"batch_norm", b"\\x"), (b"batch_norm", b"\\ud800"), (b"batch_norm", b"\xff"), (b'"batch_norm"', b'"batch_norm'),
    (b'"FP32"}}', b'"FP32"}} x'), (b'"FP32"}}', b'"FP32"}}{}'), (b'"FP32"}}', b'"FP32"},}'), (b'"FP32"}}', b'"FP32"}'), (b'"FP32"}}', b'"FP32"}]'),
    (b'{"layer"', b'\xef\xbb\xbf\xef{"layer"'),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong"), FLAWS, ids=[repr(wrong) for _, wrong in FLAWS])
def test_one_flaw(server, problem_codes, right, wrong):
    """A document that only its syntax makes wrong."""
    text = json.dumps(EXAMPLE).encode()
    assert right in text
    head, _, tail = text.rpartition(right)
    answer = problem(server.post(head + wrong + tail), 400, problem_codes)
    assert any(character.isdigit() for character in answer["detail"]), "the byte offset is missing"


def test_byte_offset(server):
    assert "10" in problem(server.post(b'{"layer": nope}'), 400)["detail"]


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_not_an_object(server, problem_codes, body):
    answer = problem(server.post(body), codes=problem_codes)
    assert answer["status"] in (400, 422)


@pytest.mark.parametrize("element", [b'"x"', b"null", b"true", b"{}", b'""', b'"1"', b'"nan"'])
def test_not_a_number(server, problem_codes, element):
    body = b'{"layer": {"type": "layer_norm", "normalized_shape": [2]}, "input": [[1, ' + element + b"]]}"
    answer = problem(server.post(body), codes=problem_codes)
    assert answer["status"] in (400, 422)


def test_nesting(server, problem_codes):
    """64 levels are the limit, whatever they are made of."""
    for opening in (b"[", b'{"a":'):
        for depth in (65, 100_000):
            answer = problem(server.post(b'{"input": ' + opening * depth), codes=problem_codes)
            assert answer["status"] in (400, 422)


def test_unknown_layer(server, problem_codes):
    answer = problem(server.post(EXAMPLE | {"layer": "bn1"}), codes=problem_codes)
    assert answer["status"] in (404, 422)


def test_no_data_in_messages(server):
    assert "31337" not in server.post(with_input(data=[31337, 2, 3])).text


def test_refusals_keep_the_connection(server):
    """A request that was read whole is refused without closing."""
    response = server.post(group_norm(3))
    assert response.headers.get("Connection", "").lower() != "close"
    assert server.normalize({"layer": IDENTITY, "input": [[1]]})["output"]["data"] == [[1]]

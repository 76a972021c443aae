"""The framing without any input or output: answers cut and changed at every byte."""

import asyncio
import json

import numpy as np
import pytest
from fake_server import TIMING, answer_parts

from normserve import InvalidAnswer, LayerNorm, Registered
from normserve._wire import AnswerReader, Body, normalize_call

X = np.arange(6, dtype=np.float32).reshape(2, 3)
HEADER, CONTENT = answer_parts(X)
FIELDS = {"inference-header-content-length": str(len(HEADER))}


def read(content, fields=FIELDS, shape=X.shape):
    reader = AnswerReader(fields, shape)
    reader.feed(content)
    return reader.finish()


def test_a_request():
    """The tensors in the order of the JSON, each in its own memory."""
    weight = np.ones(3, np.float32)
    call = normalize_call(X, LayerNorm(3, weight=weight, bias=[1, 2, 3]), "FP16")
    header, *blobs = call.parts
    document = json.loads(header)
    assert list(document) == ["layer", "input", "output"] and list(document["layer"]) == [
        "type",
        "normalized_shape",
        "weight",
        "bias",
    ]
    assert document["input"] == {"shape": [2, 3], "datatype": "FP32", "parameters": {"binary_data_size": 24}}
    assert document["layer"]["weight"] == {"shape": [3], "datatype": "FP32", "parameters": {"binary_data_size": 12}}
    assert document["layer"]["bias"] == [1, 2, 3]
    assert document["output"] == {"datatype": "FP16"}
    assert [bytes(blob) for blob in blobs] == [weight.tobytes(), X.tobytes()]
    assert call.headers["Inference-Header-Content-Length"] == str(len(header)) and call.is_repeatable
    assert np.shares_memory(np.asarray(blobs[0]), weight) and np.shares_memory(np.asarray(blobs[1]), X)


@pytest.mark.parametrize(
    ("layer", "document"), [(Registered("bn1"), "bn1"), (Registered("bn1", "2"), {"name": "bn1", "version": "2"})]
)  # fmt: skip
def test_a_registered_layer(layer, document):
    assert json.loads(normalize_call(X, layer, None).parts[0])["layer"] == document


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 20) + 1])
def test_a_body_goes_out_in_pieces_as_often_as_wanted(size):
    content = np.random.default_rng(size).bytes(size)
    body = Body([b"head", memoryview(content)])
    assert body.length == 4 + size

    async def collect():
        return [bytes(piece) async for piece in body]

    for pieces, largest in ((list(map(bytes, body)), 1 << 20), (asyncio.run(collect()), 1 << 18)) * 2:
        assert b"".join(pieces) == b"head" + content
        assert max(map(len, pieces)) <= largest


def test_an_answer_in_pieces():
    """However the bytes come, and straight into the array."""
    whole = HEADER + CONTENT
    for size in range(1, len(whole) + 1):
        reader = AnswerReader(FIELDS, X.shape)
        for start in range(0, len(whole), size):
            reader.feed(whole[start : start + size])
        answer = reader.finish()
        assert answer.output.tolist() == X.tolist() and answer.timing == tuple(TIMING.values())
    reader = AnswerReader(FIELDS, X.shape)
    reader.window[:] = HEADER
    reader.advance(len(HEADER))
    reader.window[:] = CONTENT
    reader.advance(len(CONTENT))
    assert not reader.window and (reader.finish().output == X).all()


def test_an_answer_that_ends_early():
    whole = HEADER + CONTENT
    for end in range(len(whole)):
        with pytest.raises(InvalidAnswer):
            read(whole[:end])


def test_an_answer_that_goes_on():
    with pytest.raises(InvalidAnswer, match="goes on"):
        read(HEADER + CONTENT + b".")


def test_every_byte_of_the_header_changed():
    """It is refused, or still says all that it must."""
    for index in range(len(HEADER)):
        for byte in b'\0 "0{}[],:9\xff':
            changed = HEADER[:index] + bytes([byte]) + HEADER[index + 1 :]
            try:
                answer = read(changed + CONTENT)
            except InvalidAnswer:
                continue
            assert answer.output.tobytes() == CONTENT and answer.output.shape == (2, 3)


@pytest.mark.parametrize(
    "length", [None, "", "0", "-1", "+5", "1.0", "٣", " 7", "9" * 5000, str((1 << 20) + 1), "1e3", "0x10"]
)
def test_a_length_of_the_header_that_is_none(length):
    with pytest.raises(InvalidAnswer):
        AnswerReader({} if length is None else {"inference-header-content-length": length}, X.shape)


def changed(**members):
    document = json.loads(HEADER)
    for path, value in members.items():
        *parents, last = path.split("__")
        target = document
        for parent in parents:
            target = target[parent]
        target[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "members",
    [
        {"output": None}, {"output": []}, {"output__shape": [3, 2]}, {"output__shape": [2, 3, 1]}, {"output__shape": "23"},
        {"output__shape": [1 << 60, 1 << 60]}, {"output__datatype": "FP64"}, {"output__datatype": "FP8"},
        {"output__datatype": ["FP32"]}, {"output__datatype": None}, {"output__parameters": None},
        {"output__parameters__binary_data_size": 23}, {"output__parameters__binary_data_size": 1 << 70}, {"layer": 3},
        {"layer__type": None, "layer": None}, {"layer__sigma": "much"}, {"timing": None}, {"timing": {}},
        {"timing__total_us": "soon"}, {"timing__queue_us": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_header_that_does_not_say_what_it_must(members):
    members.pop("layer__type", None)
    header = changed(**members)
    with pytest.raises(InvalidAnswer):
        read(header + CONTENT, {"inference-header-content-length": str(len(header))})


@pytest.mark.parametrize(
    "header", [b"[" * 100_000, b"{" * 10, b"null", b"[]", b"3", b'"output"', b"\xff\xfe", b"\0" * 50]
)
def test_a_header_that_is_no_object(header):
    with pytest.raises(InvalidAnswer):
        read(header + CONTENT, {"inference-header-content-length": str(len(header))})


def test_unknown_members_are_for_later_versions():
    header = changed(layer__more=1, timing__more=2, output__more=3, more=4)
    assert read(header + CONTENT, {"inference-header-content-length": str(len(header))}).layer_type == "layer_norm"

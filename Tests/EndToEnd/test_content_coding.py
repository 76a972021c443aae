"""Coded requests: gzip and deflate, what is wrong with them, and how much they may grow (API.md, section 8)."""

import json
import os
import random
import struct
import zlib

import numpy as np
import pytest

import reference
from codings import GZIP, RAW, ZLIB, coded_request, compress, gzip_member, random_coding
from problems import refusal
from server import ResponseReader, request
from tensors import frame, rounded, tensor, unframe
from test_json import EXAMPLE

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))
TEXT = json.dumps(EXAMPLE).encode()


def output_of(response):
    assert response.status == 200, response.content
    return response.json()["output"]


@pytest.fixture(scope="module")
def expected(server):
    return server.normalize(EXAMPLE)["output"]


@pytest.mark.parametrize("sizes", [None, [1], [2, 3, 7], [1000]], ids=["length", "1 a chunk", "2, 3 and 7", "one chunk"])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "GZIP", "X-Gzip", "Deflate"])
def test_codings(server, expected, coding, sizes):
    """Names of codings are case-insensitive; x-gzip is gzip (RFC 9110 §8.4.1)."""
    content = compress(TEXT, coding.lower())
    assert output_of(server.exchange(coded_request(content, coding, sizes=sizes))) == expected


@pytest.mark.parametrize("coding", ["identity", "Identity", None])
def test_identity(server, expected, coding):
    assert output_of(server.exchange(coded_request(TEXT, coding))) == expected


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("sizes", [None, [5]], ids=["length", "chunked"])
def test_one_byte_a_segment(server, expected, coding, sizes):
    with server.connect() as connection:
        for byte in coded_request(compress(TEXT, coding), coding, sizes=sizes):
            connection.sendall(bytes([byte]))
        assert output_of(ResponseReader(connection).next()) == expected


def test_any_way_of_coding_means_the_same(server, expected):
    """Levels, strategies, members, chunks and the requests before it on its connection: none matters."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for _ in range(300):
            text = TEXT + b" " * rng.randrange(3000)
            content, coding = random_coding(rng, text)
            sizes = rng.choice([None, [rng.randrange(1, 300) for _ in range(4)]])
            connection.sendall(coded_request(content, coding, sizes=sizes))
            assert output_of(reader.next()) == expected, (coding, sizes)


def test_pipelined_with_uncoded_requests(server, expected):
    raw = coded_request(compress(TEXT)) + request("POST", "/normalize", TEXT) + coded_request(compress(TEXT, "deflate"), "deflate", sizes=[9])
    with server.connect() as connection:
        connection.sendall(raw * 20)
        reader = ResponseReader(connection)
        assert all(output_of(reader.next()) == expected for _ in range(60))


@pytest.mark.parametrize(
    "content",
    [
        gzip_member(TEXT), gzip_member(TEXT, 8, b"name.json\0"), gzip_member(TEXT, 16, b"a comment\0"), gzip_member(TEXT, 4, b"\5\0extra"),
        gzip_member(TEXT, 4, b"\0\0"), gzip_member(TEXT, 28, b"\5\0extraname\0comment\0"), gzip_member(TEXT, 1),
        gzip_member(b"") + gzip_member(TEXT), gzip_member(TEXT) + gzip_member(b""), gzip_member(TEXT[:50]) + gzip_member(TEXT[50:]),
        b"".join(gzip_member(TEXT[at : at + 1]) for at in range(len(TEXT))), gzip_member(b"") * 1000 + gzip_member(TEXT),
        compress(TEXT, GZIP, 0), compress(TEXT, GZIP, 9), compress(TEXT, GZIP, 9, zlib.Z_FIXED),
    ],
    ids=range(15),
)  # fmt: skip
def test_what_gzip_allows(server, expected, content):
    """Every field of the header, several members (RFC 1952 §2.2), every kind of block."""
    assert output_of(server.exchange(coded_request(content))) == expected


def test_header_checksum(server, expected):
    """FHCRC is the CRC of the header's bytes; it is right or the member is refused."""
    head = b"\x1f\x8b\x08\x02\0\0\0\0\0\xff"
    good = head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + gzip_member(TEXT)[10:]
    assert output_of(server.exchange(coded_request(good))) == expected
    bad = good[:10] + bytes([good[10] ^ 1]) + good[11:]
    refusal(server, coded_request(bad), 400, "invalid_content_coding")


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip_member(TEXT, crc=zlib.crc32(TEXT) ^ 1)), ("gzip", gzip_member(TEXT, crc=0)), ("gzip", gzip_member(TEXT, size=len(TEXT) + 1)),
        ("gzip", gzip_member(TEXT, size=0)), ("gzip", gzip_member(TEXT, method=7)), ("gzip", gzip_member(TEXT, magic=b"\x1f\x8c")),
        ("gzip", gzip_member(TEXT, flags=0x20)), ("gzip", gzip_member(TEXT, flags=0x80)), ("gzip", TEXT), ("gzip", b"\0"),
        ("gzip", compress(TEXT, ZLIB)), ("gzip", compress(TEXT, RAW)), ("deflate", compress(TEXT, GZIP)), ("deflate", compress(TEXT, RAW)),
        ("deflate", TEXT), ("deflate", compress(TEXT, ZLIB)[:-4] + bytes(4)), ("deflate", b"\x78\xbb" + compress(TEXT, ZLIB)[2:]),
        ("gzip", gzip_member(TEXT) + b"\0"), ("gzip", gzip_member(TEXT) + bytes(512)), ("gzip", gzip_member(TEXT) + b"\n"),
        ("gzip", gzip_member(TEXT) + b"\x1f"), ("gzip", gzip_member(TEXT) + b"\x1f\x8b"), ("gzip", gzip_member(TEXT) + TEXT),
        ("gzip", gzip_member(TEXT) + gzip_member(b"")[:-1]), ("gzip", gzip_member(TEXT) + gzip_member(b"", crc=1)),
        ("gzip", gzip_member(TEXT[:50]) + b"x" + gzip_member(TEXT[50:])), ("deflate", compress(TEXT, ZLIB) + b"\0"),
        ("deflate", compress(TEXT, ZLIB) * 2), ("deflate", compress(TEXT, ZLIB) + b"x"), ("gzip", compress(compress(TEXT))[:-9]),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\7" + bytes(8)), ("gzip", gzip_member(TEXT, 8, b"n" * 5000)[:4000]),
    ],
    ids=range(32),
)  # fmt: skip
@pytest.mark.parametrize("sizes", [None, [11]], ids=["length", "chunked"])
def test_what_is_no_coded_content(server, coding, content, sizes):
    """Wrong checksum or length, another format, raw deflate, a preset dictionary, bytes behind the end: 400, then close."""
    refusal(server, coded_request(content, coding, sizes=sizes), 400, "invalid_content_coding")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("sizes", [None, [29]], ids=["length", "chunked"])
def test_cut_anywhere(server, coding, sizes):
    content = compress(TEXT, coding)
    for length in range(1, len(content)):
        refusal(server, coded_request(content[:length], coding, sizes=sizes), 400, "invalid_content_coding")


def test_no_content_at_all(server):
    """Nothing is not a gzip member; without the coding it would not be JSON either."""
    assert problem_code(server, coded_request(b"")) in ("invalid_content_coding", "invalid_json")


def problem_code(server, raw):
    response = server.exchange(raw)
    assert response.status == 400
    return response.json()["code"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_every_bit_flipped(server, expected, coding):
    """Whatever zlib itself would not take is refused; the rest (times, names of systems) changes nothing."""
    content = compress(TEXT, coding)
    taken = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        decompressor = zlib.decompressobj(GZIP if coding == "gzip" else ZLIB)
        try:
            same = decompressor.decompress(damaged) == TEXT and decompressor.eof and not decompressor.unused_data
        except zlib.error:
            same = False
        if same:
            taken += 1
            assert output_of(server.exchange(coded_request(damaged, coding))) == expected, bit
        else:
            refusal(server, coded_request(damaged, coding), 400, "invalid_content_coding")
    assert taken < 8 * 12


def test_random_damage(server):
    """Bytes changed, removed, added, swapped: 200 only where Python reads the same document."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    for _ in range(300):
        damaged = bytearray(compress(TEXT + b" " * 2000))
        for _ in range(rng.randrange(1, 5)):
            at = rng.randrange(len(damaged))
            rng.choice([
                lambda: damaged.__setitem__(at, rng.randrange(256)),
                lambda: damaged.insert(at, rng.randrange(256)),
                lambda: damaged.__delitem__(at),
                lambda: damaged.__setitem__(slice(at, None), rng.randbytes(rng.randrange(40))),
            ])()  # fmt: skip
        response = server.exchange(coded_request(damaged))
        if response.status == 200:
            assert zlib.decompress(damaged, GZIP).strip() == TEXT
        else:
            assert response.status == 400 and response.json()["code"] == "invalid_content_coding", (damaged.hex(), response.content)


@pytest.mark.parametrize(
    "fields",
    [
        ["br"], ["zstd"], ["compress"], ["x-compress"], ["gzipped"], ["gzip;q=1"], ["x-deflate"], ["*"], ["gzip, gzip"], ["gzip, deflate"],
        ["identity, gzip"], ["gzip, identity"], ["gzip", "gzip"], ["gzip", "br"], ["identity", "deflate"], ["\xe9"],
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("sizes", [None, [50]], ids=["length", "chunked"])
def test_other_codings(server, fields, sizes):
    """415 that lists what is known, then close; the same for more than one coding."""
    lines = [f"Content-Encoding: {field}" for field in fields]
    response = refusal(server, coded_request(compress(TEXT), None, *lines, sizes=sizes), 415, "unsupported_content_coding")
    assert response["accept-encoding"] == "gzip, deflate"


def test_unknown_coding_is_refused_by_the_head(server):
    """Without waiting for the content and without 100 Continue."""
    with server.connect() as connection:
        connection.sendall(request("POST", "/normalize", b"x" * 100, "Content-Encoding: br", "Expect: 100-continue").removesuffix(b"x" * 100))
        assert ResponseReader(connection).next().status == 415


def test_expect_continue(server, expected):
    content = compress(TEXT)
    with server.connect() as connection:
        connection.sendall(coded_request(content, "gzip", "Expect: 100-continue").removesuffix(content))
        reader = ResponseReader(connection)
        assert reader.next().status == 100
        connection.sendall(content)
        assert output_of(reader.next()) == expected


def test_coded_nonsense_is_still_nonsense(server, problem_codes):
    """What was coded well is judged like any other document, and the connection stays."""
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for text, status, code in ((b'{"layer": nope}', 400, "invalid_json"), (b'{"layers": 1}', 422, None)):
            connection.sendall(coded_request(compress(text)))
            response = reader.next()
            assert response.status == status and code in (None, response.json()["code"])


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("sizes", [None, [4096, 1]], ids=["length", "chunked"])
def test_binary_framing(server, coding, sizes):
    """Inference-Header-Content-Length counts decoded bytes."""
    x = np.random.default_rng(8).standard_normal((40, 100)).round(2)
    described, blob = tensor(x)
    body, fields = frame({"layer": {"type": "layer_norm", "normalized_shape": [100]}, "input": described}, blob)
    lines = [f"{name}: {value}" for name, value in fields.items()]
    response = server.exchange(coded_request(compress(body, coding), coding, *lines, sizes=sizes))
    assert response.status == 200, response.content
    length = int(response["inference-header-content-length"])
    actual = np.frombuffer(response.content[length:], np.float32).reshape(x.shape)
    assert np.max(np.abs(actual - reference.layer_norm(rounded(x, "FP32"), [100]))) < 1e-5
    wrong = [lines[0], f"Inference-Header-Content-Length: {len(body) + 1}"]
    assert server.exchange(coded_request(compress(body, coding), coding, *wrong, sizes=sizes)).json()["code"] == "invalid_binary_framing"


def test_large_body(server):
    """8 MiB of noise, which hardly shrinks: every byte comes out where it was."""
    x = np.random.default_rng(9).standard_normal((2048, 1024), np.float32)
    described, blob = tensor(x)
    body, fields = frame({"layer": {"type": "rms_norm", "normalized_shape": [1024]}, "input": described}, blob)
    response = server.post(compress(body, "gzip", 1), headers=fields | {"Content-Encoding": "gzip"})
    assert np.max(np.abs(unframe(response)[1] - reference.rms_norm(rounded(x, "FP32"), [1024]))) <= 2e-6

"""Generates malformed requests; every one of them is wrong for certain, whatever a lenient server would forgive."""

import json
import random

from server import request

DOCUMENT = {
    "layer": {"type": "batch_norm", "running_mean": [0.5, 1], "running_var": [1, 4], "eps": 1e-5},
    "input": {"shape": [1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]},
}
JSON = "Content-Type: application/json"
BINARY = "Content-Type: application/octet-stream"


def _text(document):
    return json.dumps(document).encode()


def _cut(rng):
    text = _text(DOCUMENT)
    return text[: rng.randrange(len(text))]


def _control_character(rng):
    text = _text(DOCUMENT)
    at = rng.randrange(len(text) + 1)
    return text[:at] + bytes([rng.choice([*range(9), 11, 12, *range(14, 32)])]) + text[at:]


def _invalid_utf8(rng):
    text = _text(DOCUMENT)
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"]) + text[at:]


def _noise(rng):
    return b"\x00" + rng.randbytes(rng.randrange(1, 300))


def _unknown_member(rng):
    name = "".join(rng.choices("abcdefghijklmnop_", k=rng.randrange(1, 40)))
    return _text(DOCUMENT | {"x" + name: rng.choice([1, None, [], {}, "x"])})


def _wrong_kind(rng):
    document = json.loads(_text(DOCUMENT))
    holder, key = rng.choice(
        [(document, "layer"), (document, "input"), (document["layer"], "type"), (document["layer"], "running_mean"),
         (document["input"], "shape"), (document["input"], "datatype")]
    )  # fmt: skip
    holder[key] = rng.choice([None, True, -1.5, {"a": {}}, {}])
    return _text(document)


def _wrong_shape(rng):
    dimensions = [rng.choice([0, 1, 2, 3, -1, 2**31, 2**32, 2**62, 2**63, 10**30]) for _ in range(rng.randrange(0, 9))]
    if [1, 2, 2] == dimensions or (0 in dimensions and min(dimensions) >= 0):
        dimensions.append(-7)
    return _text(DOCUMENT | {"input": DOCUMENT["input"] | {"shape": dimensions or [5]}})


def _nested(rng):
    opening = rng.choice([b"[", b'{"input":', b'{"layer":[', b'{"a":'])
    return b'{"input":' + opening * rng.randrange(65, 20_000)


def _broken_number(rng):
    number = rng.choice(["-", "+1", "1.", ".1", "1e", "1e+", "0x1", "01", "1_0", "Inf", "nan", "--1", "1.2.3", "1,,2", "\u0661"])
    return _text(DOCUMENT).replace(b"[1, 2, 3, 4]", f"[1, 2, 3, {number}]".encode())


def malformed_body(rng):
    make = rng.choice(
        [_cut, _control_character, _invalid_utf8, _noise, _unknown_member, _wrong_kind, _wrong_shape, _nested, _broken_number]
    )  # fmt: skip
    return request("POST", "/normalize", make(rng), JSON)


def malformed_frame(rng):
    """A binary request whose lengths, shape or bytes do not fit together."""
    size = rng.choice([0, 1, 15, 17, 2**31, 2**63, -16])
    described = {"shape": [1, 2, 2], "datatype": "FP32", "parameters": {"binary_data_size": size}}
    blob = rng.randbytes(rng.randrange(40))
    if rng.random() < 0.5:
        described["parameters"]["binary_data_size"] = 16
        blob = rng.randbytes(rng.choice([*range(16), *range(17, 40)]))
    header = _text(DOCUMENT | {"input": described})
    length = len(header)
    if rng.random() < 0.4:
        length = rng.choice([*range(length), length + len(blob) + 1, 2**63, 2**64 + length, "-1", "+5", "x", "0x10", "1,2"])
    return request("POST", "/normalize", header + blob, BINARY, f"Inference-Header-Content-Length: {length}")


def malformed_head(rng):
    """A request whose head, framing or chunks no reading of RFC 9112 allows."""
    text = _text(DOCUMENT)
    ok = [f"Content-Length: {len(text)}", JSON]

    def head(*lines, start="POST /normalize HTTP/1.1", content=text):
        return "\r\n".join([start, *lines]).encode("latin-1") + b"\r\n\r\n" + content

    bad_name = rng.choice('"(),/;<=>?@[\\]{}\x00\x01\x7f\xe9 ')
    bad_value = rng.choice("\x00\x01\x0b\x0c\x1f\x7f\r")
    bad_length = rng.choice(["", "-1", "+5", "5 5", "5,6", "0x5", "1e1", "5.0", "abc", "\xb2", str(2**64 + len(text)), "9" * 400])
    bad_size = rng.choice(["", "-1", "+5", "0x5", "g", "5 5", "1" + "0" * 16, "f" * 17, "\x00", "5;a=\n\x00", "_5"])
    chunked = "Transfer-Encoding: chunked"
    return rng.choice([
        lambda: head("Host: x", f"X{bad_name}Y: 1", *ok),
        lambda: head("Host: x", f"X-Y: a{bad_value}b", *ok),
        lambda: head("Host: x", "no colon here", *ok),
        lambda: head("Host: x", ": no name", *ok),
        lambda: head("Host: x", "X-Y : blank before the colon", *ok),
        lambda: head("Host: x", "X-Y: a", " folded", *ok),
        lambda: head(" Host: x", *ok),
        lambda: head(*ok),
        lambda: head("Host: x", "Host: x", *ok),
        lambda: head(f"Host: {rng.choice(['a b', 'a/b', 'u@h', '[::1', 'a:b:c', 'a:x', chr(233)])}", *ok),
        lambda: head("Host: x", f"Content-Length: {bad_length}", JSON),
        lambda: head("Host: x", "Content-Length: 5", *ok),
        lambda: head("Host: x", chunked, *ok),
        lambda: head("Host: x", f"Transfer-Encoding: {rng.choice(['chunked, identity', 'chunked, chunked', 'x', '', 'chunked;q=1'])}", JSON),
        lambda: head("Host: x", chunked, start="POST /normalize HTTP/1.0", content=b"0\r\n\r\n"),
        lambda: head("Host: x", chunked, JSON, content=f"{bad_size}\r\n".encode("latin-1") + text + b"\r\n0\r\n\r\n"),
        lambda: head("Host: x", chunked, JSON, content=f"{len(text):x}\r\n".encode() + text + b"XX0\r\n\r\n"),
        lambda: head("Host: x", chunked, JSON, content=f"{len(text):x}\r\n".encode() + text + b"\r\n0\r\nbad trailer\r\n\r\n"),
        lambda: head("Host: x", *ok, start=f"POST  /normalize HTTP/1.{rng.choice('01')}"),
        lambda: head("Host: x", *ok, start=f"POST /normalize {rng.choice(['HTTP/1', 'http/1.1', 'HTTP/1.1.1', 'HTTP/11', 'HTTPS/1.1', 'HTTP/2.0', 'HTTP/a.b', ''])}"),
        lambda: head("Host: x", *ok, start=f"P{rng.choice('(),/:;<=>?@[]{}')}ST /normalize HTTP/1.1"),
        lambda: head("Host: x", *ok, start=f"POST {rng.choice(['normalize', '*', 'x:80', '/a b', '/' + chr(233), '/' + chr(0), 'http:///normalize'])} HTTP/1.1"),
        lambda: head("Host: x", *[f"X-{n}: 1" for n in range(rng.randrange(101, 400))], *ok),
        lambda: head("Host: x", "X: " + "a" * rng.randrange(33_000, 70_000), *ok),
        lambda: head("Host: x", *ok, start="POST /" + "a" * rng.randrange(33_000, 70_000) + " HTTP/1.1"),
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(200) + b"\r\n\r\n",
        lambda: rng.randbytes(1) + b"\x00" + rng.randbytes(rng.randrange(200)) + b"\r\n\r\n",
    ])()  # fmt: skip


def mutated(rng):
    """A valid request with a few bytes changed, added or removed: it may still be valid."""
    text = _text(DOCUMENT)
    raw = bytearray(request("POST", "/normalize", text, JSON))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(raw))
        rng.choice([
            lambda: raw.__setitem__(at, rng.randrange(256)),
            lambda: raw.insert(at, rng.randrange(256)),
            lambda: raw.__delitem__(at),
            lambda: raw.__setitem__(slice(at, at), raw[at : at + rng.randrange(40)]),
        ])()  # fmt: skip
    return bytes(raw)


def generate(seed, count):
    """`count` malformed requests; the same ones for the same seed."""
    rng = random.Random(seed)
    for _ in range(count):
        yield rng.choice([malformed_body, malformed_frame, malformed_head])(rng)

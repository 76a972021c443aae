"""Limits of one request: at each the request works, one more is refused with its status and code, and counted.

The defaults and options that make them small are held alike. Where the contract leaves open whether a line's end counts,
what is taken is one with its end and what is refused is one without.
"""

import json

import pytest

from codings import coded_request, compress
from limits import reached
from problems import problem, refusal
from server import ResponseReader, Server, request, run
from tensors import frame, tensor
from test_json import EXAMPLE

TEXT = json.dumps(EXAMPLE).encode()
DEFAULTS = {
    "max-request-line-bytes": 16384, "max-head-bytes": 32768, "max-fields": 100, "max-trailer-bytes": 8192, "max-trailer-fields": 32,
    "max-chunk-extension-bytes": 4096, "max-json-depth": 64,
}  # fmt: skip
SMALL = {
    "max-request-line-bytes": 100, "max-head-bytes": 1024, "max-fields": 12, "max-trailer-bytes": 80, "max-trailer-fields": 3, "max-chunk-extension-bytes": 20,
    "max-json-depth": 5, "max-body-bytes": 2000, "max-elements": 16,
}  # fmt: skip


@pytest.fixture(scope="module")
def small():
    with Server(*[word for name, value in SMALL.items() for word in (f"--{name}", str(value))]) as running:
        yield running


@pytest.fixture(params=["defaults", "options"])
def limited(request, server):
    """A server and its limits."""
    if request.param == "defaults":
        return server, DEFAULTS
    return request.getfixturevalue("small"), SMALL


def check(server, limit, taken, refused, status, code):
    """What is taken is answered with 200 and counts nothing; what is refused is, and counts once."""
    with reached(server, limit, 0):
        response = server.exchange(taken)
        assert response.status == 200, response.content
    with reached(server, limit):
        refusal(server, refused, status, code)


def test_request_line(limited):
    server, limits = limited
    limit = limits["max-request-line-bytes"]
    around = len("GET /health/live? HTTP/1.1")
    taken = request("GET", "/health/live?" + "a" * (limit - around - 2))
    refused = request("GET", "/health/live?" + "a" * (limit - around + 1))
    check(server, "max-request-line-bytes", taken, refused, 414, "uri_too_long")


def test_request_line_without_end(limited):
    """Refused as soon as it is too long, not when it ends."""
    server, limits = limited
    refusal(server, b"GET /" + b"a" * limits["max-request-line-bytes"], 414, "uri_too_long")


@pytest.mark.parametrize("shape", ["one field", "many fields"])
def test_head(limited, shape):
    server, limits = limited
    limit = limits["max-head-bytes"]
    bare = request("GET", "/health/live")
    fields = limit - len(bare) - 2
    if shape == "one field":
        taken, refused = ["X: " + "a" * (fields - 3)], ["X: " + "a" * limit]
    else:
        each = limit // 4
        taken, refused = ["X: " + "a" * (each - 40)] * 4, ["X: " + "a" * each] * 4
    check(server, "max-head-bytes", request("GET", "/health/live", b"", *taken), request("GET", "/health/live", b"", *refused), 431, "head_too_large")


def test_head_without_end(limited):
    server, limits = limited
    refusal(server, b"GET /health/live HTTP/1.1\r\nX: " + b"a" * limits["max-head-bytes"], 431, "head_too_large")


def test_fields(limited):
    """Host is one of them."""
    server, limits = limited
    limit = limits["max-fields"]
    taken, refused = (request("GET", "/health/live", b"", *[f"X{number}: a" for number in range(count)]) for count in (limit - 1, limit))
    check(server, "max-fields", taken, refused, 431, "too_many_fields")


def with_trailers(*lines):
    content = coded_request(TEXT, None, "Content-Type: application/json", sizes=[100])
    return content.removesuffix(b"\r\n") + "".join(line + "\r\n" for line in lines).encode() + b"\r\n"


def test_trailer_bytes(limited):
    server, limits = limited
    limit = limits["max-trailer-bytes"]
    taken, refused = with_trailers("X: " + "a" * (limit - 7)), with_trailers("X: " + "a" * limit)
    check(server, "max-trailer-bytes", taken, refused, 431, "head_too_large")
    in_all = with_trailers(*["X: " + "a" * (limit // 2)] * 2)
    with reached(server, "max-trailer-bytes"):
        refusal(server, in_all, 431, "head_too_large")


def test_trailer_fields(limited):
    server, limits = limited
    limit = limits["max-trailer-fields"]
    taken, refused = (with_trailers(*[f"X{number}: a" for number in range(count)]) for count in (limit, limit + 1))
    check(server, "max-trailer-fields", taken, refused, 431, "head_too_large")


def with_extensions(*extensions):
    """A chunked request whose chunks have these extensions in turn."""
    size = -(-len(TEXT) // len(extensions))
    pieces = [TEXT[at : at + size] for at in range(0, len(TEXT), size)]
    lines = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension.encode(), piece) for piece, extension in zip(pieces, extensions))
    head = request("POST", "/normalize", b"", "Transfer-Encoding: chunked", "Content-Type: application/json").replace(b"Content-Length: 0\r\n", b"")
    return head + lines + b"0\r\n\r\n"


def test_chunk_extensions(limited):
    """Of one chunk, and of all chunks together."""
    server, limits = limited
    limit = limits["max-chunk-extension-bytes"]
    taken, refused = with_extensions(";" + "a" * (limit - 3)), with_extensions(";" + "a" * (limit + 1))
    check(server, "max-chunk-extension-bytes", taken, refused, 400, "invalid_framing")
    half = ";" + "a" * (limit // 2 + 1)
    check(server, "max-chunk-extension-bytes", with_extensions(";" + "a" * (limit // 2 - 3), ""), with_extensions(half, half), 400, "invalid_framing")


def nested(depth):
    """JSON of this depth: the object, and arrays within it."""
    return b'{"layer": {"type": "mean_variance_norm"}, "input": %b1%b}' % (b"[" * (depth - 1), b"]" * (depth - 1))


def test_json_depth(limited):
    """Deep enough for the limit it is judged as a tensor; one deeper it is no JSON for us, wherever it is deep."""
    server, limits = limited
    limit = limits["max-json-depth"]
    with reached(server, "max-json-depth", 0):
        response = server.exchange(request("POST", "/normalize", nested(limit)))
        assert response.status == (200 if limit == SMALL["max-json-depth"] else 422)
    deeper = [nested(limit + 1), b'{"a":' * (limit + 1), b'{"input": ' + b"[" * 100_000 if limit == 64 else b"[" * (limit + 1)]
    for document in deeper:
        with reached(server, "max-json-depth"):
            answer = server.exchange(request("POST", "/normalize", document))
            assert answer.status == 400 and answer.json()["code"] == "invalid_json", answer.content


def test_json_depth_in_the_binary_framing(small):
    header = nested(6)
    fields = ["Content-Type: application/octet-stream", f"Inference-Header-Content-Length: {len(header)}"]
    with reached(small, "max-json-depth"):
        assert small.exchange(request("POST", "/normalize", header, *fields)).json()["code"] == "invalid_json"


BODIES = {
    "length": lambda text: request("POST", "/normalize", text),
    "chunked": lambda text: coded_request(text, None, sizes=[77]),
    "gzip": lambda text: coded_request(compress(text)),
    "deflate, chunked": lambda text: coded_request(compress(text, "deflate"), "deflate", sizes=[5]),
}  # fmt: skip


@pytest.mark.parametrize("framing", BODIES)
def test_body(small, framing):
    taken, refused = (BODIES[framing](TEXT.ljust(SMALL["max-body-bytes"] + more)) for more in (0, 1))
    check(small, "max-body-bytes", taken, refused, 413, "body_too_large")


def test_body_of_an_announced_length(small):
    """Refused by the head, with nothing of the content sent; so is a chunk that says it is too long."""
    head = b"POST /normalize HTTP/1.1\r\nHost: x\r\n"
    for raw in (b"Content-Length: 2001\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n7d1\r\n", b"Content-Length: 2001\r\nExpect: 100-continue\r\n\r\n"):
        with reached(small, "max-body-bytes"), small.connect() as connection:
            connection.sendall(head + raw)
            response = ResponseReader(connection).next()
            assert response.status == 413 and response.json()["code"] == "body_too_large"


def ones(count):
    return {"layer": {"type": "layer_norm", "normalized_shape": [count]}, "input": [1] * count}


def too_many(server, document, *blobs, pointer=None):
    """A tensor of more elements than are allowed: 422 that points to it, and the connection stays."""
    with reached(server, "max-elements"):
        body, fields = frame(document, *blobs) if blobs else (json.dumps(document).encode(), {})
        answer = problem(server.post(body, headers=fields), 422)
        assert answer["code"] == "too_many_elements", answer
        assert pointer is None or (answer.get("pointer", "") + "/").startswith(pointer + "/"), answer


def test_elements(small):
    """Of the input as flat or nested JSON, with a shape, as bytes; of a parameter; of the shape alone."""
    with reached(small, "max-elements", 0):
        assert small.post(ones(16)).status_code == 200
        assert small.post(ones(16) | {"input": {"shape": [2, 8, 1], "data": [1] * 16}, "layer": {"type": "mean_variance_norm"}}).status_code == 200
        described, blob = tensor([1.0] * 16)
        body, fields = frame(ones(16) | {"input": described}, blob)
        assert small.post(body, headers=fields).status_code == 200
    too_many(small, ones(17), pointer="/input")
    too_many(small, ones(17) | {"input": [[1] for _ in range(17)]}, pointer="/input")
    too_many(small, ones(17) | {"input": {"shape": [17], "data": [1] * 17}}, pointer="/input")
    too_many(small, ones(17) | {"input": {"shape": [1000, 1000], "data": [1]}}, pointer="/input")
    described, blob = tensor([1.0] * 17)
    too_many(small, ones(17) | {"input": described}, blob, pointer="/input")
    layer = {"type": "layer_norm", "normalized_shape": [4], "weight": [1] * 17}
    too_many(small, {"layer": layer, "input": [[1] * 4]}, pointer="/layer/weight")


def test_default_of_elements(server):
    """268435456; a shape of one more is refused before anything is allocated for it."""
    for shape, code in (([1 << 14, 1 << 14], None), ([1 << 14, (1 << 14) + 1], "too_many_elements"), ([268435457], "too_many_elements"), ([1 << 31, 1 << 31], "too_many_elements")):
        answer = problem(server.post({"layer": {"type": "layer_norm", "normalized_shape": [1]}, "input": {"shape": shape, "data": [1]}}), 422)
        assert (answer["code"] == "too_many_elements") == (code is not None), answer


def test_all_limits_are_options():
    text = run("serve", "--help").stdout
    for name in [*SMALL, "max-in-flight-bytes", "max-connections", "max-connections-per-address", "max-requests-per-connection", "head-timeout",
                 "handshake-timeout", "min-body-rate", "body-grace", "idle-timeout", "write-timeout", "linger-timeout", "drain-timeout"]:  # fmt: skip
        assert f"--{name} " in text, name


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max-request-line-bytes", "x"), ("max-trailer-bytes", "-1"), ("max-trailer-fields", "x"), ("max-chunk-extension-bytes", "1XB"), ("max-elements", "x"),
        ("max-elements", "-1"), ("max-connections-per-address", "-1"), ("max-connections-per-address", "many"), ("max-requests-per-connection", "-1"),
        ("linger-timeout", "soon"), ("linger-timeout", "-1s"), ("handshake-timeout", "x"),
    ],
)  # fmt: skip
def test_bad_values(option, value):
    """Exit 64 and one line, by flag and by environment."""
    for result in (run("serve", f"--{option}={value}"), run("serve", **{"NORMSERVE_" + option.upper().replace("-", "_"): value})):
        assert result.returncode == 64 and len(result.stderr.strip().splitlines()) == 1, result

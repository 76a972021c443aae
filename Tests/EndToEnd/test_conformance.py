"""RFC 9112 on the wire: the same bytes in one piece, byte by byte and split at every position."""

import time

import pytest

from server import ResponseReader, request

CONTENT = b'{"layer":{"type":"layer_norm","axis":1},"input":[[1,2]]}'
JSON = "Content-Type: application/json"
LIVE = request("GET", "/health/live")


def raw(*lines, content=b""):
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


CHUNKS = b"10;name=value\r\n" + CONTENT[:16] + b"\r\n%x\r\n" % (len(CONTENT) - 16) + CONTENT[16:] + b"\r\n0\r\nX-Trailer: a\r\n\r\n"

# What is sent, the final statuses that come back, and whether the connection is closed then.
CASES = {
    "get": (LIVE, [200], False),
    "post": (request("POST", "/normalize", CONTENT, JSON), [200], False),
    "chunked": (raw("POST /normalize HTTP/1.1", "Host: x", JSON, "Transfer-Encoding: Chunked", content=CHUNKS), [200], False),
    "expect": (request("POST", "/normalize", CONTENT, JSON, "expect: 100-Continue"), [200], False),
    "pipeline": (LIVE + request("POST", "/normalize", CONTENT, JSON) + request("GET", "/nowhere") + LIVE, [200, 200, 404, 200], False),
    "absolute-form": (raw("GET http://example.org/health/live HTTP/1.1", "Host: x"), [200], False),
    "HTTP/1.0": (raw("GET /health/live HTTP/1.0"), [200], True),
    "HTTP/1.0 keep-alive": (raw("GET /health/live HTTP/1.0", "Connection: keep-alive"), [200], None),
    "empty lines first": (b"\r\n" + LIVE, [200], False),
    "close": (request("GET", "/health/live", b"", "Connection: foo, Close") + LIVE, [200], True),
    "blanks around values": (raw("GET /health/live HTTP/1.1", "host:\t x \t", "X-Empty:", "X-Obs: \u00e9"), [200], False),
    "query": (request("GET", "/health/live?a=%20b&c"), [200], False),
    "no Host": (raw("GET /health/live HTTP/1.1"), [400], True),
    "two Hosts": (raw("GET /health/live HTTP/1.1", "Host: x", "Host: x"), [400], True),
    "length and chunked": (raw("POST /normalize HTTP/1.1", "Host: x", "Content-Length: 5", "Transfer-Encoding: chunked", content=b"0\r\n\r\n"), [400], True),
    "two lengths": (raw("POST /normalize HTTP/1.1", "Host: x", "Content-Length: 5", "Content-Length: 6", content=b"12345"), [400], True),
    "signed length": (raw("POST /normalize HTTP/1.1", "Host: x", "Content-Length: +5", content=b"12345"), [400], True),
    "chunked in HTTP/1.0": (raw("POST /normalize HTTP/1.0", "Transfer-Encoding: chunked", content=b"0\r\n\r\n"), [400], True),
    "folded line": (raw("GET /health/live HTTP/1.1", "Host: x", "X: a", " b"), [400], True),
    "blank before colon": (raw("GET /health/live HTTP/1.1", "Host : x"), [400], True),
    "bad chunk size": (raw("POST /normalize HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", content=b"0x5\r\n12345\r\n0\r\n\r\n"), [400], True),
    "chunk without end": (raw("POST /normalize HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", content=b"1\r\nab\r\n0\r\n\r\n"), [400], True),
    "LF in chunks": (raw("POST /normalize HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", content=b"1\nab\n0\n\n"), [400], True),
    "version": (raw("GET / HTTP/3.0", "Host: x"), [505], True),
}  # fmt: skip
SPLIT_EVERYWHERE = [
    "get", "post", "chunked", "expect", "absolute-form", "HTTP/1.0", "close", "no Host", "length and chunked",
    "folded line", "bad chunk size", "chunk without end",
]  # fmt: skip


def pieces(content, way):
    if way == "whole":
        return [content]
    return [content[index : index + 1] for index in range(len(content))]


def exchange(server, parts, statuses, closed, pause=0.0):
    """Sends the parts one by one and holds what comes back against what must."""
    with server.connect(timeout=5) as connection:
        for number, part in enumerate(parts):
            try:
                connection.sendall(part)
            except ConnectionError:
                break  # It refused and closed already.
            if pause and number + 1 < len(parts):
                time.sleep(pause)
        reader = ResponseReader(connection)
        for status in statuses:
            response = reader.final()
            assert response is not None, "the connection was closed without a response"
            assert response.status == status, response.content
        if closed:
            assert response["connection"].lower() == "close"
            assert reader.is_closed()
        elif closed is False:
            assert (response["connection"] or "").lower() != "close"
            connection.sendall(LIVE)
            assert reader.final().status == 200


@pytest.mark.parametrize("way", ["whole", "bytes"])
@pytest.mark.parametrize("name", CASES)
def test_case(server, name, way):
    content, statuses, closed = CASES[name]
    exchange(server, pieces(content, way), statuses, closed)


@pytest.mark.parametrize("name", SPLIT_EVERYWHERE)
def test_split_at_every_position(server, name):
    content, statuses, closed = CASES[name]
    for position in range(1, len(content)):
        exchange(server, [content[:position], content[position:]], statuses, closed, pause=0.0003)


def test_head_has_no_content(server):
    with server.connect() as connection:
        connection.sendall(request("HEAD", "/health/live") + request("HEAD", "/nowhere") + LIVE)
        reader = ResponseReader(connection)
        assert [reader.next(to_head=True).status for _ in range(2)] == [200, 404]
        assert reader.next().json() == {"status": "live"}


def test_half_close_is_answered(server):
    with server.connect() as connection:
        connection.sendall(LIVE)
        connection.shutdown(1)
        reader = ResponseReader(connection)
        assert reader.next().status == 200 and reader.is_closed()


def test_incomplete_content_is_no_request(server):
    with server.connect() as connection:
        connection.sendall(request("POST", "/normalize", CONTENT, JSON)[:-1])
        connection.shutdown(1)
        response = ResponseReader(connection).final()
        assert response is None or response.status in (400, 408)


def test_long_pipeline(server):
    """A thousand requests are sent before the first answer is read; the answers keep their order."""
    with server.connect() as connection:
        connection.sendall((LIVE + request("GET", "/nowhere")) * 500)
        reader = ResponseReader(connection)
        assert [reader.next().status for _ in range(1000)] == [200, 404] * 500


def test_no_interim_response_for_http_1_0(server):
    with server.connect() as connection:
        connection.sendall(
            raw("POST /normalize HTTP/1.0", JSON, "Expect: 100-continue", f"Content-Length: {len(CONTENT)}", content=CONTENT)
        )
        assert ResponseReader(connection).next().status == 200

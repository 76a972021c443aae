"""Connections: kept, broken, refused, mute, slow, shared, over a Unix socket; the tries that follow, and the time-out."""

import concurrent.futures
import os
import socket
import time

import httpx
import numpy as np
import pytest
from conftest import Server
from fake_server import FakeServer, answer, refusal

import normserve
from normserve import LayerNorm

X = np.arange(6, dtype=np.float32).reshape(2, 3)
LARGE = np.zeros((2048, 1024), np.float32)
LAYER = LayerNorm(3)


def test_connections_are_kept(connect, server):
    client = connect(server.url)
    before = server.metric("normserve_connections_accepted_total")
    for _ in range(20):
        client.normalize(X, LAYER)
        with pytest.raises(normserve.InvalidRequest):
            client.normalize(X, LayerNorm(4))
    client.is_ready()
    # The one more is that of `metric`.
    assert server.metric("normserve_connections_accepted_total") - before == 2


def test_a_context_manager_closes(server):
    with normserve.Client(server.url) as client:
        client.normalize(X, LAYER)
        assert server.metric("normserve_connections_open") >= 2
    client.normalize(X, LAYER)  # A closed client still works, but keeps nothing.
    assert not client._transport._idle


def test_threads_share_a_client(server):
    inputs = [np.random.default_rng(seed).standard_normal((64, 300), np.float32) for seed in range(16)]
    layer = LayerNorm(300)
    with normserve.Client(server.url) as client, concurrent.futures.ThreadPoolExecutor(16) as threads:
        expected = [client.normalize(x, layer) for x in inputs]
        for _ in range(5):
            for actual, wanted in zip(threads.map(lambda x: client.normalize(x, layer), inputs), expected, strict=True):
                np.testing.assert_array_equal(actual, wanted)


def test_unix_socket(connect, tmp_path):
    path = tmp_path / "s"
    with Server("--unix-socket", str(path), unix_socket=str(path)):
        client = connect(uds=path)
        assert client.is_ready() and client.normalize(X, LAYER).shape == (2, 3)
        assert client.normalize(LARGE, LayerNorm(1024)).shape == LARGE.shape
    with pytest.raises(normserve.ConnectionFailed):
        connect(uds=path, retries=0).normalize(X, LAYER)


def test_a_path_in_front(connect):
    def serve(server, connection, _):
        server.read_request(connection)
        connection.sendall(answer(X))

    with FakeServer(serve) as server:
        connect(server.url + "/behind/proxy/").normalize(X, LAYER)
        assert server.requests[0][0].startswith(b"POST /behind/proxy/normalize HTTP/1.1\r\n")


def test_a_request_on_the_wire(connect):
    def serve(server, connection, _):
        server.read_request(connection)
        connection.sendall(answer(X))

    with FakeServer(serve) as server:
        connect(server.url, api_key="key").normalize(X, LAYER)
        head, content = server.requests[0]
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert fields[b"host"] == server.url.removeprefix("http://").encode()
        assert fields[b"accept-encoding"] == b"identity" and fields[b"authorization"] == b"bearer key"
        assert int(fields[b"content-length"]) == len(content) and b"transfer-encoding" not in fields
        assert content.endswith(X.tobytes())


@pytest.mark.parametrize("x", [X, LARGE[:50]], ids=["small", "large"])
def test_chunked_answers(connect, x):
    def serve(server, connection, _):
        while server.read_request(connection):
            connection.sendall(answer(x, chunked=True))

    with FakeServer(serve) as server:
        client = connect(server.url)
        for _ in range(3):
            np.testing.assert_array_equal(client.normalize(x, LayerNorm(x.shape[1])), x)
        assert server.connections == 1


def test_every_byte_of_a_chunked_answer_changed(connect):
    """It ends in an exception, or in an array of the right shape."""
    whole = answer(X, chunked=True)
    head = whole.index(b"\r\n\r\n") + 4
    outcomes = set()

    def serve(server, connection, number):
        server.read_request(connection)
        index = head + number
        connection.sendall(whole[:index] + bytes([whole[index] ^ 0x11]) + whole[index + 1 :])

    with FakeServer(serve) as server:
        client = connect(server.url, retries=0, timeout=5)
        for _ in range(len(whole) - head):
            try:
                outcomes.add(client.normalize(X, LAYER).shape)
            except (normserve.ConnectionLost, normserve.InvalidAnswer) as error:
                outcomes.add(type(error))
    assert outcomes == {X.shape, normserve.ConnectionLost, normserve.InvalidAnswer}


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_answers_in_pieces(connect, size):
    """However the bytes come; interim answers are passed over."""
    x = X if size < 100 else LARGE[:100]
    content = b"HTTP/1.1 100 Continue\r\n\r\n" + answer(x)

    def serve(server, connection, _):
        server.read_request(connection)
        for start in range(0, len(content), size):
            connection.sendall(content[start : start + size])
            time.sleep(0.0005)

    with FakeServer(serve) as server:
        np.testing.assert_array_equal(connect(server.url).normalize(x, LayerNorm(x.shape[1])), x)


def test_nobody_listens(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = connect(url, retries=1)
    with pytest.raises(normserve.ConnectionFailed) as caught:
        client.normalize(X, LAYER)
    assert isinstance(caught.value, ConnectionError) and isinstance(caught.value.__cause__, httpx.ConnectError)
    assert not client.is_live() and not client.is_ready()
    with pytest.raises(normserve.TimedOut):
        client.wait_until_ready(0.1)


def test_a_name_that_does_not_exist(connect):
    with pytest.raises(normserve.ConnectionFailed):
        connect("http://name.invalid", retries=0).normalize(X, LAYER)


@pytest.mark.parametrize("x", [X, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("how", ["at once", "after the request", "reset"])
def test_a_connection_that_breaks_is_made_again(connect, how, x):
    def serve(server, connection, number):
        if number < 2:
            if how == "after the request":
                server.read_request(connection)
            elif how == "reset":
                connection.recv(1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        server.read_request(connection)
        connection.sendall(answer(x))

    with FakeServer(serve) as server:
        assert connect(server.url, retries=2).normalize(x, LayerNorm(x.shape[1])).shape == x.shape
        assert server.connections == 3


def test_tries_come_to_an_end(connect):
    def serve(server, connection, _):
        server.read_request(connection)

    with FakeServer(serve) as server:
        with pytest.raises(normserve.ConnectionLost):
            connect(server.url, retries=2).normalize(X, LAYER)
        assert server.connections == 3


@pytest.mark.parametrize("length", [1, 17, 200, -1])
def test_what_breaks_within_the_answer(connect, length):
    """A head that is not complete counts as none; an answer that has begun is not asked for again."""
    whole = answer(X)
    head = whole.index(b"\r\n\r\n") + 4
    end = len(whole) + length if length < 0 else length

    def serve(server, connection, _):
        server.read_request(connection)
        connection.sendall(whole[:end])

    with FakeServer(serve) as server:
        with pytest.raises((normserve.ConnectionLost, normserve.InvalidAnswer)):
            connect(server.url, retries=1).normalize(X, LAYER)
        assert server.connections == (1 if end >= head else 2)


def test_a_kept_connection_that_the_server_closed(connect):
    def serve(server, connection, _):
        for _ in range(2):
            server.read_request(connection)
            connection.sendall(answer(X))

    with FakeServer(serve) as server:
        client = connect(server.url, retries=0)
        for number in range(6):
            client.normalize(X, LAYER)
            if number % 2:
                time.sleep(0.05)  # Until the end of the connection has come.
        assert server.connections == 3


@pytest.mark.parametrize("fields", [["Connection: close"], []], ids=["announced", "HTTP/1.0"])
def test_a_connection_for_one_answer(connect, fields):
    def serve(server, connection, _):
        server.read_request(connection)
        content = answer(X)
        if fields:
            content = content.replace(b"\r\n", b"\r\n" + fields[0].encode() + b"\r\n", 1)
        else:
            content = content.replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        connection.sendall(content)
        connection.recv(1)

    with FakeServer(serve) as server:
        client = connect(server.url, retries=0)
        assert [client.normalize(X, LAYER).shape for _ in range(3)] == [X.shape] * 3
        assert server.connections == 3


def test_busy_then_free(connect):
    def serve(server, connection, _):
        for content in (refusal(503, "Retry-After: 0"), refusal(503, "Retry-After: 1"), answer(X)):
            server.read_request(connection)
            connection.sendall(content)

    with FakeServer(serve) as server:
        start = time.monotonic()
        assert connect(server.url).normalize(X, LAYER).shape == X.shape
        assert time.monotonic() - start >= 1 and len(server.requests) == 3


@pytest.mark.parametrize("fields", [[], ["Retry-After: 3600"]], ids=["no Retry-After", "in an hour"])
def test_busy_for_too_long(connect, fields):
    def serve(server, connection, _):
        while server.read_request(connection):
            connection.sendall(refusal(503, *fields))

    with FakeServer(serve) as server:
        with pytest.raises(normserve.Overloaded) as caught:
            connect(server.url).normalize(X, LAYER)
        assert caught.value.code == "overloaded" and len(server.requests) == 1
        assert caught.value.retry_after == (3600 if fields else None)


def test_a_busy_server(connect):
    """The real one, which has room for the tensor but not for a wider answer beside it."""
    with Server("--max-body-bytes", "1MiB", "--max-in-flight-bytes", "1MiB") as server:
        client = connect(server.url, retries=1, timeout=30)
        with pytest.raises(normserve.Overloaded) as caught:
            client.normalize(np.zeros(200_000, np.float32), normserve.LpNorm(), output_dtype=np.float64)
        assert caught.value.retry_after is not None
        assert client.normalize(X, LAYER).shape == X.shape


@pytest.mark.parametrize("x", [X, np.zeros((8192, 1024), np.float32)], ids=["small", "large"])
def test_a_mute_server(connect, x):
    def serve(server, connection, _):
        server.ended.wait(10)

    with FakeServer(serve) as server:
        client = connect(server.url, timeout=0.3)
        with pytest.raises(normserve.TimedOut) as caught:
            client.normalize(x, LayerNorm(x.shape[1]))
        assert isinstance(caught.value, TimeoutError) and server.connections == 1
        assert not client.is_live()


@pytest.mark.parametrize("part", ["head", "content"])
def test_a_server_that_drips(connect, part):
    """The time-out is of the whole, not of each byte."""
    whole = answer(X)

    def serve(server, connection, _):
        server.read_request(connection)
        begun = 0 if part == "head" else len(whole) - 20
        connection.sendall(whole[:begun])
        for byte in whole[begun:]:
            if server.ended.wait(0.15):
                return
            connection.sendall(bytes([byte]))

    with FakeServer(serve) as server:
        with pytest.raises(normserve.TimedOut):
            connect(server.url, timeout=0.5).normalize(X, LAYER)
        assert server.connections == 1


def test_an_answer_before_the_request_was_sent(connect):
    def serve(server, connection, _):
        connection.recv(100)
        connection.sendall(refusal(401, "Connection: close", code="unauthorized"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with FakeServer(serve) as server:
        for _ in range(3):
            with pytest.raises(normserve.Unauthorized):
                connect(server.url, retries=0).normalize(LARGE, LayerNorm(1024))


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 204 No Content\r\n\r\n", b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"\0" * 1000,
        answer(X).replace(b"Content-Length: ", b"Content-Length: 1"), answer(X) + b"and more",
        answer(X).replace(b"200 OK", b"302 Found\r\nLocation: http://127.0.0.1:1/"),
    ],
    ids=range(12),
)  # fmt: skip
def test_whoever_else_answers(connect, content):
    """Ends in an exception of this package, or in the right answer, and never hangs."""

    def serve(server, connection, _):
        server.read_request(connection)
        connection.sendall(content)

    with FakeServer(serve) as server:
        client = connect(server.url, retries=0, timeout=5)
        try:
            assert client.normalize(X, LAYER).tolist() == X.tolist()
        except normserve.NormserveError as error:
            assert not isinstance(error, normserve.TimedOut)
            assert str(error)


def test_every_byte_of_an_answer_lost(connect):
    """An answer without any one of its bytes is never taken for a whole one."""
    whole = answer(X)
    head = whole.index(b"\r\n\r\n") + 4

    def serve(server, connection, number):
        server.read_request(connection)
        lost = head + number
        connection.sendall(whole[:lost] + whole[lost + 1 :])

    with FakeServer(serve) as server:
        client = connect(server.url, retries=0, timeout=5)
        for _ in range(len(whole) - head):
            with pytest.raises((normserve.ConnectionLost, normserve.InvalidAnswer)):
                client.normalize(X, LAYER)


def test_another_transport(connect, kind, server):
    """Those of httpx, which have no `readinto`."""
    transport = httpx.HTTPTransport() if kind == "threads" else httpx.AsyncHTTPTransport()
    client = connect(server.url, transport=transport)
    np.testing.assert_array_equal(client.normalize(LARGE, LayerNorm(1024)), LARGE)
    with pytest.raises(normserve.InvalidRequest):
        client.normalize(X, LayerNorm(4))


def test_proxies_of_the_environment_are_not_asked(connect, server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    assert connect(server.url).normalize(X, LAYER).shape == X.shape


def test_health(connect):
    with Server() as server:
        client = connect(server.url)
        client.wait_until_ready()
        assert client.is_live() and client.is_ready()
    assert not client.is_live() and not client.is_ready()

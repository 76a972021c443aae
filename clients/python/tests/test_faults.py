"""Servers that refuse, break off, drip, stay mute or talk nonsense: what is tried again, and how it ends."""

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


@pytest.mark.parametrize("timeout", [4, None])
def test_waiting_for_a_mute_server(connect, timeout):
    """Ends when the caller said, however long a single call may take."""

    def serve(server, connection, _):
        server.ended.wait(4)

    with FakeServer(serve) as server:
        client = connect(server.url, timeout=timeout)
        start = time.monotonic()
        with pytest.raises(normserve.TimedOut, match=r"0\.3 s"):
            client.wait_until_ready(0.3)
        assert 0.25 < time.monotonic() - start < 2


def test_waiting_for_nobody(connect):
    start = time.monotonic()
    with pytest.raises(normserve.TimedOut):
        connect("http://127.0.0.1:1").wait_until_ready(0.2)
    assert 0.15 < time.monotonic() - start < 2

"""Connections: kept, shared by threads, over a Unix socket, for one answer; what goes over them, and in what pieces."""

import concurrent.futures
import os
import socket
import threading
import time

import httpx
import numpy as np
import pytest
from conftest import ADMIN_KEY, Server, end_to_end
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
                end_to_end.wait_for(lambda wanted=number // 2 + 1: server.closed == wanted)
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


def test_connections_are_kept_where_the_status_says_it_all(connect, repository_options):
    with Server(*repository_options, key=ADMIN_KEY) as server:
        client = connect(server.url, api_key=ADMIN_KEY)
        before = server.metric("normserve_connections_accepted_total")
        for _ in range(10):
            assert client.is_live() and client.is_ready()
            client.wait_until_ready()
            client.layers["ln"] = LAYER
            del client.layers["ln"]
        # The one more is that of `metric`.
        assert server.metric("normserve_connections_accepted_total") - before == 2


def test_connections_of_a_burst_are_not_kept_for_ever(monkeypatch):
    """But for those that are in use still."""
    with (
        Server() as server,
        normserve.Client(server.url) as client,
        concurrent.futures.ThreadPoolExecutor(8) as threads,
    ):
        transport = client._transport
        together = threading.Barrier(8)
        give_back = transport.give_back

        def wait_and_give_back(connection):
            together.wait(10)
            give_back(connection)

        monkeypatch.setattr(transport, "give_back", wait_and_give_back)
        list(threads.map(lambda _: client.normalize(X, LAYER), range(8)))
        monkeypatch.undo()
        assert len(transport._idle) == 8
        client.normalize(X, LAYER)
        assert len(transport._idle) == 8
        for connection in transport._idle[:5]:
            connection.idle_since -= 60
        client.normalize(X, LAYER)
        assert len(transport._idle) == 3
        end_to_end.wait_for(lambda: server.metric("normserve_connections_open") == 3 + 1)  # That of `metric`.

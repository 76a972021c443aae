"""HTTP over TLS: how connections end, truncation, large bodies, pipelining, the health command (HTTP.md, section 9)."""

import json
import socket
import ssl
import statistics
import time

import numpy as np
import pytest

import reference
from server import ResponseReader, Server, request, run, wait_for
from tensors import frame, rounded, tensor, unframe
from test_fairness import latencies
from test_json import EXAMPLE
from tls_client import BOTH, GET, TLS13, TLSStream, check_answer, client_hello, only, read_to_end

POST = request("POST", "/normalize", json.dumps(EXAMPLE).encode(), "Content-Type: application/json")
CLOSING = [request("GET", "/health/live", b"", "Connection: close"), request("GET", "/health/live", version="HTTP/1.0")]


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /normalize HTTP/1.1\r\n", b"\r\n" * 20, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_plain_http_on_the_tls_port(tls_server, raw):
    """The connection is closed, without a word of HTTP."""
    with tls_server.tcp() as connection:
        connection.sendall(raw)
        received = read_to_end(connection)
    assert received == b"" or received[0] == 21, received


def test_tls_on_the_plain_port(server):
    context = ssl.create_default_context()
    with server.tcp() as connection:
        connection.sendall(client_hello(context, server_hostname="localhost"))
        assert ResponseReader(connection).next().status == 400


@BOTH
@pytest.mark.parametrize("raw", [*CLOSING, b"nonsense\r\n\r\n"])
def test_close_notify_comes_before_the_close(tls_server, version, raw):
    """Else recv would raise an SSLEOFError here."""
    with tls_server.connect(context=tls_server.tls.client_context(**only(version))) as connection:
        connection.sendall(raw)
        reader = ResponseReader(connection)
        assert reader.next().status in (200, 400)
        assert connection.recv(1) == b""


def test_close_notify_when_idle_and_when_draining(ecdsa):
    with Server("--idle-timeout", "200ms", tls=ecdsa) as server:
        with server.connect() as connection:
            assert connection.recv(1) == b""
    with Server(tls=ecdsa) as server:
        with server.connect() as connection:
            check_answer(connection)
            assert server.terminate() == 0
            assert connection.recv(1) == b""


@BOTH
@pytest.mark.parametrize("polite", [False, True], ids=["cut", "close_notify"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_truncated_body(tls_server, version, polite, framing):
    """A body that a close cuts short is incomplete, whoever closed; its request is never carried out."""
    raw = POST[:-3]
    if framing == "chunked":
        content = json.dumps(EXAMPLE).encode()
        head = request("POST", "/normalize", content, "Content-Type: application/json", "Transfer-Encoding: chunked")
        raw = head.split(b"Content-Length")[0] + b"\r\n" + f"{len(content):x}\r\n".encode() + content + b"\r\n"
    with tls_server.tcp() as connection:
        stream = TLSStream(connection, tls_server.tls.client_context(**only(version))).handshake()
        stream.sendall(raw)
        if polite:
            stream.close_notify()
        connection.shutdown(socket.SHUT_WR)
        try:
            response = ResponseReader(stream).next()
        except (ssl.SSLError, ConnectionError):
            response = None
    assert response is None or response.status in (400, 408)


def test_a_client_that_closes_its_side_still_gets_its_answer(tls_server):
    """HTTP.md, section 11; in TLS 1.3 each direction is closed on its own (RFC 8446 §6.1)."""
    with tls_server.tcp() as connection:
        stream = TLSStream(connection, tls_server.tls.client_context(**only(TLS13))).handshake()
        stream.sendall(POST)
        stream.close_notify()
        connection.shutdown(socket.SHUT_WR)
        assert ResponseReader(stream).next().status == 200


def test_clients_that_do_not_say_goodbye_are_no_error(ecdsa):
    with Server(tls=ecdsa) as server:
        for _ in range(20):
            with server.tcp() as connection:
                stream = TLSStream(connection, server.tls.client_context()).handshake()
                stream.sendall(GET)
                assert ResponseReader(stream).next().status == 200
        wait_for(lambda: server.metric("normserve_connections_open") == 1)
        assert not server.errors()


@BOTH
def test_large_bodies_both_ways(tls_server, version):
    """16 MiB there and 16 MiB back, every byte in its place."""
    x = np.random.default_rng(3).standard_normal((4096, 1024), np.float32)
    described, blob = tensor(x)
    body, fields = frame({"layer": {"type": "rms_norm", "normalized_shape": [1024]}, "input": described}, blob)
    raw = request("POST", "/normalize", body, *[f"{name}: {value}" for name, value in fields.items()])
    with tls_server.connect(context=tls_server.tls.client_context(**only(version)), timeout=30) as connection:
        connection.sendall(raw)
        response = ResponseReader(connection).next()
    assert response.status == 200
    length = int(response["inference-header-content-length"])
    actual = np.frombuffer(response.content[length:], np.float32).reshape(x.shape)
    assert np.max(np.abs(actual - reference.rms_norm(rounded(x, "FP32"), [1024]))) <= 2e-6


def test_same_answer_as_without_tls(server, tls_server):
    x = np.random.default_rng(4).standard_normal((300, 257), np.float32)
    described, blob = tensor(x)
    body, fields = frame({"layer": {"type": "layer_norm", "normalized_shape": [257]}, "input": described}, blob)
    _, plain = unframe(server.post(body, headers=fields))
    _, secured = unframe(tls_server.post(body, headers=fields))
    assert np.array_equal(plain, secured)


@BOTH
def test_pipelining(tls_server, version):
    """Answers in the order of the requests, whatever the records are cut like."""
    raw = b"".join(request("POST", "/normalize", json.dumps(EXAMPLE | {"id": str(number)}).encode()) for number in range(100))
    for size in (len(raw), 1009, 61):
        with tls_server.connect(context=tls_server.tls.client_context(**only(version))) as connection:
            for start in range(0, len(raw), size):
                connection.sendall(raw[start : start + size])
            reader = ResponseReader(connection)
            assert [reader.next().json()["id"] for _ in range(100)] == [str(number) for number in range(100)]


def test_one_byte_a_record(tls_server):
    with tls_server.connect() as connection:
        for byte in POST:
            connection.sendall(bytes([byte]))
        assert ResponseReader(connection).next().status == 200


@pytest.mark.parametrize("raw", CLOSING)
def test_nothing_after_connection_close_is_answered(tls_server, raw):
    with tls_server.connect() as connection:
        connection.sendall(raw + GET)
        reader = ResponseReader(connection)
        assert reader.next()["connection"] == "close"
        assert reader.is_closed()


def test_expect_continue(tls_server):
    content = json.dumps(EXAMPLE).encode()
    with tls_server.connect() as connection:
        connection.sendall(request("POST", "/normalize", content, "Expect: 100-continue").removesuffix(content))
        reader = ResponseReader(connection)
        assert reader.next().status == 100
        connection.sendall(content)
        assert reader.next().status == 200


def test_health_command(tls_server, ecdsa):
    """It asks over TLS without looking at the certificate; HTTP in clear on this port is no health."""
    assert run("health", tls_server.url).returncode == 0
    assert run("health", f"https://localhost:{tls_server.port}").returncode == 0
    assert run("health", f"http://127.0.0.1:{tls_server.port}").returncode not in (0, 64)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert run("health", f"https://127.0.0.1:{unused.getsockname()[1]}").returncode not in (0, 64)


def test_health_command_on_a_plain_port(server):
    assert run("health", f"https://127.0.0.1:{server.port}").returncode not in (0, 64)


def test_slow_reader(tls_server):
    """A client that does not read its answer holds up nobody, and gets all of it in the end."""
    raw = request("POST", "/normalize", b'{"layer": {"type": "rms_norm", "normalized_shape": [4]}, "input": [%s[1, 2, 3, 4]]}' % (b"[1, 2, 3, 4]," * 100_000))
    with tls_server.connect(timeout=30) as connection:
        connection.sendall(raw)
        assert statistics.median(latencies(lambda: tls_server.normalize(EXAMPLE), 20)) < 50
        time.sleep(0.2)
        answer = ResponseReader(connection).next()
    assert answer.status == 200 and len(answer.json()["output"]["data"]) == 100_001

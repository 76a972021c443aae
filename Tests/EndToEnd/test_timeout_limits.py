"""Time-outs: what happens when each is over, that it is counted as a limit, and what renews it."""

import contextlib
import json
import socket
import time

import pytest

from limits import reached
from problems import check_problem
from server import ResponseReader, Server, request, wait_for
from test_connection_limits import GET, POST, works
from test_json import EXAMPLE

TEXT = json.dumps(EXAMPLE).encode()


@pytest.fixture(scope="module")
def hasty():
    """A server of short time-outs."""
    options = {
        "head-timeout": "400ms", "idle-timeout": "600ms", "body-grace": "400ms", "min-body-rate": "1KiB", "write-timeout": "500ms", "linger-timeout": "500ms",
    }  # fmt: skip
    with Server(*[word for name, value in options.items() for word in (f"--{name}", value)]) as running:
        yield running


@contextlib.contextmanager
def within(least, most):
    """Holds how long the block takes."""
    start = time.monotonic()
    yield
    assert least <= time.monotonic() - start <= most


def trickle(connection, content, seconds, pause=0.05):
    """Sends a byte now and then, until the server hangs up or the time is over."""
    with contextlib.suppress(ConnectionError):
        end = time.monotonic() + seconds
        for byte in content:
            if time.monotonic() > end:
                break
            connection.sendall(bytes([byte]))
            time.sleep(pause)


def check_timeout(reader):
    response = reader.next()
    assert response.status == 408 and response["connection"] == "close"
    assert check_problem(408, response["content-type"], response.json())["code"] == "request_timeout"
    assert reader.is_closed()


@pytest.mark.parametrize("how", ["stalls", "trickles", "after another request"])
def test_head_timeout(hasty, how):
    """From the first byte of the head; more bytes do not renew it. 408, then close."""
    with reached(hasty, "head-timeout"), hasty.connect() as connection, within(0.35, 2):
        reader = ResponseReader(connection)
        if how == "after another request":
            connection.sendall(GET)
            assert reader.next().status == 200
        connection.sendall(b"GET /health")
        if how == "trickles":
            trickle(connection, b"a" * 100, 0.35)
        check_timeout(reader)


@pytest.mark.parametrize("used", [False, True], ids=["never used", "used"])
def test_idle_timeout(hasty, used):
    """Closed without a word."""
    with reached(hasty, "idle-timeout"), hasty.connect() as connection:
        if used:
            assert works(connection)
        with within(0.5, 2):
            assert connection.recv(1) == b""


def test_requests_renew_the_idle_timeout(hasty):
    with hasty.connect() as connection:
        for _ in range(4):
            time.sleep(0.3)
            assert works(connection)


@pytest.mark.parametrize("how", ["stalls", "trickles", "chunks"])
def test_body_rate(hasty, how):
    """Slower than the least rate once the grace is over: 408, then close."""
    with reached(hasty, "min-body-rate"), hasty.connect() as connection, within(0.35, 3):
        if how == "chunks":
            connection.sendall(b"POST /normalize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            trickle(connection, b"1\r\n{\r\n" * 20, 0.35)
        else:
            connection.sendall(request("POST", "/normalize", b" " * 5000)[:-4990])
            if how == "trickles":
                trickle(connection, b" " * 100, 0.35)
        check_timeout(ResponseReader(connection))


def test_a_body_that_is_fast_enough(hasty):
    """Longer than the grace, at four times the rate."""
    with reached(hasty, "min-body-rate", 0), hasty.connect() as connection:
        content = TEXT.ljust(len(TEXT) + 5000)
        raw = request("POST", "/normalize", content)
        for start in range(0, len(raw), 400):
            connection.sendall(raw[start : start + 400])
            time.sleep(0.1)
        assert ResponseReader(connection).next().status == 200


def large_answer(server, window):
    """A connection with this window on which an answer of megabytes waits."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(10)
    connection.connect((server.address, server.port))
    rows = b"[1, 2, 3, 4]," * 150_000
    connection.sendall(request("POST", "/normalize", b'{"layer": {"type": "rms_norm", "normalized_shape": [4]}, "input": [%b[1, 2, 3, 4]]}' % rows))
    return connection


def test_write_timeout(hasty):
    """A client that takes nothing is reset."""
    with reached(hasty, "write-timeout"), large_answer(hasty, 4096) as connection:
        wait_for(lambda: connection.recv(1, socket.MSG_PEEK))
        time.sleep(1.2)
        with pytest.raises(ConnectionResetError):
            while connection.recv(1 << 20):
                pass


class SlowReader:
    """Takes a quarter of a MiB now and then."""

    def __init__(self, connection):
        self.connection = connection

    def recv(self, size):
        time.sleep(0.03)
        return self.connection.recv(1 << 18)


def test_a_slow_reader_is_not_reset(hasty):
    """What a client takes renews the time."""
    with reached(hasty, "write-timeout", 0), large_answer(hasty, 1 << 18) as connection, within(0.7, 20):
        response = ResponseReader(SlowReader(connection)).next()
        assert response.status == 200 and len(response.json()["output"]["data"]) == 150_001


def test_linger_timeout(hasty):
    """After a refusal the rest of the request is read for a while, so that the answer survives; then all is over."""
    with reached(hasty, "linger-timeout"), hasty.connect() as connection:
        connection.sendall(b"POST /normalize HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n" + b"x" * 10_000)
        reader = ResponseReader(connection)
        assert reader.next().status == 413
        assert reader.is_closed()
        connection.sendall(b"x" * 10_000)
        with within(0.2, 3), pytest.raises(ConnectionError):
            for _ in range(150):
                connection.sendall(b"x")  # Which does not renew the time.
                time.sleep(0.02)


def test_a_client_that_leaves_ends_the_lingering(hasty):
    with reached(hasty, "linger-timeout", 0):
        with hasty.connect() as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            assert ResponseReader(connection).next().status == 400
        time.sleep(0.8)


def test_drain_timeout():
    """A request that does not end holds the process up so long, and the exit code tells it."""
    with Server("--drain-timeout", "300ms") as server, server.connect() as connection:
        connection.sendall(POST[:-10])
        wait_for(lambda: server.metric("normserve_received_bytes_total") > len(POST) - 20)
        with within(0.25, 3):
            assert server.terminate() == 1
        server.process.returncode = 0  # The end of the fixture expects a clean one.

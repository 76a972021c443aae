"""What clients see of a server that drains, and which signal does what (RFC 9112 §9.6; API.md, section 9)."""

import signal
import time

import pytest

from http_cases import CONTENT, JSON, LIVE, MISSING, raw
from http_exchange import check_answer
from observe import eventually
from server import ResponseReader, Server, request
from test_shutdown import wait_until_refused

READY = request("GET", "/health/ready")
POST = request("POST", "/normalize", CONTENT, JSON)
# What is open when the signal comes: what was sent by then, what is sent afterwards, and the answer.
OPEN = {
    "liveness": (LIVE[:9], LIVE[9:], "200"),
    "readiness": (READY[:-1], READY[-1:], "503 draining"),
    "content": (POST[:-9], POST[-9:], "200"),
    "chunks": (
        raw("POST /normalize HTTP/1.1", "Host: x", JSON, "Transfer-Encoding: chunked", content=b"3a\r\n" + CONTENT[:9]),
        CONTENT[9:] + b"\r\n0\r\n\r\n",
        "200",
    ),
    "a refusal": (b"GET /nowhere HTTP/1.1\r\n", b"Host: x\r\n\r\n", MISSING),
    "a pipeline": (POST[:-9], POST[-9:] + LIVE + LIVE, "200"),
}  # fmt: skip


@pytest.fixture(scope="module")
def drained():
    """A server that was told to end while all of `OPEN` was open, and what came of it."""
    with Server() as server:
        connections = {name: server.connect() for name in OPEN}
        for name, connection in connections.items():
            connection.sendall(OPEN[name][0])
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        time.sleep(0.4)  # Longer than a connection is waited for that is idle.
        yield server, connections
        for connection in connections.values():
            connection.close()
        assert server.process.wait(10) == 0


@pytest.mark.parametrize("name", OPEN)
def test_what_was_begun_is_answered(drained, problem_codes, name):
    """Liveness is 200, readiness 503; each answer is the last one of its connection and says so."""
    server, connections = drained
    reader = ResponseReader(connections[name])
    assert server.process.poll() is None
    connections[name].sendall(OPEN[name][1])
    check_answer(reader.final(), OPEN[name][2], is_last=True, codes=problem_codes)
    assert reader.is_closed()


def test_deadline():
    """Who does not finish in time is cut off, and the exit status tells."""
    with Server("--drain-timeout", "500ms") as server, server.connect() as connection:
        connection.sendall(POST[:-9])
        time.sleep(0.1)
        start = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 1
        assert 0.4 < time.monotonic() - start < 3
        assert ResponseReader(connection).next() is None
        server.process.returncode = 0  # The end of the block expects a clean one.


@pytest.mark.parametrize(("first", "second"), [(signal.SIGTERM, signal.SIGINT), (signal.SIGINT, signal.SIGTERM), (signal.SIGINT, signal.SIGINT)])
def test_second_signal_ends_at_once(first, second):
    with Server() as server, server.connect() as connection:
        connection.sendall(POST[:-9])
        time.sleep(0.1)
        server.process.send_signal(first)
        wait_until_refused(server)
        server.process.send_signal(second)
        assert server.process.wait(3) == 1
        server.process.returncode = 0


def test_hangup_is_no_reason_to_end():
    """SIGHUP leaves connections and requests alone, and is no second signal in a drain."""
    with Server() as server, server.connect() as idle, server.connect() as reading:
        idle.sendall(LIVE)
        check_answer(ResponseReader(idle).next(), "200")
        reading.sendall(POST[:-9])
        time.sleep(0.05)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "SIGHUP" in server.log() or "reload" in server.log())
        idle.sendall(LIVE)
        check_answer(ResponseReader(idle).next(), "200")
        server.process.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        reading.sendall(POST[-9:])
        check_answer(ResponseReader(reading).next(), "200", is_last=True)
        reading.close()
        assert server.process.wait(10) == 0


def test_nobody_is_left_hanging():
    """A connection that comes while the server drains is refused, or served and closed, and never just left."""
    with Server() as server, server.connect() as holding:
        holding.sendall(POST[:-9])
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        refused = 0
        deadline = time.monotonic() + 5
        while refused < 20:
            assert time.monotonic() < deadline
            try:
                with server.connect(timeout=5) as late:
                    late.sendall(LIVE)
                    response = ResponseReader(late).next()
                    if response is not None:
                        check_answer(response, "200", is_last=response["connection"] == "close")
            except ConnectionError:
                refused += 1
        holding.sendall(POST[-9:])
        check_answer(ResponseReader(holding).next(), "200", is_last=True)
        holding.close()
        assert server.process.wait(10) == 0

"""Ending: SIGTERM and SIGINT drain, a second signal does not wait (API.md, section 9)."""

import json
import signal
import subprocess
import time

import pytest

from server import ResponseReader, Server, binary, request
from test_json import EXAMPLE

RAW = request("POST", "/normalize", json.dumps(EXAMPLE).encode(), "Content-Type: application/json")


def wait_until_refused(server):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            server.connect().close()
        except ConnectionError:
            return
        time.sleep(0.01)
    raise AssertionError("a draining server still listens")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_finishes(number):
    with Server() as server, server.connect() as connection:
        connection.sendall(RAW[:-10])
        time.sleep(0.1)
        server.process.send_signal(number)
        wait_until_refused(server)
        time.sleep(0.1)  # All connections have heard of it by now.
        assert server.process.poll() is None
        connection.sendall(RAW[-10:])
        reader = ResponseReader(connection)
        response = reader.next()
        assert response.status == 200 and response["connection"] == "close"
        assert reader.is_closed()
        assert server.process.wait(10) == 0


def test_idle_connections_do_not_hold_it_up():
    with Server() as server, server.connect() as silent, server.connect() as used:
        used.sendall(RAW)
        assert ResponseReader(used).next().status == 200
        start = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - start < 5
        assert silent.recv(1) == b""


def test_a_client_that_got_its_last_answer_does_not_hold_it_up():
    with Server() as server, server.connect() as connection:
        connection.sendall(request("GET", "/health/live", b"", "Connection: close"))
        assert ResponseReader(connection).next().status == 200
        start = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - start < 2


def test_a_request_that_waits_in_its_socket_is_answered():
    with Server() as server, server.connect() as connection:
        connection.sendall(RAW)
        assert ResponseReader(connection).next().status == 200
        server.process.send_signal(signal.SIGSTOP)
        connection.sendall(RAW)
        late = server.connect()
        late.sendall(RAW)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)
        for waiting in connection, late:
            assert ResponseReader(waiting).next().status == 200
            waiting.close()
        assert server.process.wait(10) == 0


def test_no_signal_is_lost_during_start_up():
    for milliseconds in range(0, 40, 2):
        process = subprocess.Popen([binary(), "serve", "--port", "0"], stderr=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)


def test_the_log_may_lose_its_reader():
    process = subprocess.Popen([binary(), "serve", "--port", "0"], stderr=subprocess.PIPE)
    assert b"listening" in process.stderr.readline()
    process.stderr.close()
    process.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_second_signal():
    with Server() as server, server.connect() as connection:
        connection.sendall(RAW[:-10])
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(3) == 1
        server.process.returncode = 0  # The end of the fixture expects a clean one.


def test_the_port_can_be_bound_again():
    with Server() as server, server.connect() as connection:
        connection.sendall(RAW)
        assert ResponseReader(connection).next().status == 200
        port = server.port
        assert server.terminate() == 0
    with Server("--port", str(port)) as again:
        assert again.normalize(EXAMPLE)

"""Handshakes that take too long, and clients of TLS that are slow (HTTP.md, section 9)."""

import statistics
import time

import pytest

from server import Server, wait_for
from test_fairness import latencies
from test_json import EXAMPLE
from test_tls_hostile import fresh_connection, hello
from tls_client import TLS13, TLSStream, check_answer, read_to_end


@pytest.mark.parametrize("stall", ["nothing", "half a ClientHello", "no Finished", "a byte now and then"])
def test_handshake_timeout(authority, tmp_path, stall):
    """Absolute, from the accepted connection on; then the connection is closed and the limit counted."""
    with Server("--handshake-timeout", "400ms", tls=authority.issue("timeout")) as server:
        before, start = server.metrics(), time.monotonic()
        with server.tcp() as connection:
            content = hello(server, TLS13)
            if stall == "half a ClientHello":
                connection.sendall(content[:100])
            elif stall == "no Finished":
                connection.sendall(content)
            elif stall == "a byte now and then":
                for byte in content[:12]:
                    try:
                        connection.sendall(bytes([byte]))
                    except ConnectionError:
                        break
                    time.sleep(0.05)
            read_to_end(connection)
            assert 0.3 < time.monotonic() - start < 3
        name, failed = 'normserve_limit_reached_total{limit="handshake-timeout"}', 'normserve_tls_handshakes_total{result="failed"}'
        wait_for(lambda: server.metrics()[name] == before[name] + 1)
        assert server.metrics()[failed] == before[failed] + 1
        assert not server.errors()


def test_a_slow_handshake_within_the_timeout(authority):
    with Server("--handshake-timeout", "3s", "--head-timeout", "200ms", "--idle-timeout", "5s", tls=authority.issue("slow")) as server:
        with server.tcp() as connection:
            stream = TLSStream(connection, server.tls.client_context())
            content = stream.first_flight()
            for start in range(0, len(content), 100):
                connection.sendall(content[start : start + 100])
                time.sleep(0.1)
            check_answer(stream.handshake())


def test_stalled_handshakes_make_nobody_wait(authority):
    """200 of them; in the end the time-out takes them all."""
    with Server("--handshake-timeout", "1500ms", tls=authority.issue("stalled")) as server:
        content = hello(server, TLS13)
        stalled = [server.tcp() for _ in range(200)]
        for number, connection in enumerate(stalled):
            connection.sendall(content[: number % 3 * 150])
        assert server.metric("normserve_connections_open") >= 200
        assert statistics.median(latencies(lambda: server.normalize(EXAMPLE), 30)) < 50
        assert statistics.median(latencies(lambda: fresh_connection(server), 20)) < 50
        for connection in stalled:
            read_to_end(connection)
            connection.close()
        wait_for(lambda: server.metric("normserve_connections_open") <= 2)

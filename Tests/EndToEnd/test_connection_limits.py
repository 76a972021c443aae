"""Limits of connections: how many, how many from one address, how many requests on one."""

import contextlib
import json
import socket

import pytest

from limits import reached
from problems import check_problem
from server import ResponseReader, Server, request, wait_for
from test_json import EXAMPLE

TEXT = json.dumps(EXAMPLE).encode()
GET = request("GET", "/health/live")
POST = request("POST", "/normalize", TEXT)


def works(connection):
    connection.sendall(GET)
    response = ResponseReader(connection).next()
    return response is not None and response.status == 200


def turned_away(server, **options):
    """503 without being asked, then the end."""
    with server.connect(**options) as connection:
        reader = ResponseReader(connection)
        response = reader.next()
        assert response.status == 503 and response["connection"] == "close" and int(response["retry-after"]) >= 0
        assert check_problem(503, response["content-type"], response.json())["code"] == "overloaded"
        assert reader.is_closed()


@pytest.fixture
def held():
    """Connections that end with the test."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context


def test_connections(held):
    """At the limit all are served, one more is turned away; when one leaves there is a place again."""
    with Server("--max-connections", "4") as server:
        connections = [admitted(server, held) for _ in range(4)]
        turned_away(server)
        turned_away(server)
        assert all(works(connection) for connection in connections)
        for connection in connections[2:]:
            connection.close()
        assert admitted(server, held)
        assert server.metric("normserve_limit_reached_total", limit="max-connections") >= 2


def admitted(server, held):
    """A connection that is served, as soon as there is room for it."""

    def attempt():
        connection = held(server.connect())
        with contextlib.suppress(ConnectionError):
            return works(connection) and connection

    return wait_for(attempt)


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_connections_per_address(held, ecdsa, secured):
    """127.0.0.1 has its limit, 127.0.0.2 its own; over TLS the connection is closed without a word."""
    with Server("--max-connections-per-address", "3", tls=ecdsa if secured else None) as server:
        limit = "max-connections-per-address"
        for source in ("127.0.0.2", "127.0.0.3"):
            with reached(server, limit, 2):
                connections = [held(server.connect(source=source)) for _ in range(3)]
                assert all(works(connection) for connection in connections)
                for _ in range(2):
                    if secured:
                        with server.tcp(source=source) as connection:
                            assert closed_without_a_word(connection)
                    else:
                        turned_away(server, source=source)
                assert all(works(connection) for connection in connections)
        connections.pop().close()
        wait_for(lambda: works_from(server, "127.0.0.3"))
        assert works_from(server, "127.0.0.1") and works_from(server, "127.0.0.4")


def closed_without_a_word(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def works_from(server, source):
    with contextlib.suppress(OSError), server.connect(source=source) as connection:
        return works(connection)


def test_connections_per_address_of_ipv6(held):
    with contextlib.closing(socket.socket(socket.AF_INET6)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
    with Server("--max-connections-per-address", "2", address="::1") as server:
        assert admitted(server, held) and admitted(server, held)
        turned_away(server)


def test_no_limit_per_address(held):
    with Server("--max-connections-per-address", "0") as server:
        assert all(works(held(server.connect())) for _ in range(50))


def test_unix_sockets_have_no_address(held, tmp_path):
    path = str(tmp_path / "socket")
    with Server("--max-connections-per-address", "2", "--unix-socket", path, unix_socket=path) as server:
        assert all(works(held(server.connect())) for _ in range(10))
        assert server.metric("normserve_limit_reached_total", limit="max-connections-per-address") == 0


@pytest.mark.parametrize("pipelined", [False, True])
def test_requests_per_connection(pipelined):
    """The last answer says close and is the last; what was sent behind it is not answered."""
    with Server("--max-requests-per-connection", "3") as server, reached(server, "max-requests-per-connection"), server.connect() as connection:
        reader = ResponseReader(connection)
        if pipelined:
            connection.sendall(POST * 5)
        for number in range(3):
            if not pipelined:
                connection.sendall(POST)
            response = reader.next()
            assert response.status == 200
            assert (response["connection"] == "close") == (number == 2)
        assert reader.is_closed()


def test_refused_requests_count_too():
    with Server("--max-requests-per-connection", "2") as server, server.connect() as connection:
        connection.sendall(request("GET", "/nowhere") + request("POST", "/normalize", b"{}") + GET)
        reader = ResponseReader(connection)
        assert [reader.next()["connection"] for _ in range(2)] == [None, "close"]
        assert reader.is_closed()


def test_no_limit_of_requests():
    with Server("--max-requests-per-connection", "0") as server, server.connect() as connection:
        reader = ResponseReader(connection)
        for _ in range(20):
            connection.sendall(GET * 600)
            assert all(reader.next()["connection"] is None for _ in range(600))

"""Clients that take their time: every timer, on a server that has little patience (RFC 9110 §15.5.9).

They all wait at the same time, each on a thread of its own.
"""

import concurrent.futures
import socket
import time

import pytest

from http_cases import CONTENT, JSON, LIVE, raw
from http_exchange import arrived, check_answer
from server import ResponseReader, Server, request

HEAD = 0.6
IDLE = 0.9
GRACE = 0.6
WRITE = 0.6
LATE = 3  # How much later the end may come on a busy machine.
TIMEOUT = "408 request_timeout"
POST = raw("POST /normalize HTTP/1.1", "Host: x", JSON, f"Content-Length: {len(CONTENT)}")
CHUNKED = raw("POST /normalize HTTP/1.1", "Host: x", JSON, "Transfer-Encoding: chunked")
LARGE = raw("POST /normalize HTTP/1.1", "Host: x", JSON, "Content-Length: 100000")


@pytest.fixture(scope="module")
def server():
    times = {"head": HEAD, "idle": IDLE, "write": WRITE}
    options = [option for name, seconds in times.items() for option in (f"--{name}-timeout", f"{seconds * 1000:.0f}ms")]
    with Server(*options, "--body-grace", f"{GRACE * 1000:.0f}ms", "--min-body-rate", "1KiB") as running:
        yield running


CLIENTS = {}


def client(**arguments):
    """Has the function talk to the server once for each argument; what it finds is what a test finds."""

    def register(function):
        for name, argument in arguments.items():
            CLIENTS[f"{function.__name__}: {name}"] = (function, argument)
        return function

    return register


@pytest.fixture(scope="module")
def outcomes(server):
    with concurrent.futures.ThreadPoolExecutor(len(CLIENTS)) as pool:
        yield {name: pool.submit(function, server, argument) for name, (function, argument) in CLIENTS.items()}


def trickle(connection, piece, seconds, interval=0.05):
    """Sends the piece again and again for so long, or until the server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection.sendall(piece)
        time.sleep(interval)
        if answer := arrived(connection):
            return answer
    return b""


def check_timeout(connection, start, seconds):
    """408, then the end, after so many seconds since `start` and no earlier."""
    reader = ResponseReader(connection)
    check_answer(reader.final(), TIMEOUT, is_last=True)
    assert seconds - 0.05 < time.monotonic() - start < seconds + LATE
    assert reader.is_closed()


@client(one_byte=b"G", request_line=b"GET /health/live HTTP/1.1\r\n", all_but_one_byte=LIVE[:-1])
def head_that_does_not_end(server, piece):
    with server.connect() as connection:
        start = time.monotonic()
        connection.sendall(piece)
        check_timeout(connection, start, HEAD)


@client(pipelined=LIVE[:-1])
def second_head_that_does_not_end(server, piece):
    with server.connect() as connection:
        start = time.monotonic()
        connection.sendall(LIVE + piece)
        check_answer(ResponseReader(connection).next(), "200")
        check_timeout(connection, start, HEAD)


@client(fields=(LIVE[:-2], b"X: a\r\n"), bytes=(LIVE[:-4], b"x"))
def head_that_trickles(server, pieces):
    """The time counts from the first byte, and further ones do not renew it."""
    first, others = pieces
    with server.connect() as connection:
        start = time.monotonic()
        connection.sendall(first)
        answer = trickle(connection, others, HEAD + LATE)
        assert HEAD - 0.05 < time.monotonic() - start
        assert answer.startswith(b"HTTP/1.1 408 ")


@client(after_nothing=b"", after_an_empty_line=b"\r\n")
def time_before_the_first_byte(server, before):
    """Until the first byte of a head the connection is idle, and the time of the head does not run."""
    with server.connect() as connection:
        time.sleep(HEAD / 2)
        connection.sendall(before)
        time.sleep(HEAD / 4)
        connection.sendall(LIVE[:9])
        time.sleep(HEAD / 2)
        connection.sendall(LIVE[9:])
        check_answer(ResponseReader(connection).next(), "200")


@client(new=b"", used=LIVE, after_an_empty_line=b"\r\n", after_half_of_one=b"\r")
def idle_connection(server, before):
    """9112 §9.5: it is closed without a word."""
    with server.connect() as connection:
        reader = ResponseReader(connection)
        start = time.monotonic()
        connection.sendall(before)
        if before == LIVE:
            check_answer(reader.next(), "200")
        assert reader.next() is None
        assert IDLE - 0.05 < time.monotonic() - start < IDLE + LATE


@client(endless=b"\r\n")
def empty_lines(server, piece):
    """They are no request, and do not keep a connection."""
    with server.connect() as connection:
        start = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() < start + IDLE + LATE:
                connection.sendall(piece)
                time.sleep(0.02)
        assert IDLE - 0.05 < time.monotonic() - start


@client(
    none=POST, most_of_it=POST + CONTENT[:-1], no_chunk=CHUNKED, half_a_chunk=CHUNKED + b"3a\r\n{", half_a_trailer=CHUNKED + b"0\r\nX",
    none_after_continue=POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
)  # fmt: skip
def content_that_stops(server, sent):
    with server.connect() as connection:
        start = time.monotonic()
        connection.sendall(sent)
        check_timeout(connection, start, GRACE)


@client(length=LARGE, chunked=CHUNKED + b"ffff\r\n")
def content_that_trickles(server, sent):
    """Bytes keep coming, but fewer than the least rate asks for."""
    with server.connect() as connection:
        start = time.monotonic()
        connection.sendall(sent)
        answer = trickle(connection, b" ", GRACE + LATE)
        assert GRACE - 0.05 < time.monotonic() - start
        assert answer.startswith(b"HTTP/1.1 408 ")


@client(extensions=b"1;", trailers=b"0\r\nX: ")
def framing_instead_of_content(server, piece):
    """Bytes of chunk framing come fast enough, but they are not what the rate is about."""
    with server.connect() as connection:
        connection.sendall(CHUNKED + piece)
        answer = trickle(connection, b"a" * 60, GRACE + LATE)
        assert answer.startswith(b"HTTP/1.1 408 ")


@client(steady=b" " * 1000)
def content_that_is_just_fast_enough(server, piece):
    """More time than any timer has, at a rate above the least."""
    with server.connect() as connection:
        connection.sendall(raw("POST /normalize HTTP/1.1", "Host: x", JSON, f"Content-Length: {20_000 + len(CONTENT)}"))
        for _ in range(20):
            connection.sendall(piece)
            time.sleep(0.1)
        connection.sendall(CONTENT)
        check_answer(ResponseReader(connection).next(), "200")


@client(large=request("GET", "/openapi.yaml"))
def answer_that_is_not_taken(server, large):
    """The connection is reset: what is left of the answer must not look whole (9112 §8)."""
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(large * 300)
        deadline = time.monotonic() + WRITE + LATE
        while not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            assert time.monotonic() < deadline, "the server goes on waiting"
            time.sleep(0.05)


@client(large=request("GET", "/openapi.yaml"))
def answer_that_is_taken_slowly(server, large):
    """More time than any timer has, but the client keeps reading."""
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        count = 100
        connection.sendall(large * count + request("GET", "/health/live", b"", "Connection: close"))
        received = b""
        while piece := connection.recv(1 << 18):
            received += piece
            time.sleep(0.02)
        assert received.count(b"HTTP/1.1 200 OK\r\n") == count + 1


@pytest.mark.parametrize("name", CLIENTS)
def test_patience(outcomes, name):
    outcomes[name].result()

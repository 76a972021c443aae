"""More connections, descriptors or content than there is room for, and clients that go away (RFC 9110 §15.6.4)."""

import contextlib
import json
import os
import re
import resource
import socket
import struct
import subprocess
import threading
import time

import pytest

from http_cases import CONTENT, JSON, LIVE, raw
from http_exchange import arrived, check_answer
from observe import descriptors, eventually, processor_seconds, resident_bytes
from server import ResponseReader, Server, binary, environment, request

MIB = 1 << 20
OVERLOADED = "503 overloaded"


def normalization(size):
    """A request in the binary framing with so many bytes of input, as head and content."""
    shape = [size // 4096, 1024]
    described = {"shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": shape[0] * 4096}}
    header = json.dumps({"layer": {"type": "rms_norm", "normalized_shape": [1024]}, "input": described}).encode()
    content = header + bytes(shape[0] * 4096)
    fields = ["Content-Type: application/octet-stream", f"Inference-Header-Content-Length: {len(header)}"]
    whole = request("POST", "/normalize", content, *fields)
    return whole[: -len(content)], content


def reset(connection):
    """Goes away without a word: what is on its way is lost, in both directions."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_served(server):
    """Whether a new connection gets its answer."""
    with server.connect() as connection:
        try:
            connection.sendall(LIVE)
            response = ResponseReader(connection).next()
        except ConnectionError:
            return False
        return response is not None and response.status == 200


def served_connection(server):
    """A connection that is open and served, as soon as there is room for it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        connection = server.connect()
        with contextlib.suppress(ConnectionError):
            connection.sendall(LIVE)
            if ResponseReader(connection).next().status == 200:
                return connection
        connection.close()
    raise AssertionError("no connection is served")


def answer(connection, expected, **options):
    response = ResponseReader(connection).next()
    check_answer(response, expected, **options)
    return response


def is_at_rest(server, seconds=0.5):
    """Whether the process does next to nothing."""
    before = processor_seconds(server)
    time.sleep(seconds)
    return processor_seconds(server) - before <= seconds / 5


@pytest.mark.parametrize("lines", [[], ["Expect: 100-continue"]], ids=["length", "expectation"])
def test_no_room_for_content(problem_codes, lines):
    """503 with Retry-After before the content is read, and no 100; others are served, and the room comes back."""
    head, content = normalization(6 * MIB)
    with Server("--max-body-bytes", "8MiB", "--max-in-flight-bytes", "8MiB") as server:
        with server.connect() as first:
            first.sendall(head + content[: 5 * MIB])
            eventually(lambda: server.metric("normserve_in_flight_bytes") >= 5 * MIB)
            with server.connect() as second:
                second.sendall(raw("POST /normalize HTTP/1.1", "Host: x", JSON, *lines, f"Content-Length: {8 * MIB}"))
                reader = ResponseReader(second)
                check_answer(reader.next(), OVERLOADED, is_last=True, codes=problem_codes)
                assert reader.is_closed()
            assert server.is_healthy()
            first.sendall(content[5 * MIB :])
            answer(first, "200")
            first.sendall(head + content)
            answer(first, "200")


def test_chunks_that_outgrow_the_room(problem_codes):
    """Chunked content declares nothing: it is refused when there is no room for the next chunk."""
    head, content = normalization(6 * MIB)
    with Server("--max-body-bytes", "8MiB", "--max-in-flight-bytes", "8MiB") as server:
        with server.connect() as first, server.connect() as second:
            first.sendall(head + content[: 5 * MIB])
            # Else the second could be there first, take the room and have nothing to refuse.
            eventually(lambda: server.metric("normserve_in_flight_bytes") >= 5 * MIB)
            second.sendall(raw("POST /normalize HTTP/1.1", "Host: x", JSON, "Transfer-Encoding: chunked"))
            with contextlib.suppress(ConnectionError):
                for _ in range(7):
                    second.sendall(b"100000\r\n" + b" " * MIB + b"\r\n")
            answer(second, OVERLOADED, is_last=True, codes=problem_codes)
            first.sendall(content[5 * MIB :])
            answer(first, "200")


def test_what_is_declared_costs_nothing():
    """Sixteen GiB are declared, and a byte of each body sent: memory grows with what arrives only."""
    with Server() as server, contextlib.ExitStack() as stack:
        before = resident_bytes(server)
        for _ in range(64):
            connection = stack.enter_context(server.connect())
            connection.sendall(raw("POST /normalize HTTP/1.1", "Host: x", JSON, f"Content-Length: {256 * MIB}", content=b"{"))
        time.sleep(0.3)
        assert is_served(server)
        # At most a huge page for each.
        assert resident_bytes(server) - before < 64 * 3 * MIB


def test_connection_limit(problem_codes):
    """Beyond it: 503 and close, without a request; nothing spins; who comes when one has gone is served."""
    with Server("--max-connections", "4") as server, contextlib.ExitStack() as stack:
        served = [stack.enter_context(served_connection(server)) for _ in range(4)]
        for _ in range(3):
            with server.connect() as refused:
                reader = ResponseReader(refused)
                check_answer(reader.next(), OVERLOADED, is_last=True, codes=problem_codes)
                assert reader.is_closed()
        lingering = [stack.enter_context(server.connect()) for _ in range(80)]
        eventually(lambda: arrived(lingering[0]))
        assert lingering[-1].recv(1) == b"", "the last ones are closed without a word"
        assert is_at_rest(server)
        for connection in served:
            connection.sendall(LIVE)
            answer(connection, "200")
        served[0].close()
        eventually(lambda: is_served(server))


def test_too_few_descriptors_at_start(tmp_path):
    """No more connections are served than there are descriptors for; the next ones are told, and nothing spins."""
    path = str(tmp_path / "socket")
    with Server("--unix-socket", path, unix_socket=path, descriptors=64) as server, contextlib.ExitStack() as stack:
        for _ in range(32):
            stack.enter_context(served_connection(server))
        with server.connect() as refused:
            answer(refused, OVERLOADED, is_last=True)
        for _ in range(60):
            stack.enter_context(server.connect()).sendall(LIVE)
        assert is_at_rest(server)
        assert "too few file descriptors" in server.log()


def test_the_first_line_of_the_log_says_the_port_all_the_same():
    """A warning about the descriptors comes behind the line that says where the server listens (API.md, section 9)."""
    process = subprocess.Popen(
        [binary(), "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )  # fmt: skip
    try:
        assert re.search(r"127\.0\.0\.1:\d+", process.stderr.readline())
    finally:
        process.kill()
        process.communicate()


def test_no_descriptor_left():
    """EMFILE: accepting rests, nothing spins, who is connected is served, and who waits gets in later."""
    with Server() as server, contextlib.ExitStack() as stack:
        first = stack.enter_context(served_connection(server))
        soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (max(descriptors(server)) + 22, hard))  # Sixteen are kept.
        connections = [stack.enter_context(server.connect()) for _ in range(30)]
        for connection in connections:
            connection.sendall(LIVE)
        time.sleep(0.3)
        served = [connection for connection in connections if arrived(connection)]
        waiting = [connection for connection in connections if connection not in served]
        assert 0 < len(served) < 10
        assert is_at_rest(server)
        first.sendall(LIVE)
        answer(first, "200")
        # As many come in as go.
        for connection in served:
            connection.close()
        eventually(lambda: sum(bool(arrived(connection)) for connection in waiting) > 0)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        eventually(lambda: is_served(server))
        assert "accept" in server.log()


def test_waiting_clients_get_in_when_descriptors_are_free_again():
    """Whoever was in the backlog is answered, nobody is lost."""
    with Server() as server, contextlib.ExitStack() as stack:
        stack.enter_context(served_connection(server))
        soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (max(descriptors(server)) + 1, hard))
        connections = [stack.enter_context(server.connect()) for _ in range(20)]
        for connection in connections:
            connection.sendall(LIVE)
        time.sleep(0.3)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for connection in connections:
            answer(connection, "200")


def test_no_descriptor_left_from_the_start():
    """The same before anybody was served: a server that could not even set up its first timer would rest for ever."""
    servers = []
    with contextlib.ExitStack() as stack:
        for _ in range(8):  # At once, so that they get little time: that is when the first timer is late.
            process = subprocess.Popen(
                [binary(), "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment()
            )
            stack.callback(process.communicate)
            stack.callback(process.kill)
            servers.append(process)
        ports = [re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())[1] for process in servers]
        time.sleep(0.2)
        for process, port in zip(servers, ports):
            open_files = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
            soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (max(open_files) + 3, hard))
            connections = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 3)) for _ in range(10)]
            for connection in connections:
                connection.sendall(LIVE)
            time.sleep(0.1)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft, hard))
            for connection in connections:
                answer(connection, "200")


LARGE_HEAD, LARGE_CONTENT = normalization(4 * MIB)
DEPARTURES = {
    "before a byte": b"",
    "within a head": LIVE[:30],
    "within content": LARGE_HEAD + LARGE_CONTENT[: 3 * MIB],
    "within a chunk": raw("POST /normalize HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", content=b"100000\r\n" + bytes(9999)),
    "while it is worked on": LARGE_HEAD + LARGE_CONTENT,
    "before the answer": request("POST", "/normalize", CONTENT, JSON),
    "within the answers": request("GET", "/openapi.yaml") * 100,
    "after a refusal": b"GET / HTTP/1.1\n" + bytes(9999),
}  # fmt: skip


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_clients_that_go_away(how):
    """9112 §8: whatever they leave behind, descriptors and room are given back, and no signal ends the process."""
    with Server("--max-body-bytes", "8MiB", "--max-in-flight-bytes", "8MiB") as server:
        assert is_served(server)
        eventually(lambda: is_at_rest(server, 0.1))
        before = len(descriptors(server))
        for sent in DEPARTURES.values():
            for number in range(12):
                connection = server.connect()
                with contextlib.suppress(ConnectionError):
                    connection.sendall(sent)
                if number % 2:
                    time.sleep(0.005)
                if how == "reset":
                    reset(connection)
                else:
                    connection.close()
        eventually(lambda: len(descriptors(server)) <= before + 1)
        head, content = normalization(7 * MIB)

        def has_room():
            with server.connect() as connection, contextlib.suppress(ConnectionError):
                connection.sendall(head + content)
                return ResponseReader(connection).next().status == 200

        eventually(has_room)


@pytest.mark.memory
def test_clients_that_go_away_cost_no_memory():
    """The second five hundred leave as much behind as the first."""
    with Server() as server:
        sizes = []
        for _ in range(2):
            for _ in range(500):
                connection = server.connect()
                connection.sendall(LARGE_HEAD + LARGE_CONTENT[:20_000])
                reset(connection)
            eventually(lambda: is_at_rest(server, 0.1))
            sizes.append(resident_bytes(server))
        assert sizes[1] < sizes[0] + 8 * MIB


def test_others_are_served_meanwhile(server):
    """Clients that come and go in the middle of everything delay and disturb nobody."""
    ended = threading.Event()

    def come_and_go():
        while not ended.is_set():
            for sent in (LIVE[:9], LARGE_HEAD + bytes(9999), request("GET", "/openapi.yaml") * 20):
                connection = server.connect()
                with contextlib.suppress(ConnectionError):
                    connection.sendall(sent)
                reset(connection)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        with server.connect() as connection:
            reader = ResponseReader(connection)
            for _ in range(200):
                connection.sendall(request("POST", "/normalize", CONTENT, JSON))
                check_answer(reader.next(), "200")
    finally:
        ended.set()
        thread.join()

"""What many connections, slow clients and large tensors do to the others: nothing much."""

import concurrent.futures
import contextlib
import resource
import statistics
import threading
import time

import numpy as np
import pytest
import requests

import reference
from server import ResponseReader, request
from tensors import frame, rounded, tensor, unframe
from test_json import EXAMPLE


@pytest.fixture(scope="module", autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def latencies(call, count=50):
    """Milliseconds of each of `count` calls, sorted, the client's own time included."""
    result = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        result.append((time.perf_counter() - start) * 1000)
        time.sleep(0.005)
    result.sort()
    print(f"median {statistics.median(result):.2f} ms, maximum {result[-1]:.2f} ms")
    return result


@contextlib.contextmanager
def in_background(work):
    """Repeats `work` in a thread until the block ends, and passes its error on."""
    ended, errors = threading.Event(), []

    def repeat():
        try:
            while not ended.is_set():
                work()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)
    assert not errors, errors


def test_idle_and_slow_connections(server):
    """256 idle connections and 64 slow writers; a healthy client is served within 50 ms."""
    content = b'{"layer": ' + b" " * 100_000
    head = request("POST", "/normalize", content, "Content-Type: application/json").removesuffix(content)
    with contextlib.ExitStack() as stack:
        for _ in range(256):
            stack.enter_context(server.connect())
        writers = [stack.enter_context(server.connect()) for _ in range(64)]
        for writer in writers[:32]:
            writer.sendall(head)
        unsent = {writer: memoryview(content if number < 32 else head) for number, writer in enumerate(writers)}

        def trickle():
            for writer in writers:
                writer.send(unsent[writer][:1])
                unsent[writer] = unsent[writer][1:]
            time.sleep(0.02)

        with in_background(trickle):
            times = latencies(lambda: server.normalize(EXAMPLE))
            fresh = latencies(lambda: fresh_connection(server), 20)
    assert statistics.median(times) < 50 and times[-6] < 50
    assert statistics.median(fresh) < 50


def fresh_connection(server):
    with server.connect() as connection:
        connection.sendall(request("GET", "/health/live"))
        assert ResponseReader(connection).next().status == 200


def large_request(mebibytes, layer):
    x = np.random.default_rng(5).standard_normal((mebibytes * 256, 1024), np.float32)
    described, blob = tensor(x)
    return x, *frame({"layer": layer, "input": described}, blob)


def test_a_large_tensor_does_not_delay_others(server):
    _, body, fields = large_request(64, {"type": "layer_norm", "normalized_shape": [1024]})

    def post():
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(server.url + "/normalize", data=body, headers=fields, timeout=60)
            assert response.status_code == 200 and len(response.content) > 64 << 20

    with in_background(post):
        health = latencies(lambda: server.is_healthy())
        small = latencies(lambda: server.normalize(EXAMPLE))
    assert statistics.median(health) < 50 and statistics.median(small) < 50


def test_three_at_once(server):
    layer = {"type": "rms_norm", "normalized_shape": [1024]}
    x, body, fields = large_request(16, layer)
    expected = reference.rms_norm(rounded(x, "FP32"), [1024])

    def post(_):
        response = requests.post(server.url + "/normalize", data=body, headers=fields, timeout=60)
        return np.max(np.abs(unframe(response)[1] - expected))

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert max(pool.map(post, range(3))) <= 2e-6


def test_slow_reader(server):
    """A client that does not read its answer holds up nobody, and gets all of it in the end."""
    _, body, fields = large_request(16, {"type": "rms_norm", "normalized_shape": [1024]})
    raw = request("POST", "/normalize", body, *[f"{name}: {value}" for name, value in fields.items()])
    with server.connect() as connection:
        connection.sendall(raw)
        assert statistics.median(latencies(lambda: server.normalize(EXAMPLE), 20)) < 50
        response = ResponseReader(connection).next()
        assert response.status == 200 and len(response.content) > 16 << 20


def test_clients_that_go_away(server):
    """Half a request, or an answer that nobody reads: the connection is gone, the server is not."""
    _, body, fields = large_request(1, {"type": "rms_norm", "normalized_shape": [1024]})
    raw = request("POST", "/normalize", body, *[f"{name}: {value}" for name, value in fields.items()])
    for end in (10, 200, len(raw) // 2, len(raw)):
        for _ in range(20):
            with server.connect() as connection:
                connection.sendall(raw[:end])
    assert server.is_healthy()

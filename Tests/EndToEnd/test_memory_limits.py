"""max-in-flight-bytes: bodies, decoded tensors and answers of all connections share one budget (503, and memory stays)."""

import concurrent.futures
import io
import json

import numpy as np
import pytest

from codings import coded_request, compress
from limits import reached
from observe import peak_bytes, resident_bytes
from problems import check_problem
from server import ResponseReader, Server, request, wait_for
from tensors import frame, tensor
from test_json import EXAMPLE

pytestmark = pytest.mark.memory

TEXT = json.dumps(EXAMPLE).encode()
MIB = 1 << 20
LIMIT = 16 * MIB
# What a server may need beside what it counts.
ALLOWANCE = 48 * MIB


@pytest.fixture(scope="module")
def tight():
    """A server with a budget of 16 MiB; its memory never grew beyond that and what it may need beside."""
    with Server("--max-in-flight-bytes", "16MiB", "--max-body-bytes", "16MiB") as running:
        assert running.normalize(EXAMPLE)
        base = resident_bytes(running)
        yield running
        assert peak_bytes(running) < base + LIMIT + ALLOWANCE
        settled_budget(running)
        assert running.normalize(EXAMPLE)


def settled_budget(server):
    wait_for(lambda: server.metric("normserve_in_flight_bytes") < MIB)


def overloaded(server, raw):
    """503 that says when to come again; counted once."""
    with reached(server, "max-in-flight-bytes"):
        response = server.exchange(raw, timeout=30)
        assert response.status == 503, response.status
        assert int(response["retry-after"]) > 0
        assert check_problem(503, response["content-type"], response.json())["code"] == "overloaded"


def binary(values, datatype="FP32", output=None, *fields, layer=None):
    """A request whose tensor goes as bytes."""
    described, blob = tensor(values, datatype)
    document = {"layer": layer or {"type": "rms_norm", "normalized_shape": [1024]}, "input": described}
    document |= {"output": {"datatype": output}} if output else {}
    body, own = frame(document, blob)
    return request("POST", "/normalize", body, *[f"{name}: {value}" for name, value in own.items()], *fields)


def test_one_body(tight):
    """What fits is served, however it is framed."""
    text = TEXT.ljust(6 * MIB)
    for raw in (request("POST", "/normalize", text), coded_request(text, None, sizes=[1 << 16]), coded_request(compress(text))):
        with reached(tight, "max-in-flight-bytes", 0):
            assert tight.exchange(raw).status == 200


def test_bodies_of_several_connections(tight):
    """Bodies that have half arrived count; when one is gone its share is free again. Small requests are not concerned."""
    settled_budget(tight)
    half = request("POST", "/normalize", TEXT.ljust(10 * MIB))
    with tight.connect() as holder:
        holder.sendall(half[: 9 * MIB])
        wait_for(lambda: tight.metric("normserve_in_flight_bytes") > 8 * MIB)
        text = TEXT.ljust(9 * MIB)
        for raw in (request("POST", "/normalize", text), coded_request(text, None, sizes=[1 << 16]), coded_request(compress(text))):
            overloaded(tight, raw)
        assert tight.is_healthy()
        assert tight.normalize(EXAMPLE)
        holder.sendall(half[9 * MIB :])
        assert ResponseReader(holder).next().status == 200
    settled_budget(tight)
    assert tight.exchange(request("POST", "/normalize", TEXT.ljust(8 * MIB))).status == 200


def test_a_body_that_never_ends_gives_its_share_back(tight):
    with tight.connect() as holder:
        holder.sendall(request("POST", "/normalize", TEXT.ljust(12 * MIB))[: 10 * MIB])
        wait_for(lambda: tight.metric("normserve_in_flight_bytes") > 9 * MIB)
    settled_budget(tight)


def test_decoded_tensors(tight):
    """JSON of two bytes an element becomes FP64 of eight; bytes of one element each become FP64, too."""
    many = 3 * MIB
    document = b'{"layer": {"type": "layer_norm", "normalized_shape": [1]}, "input": {"shape": [%d, 1], "datatype": "FP64", "data": [%b0]}}'
    text = document % (many, b"0," * (many - 1))
    assert len(text) < 8 * MIB
    overloaded(tight, request("POST", "/normalize", text))
    overloaded(tight, binary(np.ones((3 * 1024, 1024)), "UINT8", "FP64"))
    assert tight.exchange(binary(np.ones((256, 1024)), "UINT8", "FP64")).status == 200


def test_arrays_in_another_order(tight):
    """An array in C order is normalized where it is; one in Fortran order needs as much memory again."""
    target = "/normalize?type=layer_norm&axis=-1"
    for order, status in (("C", 200), ("F", 503)):
        file = io.BytesIO()
        np.save(file, np.ones((2560, 1024), np.float32, order=order))
        raw = request("POST", target, file.getvalue(), "Content-Type: application/x-npy")
        if status == 200:
            assert tight.exchange(raw, timeout=30).status == 200
        else:
            overloaded(tight, raw)


def test_answers_as_json(tight):
    """An answer that would not fit is not begun: 503 (or 422) and nothing else."""
    noise = np.random.default_rng(1).standard_normal((2048, 1024))
    raw = binary(noise, "FP32", None, "Accept: application/json")
    response = tight.exchange(raw, timeout=30)
    assert response.status in (503, 422)
    check_problem(response.status, response["content-type"], response.json())
    assert tight.exchange(binary(noise[:64], "FP32", None, "Accept: application/json")).status == 200


def test_answers_that_nobody_reads(tight):
    """They are held for their clients and count; with enough of them there is no room for more."""
    settled_budget(tight)
    raw = binary(np.ones((1536, 1024)))  # 6 MiB there and back, more than sockets hold.
    before, held = tight.metric("normserve_problems_total", code="overloaded"), []
    try:
        for _ in range(8):
            connection = tight.connect()
            held.append(connection)
            connection.sendall(raw)
        wait_for(lambda: tight.metric("normserve_problems_total", code="overloaded") > before)
        assert tight.normalize(EXAMPLE)
    finally:
        for connection in held:
            connection.close()
    settled_budget(tight)


def test_many_at_once(tight):
    """Some are served, some are told to come again, none fails in another way; afterwards nothing is left over."""
    settled_budget(tight)
    raw = [binary(np.ones((1024, 1024))), binary(np.ones((512, 1024)), "FP32", None, "Accept: application/json"), request("POST", "/normalize", TEXT.ljust(3 * MIB))]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: tight.exchange(raw[number % 3], timeout=30).status, range(48)))
    assert set(statuses) <= {200, 503} and 200 in statuses, statuses
    settled_budget(tight)
    assert tight.exchange(raw[0]).status == 200

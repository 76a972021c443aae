"""Timing: the `timing` member and the Server-Timing field (API.md, section 4)."""

import json
import re
import time

import numpy as np
import pytest

from server import ResponseReader, request
from tensors import frame, tensor, unframe
from test_json import EXAMPLE

PARTS = ["receive_us", "queue_us", "decode_us", "compute_us", "encode_us"]
METRICS = ["recv", "queue", "decode", "norm", "encode", "total"]


def check(timing, server_timing, elapsed=None):
    """The parts never add up to more than the total plus half a microsecond, as printed."""
    assert list(timing) == [*PARTS, "total_us"]
    assert all(value >= 0 for value in timing.values())
    assert sum(timing[part] for part in PARTS) <= timing["total_us"] + 0.5 + 1e-9

    metrics = re.findall(r"(\w+);dur=([0-9.]+)", server_timing)
    assert [name for name, _ in metrics] == METRICS
    milliseconds = {name: float(value) for name, value in metrics}
    total = milliseconds.pop("total")
    assert sum(milliseconds.values()) <= total + 0.0005 + 1e-9
    assert abs(total - timing["total_us"] / 1000) <= 0.05 * total + 0.05
    if elapsed is not None:
        assert timing["total_us"] <= elapsed * 1e6


@pytest.mark.parametrize("rows", [1, 16, 1024, 8192])
def test_binary(server, rows):
    described, blob = tensor(np.ones((rows, 256)))
    body, fields = frame({"layer": {"type": "layer_norm", "normalized_shape": [256]}, "input": described}, blob)
    for _ in range(5):
        start = time.perf_counter()
        response = server.post(body, headers=fields)
        elapsed = time.perf_counter() - start
        header, _ = unframe(response)
        assert list(header)[-1] == "timing"
        check(header["timing"], response.headers["Server-Timing"], elapsed)


def test_json(server):
    for _ in range(50):
        start = time.perf_counter()
        response = server.post(EXAMPLE)
        elapsed = time.perf_counter() - start
        answer = response.json()
        assert list(answer)[-1] == "timing"
        check(answer["timing"], response.headers["Server-Timing"], elapsed)


def test_receive_counts_from_the_first_byte(server):
    content = json.dumps(EXAMPLE).encode()
    raw = request("POST", "/normalize", content, "Content-Type: application/json")
    with server.connect() as connection:
        for piece in (raw[:10], raw[10:-5], raw[-5:]):
            connection.sendall(piece)
            time.sleep(0.05)
        response = ResponseReader(connection).next()
    timing = response.json()["timing"]
    check(timing, response["server-timing"])
    assert 95_000 <= timing["receive_us"] <= 1_000_000


def test_idle_time_of_a_connection_does_not_count(server):
    content = json.dumps(EXAMPLE).encode()
    raw = request("POST", "/normalize", content, "Content-Type: application/json")
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for _ in range(2):
            connection.sendall(raw)
            timing = reader.next().json()["timing"]
            time.sleep(0.2)
    assert timing["total_us"] < 150_000

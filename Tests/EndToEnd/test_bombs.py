"""Coded bodies that grow: max-body-bytes bounds what they may become, and memory stays within it (API.md, section 8)."""

import json
import statistics

import pytest

from codings import coded_request, compress, zeros
from observe import peak_bytes, resident_bytes
from problems import refusal
from server import Server, request
from test_fairness import in_background, latencies
from test_json import EXAMPLE

TEXT = json.dumps(EXAMPLE).encode()
MIB = 1 << 20
# What a server may need beside the body itself.
ALLOWANCE = 48 * MIB


@pytest.fixture(params=[16, 256], ids=["16 MiB", "256 MiB (default)"], scope="module")
def bounded(request):
    """A server and its max-body-bytes."""
    options = [] if request.param == 256 else ["--max-body-bytes", f"{request.param}MiB"]
    with Server(*options) as running:
        assert running.normalize(EXAMPLE)
        yield running, request.param * MIB


@pytest.mark.parametrize(("coding", "sizes"), [("gzip", None), ("deflate", [16384, 1000])], ids=["gzip", "deflate, chunked"])
def test_a_gibibyte_of_zeros(bounded, coding, sizes):
    """1 GiB in 1 MiB: 413, and the peak of memory is that of an honest body of the largest size."""
    server, limit = bounded
    bomb = zeros(1024, coding)
    assert len(bomb) < 1.2 * MIB
    base = min(resident_bytes(server), 64 * MIB)
    refusal(server, coded_request(bomb, coding, sizes=sizes), 413, "body_too_large", timeout=30)
    assert peak_bytes(server) < base + limit + ALLOWANCE


def test_bombs_at_the_same_time_as_others(bounded):
    """A healthy client is served at once while bombs go off one after the other."""
    server, _ = bounded
    raw = coded_request(zeros(1024))
    with in_background(lambda: refusal(server, raw, 413, "body_too_large", timeout=30)):
        assert statistics.median(latencies(lambda: server.normalize(EXAMPLE), 25)) < 50


@pytest.fixture(scope="module")
def small():
    """A server that takes 1 MiB."""
    with Server("--max-body-bytes", "1MiB") as running:
        yield running


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
@pytest.mark.parametrize("sizes", [None, [10_000]], ids=["length", "chunked"])
def test_exactly_the_limit(small, coding, sizes):
    """The last byte that fits is taken, one more is too large."""
    for more, status in ((-1, 200), (0, 200), (1, 413)):
        text = TEXT.ljust(MIB + more)
        content = compress(text, coding) if coding != "identity" else text
        raw = coded_request(content, coding, sizes=sizes)
        if status == 200:
            assert small.exchange(raw).status == 200
        else:
            before = small.metric("normserve_limit_reached_total", limit="max-body-bytes")
            refusal(small, raw, 413, "body_too_large")
            assert small.metric("normserve_limit_reached_total", limit="max-body-bytes") == before + 1


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("sizes", [None, [10_000]], ids=["length", "chunked"])
def test_the_coded_length_is_bounded_too(small, coding, sizes):
    """Stored without compression, a body of just the limit becomes a few bytes longer than it."""
    content = compress(TEXT.ljust(MIB), coding, level=0)
    assert len(content) > MIB
    refusal(small, coded_request(content, coding, sizes=sizes), 413, "body_too_large")
    smaller = compress(TEXT.ljust(MIB - 2000), coding, level=0)
    assert MIB - 2000 < len(smaller) <= MIB
    assert small.exchange(coded_request(smaller, coding, sizes=sizes)).status == 200


def test_the_limit_counts_all_members(small):
    """As many gzip members as one likes, each of them small."""
    member = compress(b" " * 10_000)
    assert small.exchange(coded_request(compress(TEXT) + member * 104)).status == 200
    refusal(small, coded_request(compress(TEXT) + member * 105), 413, "body_too_large")


def test_a_declared_length_over_the_limit_is_refused_by_the_head(small):
    with small.connect() as connection:
        connection.sendall(request("POST", "/normalize", b"", "Content-Encoding: gzip").replace(b"Content-Length: 0", b"Content-Length: 1048577"))
        received = connection.recv(1000)
    assert received.startswith(b"HTTP/1.1 413 ")


def test_a_bomb_behind_an_honest_start(small):
    """It is the size that counts, not what the first bytes look like; JSON that is over makes no difference."""
    refusal(small, coded_request(compress(TEXT) + zeros(8)), 413, "body_too_large")


@pytest.mark.memory
def test_many_bombs(small):
    """Memory does not pile up: what zlib needs for one stream, lost 400 times, would be more than is allowed here."""
    bomb = coded_request(zeros(2))
    for _ in range(100):
        refusal(small, bomb, 413, "body_too_large")
    before = resident_bytes(small)
    for _ in range(400):
        refusal(small, bomb, 413, "body_too_large")
    assert resident_bytes(small) < before + 16 * MIB
    assert small.metric("normserve_in_flight_bytes") < MIB

"""Coded answers: to whom, what of, and that nothing gets lost on the way (API.md, section 8)."""

import json
import statistics
import time

import numpy as np
import pytest

from certificates import write
from codings import coded_request, compress, decoded
from server import ResponseReader, Server, request, run
from tensors import frame, tensor
from test_fairness import latencies
from test_json import EXAMPLE

JSON = "Content-Type: application/json"
GZIP = "Accept-Encoding: gzip"


def get(server, *fields, path="/openapi.yaml", **options):
    return server.exchange(request("GET", path, b"", *fields, **options))


def check_framing(response, coding):
    """Coded answers are chunked, the others have a length (the reader held that they have not both)."""
    assert response["content-encoding"] == coding
    assert (response["transfer-encoding"] == "chunked") == (coding is not None)


def test_never_under_1024_bytes(server):
    """Of text that would shrink: 1023 bytes go as they are, 1024 are coded; Vary comes with the latter alone."""
    seen = set()
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for length in [*range(500, 900, 20), *range(600, 860, 1), 2000]:
            for fields in ([GZIP], []):
                text = json.dumps(EXAMPLE | {"id": "x" * length}).encode()
                connection.sendall(request("POST", "/normalize", text, JSON, *fields))
                response = reader.next()
                size = len(decoded(response))
                check_framing(response, "gzip" if fields and size >= 1024 else None)
                assert response["vary"] == ("Accept-Encoding" if size >= 1024 else None), size
                seen.add(size)
    assert {1023, 1024} & seen and min(seen) < 1000 and max(seen) > 1100


@pytest.mark.parametrize("fields", [[GZIP], [GZIP, "Connection: keep-alive"]])
def test_not_for_http_1_0(server, description, fields):
    """Which has no chunks (RFC 9112 §6.1)."""
    response = get(server, *fields, version="HTTP/1.0")
    check_framing(response, None)
    assert response.content == description


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
@pytest.mark.parametrize("path", ["/openapi.yaml", "/layer-types", "/health/live"])
def test_head(server, path, coding):
    """The fields of GET without its content."""
    accept = f"Accept-Encoding: {coding}"
    expected = get(server, accept, path=path)
    with server.connect() as connection:
        connection.sendall(request("HEAD", path, b"", accept) + request("GET", "/health/ready"))
        reader = ResponseReader(connection)
        head = reader.next(to_head=True)
        assert reader.next().json() == {"status": "ready"}, "content followed the answer to HEAD"
    for name in ("content-encoding", "content-length", "content-type", "vary"):
        assert head[name] == expected[name], name


def test_answers_to_normalize(server):
    """JSON and bytes, in either coding and none: the same numbers."""
    x = np.random.default_rng(2).integers(0, 3, (64, 32))
    document = {"layer": {"type": "layer_norm", "normalized_shape": [32]}, "input": x.tolist()}
    text = json.dumps(document).encode()
    expected = server.normalize(document)["output"]
    described, blob = tensor(x)
    body, fields = frame(document | {"input": described}, blob)
    lines = [f"{name}: {value}" for name, value in fields.items()]
    plain = server.exchange(request("POST", "/normalize", body, *lines))
    for coding in ("gzip", "deflate"):
        accept = f"Accept-Encoding: {coding}"
        response = server.exchange(request("POST", "/normalize", text, JSON, accept))
        check_framing(response, coding)
        assert json.loads(decoded(response))["output"] == expected
        assert response["server-timing"] and response["content-type"] == "application/json"
        response = server.exchange(coded_request(compress(body, coding), coding, *lines, accept))
        check_framing(response, coding)
        length = int(response["inference-header-content-length"])
        content = decoded(response)
        assert json.loads(content[:length])["output"] == json.loads(plain.content[: int(plain["inference-header-content-length"])])["output"]
        assert content[length:] == plain.content[int(plain["inference-header-content-length"]) :]


def test_refusals_can_be_coded_like_anything(server):
    """A problem document of more than 1024 bytes, or fewer: readable either way."""
    for length in (10, 3000):
        response = server.exchange(request("POST", "/normalize", json.dumps(EXAMPLE | {"x" * length: 1}).encode(), JSON, GZIP))
        assert response.status == 422 and response["content-type"] == "application/problem+json"
        assert json.loads(decoded(response))["code"] == "unknown_member"


def large(values, *fields, accept=GZIP):
    described, blob = tensor(values)
    body, own = frame({"layer": {"type": "rms_norm", "normalized_shape": [1024]}, "input": described}, blob)
    return request("POST", "/normalize", body, *[f"{name}: {value}" for name, value in own.items()], accept, *fields)


@pytest.mark.parametrize("rows", [1, 64, 1024, 4096])
def test_noise_is_not_coded(server, rows):
    """Floats that are noise do not shrink; they go as they are, with their length."""
    response = server.exchange(large(np.random.default_rng(rows).standard_normal((rows, 1024))))
    assert response.status == 200
    check_framing(response, None)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_large_answer(server, coding):
    """16 MiB of bytes that shrink, and megabytes of JSON: whole, the same as without a coding."""
    accept = f"Accept-Encoding: {coding}"
    values = np.tile(np.random.default_rng(1).integers(1, 9, (1, 1024)), (4096, 1))
    plain, coded = (server.exchange(large(values, accept=line), timeout=30) for line in ("Accept: */*", accept))
    check_framing(coded, coding)
    assert len(coded.content) < len(plain.content) / 4
    assert decoded(coded)[-(16 << 20) :] == plain.content[-(16 << 20) :]
    noise = np.random.default_rng(6).standard_normal((256, 1024))
    plain, coded = (server.exchange(large(noise, "Accept: application/json", accept=line), timeout=30) for line in ("Accept-Language: en", accept))
    check_framing(coded, coding)
    assert json.loads(decoded(coded))["output"] == plain.json()["output"]


def test_slow_reader(server):
    """It gets all of a coded answer, however slowly, and others are served meanwhile."""
    raw = large(np.random.default_rng(7).standard_normal((1024, 1024)), "Accept: application/json")
    with server.connect(timeout=30) as connection:
        connection.sendall(raw)
        assert statistics.median(latencies(lambda: server.normalize(EXAMPLE), 20)) < 50
        time.sleep(0.3)
        response = ResponseReader(connection).next()
    check_framing(response, "gzip")
    assert len(json.loads(decoded(response))["output"]["data"]) == 1 << 20


def test_clients_that_go_away(server):
    """An answer that nobody reads to its end: the connection is gone, the server is not."""
    raw = large(np.random.default_rng(7).standard_normal((64, 1024)), "Accept: application/json")
    for received in (0, 1, 10_000):
        for _ in range(10):
            with server.connect() as connection:
                connection.sendall(raw)
                connection.recv(received) if received else None
    assert server.is_healthy()


def test_coded_and_plain_answers_on_one_connection(server, description):
    lines = [GZIP, "X-None: 1", "Accept-Encoding: deflate", "Accept-Encoding: identity"]
    with server.connect() as connection:
        connection.sendall(b"".join(request("GET", "/openapi.yaml", b"", line) for line in lines * 10))
        reader = ResponseReader(connection)
        answers = [reader.next() for _ in range(40)]
    assert [answer["content-encoding"] for answer in answers] == ["gzip", None, "deflate", None] * 10
    assert all(decoded(answer) == description for answer in answers)


def test_connection_close(server, description):
    with server.connect() as connection:
        connection.sendall(request("GET", "/openapi.yaml", b"", GZIP, "Connection: close"))
        reader = ResponseReader(connection)
        response = reader.next()
        assert response["connection"] == "close" and decoded(response) == description
        assert reader.is_closed()


def test_all_at_once(ecdsa, tmp_path):
    """TLS, a key, a coded request in chunks and a coded answer."""
    x = np.arange(6400).reshape(200, 32) % 7
    text = json.dumps({"layer": {"type": "layer_norm", "normalized_shape": [32]}, "input": x.tolist()}).encode()
    with Server("--api-key-file", write(tmp_path / "keys", b"a-key"), tls=ecdsa, key="a-key") as server:
        expected = server.post(text).json()["output"]
        raw = coded_request(compress(text), "gzip", JSON, GZIP, *server.authorization, sizes=[100, 1])
        with server.connect() as connection:
            connection.sendall(raw * 10)
            reader = ResponseReader(connection)
            for _ in range(10):
                response = reader.next()
                check_framing(response, "gzip")
                assert json.loads(decoded(response))["output"] == expected


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_level_0_codes_nothing(how, description):
    running = Server("--compression-level", "0") if how == "flag" else Server(NORMSERVE_COMPRESSION_LEVEL="0")
    with running as server:
        response = get(server, GZIP)
        check_framing(response, None)
        assert response.content == description
        assert server.exchange(coded_request(compress(json.dumps(EXAMPLE).encode()))).status == 200


def test_levels(description):
    """9 makes it no larger than 1 does."""
    lengths = []
    for level in ("1", "9"):
        with Server("--compression-level", level) as server:
            response = get(server, GZIP)
            assert decoded(response) == description
            lengths.append(len(response.content))
    assert lengths[1] < lengths[0] < len(description) / 2


@pytest.mark.parametrize("level", ["10", "-1", "fast", "1.5", ""])
def test_bad_level(level):
    result = run("serve", "--compression-level", level)
    assert result.returncode == 64 and len(result.stderr.strip().splitlines()) == 1, result

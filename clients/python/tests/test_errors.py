"""Refusals as exceptions, of the real server and of whatever else may answer."""

import numpy as np
import pytest
from conftest import Server
from fake_server import FakeServer

import normserve
from normserve import BatchNorm, LayerNorm, LpNorm
from normserve.errors import problem

X = np.ones((2, 3), np.float32)


def test_the_member_to_blame(client):
    with pytest.raises(normserve.InvalidRequest) as caught:
        client.normalize(X, BatchNorm(np.zeros(2), np.ones(3)))
    error = caught.value
    assert isinstance(error, (normserve.ProblemError, normserve.NormserveError)) and isinstance(error, ValueError)
    assert (error.status, error.code, error.pointer) == (422, "shape_mismatch", "/layer/running_mean")
    assert (
        "running_mean" in error.detail and str(error) == f"422 shape_mismatch: {error.detail} (at /layer/running_mean)"
    )
    assert error.retry_after is None


def test_keys(connect, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("letmein-letmein-1\n")
    keys.chmod(0o600)
    with Server("--api-key-file", str(keys), key="letmein-letmein-1") as server:
        assert (
            connect(server.url, api_key="letmein-letmein-1").normalize(X, LayerNorm(3)).tolist()
            == np.zeros((2, 3)).tolist()
        )
        for key in (None, "letmein-letmein-2"):
            with pytest.raises(normserve.Unauthorized) as caught:
                connect(server.url, api_key=key).normalize(X, LayerNorm(3))
            assert caught.value.code == "unauthorized"
        # Refused before it was sent: the client does not go on for sixteen megabytes.
        with pytest.raises(normserve.Unauthorized):
            connect(server.url).normalize(np.zeros((4096, 1024), np.float32), LpNorm())
        assert connect(server.url).is_ready()


def test_too_large(connect):
    with Server("--max-body-bytes", "1KiB") as server:
        client = connect(server.url)
        for elements in (1000, 1_000_000):
            with pytest.raises(normserve.TooLarge) as caught:
                client.normalize(np.zeros(elements), LpNorm())
            assert caught.value.code == "body_too_large"
        assert client.normalize(np.zeros(10), LpNorm()).shape == (10,)


def test_codes_are_those_of_the_description(client, problem_codes):
    """What the tests here wait for exists."""
    known = {"shape_mismatch", "unauthorized", "body_too_large", "invalid_shape", "unknown_layer", "overloaded"}
    assert known <= problem_codes


@pytest.fixture
def problem_codes(server):
    text = server.get("/openapi.yaml").text
    return {line.split("`")[1] for line in text.splitlines() if line.strip().startswith("| `") and "` | " in line}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid_json", normserve.BadRequest), (401, "unauthorized", normserve.Unauthorized),
        (403, "forbidden", normserve.Forbidden), (404, "not_found", normserve.NotFound),
        (404, "unknown_layer", normserve.UnknownLayer), (413, "body_too_large", normserve.TooLarge),
        (405, "method_not_allowed", normserve.ProblemError), (422, "wrong_type", normserve.InvalidRequest),
        (500, "internal", normserve.ServerFault), (503, "draining", normserve.Overloaded),
        (507, "insufficient_storage", normserve.ServerFault), (301, None, normserve.ProblemError),
    ],
)  # fmt: skip
def test_classes(status, code, expected):
    content = b'{"code": "%s", "detail": "d", "pointer": "/p"}' % (code or "").encode()
    error = problem(status, {"content-type": "application/problem+json; charset=utf-8"}, content)
    assert type(error) is expected and isinstance(error, normserve.NormserveError)
    assert (error.status, error.detail, error.pointer) == (status, "d", "/p")


@pytest.mark.parametrize("content", [b"", b"null", b"[1]", b"{", b'{"code": 3, "detail": null}', b"\xff", b"[" * 900])
@pytest.mark.parametrize("content_type", ["application/problem+json", "text/html"])
def test_what_is_no_problem_document(content, content_type):
    error = problem(502, {"content-type": content_type}, content)
    assert type(error) is normserve.ServerFault and error.code is None and error.pointer is None
    assert str(error).startswith("502 unknown: ")


@pytest.mark.parametrize(
    ("field", "seconds"),
    [("1", 1.0), ("0", 0.0), (" 30 ", 30.0), (None, None), ("", None), ("-1", None), ("1.5", None), ("soon", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("9" * 400, None), ("²", None)],
)  # fmt: skip
def test_retry_after(field, seconds):
    assert problem(503, {} if field is None else {"retry-after": field}, b"").retry_after == seconds


def test_a_refusal_without_end(connect):
    """Is not read to its end."""

    def serve(server, connection, _):
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 100000000000\r\n\r\n")
        while not server.ended.is_set():
            connection.sendall(b"." * 100_000)

    with FakeServer(serve) as server, pytest.raises(normserve.ServerFault):
        connect(server.url).normalize(X, LayerNorm(3))


@pytest.mark.parametrize(
    "arguments",
    [
        {"base_url": "ftp://host"}, {"base_url": "localhost:8080"}, {"base_url": "http://"}, {"base_url": "http://u:p@host"},
        {"base_url": "http://host/?x=1"}, {"api_key": "a b"}, {"api_key": "a\r\nX: y"}, {"api_key": ""}, {"api_key": "ä"},
        {"timeout": 0}, {"timeout": -1.0}, {"timeout": float("nan")}, {"retries": -1},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_arguments(connect, arguments):
    with pytest.raises(ValueError):
        connect(**arguments)


def test_a_key_is_not_shown(connect):
    assert "secret" not in repr(connect("http://127.0.0.1:1", api_key="secret"))

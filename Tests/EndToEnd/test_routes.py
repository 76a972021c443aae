"""Routing, negotiation, limits of the head and of the content."""

import re

import pytest
import requests
import yaml

from problems import check_problem, problem
from server import ROOT, ResponseReader, request
from test_json import EXAMPLE

GET_PATHS = ["/health/live", "/health/ready", "/layer-types", "/openapi.yaml"]


def exchange(server, content, to_head=False):
    """The final response to raw bytes, and the reader that can read on."""
    with server.connect() as connection:
        connection.sendall(content)
        reader = ResponseReader(connection)
        return reader.final(to_head), reader


def check_raw_problem(response, status):
    assert response.status == status
    check_problem(status, response["content-type"], response.json())
    assert response["date"]


def test_health(server):
    for name in ("live", "ready"):
        response = server.get(f"/health/{name}")
        assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"
        assert response.json() == {"status": name}


def test_openapi_is_the_file(server):
    response = server.get("/openapi.yaml")
    assert response.status_code == 200 and "yaml" in response.headers["Content-Type"]
    assert response.content == (ROOT / "openapi.yaml").read_bytes()


def test_layer_types(server):
    """The list is that of the description, and what it says is required is."""
    response = server.get("/layer-types")
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"
    types = {layer["name"]: layer["parameters"] for layer in response.json()["layer_types"]}
    described = yaml.safe_load(server.get("/openapi.yaml").text)["components"]["schemas"]["LayerTypeName"]["enum"]
    assert sorted(types) == sorted(described)
    for name, parameters in types.items():
        required = [parameter["name"] for parameter in parameters if parameter["required"]]
        refusal = server.post({"layer": {"type": name}, "input": [[1, 2]]})
        assert refusal.status_code == (422 if required else 200), name
        if required:
            assert refusal.json()["code"] == "missing_parameter" and required[0] in refusal.json()["detail"]


@pytest.mark.parametrize("path", GET_PATHS)
def test_head(server, path):
    get = server.get(path)
    with server.connect() as connection:
        connection.sendall(request("HEAD", path) + request("GET", "/health/live"))
        reader = ResponseReader(connection)
        head = reader.next(to_head=True)
        assert reader.next().json() == {"status": "live"}, "content followed the answer to HEAD"
    assert head.status == 200
    assert head["content-type"] == get.headers["Content-Type"] and head["content-length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/", "/normalise", "/normalize/", "/health", "/health/live/x", "/%6eormalize%2f", "/v3"])
def test_not_found(server, problem_codes, path):
    if path == "/" and server.get(path).status_code == 200:
        return  # The console page has the root once it exists.
    problem(server.get(path), 404, problem_codes)


def test_not_found_with_content(server):
    """The content is read or the connection closed; it is never taken for a request."""
    with server.connect() as connection:
        content = request("GET", "/health/live")
        connection.sendall(request("POST", "/nowhere", content) + request("GET", "/health/ready"))
        reader = ResponseReader(connection)
        check_raw_problem(reader.next(), 404)
        following = reader.next()
        assert following is None or following.json() == {"status": "ready"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_method_not_allowed_for_normalize(server, method):
    response = server.session.request(method, server.url + "/normalize", timeout=10)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"].replace(" ", "").split(",")
    if method != "HEAD":
        problem(response, 405)
    else:
        assert not response.content


@pytest.mark.parametrize("path", GET_PATHS)
def test_method_not_allowed_for_get(server, path):
    response = server.session.post(server.url + path, timeout=10)
    problem(response, 405)
    assert {"GET", "HEAD"} <= set(response.headers["Allow"].replace(" ", "").split(","))


def test_options(server):
    response = server.session.options(server.url + "/normalize", timeout=10)
    assert response.status_code in (200, 204, 405)
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("method", ["get", "FROBNICATE", "Post"])
def test_unknown_method(server, method):
    response, _ = exchange(server, request(method, "/normalize"))
    check_raw_problem(response, 501)


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "*/*;q=0"])
def test_not_acceptable(server, problem_codes, accept):
    problem(server.post(EXAMPLE, headers={"Accept": accept}), 406, problem_codes)


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, */*;q=0.1", "APPLICATION/JSON;q=0.5", ""])
def test_acceptable(server, accept):
    response = server.post(EXAMPLE, headers={"Accept": accept})
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x"])
def test_unsupported_media_type(server, problem_codes, media_type):
    problem(server.post(EXAMPLE, headers={"Content-Type": media_type}), 415, problem_codes)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "x", "gzip, br"])
def test_unsupported_content_coding(server, problem_codes, coding):
    response = server.post(EXAMPLE, headers={"Content-Encoding": coding})
    problem(response, 415, problem_codes)
    assert "Accept-Encoding" in response.headers


@pytest.mark.parametrize("length", ["268435457", "4294967296", "9223372036854775807"])
@pytest.mark.parametrize("expect", [False, True])
def test_content_too_large(server, length, expect):
    """Refused by the head alone: nothing of the content is waited for."""
    lines = f"POST /normalize HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
    lines += "Expect: 100-continue\r\n" if expect else ""
    with server.connect() as connection:
        connection.sendall(lines.encode() + b"\r\n")
        response = ResponseReader(connection).next()
    check_raw_problem(response, 413)


def test_chunk_too_large(server):
    with server.connect() as connection:
        connection.sendall(b"POST /normalize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000001\r\n")
        check_raw_problem(ResponseReader(connection).final(), 413)


def test_target_too_long(server):
    response, _ = exchange(server, request("GET", "/" + "a" * 40_000))
    check_raw_problem(response, 414)


def test_target_of_8000_octets(server):
    response, _ = exchange(server, request("GET", "/health/live?" + "a" * 7980))
    assert response.status == 200


@pytest.mark.parametrize(
    "lines",
    [["X-Big: " + "a" * 40_000], [f"X-{number}: a" for number in range(120)], ["X" * 40_000 + ": a"]],
    ids=["value", "count", "name"],
)
def test_fields_too_large(server, lines):
    response, _ = exchange(server, request("GET", "/health/live", b"", *lines))
    check_raw_problem(response, 431)


def test_many_fields(server):
    response, _ = exchange(server, request("GET", "/health/live", b"", *[f"X-{number}: a" for number in range(98)]))
    assert response.status == 200


def test_unknown_expectation(server):
    response, _ = exchange(server, request("GET", "/health/live", b"", "Expect: 200-ok"))
    assert response.status in (200, 417)


def test_expect_continue(server):
    """100 comes before the content is sent, and 200 after it."""
    content = b'{"layer": {"type": "layer_norm", "normalized_shape": [2]}, "input": [[1, 2]]}'
    head = request("POST", "/normalize", content, "Expect: 100-continue", "Content-Type: application/json")
    with server.connect() as connection:
        connection.sendall(head.removesuffix(content))
        reader = ResponseReader(connection)
        assert reader.next().status == 100
        connection.sendall(content)
        assert reader.next().status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/health/live"])
def test_expect_continue_with_a_refusal(server, path):
    with server.connect() as connection:
        connection.sendall(request("POST", path, b"x" * 100, "Expect: 100-continue").removesuffix(b"x" * 100))
        assert ResponseReader(connection).next().status in (404, 405)


def test_date_and_length(server):
    for response in (server.get("/health/live"), server.post(EXAMPLE), server.get("/nowhere")):
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.headers["Date"])
        assert int(response.headers["Content-Length"]) == len(response.content)
        assert "Transfer-Encoding" not in response.headers


def test_a_thousand_requests_on_one_connection(server):
    with requests.Session() as session:
        session.trust_env = False
        assert all(session.get(server.url + "/health/live", timeout=10).ok for _ in range(1000))

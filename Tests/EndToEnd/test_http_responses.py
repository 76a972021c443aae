"""What every response is made of, and what each status brings along (RFC 9110 §15, §10.2.1; RFC 9112 §6.1, §11.1)."""

import datetime
import email.utils
import json

import pytest
import yaml

from http_cases import CASES, CONTENT, HOST, JSON, LIVE, line, post, raw
from http_exchange import LAST, check_answer, converse
from server import ROOT, ResponseReader, request

# The methods that each path answers.
ALLOWED = {
    "/normalize": {"POST", "OPTIONS"},
    "/health/live": {"GET", "HEAD", "OPTIONS"},
    "/health/ready": {"GET", "HEAD", "OPTIONS"},
    "/layer-types": {"GET", "HEAD", "OPTIONS"},
    "/openapi.yaml": {"GET", "HEAD", "OPTIONS"},
}
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE"]


def exchange(server, content, to_head=False):
    with server.connect() as connection:
        connection.sendall(content)
        return ResponseReader(connection).final(to_head)


def test_date_is_now(server):
    """9110 §6.6.1"""
    for answer in [LIVE, line("GET /nowhere HTTP/1.1"), post(), line("GET  / HTTP/1.1"), line("OPTIONS * HTTP/1.1")]:
        said = email.utils.parsedate_to_datetime(exchange(server, answer)["date"])
        assert abs(datetime.datetime.now(datetime.timezone.utc) - said) < datetime.timedelta(seconds=5)


def test_allow_is_what_the_description_says(server):
    """9110 §15.5.6, §9.3.7: every path of openapi.yaml, asked by OPTIONS."""
    described = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    for path, operations in described.items():
        methods = {method.upper() for method in operations} & {"GET", "HEAD", "POST", "PUT", "DELETE"}
        if "{" in path or not methods:
            continue
        response = exchange(server, request("OPTIONS", path))
        check_answer(response, "204")
        assert methods <= set(response["allow"].split(", ")), path


@pytest.mark.parametrize("path", ALLOWED)
def test_method_not_allowed(server, problem_codes, path):
    """9110 §15.5.6: a known path and another method, with the methods it answers; the connection goes on."""
    for method in METHODS:
        if method in ALLOWED[path]:
            continue
        with server.connect() as connection:
            connection.sendall(request(method, path) + LIVE)
            reader = ResponseReader(connection)
            answer = "HEAD 405" if method == "HEAD" else "405 method_not_allowed"
            response = reader.final(to_head=method == "HEAD")
            check_answer(response, answer, codes=problem_codes)
            assert ALLOWED[path] == set(response["allow"].split(", "))
            check_answer(reader.final(), "200")


@pytest.mark.parametrize("target", [*ALLOWED, "*"])
def test_options(server, target):
    """9110 §9.3.7"""
    response = exchange(server, request("OPTIONS", target))
    check_answer(response, "204")
    expected = ALLOWED[target] if target != "*" else set.union(*ALLOWED.values())
    assert expected <= set(response["allow"].split(", "))


def test_no_content_has_no_framing(server):
    """9110 §8.6, 9112 §6.1: neither Content-Length nor Transfer-Encoding with 204, and nothing behind it."""
    response = exchange(server, request("OPTIONS", "/normalize"))
    assert response.status == 204 and response["content-length"] is None and response["transfer-encoding"] is None


MARK = "zQ7mark"
ECHOES = [
    line(f"{MARK} / HTTP/1.1"),
    line(f"GET /{MARK} HTTP/1.1"),
    line(f"GET /{MARK}# HTTP/1.1"),
    line(f"GET / {MARK}/1.1"),
    raw("GET / HTTP/1.1", f"Host: {MARK} {MARK}"),
    raw("GET / HTTP/1.1", HOST, f"{MARK} : a"),
    raw("GET / HTTP/1.1", HOST, f"X: {MARK}\x01"),
    raw("GET / HTTP/1.1", HOST, f"Expect: {MARK}"),
    raw("POST /normalize HTTP/1.1", HOST, f"Content-Length: {MARK}"),
    raw("POST /normalize HTTP/1.1", HOST, f"Transfer-Encoding: {MARK}"),
    raw("POST /normalize HTTP/1.1", HOST, f"Transfer-Encoding: {MARK}, chunked"),
    raw("POST /normalize HTTP/1.1", HOST, "Transfer-Encoding: chunked", content=MARK.encode() + b"\r\n\r\n"),
    raw("POST /normalize HTTP/1.1", HOST, "Transfer-Encoding: chunked", content=b"0\r\n" + MARK.encode() + b"\r\n\r\n"),
    post(f"Accept: x/{MARK}"),
    raw("POST /normalize HTTP/1.1", HOST, f"Content-Type: x/{MARK}", "Content-Length: 2", content=b"{}"),
    raw("POST /normalize HTTP/1.1", HOST, f"Content-Encoding: {MARK}", "Content-Length: 2", content=b"{}"),
    post(content=f'{{"layer":{MARK}}}'.encode()),
]


@pytest.mark.parametrize("number", range(len(ECHOES)))
def test_refusals_echo_nothing(server, number):
    """The words of a refusal never repeat bytes of the head or of content that cannot be read."""
    [(_, received)] = converse(server, [[ECHOES[number], LAST]])
    assert b" 4" in received[:13] or b" 5" in received[:13]
    assert MARK.encode() not in received


@pytest.mark.parametrize("break_", ["\r\nX-Broken: out", "\n\nX", "%0d%0aX-Broken:%20out", "\\r\\nX-Broken: out"])
def test_nothing_breaks_out_of_its_line(server, break_):
    """9112 §11.1: what a client sends never becomes a field or a response of its own."""
    document = {"layer": {"type": "layer_norm", "axis": 1}, "input": [[1, 2]], "id": f"a{break_}"}
    response = exchange(server, request("POST", "/normalize", json.dumps(document).encode(), JSON))
    check_answer(response, "200")
    assert response.json()["id"] == f"a{break_}" and not response["x-broken"]
    unknown = json.dumps({f"a{break_}": 1}).encode()
    response = exchange(server, request("POST", "/normalize", unknown, JSON))
    check_answer(response, "422 unknown_member")
    assert not response["x-broken"]
    escaped = break_.replace("\r", "%0d").replace("\n", "%0a").replace(" ", "%20")
    response = exchange(server, line(f"GET /{escaped} HTTP/1.1"))
    check_answer(response, "404 not_found")
    assert not response["x-broken"]


def test_every_code_of_the_protocol_has_a_case(problem_codes):
    """Each refusal that the head or the framing can cause is among the cases, or is about time or load."""
    seen = {answer.split()[1] for case in CASES for answer in case.answers if " " in answer.removeprefix("HEAD ")}
    protocol = {
        "malformed_request", "invalid_host", "invalid_framing", "not_found", "method_not_allowed", "not_acceptable", "body_too_large",
        "unsupported_media_type", "expectation_failed", "unsupported_method", "unsupported_transfer_coding", "unsupported_http_version",
    }  # fmt: skip
    assert protocol <= seen and protocol <= set(problem_codes)


def test_answers_are_not_larger_than_they_say(server):
    """9112 §6.2: exactly as much content as Content-Length says, over many answers on one connection."""
    with server.connect() as connection:
        connection.sendall((LIVE + post() + line("GET /openapi.yaml HTTP/1.1") + post(content=CONTENT[:9])) * 50)
        reader = ResponseReader(connection)
        for number in range(200):
            check_answer(reader.final(), ["200", "200", "200", "400 invalid_json"][number % 4])
        assert not reader.buffer

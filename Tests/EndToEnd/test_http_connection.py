"""Connections: who goes on, who closes, and what is answered in between (RFC 9112 §9, RFC 9110 §9.3.2, §10.1.1)."""

import socket
import threading
import time

import pytest

from http_cases import CONTENT, JSON, LIVE, raw
from http_exchange import arrived, check_answer, rest
from observe import resident_bytes
from server import ResponseReader, Server, request

EXPECT = "Expect: 100-continue"
DESCRIPTION = request("GET", "/openapi.yaml")


def head_of_post(*lines, target="/normalize", version="HTTP/1.1"):
    return raw(f"POST {target} {version}", "Host: x", JSON, *lines)


def test_half_close_is_answered(server):
    """9112 §9.6: a client that has ended its sending side still gets its answers."""
    with server.connect() as connection:
        connection.sendall(LIVE + request("POST", "/normalize", CONTENT, JSON))
        connection.shutdown(socket.SHUT_WR)
        reader = ResponseReader(connection)
        check_answer(reader.next(), "200")
        check_answer(reader.next(), "200")
        assert reader.is_closed()


def test_long_pipeline(server):
    """9112 §9.3.2: a thousand requests are sent before the first answer is read; the answers keep their order."""
    with server.connect() as connection:
        connection.sendall((LIVE + request("GET", "/nowhere")) * 500)
        reader = ResponseReader(connection)
        assert [reader.next().status for _ in range(1000)] == [200, 404] * 500


def test_pipelined_content_is_not_mixed_up(server):
    """9112 §9.3.2: each answer belongs to its own request, whether that is worked on at once or by a worker."""
    document = '{"id":"%d","layer":{"type":"layer_norm","axis":1},"input":[[1,2]]}'
    contents = [(document % number).encode().ljust(300_000 if number % 10 == 0 else 1) for number in range(100)]
    with server.connect() as connection:
        everything = b"".join(request("POST", "/normalize", content, JSON) for content in contents)
        sender = threading.Thread(target=connection.sendall, args=[everything])
        sender.start()
        reader = ResponseReader(connection)
        assert [reader.next().json()["id"] for _ in contents] == [str(number) for number in range(100)]
        sender.join()


def test_unread_answers_stop_the_server_from_reading():
    """9112 §9.5: who does not take the answers is not read from either, and costs no memory; then all is answered."""
    with Server() as server, server.connect() as connection:
        connection.settimeout(1)
        before = resident_bytes(server)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 << 20:
                sent += connection.send(DESCRIPTION * 1000)
        assert resident_bytes(server) < before + (32 << 20)
        with server.connect() as other:
            other.sendall(LIVE)
            check_answer(ResponseReader(other).next(), "200")
        connection.settimeout(10)
        reader = ResponseReader(connection)
        whole, part = divmod(sent, len(DESCRIPTION))
        for _ in range(min(whole, 1000)):
            check_answer(reader.next(), "200")


@pytest.mark.parametrize("path", ["/health/live", "/layer-types", "/openapi.yaml", "/nowhere", "/normalize"])
def test_head_has_the_fields_of_get(server, path):
    """9110 §9.3.2: the same fields, content or not, whatever the status."""
    with server.connect() as connection:
        connection.sendall(request("GET", path) + request("HEAD", path))
        reader = ResponseReader(connection)
        get, head = reader.next(), reader.next(to_head=True)
        assert head.status == get.status
        without_date = [[field for field in answer.fields if field[0] != "date"] for answer in (get, head)]
        if get.status == 405:  # Its words name the method.
            without_date = [[field for field in fields if field[0] != "content-length"] for fields in without_date]
        assert without_date[0] == without_date[1]


@pytest.mark.parametrize("framing", [f"Content-Length: {len(CONTENT)}", "Transfer-Encoding: chunked"])
def test_continue_comes_before_the_content(server, framing):
    """9110 §10.1.1: 100 once, as soon as the head is there and no earlier, and a final answer after the content."""
    content = CONTENT if "Length" in framing else b"%x\r\n%s\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
    head = head_of_post(EXPECT, framing)
    with server.connect() as connection:
        connection.sendall(head[:-1])
        time.sleep(0.05)
        assert not arrived(connection)
        connection.sendall(head[-1:])
        reader = ResponseReader(connection)
        interim = reader.next()
        assert interim.status == 100 and not interim.fields
        time.sleep(0.05)
        assert not arrived(connection), "more than one answer before the content"
        connection.sendall(content[:1])
        time.sleep(0.02)
        connection.sendall(content[1:])
        check_answer(reader.next(), "200")


def test_continue_is_left_out_with_content(server):
    """9110 §10.1.1: 100 may be left out once content is there, and means nothing where there is none."""
    with server.connect() as connection:
        connection.sendall(head_of_post(EXPECT, f"Content-Length: {len(CONTENT)}") + CONTENT)
        reader = ResponseReader(connection)
        check_answer(reader.next(), "200")
        connection.sendall(head_of_post(EXPECT, "Content-Length: 0") + request("GET", "/health/live", b"", EXPECT))
        check_answer(reader.next(), "400 invalid_json")
        check_answer(reader.next(), "200")


REFUSALS = {
    "404 not_found": raw("POST /nowhere HTTP/1.1", "Host: x", EXPECT, "Content-Length: 100"),
    "405 method_not_allowed": raw("POST /health/live HTTP/1.1", "Host: x", EXPECT, "Transfer-Encoding: chunked"),
    "406 not_acceptable": head_of_post(EXPECT, "Accept: text/html", "Content-Length: 100"),
    "413 body_too_large": head_of_post(EXPECT, "Content-Length: 1099511627776"),
    "415 unsupported_media_type": raw("POST /normalize HTTP/1.1", "Host: x", EXPECT, "Content-Type: a/b", "Content-Length: 100"),
    "400 invalid_framing": head_of_post(EXPECT, "Content-Length: x"),
    "417 expectation_failed": head_of_post(EXPECT, "Expect: x", "Content-Length: 100"),
    "501 unsupported_transfer_coding": head_of_post(EXPECT, "Transfer-Encoding: x, chunked"),
}  # fmt: skip


@pytest.mark.parametrize("answer", REFUSALS)
def test_refusal_instead_of_continue(server, problem_codes, answer):
    """9110 §10.1.1: what the head already shows is the only answer, and content behind it is no request."""
    with server.connect() as connection:
        connection.sendall(REFUSALS[answer])
        reader = ResponseReader(connection)
        check_answer(reader.next(), answer, is_last=True, codes=problem_codes)
        connection.sendall(LIVE + LIVE)
        assert reader.is_closed()


def test_http_1_0_gets_nothing_of_1_1(server):
    """9110 §15.2, 9112 §6.1: no interim answer, no chunks; the length tells the end."""
    head = head_of_post(EXPECT, f"Content-Length: {len(CONTENT)}", version="HTTP/1.0")
    with server.connect() as connection:
        connection.sendall(head)
        time.sleep(0.1)
        assert not arrived(connection)
        connection.sendall(CONTENT)
        content = rest(connection)
        assert content.startswith(b"HTTP/1.1 200 OK\r\n") and b"Transfer-Encoding" not in content


def test_http_1_0_is_told_that_it_goes_on(server):
    """9112 §9.3: where keep-alive is honoured, the answer says so; HTTP/1.1 needs no such word."""
    with server.connect() as connection:
        connection.sendall(raw("GET /health/live HTTP/1.0", "Connection: keep-alive") + LIVE)
        reader = ResponseReader(connection)
        assert reader.next()["connection"] == "keep-alive"
        assert reader.next()["connection"] is None


def test_answer_before_the_content_is_sent(server):
    """9110 §15.5.5: who asks for nothing that is there need not send the content to be told."""
    with server.connect() as connection:
        connection.sendall(raw("POST /nowhere HTTP/1.1", "Host: x", "Content-Length: 100"))
        reader = ResponseReader(connection)
        check_answer(reader.next(), "404 not_found")
        connection.sendall(LIVE.ljust(100) + LIVE)
        check_answer(reader.next(), "200")


ENDINGS = {
    "413 body_too_large": head_of_post("Content-Length: 1099511627776"),
    "400 malformed_request": b"GET / HTTP/1.1\n",
    "400 invalid_framing": head_of_post("Transfer-Encoding: chunked") + b"x",
    "404 not_found": raw("POST /nowhere HTTP/1.1", "Host: x", "Content-Length: 99999999"),
    "200": raw("GET /health/live HTTP/1.0"),
}


@pytest.mark.parametrize("answer", ENDINGS)
def test_last_answer_reaches_a_client_that_goes_on_sending(server, answer):
    """9112 §9.6: the server closes in stages, so that no reset takes away the answer."""
    for _ in range(5):
        with server.connect() as connection:
            connection.sendall(ENDINGS[answer])
            for _ in range(64):
                connection.sendall(bytes(1 << 16))
            reader = ResponseReader(connection)
            check_answer(reader.next(), answer, is_last=True)
            assert reader.is_closed()
            connection.sendall(bytes(1 << 16))


def test_last_answer_reaches_a_client_of_a_server_with_small_limits():
    """9112 §9.6: what is still read before the close has nothing to do with how large content may be."""
    with Server("--max-body-bytes", "64KiB") as server:
        for _ in range(5):
            with server.connect() as connection:
                connection.sendall(head_of_post(f"Content-Length: {4 << 20}"))
                for _ in range(64):
                    connection.sendall(bytes(1 << 16))
                check_answer(ResponseReader(connection).next(), "413 body_too_large", is_last=True)


def test_nothing_is_sent_on_its_own(server):
    """9112 §9.2: no answer without a request."""
    with server.connect() as connection:
        time.sleep(0.05)
        connection.sendall(LIVE)
        check_answer(ResponseReader(connection).next(), "200")
        time.sleep(0.05)
        assert not arrived(connection)

"""Every limit of a message at its value and one beyond, however the bytes are cut (RFC 9110 §5.4, RFC 9112 §3, §7.1.1)."""

import random
import time

import pytest

from http_cases import CHUNKED, CONTENT, END, GET, HOST, JSON, LIVE, NO_HOST, POST, TOO_LARGE, accepts, raw, refuses
from http_exchange import LAST, arrived, check_answer, check_answers, converse
from server import ResponseReader, Server

KIB = 1 << 10
HEAD_TOO_LARGE = "431 head_too_large"
URI_TOO_LONG = "414 uri_too_long"
NO_JSON = "400 invalid_json"


def request_line(length):
    return raw("GET /health/live?".ljust(length - 9, "a") + " HTTP/1.1", HOST)


def head(size, lines=()):
    """A whole head of so many bytes."""
    start = [GET, HOST, *lines]
    return raw(*start, "X: ".ljust(size - len(raw(*start)) - 2, "a"))


def fields(count):
    return raw(GET, HOST, *["X: a"] * (count - 1))


def body(size):
    return raw(POST, HOST, JSON, f"Content-Length: {size}", content=b" " * size)


def chunks(*sizes, end=END):
    framed = b"".join(b"%x\r\n%s\r\n" % (size, b" " * size) for size in sizes)
    return raw(POST, HOST, JSON, CHUNKED, content=framed + end)


def extensions(*sizes):
    """Chunks of a byte each, whose extensions are so long with their semicolons."""
    framed = b"".join(b"1;%s\r\n \r\n" % (b"a" * (size - 1)) for size in sizes[:-1])
    return raw(POST, HOST, JSON, CHUNKED, content=framed + b"0;%s\r\n\r\n" % (b"a" * (sizes[-1] - 1)))


def trailers(size):
    """Two lines of trailers that take so many bytes with their line ends and the empty line behind them."""
    return raw(POST, HOST, JSON, CHUNKED, content=b"0\r\nX: a\r\nY: " + b"a" * (size - 13) + b"\r\n\r\n")


def trailer_lines(count):
    return raw(POST, HOST, JSON, CHUNKED, content=b"0\r\n" + b"X: a\r\n" * count + b"\r\n")


DEFAULT_LIMITS = [
    accepts("9112 §3: a request-line of 8000 octets", request_line(8000)),
    accepts("9112 §3: a request-line of 16 KiB", request_line(16 * KIB)),
    refuses("9112 §3: a request-line of 16 KiB and a byte", URI_TOO_LONG, request_line(16 * KIB + 1)),
    refuses("9112 §3: a method of 17 KiB", URI_TOO_LONG, raw("G" * 17 * KIB + " / HTTP/1.1", HOST)),
    accepts("9110 §5.4: a head of 32 KiB", head(32 * KIB)),
    refuses("9110 §5.4: a head of 32 KiB and a byte", HEAD_TOO_LARGE, head(32 * KIB + 1)),
    refuses("9110 §5.4: a head of many lines and 32 KiB and a byte", HEAD_TOO_LARGE, head(32 * KIB + 1, ["Y: ".ljust(999, "b")] * 30)),
    refuses("9110 §5.4: a name of 33 KiB", HEAD_TOO_LARGE, raw(GET, HOST, "X" * 33 * KIB + ": a")),
    accepts("6585 §5: 100 fields", fields(100)),
    refuses("6585 §5: 101 fields", "431 too_many_fields", fields(101)),
    accepts("9112 §7.1.1: 4 KiB of extensions", extensions(4 * KIB), NO_JSON),
    refuses("9112 §7.1.1: 4 KiB and a byte of extensions", "400 invalid_framing", extensions(4 * KIB + 1)),
    accepts("9112 §7.1.1: 4 KiB of extensions of 64 chunks", extensions(*[64] * 64), NO_JSON),
    refuses("9112 §7.1.1: 4 KiB and a byte of extensions of 65 chunks", "400 invalid_framing", extensions(*[64] * 64, 1)),
    accepts("9112 §7.1.2: 8 KiB of trailers", trailers(8 * KIB), NO_JSON),
    refuses("9112 §7.1.2: 8 KiB and a byte of trailers", HEAD_TOO_LARGE, trailers(8 * KIB + 1)),
    accepts("9112 §7.1.2: 32 trailers", trailer_lines(32), NO_JSON),
    refuses("9112 §7.1.2: 33 trailers", HEAD_TOO_LARGE, trailer_lines(33)),
]  # fmt: skip
SMALL_LIMITS = [
    accepts("9110 §5.4: a head of 1 KiB", head(KIB)),
    refuses("9110 §5.4: a head of 1 KiB and a byte", HEAD_TOO_LARGE, head(KIB + 1)),
    accepts("9110 §5.4: heads of 1 KiB one after the other", head(KIB) * 3, "200", "200", "200"),
    refuses("9112 §3: a request-line longer than a head may be", URI_TOO_LONG, request_line(2 * KIB)),
    accepts("6585 §5: 10 fields", fields(10)),
    refuses("6585 §5: 11 fields", "431 too_many_fields", fields(11)),
    accepts("9110 §15.5.14: content of 1 KiB", body(KIB), NO_JSON),
    refuses("9110 §15.5.14: content of 1 KiB and a byte", TOO_LARGE, body(KIB + 1)),
    accepts("9110 §15.5.14: chunks of 1 KiB", chunks(1, 512, 511), NO_JSON),
    accepts("9110 §15.5.14: a chunk of 1 KiB", chunks(KIB), NO_JSON),
    refuses("9110 §15.5.14: a chunk of 1 KiB and a byte", TOO_LARGE, chunks(KIB + 1)),
    refuses("9110 §15.5.14: chunks of 1 KiB and a byte", TOO_LARGE, chunks(1, 512, 512)),
    refuses("9110 §15.5.14: chunks of one byte each, of 1 KiB and a byte", TOO_LARGE, chunks(*[1] * (KIB + 1))),
    accepts("9110 §15.5.14: framing is not counted", chunks(*[1] * KIB), NO_JSON),
]

# What must be refused with its last byte and not before, without waiting for a line to end or for content.
HASTY = [
    refuses("9112 §3: an endless method", URI_TOO_LONG, b"G" * (16 * KIB + 2)),
    refuses("9112 §3: an endless target", URI_TOO_LONG, b"GET /".ljust(16 * KIB + 2, b"a")),
    refuses("9110 §5.4: an endless name", HEAD_TOO_LARGE, raw(GET, HOST)[:-2].ljust(32 * KIB + 1, b"X")),
    refuses("9110 §5.4: an endless value", HEAD_TOO_LARGE, (raw(GET, HOST)[:-2] + b"X: ").ljust(32 * KIB + 1, b"a")),
    refuses("6585 §5: endless fields", "431 too_many_fields", raw(GET, HOST, *["X: a"] * 100)[:-2]),
    refuses("9110 §15.5.14: a length of 256 MiB and a byte", TOO_LARGE, raw(POST, HOST, f"Content-Length: {(256 << 20) + 1}")),
    refuses("9110 §15.5.14: a chunk of 256 MiB and a byte", TOO_LARGE, raw(POST, HOST, CHUNKED, content=b"10000001")),
    refuses("9112 §7.1: the digit that makes a chunk too large", TOO_LARGE, raw(POST, HOST, CHUNKED, content=b"100000000")),
    refuses("9112 §7.1.1: an endless extension", "400 invalid_framing", raw(POST, HOST, CHUNKED, content=b"1;" + b"a" * 4 * KIB)),
    refuses("9112 §7.1.1: endless blanks", "400 invalid_framing", raw(POST, HOST, CHUNKED, content=b"1" + b" " * (4 * KIB + 1))),
    refuses("9112 §7.1.2: an endless trailer", HEAD_TOO_LARGE, raw(POST, HOST, CHUNKED, content=b"0\r\n" + b"X: ".ljust(8 * KIB + 1, b"a"))),
    refuses("9112 §7.1.2: endless trailers", HEAD_TOO_LARGE, raw(POST, HOST, CHUNKED, content=b"0\r\n" + b"X: a\r\n" * 32 + b"X")),
]  # fmt: skip


@pytest.fixture(scope="module")
def small_server():
    with Server("--max-head-bytes", "1KiB", "--max-fields", "10", "--max-body-bytes", "1KiB") as running:
        yield running


def conversations(content):
    """Whole, cut once at each of the last places, cut evenly once, and cut at random."""
    rng = random.Random(len(content))
    yield [content, LAST]
    for position in [*range(1, len(content), max(1, len(content) // 20)), *range(len(content) - 20, len(content))]:
        yield [content[:position], content[position:], LAST]
    for _ in range(5):
        cuts = sorted(rng.choices(range(len(content)), k=30))
        yield [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)])] + [LAST]


def check(server, case, problem_codes):
    for _, received in converse(server, list(conversations(case.content))):
        check_answers(received, case, problem_codes)


@pytest.mark.parametrize("case", DEFAULT_LIMITS, ids=[case.name for case in DEFAULT_LIMITS])
def test_default_limit(server, problem_codes, case):
    check(server, case, problem_codes)


@pytest.mark.parametrize("case", SMALL_LIMITS, ids=[case.name for case in SMALL_LIMITS])
def test_small_limit(small_server, problem_codes, case):
    check(small_server, case, problem_codes)


@pytest.mark.parametrize("case", HASTY, ids=[case.name for case in HASTY])
def test_refused_without_waiting(server, problem_codes, case):
    with server.connect() as connection:
        connection.sendall(case.content[:-1])
        time.sleep(0.02)
        assert not arrived(connection)
        connection.sendall(case.content[-1:])
        reader = ResponseReader(connection)
        check_answer(reader.next(), case.answers[0], is_last=True, codes=problem_codes)
        assert reader.is_closed()


def test_a_limit_is_not_used_up_by_earlier_messages(small_server):
    """Each message is counted from nought: its head, fields, content, extensions and trailers."""
    message = raw(POST, HOST, JSON, CHUNKED, *["X: a"] * 6, content=b"3a;abc\r\n" + CONTENT + b"\r\n0\r\nX: a\r\nY: b\r\n\r\n")
    with small_server.connect() as connection:
        connection.sendall(message * 1000)
        reader = ResponseReader(connection)
        for _ in range(1000):
            check_answer(reader.next(), "200")


def test_the_default_of_the_content(server):
    """A length of exactly 256 MiB is not refused: the server asks for the content."""
    with server.connect() as connection:
        connection.sendall(raw(POST, HOST, JSON, "Expect: 100-continue", f"Content-Length: {256 << 20}"))
        assert ResponseReader(connection).next().status == 100


def test_a_limit_comes_before_what_is_wrong_behind_it(small_server):
    """Bytes behind a limit are not looked at, and bytes before it are judged."""
    with small_server.connect() as connection:
        connection.sendall(raw(GET, "X: ".ljust(KIB, "a"), "\0"))
        check_answer(ResponseReader(connection).next(), HEAD_TOO_LARGE, is_last=True)
    with small_server.connect() as connection:
        connection.sendall(raw(GET, "X: a") + LIVE)
        check_answer(ResponseReader(connection).next(), NO_HOST, is_last=True)

"""Each of the 256 octets in each place of a request: where it may stand, and where it may not (RFC 9110, RFC 9112)."""

import string

import pytest

from http_cases import CHUNKED, FRAMING, GET, HOST, JSON, MALFORMED, MISSING, NO_HOST, POST, accepts, closes, raw, refuses
from http_exchange import LAST, check_answers, converse

CONTROLS = {*range(32), 127}
TOKEN = {*b"!#$%&'*+-.^_`|~", *string.digits.encode(), *string.ascii_letters.encode()}  # 9110 §5.6.2
HEXADECIMAL = {*string.hexdigits.encode()}
FIELD = {*range(256)} - CONTROLS | {9}  # 9110 §5.5
TARGET = {*range(0x21, 0x7F)} - {*b"#"}  # 9112 §3.2
HOST_NAME = TOKEN - {*b"#%^`|"} | {*b"(),;="}  # 3986 §3.2.2, without escapes
NO_JSON = "400 invalid_json"
UNKNOWN_METHOD = "501 unsupported_method"


def head(text):
    return text.encode("latin-1") + b"\r\n\r\n"


def first(octet, char):
    request = head(f"{char}{GET}\r\n{HOST}")
    return refuses("", UNKNOWN_METHOD if octet in TOKEN else MALFORMED, request)


def method(octet, char):
    request = head(f"G{char}T /health/live HTTP/1.1\r\n{HOST}")
    if char == "E":
        return accepts("", request)
    return refuses("", UNKNOWN_METHOD if octet in TOKEN else MALFORMED, request)


def target(octet, char):
    request = head(f"GET /health/live?{char} HTTP/1.1\r\n{HOST}")
    return accepts("", request) if octet in TARGET else refuses("", MALFORMED, request)


def major_version(octet, char):
    request = head(f"GET /health/live HTTP/{char}.1\r\n{HOST}")
    if char == "1":
        return accepts("", request)
    return refuses("", "505 unsupported_http_version" if char in string.digits else MALFORMED, request)


def minor_version(octet, char):
    request = head(f"GET /health/live HTTP/1.{char}\r\n{HOST}")
    if char == "0":
        return closes("", request)
    return accepts("", request) if char in string.digits else refuses("", MALFORMED, request)


def after_carriage_return(octet, char):
    request = head(f"{GET}\r{char}{HOST}")
    return accepts("", request) if char == "\n" else refuses("", MALFORMED, request)


def start_of_line(octet, char):
    request = head(f"{GET}\r\n{HOST}\r\n{char}X: a")
    return accepts("", request) if octet in TOKEN else refuses("", MALFORMED, request)


def name(octet, char):
    request = head(f"{GET}\r\n{HOST}\r\nX{char}Y: a")
    return accepts("", request) if octet in TOKEN or char == ":" else refuses("", MALFORMED, request)


def before_colon(octet, char):
    request = head(f"{GET}\r\n{HOST}\r\nX{char}: a")
    return accepts("", request) if octet in TOKEN or char == ":" else refuses("", MALFORMED, request)


def value(octet, char):
    request = head(f"{GET}\r\n{HOST}\r\nX: a{char}b")
    return accepts("", request) if octet in FIELD else refuses("", MALFORMED, request)


def host(octet, char):
    request = head(f"{GET}\r\nHost: a{char}b")
    if octet in HOST_NAME:
        return accepts("", request)
    return refuses("", NO_HOST if octet in FIELD else MALFORMED, request)


def content_length(octet, char):
    start = ["POST /nowhere HTTP/1.1", HOST, f"Content-Length: 0{char}"]
    if char in string.digits:
        return accepts("", raw(*start, content=b"G" * int(char)), MISSING)
    if char in " \t":
        return accepts("", raw(*start), MISSING)
    return refuses("", FRAMING if octet in FIELD else MALFORMED, raw(*start))


def transfer_encoding(octet, char):
    request = raw(POST, HOST, JSON, f"Transfer-Encoding: chunked{char}", content=b"0\r\n\r\n")
    if char in " \t,":
        return accepts("", request, NO_JSON)
    return refuses("", FRAMING if octet in FIELD else MALFORMED, request)


def chunked(content):
    return raw(POST, HOST, JSON, CHUNKED, content=content.encode("latin-1"))


def chunk_size(octet, char):
    if octet in HEXADECIMAL:
        size = int(char, 16)
        data = "x" * size + "\r\n0\r\n" if size else ""
        return accepts("", chunked(f"{char}\r\n{data}\r\n"), NO_JSON)
    return refuses("", FRAMING, chunked(f"{char}\r\nx\r\n0\r\n\r\n"))


def behind_chunk_size(octet, char):
    request = chunked(f"01{char}\nx\r\n0\r\n\r\n")
    return accepts("", request, NO_JSON) if char == "\r" else refuses("", FRAMING, request)


def chunk_extension(octet, char):
    request = chunked(f"1;a{char}b\r\nx\r\n0\r\n\r\n")
    return accepts("", request, NO_JSON) if octet in FIELD else refuses("", FRAMING, request)


def behind_chunk_data(octet, char):
    request = chunked(f"1\r\nx{char}\n0\r\n\r\n")
    return accepts("", request, NO_JSON) if char == "\r" else refuses("", FRAMING, request)


def trailer_name(octet, char):
    request = chunked(f"0\r\nX{char}Y: a\r\n\r\n")
    return accepts("", request, NO_JSON) if octet in TOKEN or char == ":" else refuses("", MALFORMED, request)


def trailer_value(octet, char):
    request = chunked(f"0\r\nX: a{char}b\r\n\r\n")
    return accepts("", request, NO_JSON) if octet in FIELD else refuses("", MALFORMED, request)


def end_of_trailers(octet, char):
    request = chunked(f"0\r\n\r{char}")
    return accepts("", request, NO_JSON) if char == "\n" else refuses("", MALFORMED, request)


PLACES = [
    first, method, target, major_version, minor_version, after_carriage_return, start_of_line, name, before_colon, value, host,
    content_length, transfer_encoding, chunk_size, behind_chunk_size, chunk_extension, behind_chunk_data, trailer_name,
    trailer_value, end_of_trailers,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=[place.__name__ for place in PLACES])
def test_every_octet(server, problem_codes, place):
    cases = [place(octet, chr(octet)) for octet in range(256)]
    for octet, (case, (_, received)) in enumerate(zip(cases, converse(server, [[case.content, LAST] for case in cases]))):
        try:
            check_answers(received, case, problem_codes)
        except AssertionError as error:
            raise AssertionError(f"octet 0x{octet:02x}: {case.content!r}") from error

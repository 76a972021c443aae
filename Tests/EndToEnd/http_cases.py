"""Requests that keep or break one clause of RFC 9112 or RFC 9110 each, and the answers they must get.

A group of cases holds one line of docs/http-conformance.md. The name of a case begins with its clause. How a case is
cut into pieces is not said here, because it must not matter (9112 §2.2).
"""

from server import request

CONTENT = b'{"layer":{"type":"layer_norm","axis":1},"input":[[1,2]]}  '  # 0x3a bytes: a size that has a letter.
JSON = "Content-Type: application/json"
GET = "GET /health/live HTTP/1.1"
POST = "POST /normalize HTTP/1.1"
HOST = "Host: x"
CHUNKED = "Transfer-Encoding: chunked"
LIVE = request("GET", "/health/live")

MALFORMED = "400 malformed_request"
NO_HOST = "400 invalid_host"
FRAMING = "400 invalid_framing"
TOO_LARGE = "413 body_too_large"
MISSING = "404 not_found"
NOT_ALLOWED = "405 method_not_allowed"


class Case:
    """`answers` are final responses: a status, with the code of its problem, after `HEAD` if it must have no content."""

    def __init__(self, name, content, answers, closes):
        self.name = name
        self.content = content
        self.answers = answers
        self.closes = closes


def accepts(name, content, *answers):
    """The connection goes on after the answers: one 200 if they are not given."""
    return Case(name, content, answers or ("200",), False)


def closes(name, content, *answers):
    """The last of the answers says `Connection: close`, and nothing behind it is processed."""
    return Case(name, content, answers or ("200",), True)


def refuses(name, refusal, content):
    return closes(name, content, refusal)


def drops(name, content):
    """Nothing is answered when the client ends its sending side after this (9112 §8)."""
    return Case(name, content, (), True)


def raw(*lines, content=b""):
    """A head of these lines and the content behind it; characters stand for octets."""
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def line(text):
    """A request with this request-line."""
    return raw(text, HOST)


def with_field(text):
    """A request with one more field line."""
    return raw(GET, HOST, text)


def post(*lines, content=CONTENT, start=POST):
    return raw(start, HOST, JSON, *lines, f"Content-Length: {len(content)}", content=content)


def framed(*lines, content=b"", start=POST):
    """A POST whose framing is given."""
    return raw(start, HOST, *lines, content=content)


def chunked(content, *lines):
    return raw(POST, HOST, JSON, CHUNKED, *lines, content=content)


CHUNK = b"3a\r\n" + CONTENT + b"\r\n"
END = b"0\r\n\r\n"

GROUPS = {}

# 1. Reading the message head

GROUPS["OCTETS"] = [
    accepts("9112 §2.2: octets that are no UTF-8", with_field("X: \xff\xfe\x80\xc3")),
    accepts("9112 §2.2: U+0085 and U+2028 end no line", with_field("X: a\xc2\x85Host: b\xe2\x80\xa8Host: c")),
    refuses("9112 §2.2: a combining character behind CRLF", MALFORMED, raw(GET, HOST, "\xcc\x81X: a")),
    refuses("9112 §2.2: U+017F is no s", MALFORMED, raw(GET, "Ho\xc5\xbft: x")),
]
GROUPS["LATER_BYTES"] = [
    refuses("9112 §2.2: nothing behind a malformed head is parsed", MALFORMED, raw(GET, HOST, "X") + LIVE + LIVE),
    refuses("9112 §2.2: nothing behind a malformed request-line is parsed", MALFORMED, b"GET\r\n\r\n" + LIVE),
    refuses("9112 §2.2: nothing behind a malformed chunk is parsed", FRAMING, chunked(b"x\r\n" + END) + LIVE),
]
GROUPS["BARE_LF"] = [
    refuses("9112 §2.2: bare LF everywhere", MALFORMED, b"GET /health/live HTTP/1.1\nHost: x\n\n"),
    refuses("9112 §2.2: bare LF behind the request-line", MALFORMED, b"GET /health/live HTTP/1.1\nHost: x\r\n\r\n"),
    refuses("9112 §2.2: bare LF behind a field", MALFORMED, b"GET /health/live HTTP/1.1\r\nHost: x\nX: a\r\n\r\n"),
    refuses("9112 §2.2: bare LF for the empty line", MALFORMED, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\n"),
    refuses("9112 §2.2: LF LF behind a field", MALFORMED, b"GET /health/live HTTP/1.1\r\nHost: x\n\n"),
    refuses("9112 §2.2: bare LF before the request-line", MALFORMED, b"\n" + LIVE),
    refuses("9112 §2.2: LF CR for CRLF", MALFORMED, b"GET /health/live HTTP/1.1\n\rHost: x\n\r\n\r"),
]
GROUPS["BARE_CR"] = [
    refuses("9112 §2.2: bare CR within the request-line", MALFORMED, b"GET /health/live\r HTTP/1.1\r\nHost: x\r\n\r\n"),
    refuses("9112 §2.2: bare CR behind the request-line", MALFORMED, b"GET /health/live HTTP/1.1\rHost: x\r\n\r\n"),
    refuses("9112 §2.2: bare CR within a value", MALFORMED, with_field("X: a\rb")),
    refuses("9112 §2.2: bare CR that hides a field", MALFORMED, with_field("X: a\rContent-Length: 5")),
    refuses("9112 §2.2: bare CR within a name", MALFORMED, with_field("X\rY: a")),
    refuses("9112 §2.2: CR CR LF behind a field", MALFORMED, with_field("X: a\r")),
    refuses("9112 §2.2: CR CR LF for the empty line", MALFORMED, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\r\n"),
    refuses("9112 §2.2: bare CR before the request-line", MALFORMED, b"\r" + LIVE),
]
GROUPS["EMPTY_LINES"] = [
    accepts("9112 §2.2: an empty line before the request-line", b"\r\n" + LIVE),
    accepts("9112 §2.2: several empty lines before the request-line", b"\r\n" * 5 + LIVE),
    accepts("9112 §2.2: an empty line behind the content of a POST", post() + b"\r\n" + LIVE, "200", "200"),
    accepts("9112 §2.2: an empty line behind chunked content", chunked(CHUNK + END) + b"\r\n" + LIVE, "200", "200"),
    drops("9112 §2.2: nothing but an empty line", b"\r\n"),
    drops("9112 §2.2: nothing but half of an empty line", b"\r"),
]
GROUPS["BEFORE_THE_FIRST_FIELD"] = [
    refuses("9112 §2.2: SP before the first field", MALFORMED, raw(GET, " " + HOST)),
    refuses("9112 §2.2: HTAB before the first field", MALFORMED, raw(GET, "\t" + HOST)),
    refuses("9112 §2.2: a blank line before the first field", MALFORMED, raw(GET, " ", HOST)),
    refuses("9112 §2.2: a field that would be hidden there", MALFORMED, raw(GET, " Content-Length: 5", HOST)),
]
GROUPS["INCOMPLETE_HEAD"] = [
    drops("9110 §5.3: a head without its end", raw(GET, HOST)[:-2]),
    drops("9110 §5.3: a head without its last octet", raw(GET, HOST)[:-1]),
    drops("9110 §5.3: a head that ends within the request-line", b"GET /health/live HTTP/1.1"),
    drops("9110 §5.3: a head that ends within a name", b"GET /health/live HTTP/1.1\r\nHo"),
    accepts("9110 §5.3: a head whose end the next bytes bring", raw(GET, HOST, "X: a", "Y: b")),
]
GROUPS["BEFORE_THE_COLON"] = [
    refuses("9112 §5.1: SP before the colon", MALFORMED, raw(GET, "Host : x")),
    refuses("9112 §5.1: HTAB before the colon", MALFORMED, with_field("X\t: a")),
    refuses("9112 §5.1: SP before the colon of a length", MALFORMED, framed("Content-Length : 5", content=b"12345")),
    refuses("9112 §5.1: SP before the colon of a coding", MALFORMED, framed("Transfer-Encoding : chunked", content=END)),
    refuses("9112 §5.1: VT before the colon", MALFORMED, with_field("X\x0b: a")),
    refuses("9112 §5.1: NBSP before the colon", MALFORMED, with_field("X\xc2\xa0: a")),
]
GROUPS["FIELD_NAMES"] = [
    refuses("9110 §5.1: an empty name", MALFORMED, with_field(": a")),
    refuses("9110 §5.1: a line without a colon", MALFORMED, with_field("X")),
    refuses("9110 §5.1: a line without a colon between others", MALFORMED, raw(GET, "nonsense", HOST)),
    refuses("9110 §5.1: SP within a name", MALFORMED, with_field("X Y: a")),
    refuses("9110 §5.6.2: a delimiter within a name", MALFORMED, with_field("X(Y): a")),
    refuses("9110 §5.6.2: a quoted name", MALFORMED, with_field('"X": a')),
    refuses("9110 §5.6.2: an 8-bit octet within a name", MALFORMED, with_field("X\xe9: a")),
    refuses("9110 §5.6.2: NUL within a name", MALFORMED, with_field("X\0: a")),
    accepts("9110 §5.6.2: every tchar", with_field("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCXYZ: a")),
    accepts("9110 §5.1: names in any case", raw(POST, "hOST: x", "cONTENT-tYPE: application/json", "CONTENT-LENGTH: 58", content=CONTENT)),
    accepts("9110 §5.1: a coding's name in any case", framed(JSON, "tRANSFER-eNCODING: chunked", content=CHUNK + END)),
]  # fmt: skip
GROUPS["FIELD_VALUES"] = [
    accepts("9110 §5.5: no blank behind the colon", raw(GET, "Host:x")),
    accepts("9110 §5.5: blanks around a value", raw(GET, "Host: \t x \t ")),
    accepts("9110 §5.5: blanks around a length", framed(JSON, "Content-Length:\t 58 \t", content=CONTENT)),
    accepts("9110 §5.5: an empty value", raw(GET, HOST, "X:", "Y: ", "Z:\t")),
    accepts("9110 §5.5: a value with colons and quotes", with_field('X: a:b: "c\\"d"; e=(f)')),
    accepts("9110 §5.5: obs-text", with_field("X: \xe9\x80\xff")),
    refuses("9110 §5.5: NUL in a value", MALFORMED, with_field("X: a\0b")),
    refuses("9110 §5.5: NUL at the end of a value", MALFORMED, with_field("X: a\0")),
    refuses("9110 §5.5: BEL in a value", MALFORMED, with_field("X: a\x07b")),
    refuses("9110 §5.5: VT at the start of a value", MALFORMED, with_field("X: \x0ba")),
    refuses("9110 §5.5: FF at the end of a value", MALFORMED, with_field("X: a\x0c")),
    refuses("9110 §5.5: DEL in a value", MALFORMED, with_field("X: \x7f")),
    refuses("9110 §5.6.3: NBSP is no blank", FRAMING, framed(JSON, "Content-Length: \xa058", content=CONTENT)),
]
GROUPS["FOLDS"] = [
    refuses("9112 §5.2: a fold with SP", MALFORMED, raw(GET, HOST, "X: a", " b")),
    refuses("9112 §5.2: a fold with HTAB", MALFORMED, raw(GET, HOST, "X: a", "\tb")),
    refuses("9112 §5.2: a fold of nothing", MALFORMED, raw(GET, HOST, "X: a", " ", "Y: b")),
    refuses("9112 §5.2: a fold of Host", MALFORMED, raw(GET, "Host:", " x")),
    refuses("9112 §5.2: a fold of Transfer-Encoding", MALFORMED, framed("Transfer-Encoding:", " chunked", content=END)),
    refuses("9112 §5.2: a fold of Content-Length", MALFORMED, framed("Content-Length: 1", " 2", content=b"x" * 12)),
    refuses("9112 §5.2: a fold in a trailer", MALFORMED, chunked(CHUNK + b"0\r\nX: a\r\n b\r\n\r\n")),
    refuses("9112 §5.2: a fold with HTAB in a trailer", MALFORMED, chunked(CHUNK + b"0\r\nX: a\r\n\tb\r\n\r\n")),
]
GROUPS["REPEATED_FIELDS"] = [
    accepts("9110 §5.3: Accept on two lines is one list", post("Accept: text/html", "Accept: application/json")),
    accepts("9110 §5.3: neither line of Accept fits", post("Accept: text/html", "Accept: image/png"), "406 not_acceptable"),
    closes("9110 §5.3: Connection on two lines is one list", raw(GET, HOST, "Connection: x", "Connection: close")),
    refuses("9110 §5.3: the order of lines is that of the list", FRAMING, framed(CHUNKED, "Transfer-Encoding: gzip", content=END)),
    refuses("9110 §5.3: a repeated Content-Type", MALFORMED, post(JSON)),
    refuses("9110 §5.3: a repeated Content-Type that differs", MALFORMED, post("Content-Type: application/octet-stream")),
]  # fmt: skip
GROUPS["EMPTY_LIST_ELEMENTS"] = [
    accepts("9110 §5.6.1.2: empty elements of Accept", post("Accept: , ,application/json,,")),
    accepts("9110 §5.6.1.2: empty elements of Transfer-Encoding", framed(JSON, "Transfer-Encoding: ,\t,chunked , ,", content=CHUNK + END)),
    closes("9110 §5.6.1.2: empty elements of Connection", with_field("Connection: ,,close,")),
    accepts("9110 §5.6.1.2: nothing but empty elements", with_field("Connection: , ,")),
]  # fmt: skip

# 2. Request-line

GROUPS["SPACES"] = [
    refuses("9112 §3: two spaces behind the method", MALFORMED, line("GET  /health/live HTTP/1.1")),
    refuses("9112 §3: two spaces behind the target", MALFORMED, line("GET /health/live  HTTP/1.1")),
    refuses("9112 §3: a tab for the first space", MALFORMED, line("GET\t/health/live HTTP/1.1")),
    refuses("9112 §3: a tab for the second space", MALFORMED, line("GET /health/live\tHTTP/1.1")),
    refuses("9112 §3: a space at the start", MALFORMED, line(" GET /health/live HTTP/1.1")),
    refuses("9112 §3: a space at the end", MALFORMED, line("GET /health/live HTTP/1.1 ")),
    refuses("9112 §3: no target", MALFORMED, line("GET HTTP/1.1")),
    refuses("9112 §3: an empty target", MALFORMED, line("GET  HTTP/1.1")),
    refuses("9112 §3: a method alone", MALFORMED, line("GET")),
    refuses("9112 §3: four parts", MALFORMED, line("GET /health/live HTTP/1.1 x")),
    refuses("9112 §3: VT for a space", MALFORMED, line("GET\x0b/health/live HTTP/1.1")),
]
GROUPS["METHOD_TOKENS"] = [
    refuses("9110 §9.1: a method with a delimiter", MALFORMED, line("G@T /health/live HTTP/1.1")),
    refuses("9110 §9.1: a method in brackets", MALFORMED, line("(GET) /health/live HTTP/1.1")),
    refuses("9110 §9.1: a method with a colon", MALFORMED, line("GET: /health/live HTTP/1.1")),
    refuses("9110 §9.1: an 8-bit method", MALFORMED, line("G\xc9T /health/live HTTP/1.1")),
    refuses("9110 §9.1: get is not GET", "501 unsupported_method", line("get /health/live HTTP/1.1")),
    refuses("9110 §9.1: Post is not POST", "501 unsupported_method", line("Post /normalize HTTP/1.1")),
]
GROUPS["METHODS"] = [
    refuses("9110 §9.1: an unknown method", "501 unsupported_method", line("BREW /health/live HTTP/1.1")),
    refuses("9110 §9.1: an unknown method of odd tchars", "501 unsupported_method", line("M-SEARCH!~ /health/live HTTP/1.1")),
    refuses("9110 §9.1: the start of a known method", "501 unsupported_method", line("GE /health/live HTTP/1.1")),
    refuses("9112 §3: a method longer than any", "501 unsupported_method", line("GETS" * 50 + " /health/live HTTP/1.1")),
    accepts("9110 §9.1: a known method, not here", line("GET /normalize HTTP/1.1"), NOT_ALLOWED),
    accepts("9110 §9.1: DELETE", line("DELETE /health/live HTTP/1.1"), NOT_ALLOWED),
    accepts("9110 §9.1: PATCH", line("PATCH /normalize HTTP/1.1"), NOT_ALLOWED),
    accepts("9110 §9.1: PUT with content", post(start="PUT /normalize HTTP/1.1"), NOT_ALLOWED),
]  # fmt: skip
GROUPS["GET_AND_HEAD"] = [
    accepts("9110 §9.1: GET", line("GET /health/live HTTP/1.1")),
    accepts("9110 §9.1: HEAD", line("HEAD /health/live HTTP/1.1"), "HEAD 200"),
]
GROUPS["VERSION_GRAMMAR"] = [
    refuses("9112 §2.3: a version in lower case", MALFORMED, line("GET /health/live http/1.1")),
    refuses("9112 §2.3: no minor version", MALFORMED, line("GET /health/live HTTP/1")),
    refuses("9112 §2.3: a point and nothing", MALFORMED, line("GET /health/live HTTP/1.")),
    refuses("9112 §2.3: two minor digits", MALFORMED, line("GET /health/live HTTP/1.10")),
    refuses("9112 §2.3: two major digits", MALFORMED, line("GET /health/live HTTP/11.1")),
    refuses("9112 §2.3: three numbers", MALFORMED, line("GET /health/live HTTP/1.1.1")),
    refuses("9112 §2.3: letters for digits", MALFORMED, line("GET /health/live HTTP/a.b")),
    refuses("9112 §2.3: a comma", MALFORMED, line("GET /health/live HTTP/1,1")),
    refuses("9112 §2.3: a sign", MALFORMED, line("GET /health/live HTTP/+1.1")),
    refuses("9112 §2.3: Arabic digits", MALFORMED, line("GET /health/live HTTP/\xd9\xa1.\xd9\xa1")),
    refuses("9112 §2.3: another protocol", MALFORMED, line("GET /health/live HTTPS/1.1")),
    refuses("9112 §2.3: RTSP", MALFORMED, line("OPTIONS * RTSP/1.0")),
]
GROUPS["VERSIONS"] = [
    refuses("9110 §15.6.6: HTTP/2.0", "505 unsupported_http_version", line("GET /health/live HTTP/2.0")),
    refuses("9110 §15.6.6: HTTP/3.0 with content", "505 unsupported_http_version", post(start="POST /normalize HTTP/3.0")),
    refuses("9110 §15.6.6: HTTP/0.9 as a version", "505 unsupported_http_version", line("GET /health/live HTTP/0.9")),
    accepts("9110 §2.5: HTTP/1.2 is handled as 1.1", line("GET /health/live HTTP/1.2")),
    accepts("9110 §2.5: HTTP/1.9 is handled as 1.1", framed(JSON, CHUNKED, content=CHUNK + END, start="POST /normalize HTTP/1.9")),
    refuses("9110 §2.5: HTTP/1.2 needs a Host, too", NO_HOST, raw("GET /health/live HTTP/1.2")),
]  # fmt: skip
GROUPS["OTHER_PROTOCOLS"] = [
    refuses("9112 §3: the form of HTTP/0.9", MALFORMED, b"GET /health/live\r\n"),
    refuses("9113 §3.4: the preface of HTTP/2", "505 unsupported_http_version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refuses("9112 §3: a TLS ClientHello", MALFORMED, b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(range(32))),
    refuses("9112 §3: a response", MALFORMED, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    refuses("9112 §3: nothing but NULs", MALFORMED, bytes(20)),
]
GROUPS["TARGETS"] = [
    accepts("9112 §3.2.1: a query", line("GET /health/live?a=%20b&c=/?:@ HTTP/1.1")),
    accepts("9112 §3.2.1: an empty query", line("GET /health/live? HTTP/1.1")),
    accepts("9112 §3.2.1: a path that begins with //", line("GET //health/live HTTP/1.1"), MISSING),
    refuses("9112 §3.2.1: a path without a slash", MALFORMED, line("GET health/live HTTP/1.1")),
    refuses("9112 §3.2: a query alone", MALFORMED, line("GET ?a HTTP/1.1")),
    refuses("9112 §3.2: SP in a target", MALFORMED, line("GET /health/live /x HTTP/1.1")),
    refuses("9112 §3.2: HTAB in a target", MALFORMED, line("GET /health\t/live HTTP/1.1")),
    refuses("9112 §3.2: NUL in a target", MALFORMED, line("GET /health/live\0 HTTP/1.1")),
    refuses("9112 §3.2: a control character in a target", MALFORMED, line("GET /\x01 HTTP/1.1")),
    refuses("9112 §3.2: DEL in a target", MALFORMED, line("GET /\x7f HTTP/1.1")),
    refuses("9112 §3.2: an 8-bit octet in a target", MALFORMED, line("GET /\xe9 HTTP/1.1")),
    refuses("9112 §3.2: UTF-8 in a target", MALFORMED, line("GET /\xc3\xa9 HTTP/1.1")),
    refuses("9112 §3.2: a fragment", MALFORMED, line("GET /health/live#x HTTP/1.1")),
]
GROUPS["ABSOLUTE_FORM"] = [
    accepts("9112 §3.2.2: absolute-form", line("GET http://example.org/health/live HTTP/1.1")),
    accepts("9112 §3.2.2: with a port and a query", line("GET http://x:80/health/live?a HTTP/1.1")),
    accepts("9112 §3.2.2: a scheme in upper case", line("GET HTTP://x/health/live HTTP/1.1")),
    accepts("9112 §3.2.2: https", line("GET https://[::1]:443/health/live HTTP/1.1")),
    accepts("9112 §3.2.2: with content", post(start="POST http://x/normalize HTTP/1.1")),
    accepts("9112 §3.2.2: without a path", line("GET http://x/nowhere?/health/live HTTP/1.1"), MISSING),
    accepts("9112 §3.2.2: in HTTP/1.0, without Host", raw("GET http://x/health/live HTTP/1.0", "Connection: keep-alive")),
    refuses("9112 §3.2.2: an invalid host that a valid Host cannot mend", MALFORMED, line("GET http://a:b:c/health/live HTTP/1.1")),
    refuses("9112 §3.2.2: an invalid Host all the same", NO_HOST, raw("GET http://x/health/live HTTP/1.1", "Host: a b")),
    refuses("9110 §4.2.1: an empty host", MALFORMED, line("GET http:///health/live HTTP/1.1")),
    refuses("9110 §4.2.1: a port without a host", MALFORMED, line("GET http://:80/health/live HTTP/1.1")),
    refuses("9110 §4.2.1: nothing but a scheme", MALFORMED, line("GET http:// HTTP/1.1")),
    refuses("9110 §4.2.4: user information", MALFORMED, line("GET http://u:p@x/health/live HTTP/1.1")),
    refuses("9112 §3.2.2: another scheme", MALFORMED, line("GET ftp://x/health/live HTTP/1.1")),
    refuses("9112 §3.2.2: one slash", MALFORMED, line("GET http:/health/live HTTP/1.1")),
]  # fmt: skip
GROUPS["OTHER_FORMS"] = [
    refuses("9112 §3.2.3: authority-form with GET", MALFORMED, line("GET x:80 HTTP/1.1")),
    refuses("9112 §3.2.3: authority-form with POST", MALFORMED, post(start="POST x HTTP/1.1")),
    refuses("9112 §3.2.4: * with GET", MALFORMED, line("GET * HTTP/1.1")),
    refuses("9112 §3.2.4: * with POST", MALFORMED, post(start="POST * HTTP/1.1")),
    refuses("9112 §3.2.4: * and more", MALFORMED, line("OPTIONS *x HTTP/1.1")),
    accepts("9112 §3.2.4: * with OPTIONS", line("OPTIONS * HTTP/1.1"), "204"),
    accepts("9112 §3.2.4: OPTIONS of an absolute URI without a path", line("OPTIONS http://x HTTP/1.1"), "204"),
]
GROUPS["CONNECT_AND_TRACE"] = [
    refuses("9110 §9.3.6: CONNECT", "501 unsupported_method", line("CONNECT x:80 HTTP/1.1")),
    refuses("9110 §9.3.6: CONNECT of a path", "501 unsupported_method", line("CONNECT /health/live HTTP/1.1")),
    accepts("9110 §9.3.8: TRACE", line("TRACE /health/live HTTP/1.1"), NOT_ALLOWED),
]
GROUPS["ESCAPES"] = [
    accepts("3986 §2.3: an escaped letter is the letter", line("GET /%68ealth/liv%65 HTTP/1.1")),
    accepts("3986 §2.2: an escaped slash is no delimiter", line("GET /health%2Flive HTTP/1.1"), MISSING),
    accepts("3986 §2.2: an escaped question mark is none", line("GET /health/live%3Fa HTTP/1.1"), MISSING),
    accepts("3986 §2.4: nothing is decoded twice", line("GET /health/%256Cive HTTP/1.1"), MISSING),
    accepts("3986 §2.1: an escaped NUL", line("GET /health/live%00 HTTP/1.1"), MISSING),
    accepts("3986 §2.1: an escaped CRLF", line("GET /health/live%0d%0aX:%20a HTTP/1.1"), MISSING),
    accepts("3986 §2.1: an escape that is none", line("GET /health/live%zz HTTP/1.1"), MISSING),
    accepts("3986 §2.1: an escape that is cut off", line("GET /health/live%6 HTTP/1.1"), MISSING),
    accepts("3986 §2.5: overlong UTF-8", line("GET /health%c0%aflive HTTP/1.1"), MISSING),
    accepts("3986 §5.2.4: dot segments are not resolved", line("GET /x/../health/live HTTP/1.1"), MISSING),
]

# 3. Host


def host(value, version="1.1"):
    return raw(f"GET /health/live HTTP/{version}", f"Host: {value}", "Connection: keep-alive")


GROUPS["MISSING_HOST"] = [
    refuses("9112 §3.2: HTTP/1.1 without Host", NO_HOST, raw(GET)),
    refuses("9112 §3.2: without Host, with content", NO_HOST, raw(POST, JSON, "Content-Length: 58", content=CONTENT)),
    refuses("9112 §3.2: absolute-form without Host", NO_HOST, raw("GET http://x/health/live HTTP/1.1")),
    accepts("9110 §7.2: HTTP/1.0 needs none", raw("GET /health/live HTTP/1.0", "Connection: keep-alive")),
]
GROUPS["REPEATED_HOST"] = [
    refuses("9112 §3.2: two lines that agree", NO_HOST, raw(GET, HOST, HOST)),
    refuses("9112 §3.2: two lines that differ", NO_HOST, raw(GET, HOST, "Host: y")),
    refuses("9112 §3.2: two lines, far apart, in another case", NO_HOST, raw(GET, "hOST: x", "X: a", "HOST: x")),
    refuses("9112 §3.2: two lines, one of them empty", NO_HOST, raw(GET, HOST, "Host:")),
    refuses("9112 §3.2: two lines in HTTP/1.0", NO_HOST, raw("GET /health/live HTTP/1.0", HOST, HOST)),
]
GROUPS["INVALID_HOST"] = [
    refuses(f"9112 §3.2: {words}", NO_HOST, host(value))
    for words, value in {
        "a path": "x/y", "user information": "u@x", "a blank": "x y", "a port that is no number": "x:a", "a negative port": "x:-1",
        "two ports": "x:8:0", "a port without a host": ":80", "an open bracket": "[::1", "nothing in brackets": "[]",
        "an address that is none": "[::g]", "an address with nine groups": "[1:2:3:4:5:6:7:8:9]", "IPv4 in brackets": "[127.0.0.1]",
        "something behind the bracket": "[::1]x", "a zone": "[fe80::1%25eth0]", "IPv6 without brackets": "::1", "an 8-bit octet": "\xe9",
        "a scheme": "http://x", "a query": "x?y", "a backslash": "x\\y", "angle brackets": "<x>", "an escape that is none": "x%zz",
        "an escape that is cut off": "x%4", "a number sign": "x#y", "a quoted host": '"x"', "an empty future address": "[v1.]",
    }.items()
] + [refuses("9112 §3.2: a path in HTTP/1.0", NO_HOST, host("x/y", "1.0"))]  # fmt: skip
GROUPS["VALID_HOST"] = [
    accepts(f"9110 §7.2: {words}", host(value))
    for words, value in {
        "a name": "example.org", "a name with a port": "x:8080", "an empty port": "x:", "IPv4": "127.0.0.1:80", "IPv6": "[::1]",
        "IPv6 with a port": "[2001:db8::1]:443", "IPv6 with IPv4 in it": "[::ffff:1.2.3.4]", "a future address": "[v1.a:b]",
        "an underscore": "a_b", "an escape": "a%41", "a dot at the end": "example.org.",
    }.items()
]  # fmt: skip
GROUPS["ODD_HOST"] = [
    refuses("9112 §3.3: an empty Host", NO_HOST, host("")),
    refuses("9112 §3.3: an empty Host in HTTP/1.0", NO_HOST, host("", "1.0")),
    accepts("3986 §3.2.2: a comma", host("a,b")),
    accepts("3986 §3.2.3: port 99999", host("x:99999")),
]

# 4. Message framing

GROUPS["BODY_PRESENCE"] = [
    accepts("9112 §6: content with GET is content", raw(GET, HOST, f"Content-Length: {len(LIVE)}", content=LIVE)),
    accepts("9112 §6: content with HEAD", raw("HEAD /health/live HTTP/1.1", HOST, "Content-Length: 3", content=b"GET"), "HEAD 200"),
    accepts("9112 §6: content with OPTIONS", raw("OPTIONS * HTTP/1.1", HOST, "Content-Length: 3", content=b"GET"), "204"),
    accepts("9112 §6: content with DELETE", raw("DELETE /normalize HTTP/1.1", HOST, "Content-Length: 3", content=b"GET"), NOT_ALLOWED),
    accepts("9112 §6.3 (7): neither field, with POST", framed(JSON), "400 invalid_json"),
    accepts("9112 §6.3 (7): neither field, with PUT", line("PUT /normalize HTTP/1.1"), NOT_ALLOWED),
    accepts("9110 §8.6: no bytes", framed(JSON, "Content-Length: 0"), "400 invalid_json"),
    accepts("9110 §8.6: leading zeros", framed(JSON, "Content-Length: 00000000000000000000058", content=CONTENT)),
]  # fmt: skip
GROUPS["INVALID_LENGTH"] = [
    refuses(f"9112 §6.3 (5): {words}", FRAMING, framed(f"Content-Length: {value}", content=b"12345"))
    for words, value in {
        "a plus sign": "+5", "a minus sign": "-5", "minus nought": "-0", "hexadecimal": "0x5", "a letter": "5a", "a fraction": "5.0",
        "an exponent": "5e0", "a blank inside": "5 5", "a tab inside": "5\t5", "nothing": "", "a comma alone": ",", "words": "five",
        "Arabic digits": "\xd9\xa5", "fullwidth digits": "\xef\xbc\x95", "a superscript": "\xb2", "a quoted number": '"5"', "an underscore": "0_5",
        "a parameter": "5;a=b",
    }.items()
]  # fmt: skip
GROUPS["HUGE_LENGTH"] = [
    refuses(f"9110 §8.6: {words}", TOO_LARGE, framed(JSON, f"Content-Length: {value}", content=CONTENT))
    for words, value in {
        "2^32 + 58": 2**32 + 58, "2^63 - 1": 2**63 - 1, "2^63": 2**63, "2^63 + 58": 2**63 + 58, "2^64 - 1": 2**64 - 1, "2^64": 2**64,
        "2^64 + 58": 2**64 + 58, "2^128 + 58": 2**128 + 58, "400 digits": "9" * 400,
    }.items()
]  # fmt: skip
GROUPS["REPEATED_LENGTH"] = [
    refuses("9112 §6.3 (5): lines that differ", FRAMING, framed("Content-Length: 5", "Content-Length: 6", content=b"123456")),
    refuses("9112 §6.3 (5): a list that differs", FRAMING, framed("Content-Length: 5, 6", content=b"123456")),
    refuses("9112 §6.3 (5): one of them empty", FRAMING, framed("Content-Length: 5", "Content-Length:", content=b"12345")),
    refuses("9110 §8.6: lines that agree", FRAMING, framed("Content-Length: 5", "content-length: 5", content=b"12345")),
    refuses("9110 §8.6: a list that agrees", FRAMING, framed("Content-Length: 5,5", content=b"12345")),
]
GROUPS["SHORT_CONTENT"] = [
    drops("9112 §6.3 (6): no content", framed(JSON, "Content-Length: 58")),
    drops("9112 §6.3 (6): all but one byte", framed(JSON, "Content-Length: 58", content=CONTENT[:-1])),
]
GROUPS["LENGTH_AND_CODING"] = [
    refuses("9112 §6.1: Content-Length first", FRAMING, framed("Content-Length: 5", CHUNKED, content=END)),
    refuses("9112 §6.1: Content-Length last", FRAMING, framed(CHUNKED, "Content-Length: 5", content=END)),
    refuses("9112 §6.1: no bytes", FRAMING, framed("Content-Length: 0", CHUNKED, content=b"26\r\n" + LIVE + END)),
    refuses("9112 §6.1: with a coding that is not understood", FRAMING, framed("Transfer-Encoding: x", "Content-Length: 5", content=b"12345")),
]  # fmt: skip
GROUPS["CODING_IN_1_0"] = [
    refuses("9112 §6.1: chunked in HTTP/1.0", FRAMING, framed(CHUNKED, content=CHUNK + END, start="POST /normalize HTTP/1.0")),
    refuses("9112 §6.1: identity in HTTP/1.0", FRAMING, framed("Transfer-Encoding: identity", start="POST /normalize HTTP/1.0")),
    refuses("9112 §6.1: chunked in HTTP/1.0 that is kept alive", FRAMING, framed(CHUNKED, "Connection: keep-alive", content=END, start="POST /normalize HTTP/1.0")),
]  # fmt: skip
GROUPS["UNKNOWN_CODING"] = [
    refuses(f"9112 §6.1: {words}", "501 unsupported_transfer_coding", framed(*[f"Transfer-Encoding: {value}" for value in values], content=END))
    for words, values in {"gzip": ["gzip, chunked"], "an unknown name": ["x,chunked"], "identity": ["identity, chunked"], "two lines": ["gzip", "chunked"]}.items()
]  # fmt: skip
GROUPS["CHUNKED_NOT_FINAL"] = [
    refuses("9112 §6.3 (4): gzip alone", FRAMING, framed("Transfer-Encoding: gzip")),
    refuses("9112 §6.3 (4): identity alone", FRAMING, framed("Transfer-Encoding: identity")),
    refuses("9112 §6.3 (4): gzip behind chunked", FRAMING, framed("Transfer-Encoding: chunked, gzip", content=END)),
    refuses("9112 §6.3 (4): identity behind chunked", FRAMING, framed("Transfer-Encoding: chunked, identity", content=END)),
    refuses("9112 §6.3 (4): on two lines", FRAMING, framed(CHUNKED, "Transfer-Encoding: x", content=END)),
    refuses("9112 §6.3 (4): with GET", FRAMING, raw(GET, HOST, "Transfer-Encoding: gzip")),
]
GROUPS["ODD_CODING"] = [
    refuses(f"9112 §7: {words}", FRAMING, framed(*[f"Transfer-Encoding: {value}" for value in values], content=END))
    for words, values in {
        "chunked twice": ["chunked, chunked"], "chunked on two lines": ["chunked", "chunked"], "a parameter": ["chunked;q=1"],
        "a parameter of another": ["gzip;q=1, chunked"], "empty": [""], "a comma alone": [","], "quoted": ['"chunked"'], "a prefix": ["xchunked"],
        "a suffix": ["chunkedx"], "a blank inside": ["chun ked"], "NBSP before it": ["\xa0chunked"], "NBSP in UTF-8": ["\xc2\xa0chunked"],
        "a colon": [": chunked"], "U+212A for its k": ["chun\xe2\x84\xaaed"],
    }.items()
] + [
    refuses("9110 §5.6.3: VT is no blank", MALFORMED, framed("Transfer-Encoding: \x0bchunked", content=END)),
    refuses("9110 §5.6.3: FF is no blank", MALFORMED, framed("Transfer-Encoding: chunked\x0c", content=END)),
    refuses("9110 §5.6.3: NUL is no blank", MALFORMED, framed("Transfer-Encoding: chunked\0", content=END)),
    refuses("9110 §5.6.3: CR is no blank", MALFORMED, framed("Transfer-Encoding: \rchunked", content=END)),
]  # fmt: skip
GROUPS["CODING_NAMES"] = [
    accepts("9112 §7: names in any case", framed(JSON, "Transfer-Encoding: cHuNKeD", content=CHUNK + END)),
    accepts("9110 §5.6.3: blanks around it", framed(JSON, "Transfer-Encoding: \t chunked\t ", content=CHUNK + END)),
]
GROUPS["WHOLE_BODY_FIRST"] = [
    accepts("9112 §9.3: unwanted content is read", post(start="POST /nowhere HTTP/1.1", content=LIVE) + LIVE, MISSING, "200"),
    accepts("9112 §9.3: content behind 405 is read", post(start="POST /health/live HTTP/1.1", content=LIVE) + LIVE, NOT_ALLOWED, "200"),
    accepts("9112 §9.3: content behind 415 is read", raw(POST, HOST, "Content-Type: text/plain", f"Content-Length: {len(LIVE)}", content=LIVE), "415 unsupported_media_type"),
    accepts("9112 §9.3: content that is no JSON is read", post(content=LIVE), "400 invalid_json"),
    closes("9112 §9.3: chunked content that nobody wants", framed(CHUNKED, content=CHUNK + END, start="POST /nowhere HTTP/1.1") + LIVE, MISSING),
    closes("9112 §9.3: much content that nobody wants", framed("Content-Length: 70000", start="POST /nowhere HTTP/1.1") + LIVE, MISSING),
]  # fmt: skip

# 5. Chunked

GROUPS["CHUNK_SIZES"] = [
    accepts("9112 §7.1: one chunk", chunked(CHUNK + END)),
    accepts("9112 §7.1: a size in upper case", chunked(b"3A\r\n" + CONTENT + b"\r\n" + END)),
    accepts("9112 §7.1: leading zeros", chunked(b"0000000000000000000000003a\r\n" + CONTENT + b"\r\n000000000000000000\r\n\r\n")),
    accepts("9112 §7.1: many chunks", chunked(b"".join(b"1\r\n%c\r\n" % octet for octet in CONTENT) + END)),
    accepts("9112 §7.1: no content", chunked(END), "400 invalid_json"),
    accepts("9112 §7.1: data that looks like framing", chunked(b"5\r\n0\r\n\r\n\r\n" + END), "422 wrong_type"),
]
GROUPS["INVALID_CHUNK_SIZE"] = [
    refuses(f"9112 §7.1: {words}", FRAMING, chunked(size + b"\r\n" + CONTENT + b"\r\n" + END))
    for words, size in {
        "a plus sign": b"+3a", "a minus sign": b"-3a", "a prefix": b"0x3a", "an underscore": b"3_a", "a blank before it": b" 3a",
        "a tab before it": b"\t3a", "no size": b"", "no size, but an extension": b";a=b", "no hexadecimal digit": b"3g", "a comma": b"3,a",
        "a quoted size": b'"3a"', "NUL behind it": b"3a\x00", "fullwidth digits": b"\xef\xbc\x93a", "a suffix": b"3ah", "a point": b"3a.0",
    }.items()
]  # fmt: skip
GROUPS["HUGE_CHUNK"] = [
    refuses(f"9112 §7.1: {words}", TOO_LARGE, chunked(size + b"\r\n" + CONTENT + b"\r\n" + END))
    for words, size in {
        "2^32 + 58": b"10000003a", "2^63": b"8000000000000000", "2^63 - 1": b"7fffffffffffffff", "2^64 - 1": b"ffffffffffffffff",
        "2^64 + 58": b"1000000000000003a", "2^128 + 58": b"10000000000000000000000000000003a", "a hundred digits": b"f" * 100,
    }.items()
] + [
    refuses("9112 §7.1: a second chunk of 2^64 - 58", TOO_LARGE, chunked(CHUNK + b"ffffffffffffffc6\r\n" + CONTENT + b"\r\n" + END)),
]  # fmt: skip
GROUPS["CHUNK_LINE_ENDS"] = [
    refuses("9112 §7.1: bare LF behind the size", FRAMING, chunked(b"3a\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: bare LF behind the data", FRAMING, chunked(b"3a\r\n" + CONTENT + b"\n" + END)),
    refuses("9112 §7.1: bare LF behind the last size", FRAMING, chunked(CHUNK + b"0\n\r\n")),
    refuses("9112 §7.1: bare CR behind the size", FRAMING, chunked(b"3a\r" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: bare CR behind the data", FRAMING, chunked(b"3a\r\n" + CONTENT + b"\r" + END)),
    refuses("9112 §7.1: bare LF everywhere", FRAMING, chunked(b"3a\n" + CONTENT + b"\n0\n\n")),
    refuses("9112 §2.2: bare LF for the last line", MALFORMED, chunked(CHUNK + b"0\r\n\n")),
    refuses("9112 §2.2: CR and something else for the last line", MALFORMED, chunked(CHUNK + b"0\r\n\rX")),
]
GROUPS["CHUNK_ENDS"] = [
    refuses("9112 §7.1: no line end behind the data", FRAMING, chunked(b"3a\r\n" + CONTENT + END)),
    refuses("9112 §7.1: data longer than the size", FRAMING, chunked(b"39\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: data shorter than the size", FRAMING, chunked(b"3b\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: an empty line too many", FRAMING, chunked(CHUNK + b"\r\n" + END)),
]
GROUPS["CHUNK_EXTENSIONS"] = [
    accepts("9112 §7.1.1: a name", chunked(b"3a;a\r\n" + CONTENT + b"\r\n0;b\r\n\r\n")),
    accepts("9112 §7.1.1: a name and a value", chunked(b"3a;a=b;c=d\r\n" + CONTENT + b"\r\n" + END)),
    accepts("9112 §7.1.1: a quoted value with a semicolon", chunked(b'3a;a="b;c\\"d"\r\n' + CONTENT + b"\r\n" + END)),
    accepts("9112 §7.1.1: blanks around it", chunked(b"3a \t; a = b\r\n" + CONTENT + b"\r\n" + END)),
    accepts("9112 §7.1.1: an extension that looks like a size", chunked(b"3a;ff=0x10\r\n" + CONTENT + b"\r\n" + END)),
    accepts("9112 §7.1.1: an empty one", chunked(b"3a;\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: LF within", FRAMING, chunked(b"3a;a\nb\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: LF at its end", FRAMING, chunked(b"3a;a\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: CR within", FRAMING, chunked(b"3a;a\rb\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: CRLF in a quoted value", FRAMING, chunked(b'3a;a="\r\n"\r\n' + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: LF in a quoted value", FRAMING, chunked(b'3a;a="\n"\r\n' + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: NUL within", FRAMING, chunked(b"3a;a\0\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1.1: CR in the last one", FRAMING, chunked(CHUNK + b"0;a\rb\r\n\r\n")),
]
GROUPS["BLANK_BEHIND_SIZE"] = [
    refuses("9112 §7.1: SP and no extension", FRAMING, chunked(b"3a \r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: HTAB and no extension", FRAMING, chunked(b"3a\t\r\n" + CONTENT + b"\r\n" + END)),
    refuses("9112 §7.1: SP behind the last size", FRAMING, chunked(CHUNK + b"0 \r\n\r\n")),
    refuses("9112 §7.1: SP and another size", FRAMING, chunked(b"3a 3a\r\n" + CONTENT + b"\r\n" + END)),
]


def trailer(*lines):
    return chunked(CHUNK + b"0\r\n" + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n")


GROUPS["TRAILERS"] = [
    accepts("9112 §7.1.2: trailers", trailer("X: a", "Y:", "Z: \xe9")),
    refuses("9112 §7.1.2: no name", MALFORMED, trailer(": a")),
    refuses("9112 §7.1.2: no colon", MALFORMED, trailer("X")),
    refuses("9112 §7.1.2: a blank before the colon", MALFORMED, trailer("X : a")),
    refuses("9112 §7.1.2: a delimiter in a name", MALFORMED, trailer("X(Y): a")),
    refuses("9112 §7.1.2: an 8-bit octet in a name", MALFORMED, trailer("\xe9: a")),
    refuses("9112 §7.1.2: a blank first", MALFORMED, trailer(" X: a")),
    refuses("9110 §5.5: NUL in a trailer", MALFORMED, trailer("X: \0")),
    refuses("9112 §2.2: bare LF behind a trailer", MALFORMED, chunked(CHUNK + b"0\r\nX: a\n\r\n")),
    refuses("9112 §2.2: bare CR in a trailer", MALFORMED, trailer("X: a\rb")),
]
GROUPS["TRAILERS_NOT_MERGED"] = [
    accepts("9110 §6.5.1: Content-Length", trailer("Content-Length: 5")),
    accepts("9110 §6.5.1: Transfer-Encoding", trailer("Transfer-Encoding: gzip")),
    accepts("9110 §6.5.1: Host", trailer("Host: y")),
    accepts("9110 §6.5.1: Content-Type", trailer("Content-Type: text/plain")),
    accepts("9110 §6.5.1: Content-Encoding", trailer("Content-Encoding: br")),
    accepts("9110 §6.5.1: Connection", trailer("Connection: close")),
    accepts("9110 §6.5.1: Expect", trailer("Expect: x")),
    accepts("9110 §6.5.1: Accept", trailer("Accept: text/html")),
    accepts("9110 §6.5.1: Inference-Header-Content-Length", trailer("Inference-Header-Content-Length: 5")),
]
GROUPS["UNFINISHED_CHUNKS"] = [
    drops("9112 §8: no last chunk", chunked(CHUNK)),
    drops("9112 §8: no empty line", chunked(CHUNK + b"0\r\n")),
    drops("9112 §8: half of the empty line", chunked(CHUNK + b"0\r\n\r")),
    drops("9112 §8: no empty line behind a trailer", chunked(CHUNK + b"0\r\nX: a\r\n")),
    drops("9112 §8: an end within the data", chunked(CHUNK[:-3])),
    drops("9112 §8: an end within the size", chunked(b"3")),
    drops("9112 §8: no chunk", chunked(b"")),
]

# 6. Connection, pipelining, HEAD, Expect

GROUPS["PERSISTENCE"] = [
    accepts("9112 §9.3: HTTP/1.1 goes on", LIVE + LIVE + LIVE, "200", "200", "200"),
    accepts("9112 §9.3: keep-alive is not needed", with_field("Connection: keep-alive")),
    accepts("9112 §9.3: a token that only looks like close", with_field("Connection: closed, x-close")),
    accepts("9112 §9.3: a problem of the resource does not close", line("GET /nowhere HTTP/1.1") + LIVE, MISSING, "200"),
    closes("9112 §9.6: close", with_field("Connection: close")),
    closes("9112 §9.6: close in another case", with_field("cONNECTION: CLOSE")),
    closes("9112 §9.6: close in a list", with_field("Connection: foo, Close ,bar")),
    closes("9112 §9.6: close on the last of three lines", raw(GET, "Connection: keep-alive", HOST, "Connection: x", "Connection: close")),
    closes("9112 §9.3: close wins over keep-alive", with_field("Connection: close, keep-alive")),
    closes("9112 §9.6: close with content", post("Connection: close")),
    closes("9112 §9.6: close with chunked content", chunked(CHUNK + END, "Connection: close")),
    closes("9112 §9.6: close with a problem", raw("GET /nowhere HTTP/1.1", HOST, "Connection: close"), MISSING),
]  # fmt: skip
GROUPS["PERSISTENCE_IN_1_0"] = [
    closes("9112 §9.3: HTTP/1.0 does not go on", raw("GET /health/live HTTP/1.0")),
    closes("9112 §9.3: HTTP/1.0 with content", raw("POST /normalize HTTP/1.0", JSON, "Content-Length: 58", content=CONTENT)),
    accepts("9112 §9.3: HTTP/1.0 that is kept alive", raw("GET /health/live HTTP/1.0", "Connection: Keep-Alive")),
    accepts("9112 §9.3: HTTP/1.0 that is kept alive, with content", raw("POST /normalize HTTP/1.0", JSON, "Connection: keep-alive", "Content-Length: 58", content=CONTENT)),
    closes("9112 §9.3: HTTP/1.0, close wins over keep-alive", raw("GET /health/live HTTP/1.0", "Connection: keep-alive, close")),
]  # fmt: skip
GROUPS["AFTER_CLOSE"] = [
    closes("9112 §9.6: nothing behind close is processed", with_field("Connection: close") + LIVE + b"nonsense\r\n\r\n"),
    closes("9112 §9.6: nothing behind HTTP/1.0 is processed", raw("GET /health/live HTTP/1.0") + LIVE),
    closes("9112 §9.6: the second of three closes", LIVE + with_field("Connection: close") + LIVE, "200", "200"),
]
GROUPS["PIPELINES"] = [
    accepts("9112 §9.3.2: answers in order", LIVE + post() + line("GET /nowhere HTTP/1.1") + chunked(CHUNK + END) + line("GET /normalize HTTP/1.1") + LIVE, "200", "200", MISSING, "200", NOT_ALLOWED, "200"),
    accepts("9112 §9.3.2: HEAD between others", LIVE + line("HEAD /layer-types HTTP/1.1") + LIVE, "200", "HEAD 200", "200"),
    closes("9112 §9.3.2: answers before a refusal", LIVE + post() + line("GET  / HTTP/1.1") + LIVE, "200", "200", MALFORMED),
]  # fmt: skip
GROUPS["HEAD_WITHOUT_CONTENT"] = [
    accepts("9110 §9.3.2: HEAD and 404", line("HEAD /nowhere HTTP/1.1") + LIVE, "HEAD 404", "200"),
    accepts("9110 §9.3.2: HEAD and 405", line("HEAD /normalize HTTP/1.1") + LIVE, "HEAD 405", "200"),
    closes("9110 §9.3.2: HEAD and close", raw("HEAD /health/live HTTP/1.1", HOST, "Connection: close"), "HEAD 200"),
    closes("9110 §9.3.2: HEAD without Host", raw("HEAD /health/live HTTP/1.1"), "HEAD 400"),
    closes("9110 §9.3.2: HEAD of an invalid target", line("HEAD /# HTTP/1.1"), "HEAD 400"),
    closes("9110 §9.3.2: HEAD in HTTP/2.0", line("HEAD /health/live HTTP/2.0"), "HEAD 505"),
    closes("9110 §9.3.2: HEAD with a framing error", raw("HEAD /health/live HTTP/1.1", HOST, "Content-Length: x"), "HEAD 400"),
    closes("9110 §9.3.2: HEAD with an unknown expectation", raw("HEAD /health/live HTTP/1.1", HOST, "Expect: x"), "HEAD 417"),
]  # fmt: skip
GROUPS["EXPECTATIONS"] = [
    accepts("9110 §10.1.1: 100-continue", post("Expect: 100-continue")),
    accepts("9110 §10.1.1: in another case", post("expect: 100-CONTINUE")),
    accepts("9110 §10.1.1: with chunked content", chunked(CHUNK + END, "Expect: 100-continue")),
    accepts("9110 §10.1.1: without content", with_field("Expect: 100-continue")),
    accepts("9110 §10.1.1: twice", post("Expect: 100-continue, 100-continue")),
    accepts("9110 §10.1.1: HTTP/1.0 has no expectations", raw("GET /health/live HTTP/1.0", "Connection: keep-alive", "Expect: x")),
    closes("9110 §10.1.1: a refusal known from the path", post("Expect: 100-continue", start="POST /nowhere HTTP/1.1"), MISSING),
    closes("9110 §10.1.1: a refusal known from the method", post("Expect: 100-continue", start="PUT /normalize HTTP/1.1"), NOT_ALLOWED),
    closes("9110 §10.1.1: a refusal known from the type", framed("Content-Type: text/plain", "Expect: 100-continue", "Content-Length: 58", content=CONTENT), "415 unsupported_media_type"),
    closes("9110 §10.1.1: a refusal known from the length", framed("Expect: 100-continue", f"Content-Length: {2**40}", content=CONTENT), TOO_LARGE),
]  # fmt: skip
GROUPS["UNKNOWN_EXPECTATIONS"] = [
    refuses("9110 §10.1.1: an unknown one", "417 expectation_failed", with_field("Expect: 200-ok")),
    refuses("9110 §10.1.1: an unknown one beside the known one", "417 expectation_failed", post("Expect: 100-continue, x")),
    refuses("9110 §10.1.1: an unknown one on a second line", "417 expectation_failed", post("Expect: 100-continue", "Expect: x")),
    refuses("9110 §10.1.1: a parameter", "417 expectation_failed", post("Expect: 100-continue;a=b")),
]
GROUPS["UPGRADES"] = [
    accepts("9110 §7.8: h2c", raw(GET, HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")),
    accepts("9110 §7.8: WebSocket", raw(GET, HOST, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
    closes("9110 §7.8: with close", raw(GET, HOST, "Connection: Upgrade, close", "Upgrade: TLS/1.0")),
]  # fmt: skip

# 7. Responses and status codes

GROUPS["STATUSES"] = [
    accepts("9110 §15.5.1: content that is no JSON", post(content=b"{"), "400 invalid_json"),
    accepts("9110 §15.5.5: an unknown path", line("GET /nowhere HTTP/1.1"), MISSING),
    accepts("9110 §15.5.6: a known path, another method", line("GET /normalize HTTP/1.1"), NOT_ALLOWED),
    accepts("9110 §15.5.7: nothing acceptable", post("Accept: text/html"), "406 not_acceptable"),
    refuses("9110 §15.5.14: content too large", TOO_LARGE, framed(f"Content-Length: {2**40}")),
    accepts("9110 §15.5.16: an unknown media type", raw(POST, HOST, "Content-Type: text/plain", "Content-Length: 58", content=CONTENT), "415 unsupported_media_type"),
    accepts("9110 §15.5.21: a layer without its input", post(content=b'{"layer":{"type":"layer_norm"}}'), "422 missing_member"),
    refuses("9110 §15.6.2: an unknown transfer coding", "501 unsupported_transfer_coding", framed("Transfer-Encoding: gzip, chunked")),
]  # fmt: skip
GROUPS["OPTIONS"] = [
    accepts("9110 §9.3.7: OPTIONS of a path", line("OPTIONS /normalize HTTP/1.1"), "204"),
    accepts("9110 §9.3.7: OPTIONS of another", line("OPTIONS /health/live HTTP/1.1"), "204"),
    accepts("9110 §9.3.7: OPTIONS of an unknown path", line("OPTIONS /nowhere HTTP/1.1"), MISSING),
]

CASES = [case for group in GROUPS.values() for case in group]

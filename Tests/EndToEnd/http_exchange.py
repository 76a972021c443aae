"""Conversations with the server on many connections side by side, each cut into its own pieces."""

import os
import re
import socket
import time

from problems import check_problem
from server import ResponseReader, request

# The last request of a conversation: that it is answered shows that the connection was still in use.
LAST = request("GET", "/health/live", b"", "Connection: close")
# In place of a piece: the client ends its sending side.
END = None
AT_ONCE = 500


class Received:
    """What came over a connection, to be read as from one."""

    def __init__(self, content):
        self.content = content

    def recv(self, _):
        content, self.content = self.content, b""
        return content


def send(connection, piece):
    try:
        if piece is END:
            connection.shutdown(socket.SHUT_WR)
        elif piece:
            connection.sendall(piece)
    except ConnectionError:
        pass  # The server has closed; what it said before shows whether it may.


def arrived(connection):
    """What can be read without waiting."""
    try:
        return os.read(connection.fileno(), 1 << 16)  # Not recv, which would wait until its time is over.
    except BlockingIOError:
        return b""


def rest(connection):
    """All that comes until the server closes its side."""
    received = []
    while piece := connection.recv(1 << 16):
        received.append(piece)
    return b"".join(received)


def converse(server, conversations, pause=0.001, timeout=10):
    """Sends the pieces of each conversation, the first ones of all, then the second ones, and so on.

    Returns for each what came before its second piece was sent, and all that came until the server closed.
    """
    results = []
    for start in range(0, len(conversations), AT_ONCE):
        batch = conversations[start : start + AT_ONCE]
        connections = [server.connect(timeout) for _ in batch]
        try:
            early = []
            for number in range(max(map(len, batch))):
                if number == 1:
                    early = [arrived(connection) for connection in connections]
                for connection, pieces in zip(connections, batch):
                    if number < len(pieces):
                        send(connection, pieces[number])
                time.sleep(pause)
            early = early or [b""] * len(batch)
            results += [(before, before + rest(connection)) for before, connection in zip(early, connections)]
        finally:
            for connection in connections:
                connection.close()
    return results


def without_interim(content):
    return content.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")


def comparable(content):
    """Answers without what differs from one time to the next: dates, timings, and whether 100 was needed."""
    content = re.sub(rb"\r\nDate: [^\r]*", b"", without_interim(content))
    content = re.sub(rb'"timing":\{[^}]*\}', b"", content)
    return re.sub(rb"\r\nServer-Timing: [^\r]*((?:\r\n[^\r]+)*?)\r\nContent-Length: \d+", rb"\1", content)


def check_answer(response, expected, is_last=False, codes=None):
    """Holds one final response against `expected`, which is written as in http_cases, and against what all obey."""
    words = expected.removeprefix("HEAD ").split()
    is_head = expected.startswith("HEAD ")
    assert response is not None, f"the connection was closed instead of {expected}"
    assert response.status == int(words[0]), f"{response.status} instead of {expected}: {response.content!r}"
    names = [name for name, _ in response.fields]
    assert len(names) == len(set(names)), f"a field is repeated: {names}"
    # 9110 §6.6.1
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", response["date"])
    # 9112 §6.1, 9110 §8.6: one framing.
    assert ("content-length" in names) + ("transfer-encoding" in names) == (response.status != 204), names
    # 9112 §9.6
    assert ((response["connection"] or "") == "close") == is_last, response.fields
    if response.status == 405:
        assert response["allow"]
    if response.status == 503:
        assert int(response["retry-after"]) > 0
    if response.status >= 400 and not is_head:
        document = check_problem(response.status, response["content-type"], response.json(), codes)
        assert words[1:] in ([], [document["code"]]), document
    if is_head:
        assert not response.content


def check_answers(content, case, codes=None):
    """Holds all that was received for a case, and for `LAST` behind it, against what must."""
    reader = ResponseReader(Received(content))
    expected = list(case.answers) + ([] if case.closes else ["200"])
    for number, answer in enumerate(expected):
        response = reader.final(to_head=answer.startswith("HEAD "))
        check_answer(response, answer, number + 1 == len(expected), codes)
    assert reader.is_closed(), f"more answers than requests: {reader.buffer!r}"

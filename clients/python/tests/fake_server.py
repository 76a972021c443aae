"""A server whose every word the test writes, for what the real one never does."""

import contextlib
import json
import socket
import threading

import numpy as np


class FakeServer:
    """Accepts connections and gives each to `serve(connection, number)`, in a thread of its own."""

    def __init__(self, serve):
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        #: How many of them have been closed again.
        self.closed = 0
        self._open = []
        #: The heads and contents of all requests that `read_request` read.
        self.requests = []
        self.ended = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.ended.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(connection, self.connections))
            self.connections += 1
            self._open.append(connection)
            self._threads.append(thread)
            thread.start()

    def _run(self, connection, number):
        with connection, contextlib.suppress(OSError):  # What `__exit__` ends, ends so.
            connection.settimeout(10)
            self._serve(self, connection, number)
        self.closed += 1

    def read_request(self, connection):
        """The head and the content of the next request; None when the client has closed."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (more := connection.recv(1 << 16)):
                return None
            received += more
        head, _, content = received.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(content) < int((lengths or [b"0"])[0]):
            if not (more := connection.recv(1 << 16)):
                return None
            content += more
        self.requests.append((head, content))
        return head, content

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        socket.create_connection(self._listener.getsockname()).close()  # Wakes `accept`.
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        self._listener.close()


TIMING = dict.fromkeys(["receive_us", "queue_us", "decode_us", "compute_us", "encode_us", "total_us"], 1.5)


def answer_parts(x):
    """The JSON and the bytes of an answer that leaves `x` as it is."""
    output = {"shape": x.shape, "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}
    header = json.dumps({"layer": {"type": "layer_norm"}, "output": output, "timing": TIMING}).encode()
    return header, np.ascontiguousarray(x).tobytes()


def answer(x, chunked=False):
    """The whole answer as it goes over the wire."""
    header, content = answer_parts(x)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nInference-Header-Content-Length: {len(header)}\r\n"
    if not chunked:
        return f"{head}Content-Length: {len(header) + len(content)}\r\n\r\n".encode() + header + content
    body, chunks = header + content, []
    for start in range(0, len(body), 100):
        piece = body[start : start + 100]
        chunks += [f"{len(piece):x}\r\n".encode(), piece, b"\r\n"]
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(chunks) + b"0\r\n\r\n"


def refusal(status, *fields, code="overloaded", detail="too many requests"):
    """A problem document as it goes over the wire."""
    content = json.dumps(
        {"type": "about:blank", "status": status, "code": code, "detail": detail, "error": detail}
    ).encode()
    lines = [
        f"HTTP/1.1 {status} No",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(content)}",
        *fields,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

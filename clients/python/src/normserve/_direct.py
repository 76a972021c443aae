"""A transport of httpx that receives an answer into memory of the caller's choice.

That of httpx itself copies every byte of an answer three times and of a request once, which takes longer than the
normalization. This one does what a client of one server needs and no more: HTTP/1.1, the head read by the standard
library's http.client, connections kept, TLS, Unix sockets, and a deadline for the whole exchange.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

# RFC 9110 §5.5: what the value of a field must not hold, lest it ends the field.
_FORBIDDEN = re.compile(rb"[\r\n\0]")

# What is smaller is copied to the head.
_SMALL = 1 << 14

# A server that closes idle connections later than this, as normserve does (75 s), never closes one that is in use.
IDLE_SECONDS = 60.0


class DirectTransport(httpx.BaseTransport):
    """Sends each request on a connection of its own, which it keeps for later ones. Thread-safe."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        """`ssl_context`: needed for https; `uds`: the path of a Unix socket to connect to, whatever the URL says."""
        self._ssl_context = ssl_context
        self._uds = uds
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """`request.extensions["deadline"]`: when all must be over, on time.monotonic(); None is never.

        The response's `extensions["readinto"]` reads what is next of the content into a buffer, as a file does.
        """
        deadline: float | None = request.extensions.get("deadline")
        connection = self._take(request.url.scheme, request.url.host, request.url.port)
        if connection is None:
            connection = self._connect(request.url, deadline)
        try:
            response = connection.exchange(request, deadline)
        except BaseException:
            connection.close()
            raise
        stream = _Content(self, connection, response)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders()]
        return httpx.Response(response.status, headers=headers, stream=stream, extensions={"readinto": stream.readinto})

    def close(self) -> None:
        """Closes the connections that nobody uses, and each other one when its answer ends."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def give_back(self, connection: _Connection) -> None:
        """Keeps a connection whose answer was received to its end, and no others for which it has become too late."""
        expired = [connection]
        with self._lock:
            if not self._is_closed:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
                # They lie in the order of their time, so that the last, which is new, is not among them.
                count = next(index for index, one in enumerate(self._idle) if not one.is_expired())
                expired, self._idle = self._idle[:count], self._idle[count:]
        for one in expired:
            one.close()

    def _take(self, *origin: Any) -> _Connection | None:
        """The connection that was used last, if it is still good."""
        while True:
            with self._lock:
                found = next((one for one in reversed(self._idle) if one.origin == origin), None)
                if found is None:
                    return None
                self._idle.remove(found)
            if found.is_good():
                return found
            found.close()

    def _connect(self, url: httpx.URL, deadline: float | None) -> _Connection:
        with translated(httpx.ConnectError, httpx.ConnectTimeout):
            if self._uds is not None:
                connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            else:
                port = url.port or (443 if url.scheme == "https" else 80)
                connected = socket.create_connection((url.host, port), _seconds(deadline))
            try:
                if self._uds is not None:
                    connected.settimeout(_seconds(deadline))
                    connected.connect(self._uds)
                else:
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if url.scheme == "https":
                    context = self._ssl_context or httpx.create_ssl_context()
                    connected.settimeout(_seconds(deadline))
                    connected = context.wrap_socket(connected, server_hostname=url.host)
            except BaseException:
                connected.close()
                raise
        return _Connection(connected, (url.scheme, url.host, url.port))


class _Connection:
    """A connection that has at most one exchange at a time."""

    def __init__(self, connected: socket.socket, origin: tuple[Any, ...]) -> None:
        self._socket = connected
        self.origin = origin
        self.idle_since = 0.0

    def exchange(self, request: httpx.Request, deadline: float | None) -> http.client.HTTPResponse:
        """Sends a request and reads the head of the answer."""
        is_sent = self._send(request, deadline)
        readable = _Readable(self._socket, deadline)
        response = http.client.HTTPResponse(readable, method=request.method)  # type: ignore[arg-type]
        try:
            with translated(httpx.ReadError, httpx.ReadTimeout):
                response.begin()
            if readable.raw.is_at_end:  # Which http.client takes for the end of the head.
                raise httpx.ReadError("the connection was closed within the head of the answer")
        except BaseException:
            response.close()
            raise
        response.will_close = response.will_close or not is_sent
        return response

    def _send(self, request: httpx.Request, deadline: float | None) -> bool:
        """Whether all was sent; a server may answer, and even close, before it has read everything."""
        pending = request_head(request)
        try:
            with translated(httpx.WriteError, httpx.WriteTimeout):
                for piece in request.stream:  # type: ignore[union-attr]
                    if len(pending) + len(piece) <= _SMALL:
                        pending += piece
                        continue
                    if not pending and self._has_answered():
                        return False
                    self._send_all(pending, piece, deadline)
                    pending = b""
                self._send_all(b"", pending, deadline)
        except httpx.WriteError:
            return False  # Its answer may be there all the same.
        return True

    def _send_all(self, first: bytes, second: bytes, deadline: float | None) -> None:
        """Sends both, at once where that does not need a copy of them."""
        if first:
            self._socket.settimeout(_seconds(deadline))
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.sendall(first)
            else:
                sent = self._socket.sendmsg([first, second])
                self._socket.sendall(first[sent:])
                second = memoryview(second)[max(0, sent - len(first)) :]  # type: ignore[assignment]
        self._socket.settimeout(_seconds(deadline))
        self._socket.sendall(second)

    def _has_answered(self) -> bool:
        return not isinstance(self._socket, ssl.SSLSocket) and is_readable(self._socket.fileno())

    def is_good(self) -> bool:
        """Whether the server has not closed it, nor said what nobody asked for."""
        return not self.is_expired() and not is_readable(self._socket.fileno())

    def is_expired(self) -> bool:
        """Whether the server may be about to close it."""
        return time.monotonic() - self.idle_since >= IDLE_SECONDS

    def close(self) -> None:
        self._socket.close()


class _Content(httpx.SyncByteStream):
    """The content of an answer, read from its connection."""

    def __init__(self, transport: DirectTransport, connection: _Connection, response: http.client.HTTPResponse) -> None:
        self._transport = transport
        self._connection: _Connection | None = connection
        self._response = response

    def readinto(self, buffer: memoryview) -> int:
        """How many bytes of the content were written to `buffer`; 0 after the last."""
        with translated(httpx.ReadError, httpx.ReadTimeout):
            count = self._response.readinto(buffer)
        if not count and buffer and self._response.length:
            raise httpx.ReadError("the connection was closed within the answer")
        return count

    def __iter__(self) -> Iterator[bytes]:
        buffer = memoryview(bytearray(1 << 16))
        while count := self.readinto(buffer):
            yield bytes(buffer[:count])

    def close(self) -> None:
        """Keeps the connection if the content was read to its end, and closes it otherwise."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._response.isclosed() and not self._response.will_close:
            self._transport.give_back(connection)
        else:
            self._response.close()
            connection.close()


class _Readable:
    """What http.client reads an answer from: a socket, until a deadline."""

    def __init__(self, connected: socket.socket, deadline: float | None) -> None:
        self.raw = _RawReader(connected, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.raw)


class _RawReader(io.RawIOBase):
    """The bytes of a socket, which stays open when this is closed."""

    def __init__(self, connected: socket.socket, deadline: float | None) -> None:
        self._socket = connected
        self._deadline = deadline
        #: Whether somebody wanted more than there was.
        self.is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_seconds(self._deadline))
        count = self._socket.recv_into(buffer)
        self.is_at_end = not count
        return count


def request_head(request: httpx.Request) -> bytes:
    lines = [request.method.encode("ascii") + b" " + request.url.raw_path + b" HTTP/1.1"]
    for name, value in request.headers.raw:
        if _FORBIDDEN.search(value):
            raise httpx.LocalProtocolError(f"the field {name!r} has a value that no field can have")
        lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""])


def _seconds(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


def is_readable(descriptor: int) -> bool:
    """Whether a socket has bytes to be read, or has come to its end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


@contextlib.contextmanager
def translated(error: type[httpx.TransportError], timeout: type[httpx.TransportError]) -> Iterator[None]:
    """Raises what sockets and http.client raise as httpx does."""
    try:
        yield
    except TimeoutError as cause:
        raise timeout(str(cause)) from cause
    except OSError as cause:  # http.client.RemoteDisconnected, too, and all of ssl.
        raise error(str(cause)) from cause
    except http.client.HTTPException as cause:
        raise httpx.RemoteProtocolError(str(cause) or type(cause).__name__) from cause

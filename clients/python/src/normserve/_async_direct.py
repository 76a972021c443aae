"""`_direct` for asyncio: answers are received into memory of the caller's choice, in one turn of the task."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import re
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx

from ._direct import IDLE_SECONDS, request_head, translated

# What comes before somebody wants it, the head of an answer among it, goes here; no more is taken in when it is full.
_BUFFER = 1 << 16

# What is smaller goes out with the head; copying this much takes less time than another call to send.
_SMALL = 1 << 17

# RFC 9112 §7.1: a chunk's size, and extensions that nobody knows.
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")

# How long an orderly end of TLS may take.
_CLOSE_SECONDS = 1.0


class AsyncDirectTransport(httpx.AsyncBaseTransport):
    """Sends each request on a connection of its own, which it keeps for later ones of the same event loop."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        """`ssl_context`: needed for https; `uds`: the path of a Unix socket to connect to, whatever the URL says."""
        self._ssl_context = ssl_context
        self._uds = uds
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response's `extensions["readinto"]` fills a buffer with what is next of the content, to its end."""
        connection = self._take(request.url) or await self._connect(request.url)
        try:
            response = await connection.exchange(request)
        except BaseException:
            connection.abort()
            raise
        stream = _Content(self, connection, response)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders()]
        return httpx.Response(response.status, headers=headers, stream=stream, extensions={"readinto": stream.readinto})

    async def aclose(self) -> None:
        """Closes the connections that nobody uses, and each other one when its answer ends."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()

    async def give_back(self, connection: _Connection) -> None:
        """Keeps a connection whose answer was received to its end."""
        connection.idle_since = time.monotonic()
        if self._is_closed:
            await connection.close()
        else:
            self._idle.append(connection)

    def _take(self, url: httpx.URL) -> _Connection | None:
        """The connection that was used last, if it is still good."""
        origin = _origin(url)
        while (found := next((one for one in reversed(self._idle) if one.origin == origin), None)) is not None:
            self._idle.remove(found)
            if found.is_good():
                return found
            found.abort()
        return None

    async def _connect(self, url: httpx.URL) -> _Connection:
        loop = asyncio.get_running_loop()
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            context = self._ssl_context or httpx.create_ssl_context()
        name = url.host if context else None

        def make() -> _Connection:
            return _Connection(_origin(url))

        with translated(httpx.ConnectError, httpx.ConnectTimeout):
            if self._uds is not None:
                _, connection = await loop.create_unix_connection(make, self._uds, ssl=context, server_hostname=name)
            else:
                port = url.port or (443 if context else 80)
                _, connection = await loop.create_connection(make, url.host, port, ssl=context, server_hostname=name)
        return connection


def _origin(url: httpx.URL) -> tuple[Any, ...]:
    return url.scheme, url.host, url.port, asyncio.get_running_loop()


class _Connection(asyncio.BufferedProtocol):
    """A connection that has at most one exchange at a time."""

    def __init__(self, origin: tuple[Any, ...]) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self._transport: asyncio.Transport
        # What came and nobody wanted yet: from _start to _end.
        self._buffer = bytearray(_BUFFER)
        self._start = self._end = 0
        # Where the next bytes go while somebody waits for them.
        self._target: memoryview | None = None
        self._wakers: list[asyncio.Future[None]] = []
        self._is_full = False
        self._may_write = True
        self._is_at_end = False
        self._error: Exception | None = None
        self._closed = asyncio.get_running_loop().create_future()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        if self._target is not None:
            return self._target
        if self._end == len(self._buffer):  # TLS may still bring what it had read before it was paused.
            self._buffer = self._buffer + bytes(len(self._buffer))
        return memoryview(self._buffer)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._target is None:
            self._end += nbytes
            self._wake()
            if self._end >= _BUFFER and not self._is_full:
                self._is_full = True
                self._transport.pause_reading()
            return
        self._target = self._target[nbytes:]
        if not self._target:
            self._target = None
            self._wake()

    def eof_received(self) -> bool:
        self._is_at_end = True
        self._wake()
        return False

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_at_end = True
        self._error = exc
        self._may_write = True
        self._wake()
        if not self._closed.done():
            self._closed.set_result(None)

    def _wake(self) -> None:
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            if not waker.done():
                waker.set_result(None)

    async def _event(self) -> None:
        """Waits until something has happened."""
        waker = asyncio.get_running_loop().create_future()
        self._wakers.append(waker)
        await waker

    # What the transport of httpx calls.

    async def exchange(self, request: httpx.Request) -> http.client.HTTPResponse:
        """Sends a request and reads the head of the answer."""
        is_sent = await self._send(request)
        with translated(httpx.ReadError, httpx.ReadTimeout):
            response = await self._read_head(request.method)
        response.will_close = response.will_close or not is_sent
        return response

    async def _send(self, request: httpx.Request) -> bool:
        """Whether all was sent; a server may answer, and even close, before it has read everything."""
        pending = request_head(request)
        async for piece in cast(httpx.AsyncByteStream, request.stream):
            if len(pending) + len(piece) <= _SMALL:
                pending += piece
                continue
            if pending:
                self._transport.write(pending)
                pending = b""
            while not self._may_write:
                await self._event()
            if self._end > self._start or self._is_at_end:
                return False
            self._transport.write(piece)
        self._transport.write(pending)
        return not self._is_at_end

    async def _read_head(self, method: str) -> http.client.HTTPResponse:
        while True:
            head = bytearray()
            while line := await self.readline():
                head += line
                if len(head) > _BUFFER:
                    raise http.client.HTTPException("the head of the answer is too long")
                if line in (b"\r\n", b"\n"):
                    break
            if not line:
                raise ConnectionResetError("the connection was closed before the answer")
            if not re.match(rb"HTTP/1\.[01] 1", head):  # RFC 9110 §15.2: interim answers precede the final one.
                response = http.client.HTTPResponse(_Head(head), method=method)  # type: ignore[arg-type]
                with contextlib.closing(response):
                    response.begin()
                return response

    async def readinto(self, buffer: memoryview) -> int:
        """How many bytes were written to `buffer`: all that it holds, or fewer at the end."""
        count = min(len(buffer), self._end - self._start)
        buffer[:count] = memoryview(self._buffer)[self._start : self._start + count]
        self._consume(count)
        rest = buffer[count:]
        if not rest:
            return count
        self._target = rest
        try:
            while self._target is not None and not self._is_at_end:
                await self._event()
            missing = 0 if self._target is None else len(self._target)
        finally:
            self._target = None
        if missing:
            self._check()
        return len(buffer) - missing

    async def readline(self) -> bytes:
        """What is next, up to and with a line feed; empty at the end."""
        searched = self._start
        while True:
            found = self._buffer.find(b"\n", searched, self._end)
            if found >= 0:
                line = bytes(self._buffer[self._start : found + 1])
                self._consume(len(line))
                return line
            if self._end - self._start >= _BUFFER:
                raise http.client.HTTPException("a line of the answer is too long")
            if self._is_at_end:
                self._check()
                return b""
            self._make_room()
            searched = self._end
            await self._event()

    def _consume(self, count: int) -> None:
        self._start += count
        if self._start < self._end:
            return
        self._start = self._end = 0
        self._resume()

    def _make_room(self) -> None:
        """Moves the beginning of a line to the beginning of a full buffer."""
        if self._is_full:
            rest = self._buffer[self._start : self._end]
            self._buffer[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
            self._resume()

    def _resume(self) -> None:
        if self._is_full and not self._is_at_end:
            self._transport.resume_reading()
        self._is_full = False

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def is_good(self) -> bool:
        """Whether the server has not closed it, nor said what nobody asked for."""
        is_quiet = not self._is_at_end and self._end == 0 and not self._transport.is_closing()
        return is_quiet and time.monotonic() - self.idle_since < IDLE_SECONDS

    def abort(self) -> None:
        """Closes it at once."""
        with contextlib.suppress(RuntimeError):  # Its event loop may be closed, and then so is it.
            self._transport.close() if self._closed.done() else self._transport.abort()

    async def close(self) -> None:
        """Closes it in order."""
        if self.origin[-1] is not asyncio.get_running_loop():
            return self.abort()
        self._transport.close()
        await asyncio.wait([self._closed], timeout=_CLOSE_SECONDS)
        self.abort()


class _Content(httpx.AsyncByteStream):
    """The content of an answer, read from its connection."""

    def __init__(
        self, transport: AsyncDirectTransport, connection: _Connection, response: http.client.HTTPResponse
    ) -> None:
        self._transport = transport
        self._connection: _Connection | None = connection
        self._response = response
        self._is_chunked = bool(response.chunked)
        # Bytes until the end of the content or of a chunk; None where the end is that of the connection.
        self._left = 0 if self._is_chunked else response.length
        self._is_complete = self._left == 0 and not self._is_chunked
        self._is_first_chunk = True

    async def readinto(self, buffer: memoryview) -> int:
        """How many bytes of the content were written to `buffer`: all that it holds, or fewer at the end."""
        connection = self._connection
        if connection is None:
            raise httpx.StreamClosed()
        total = 0
        with translated(httpx.ReadError, httpx.ReadTimeout):
            while total < len(buffer) and not self._is_complete:
                if self._is_chunked and not self._left and not await self._next_chunk(connection):
                    break
                window = buffer[total:] if self._left is None else buffer[total : total + self._left]
                count = await connection.readinto(window)
                total += count
                if self._left is None:
                    self._is_complete = count < len(window)
                    continue
                if count < len(window):
                    raise httpx.ReadError("the connection was closed within the answer")
                self._left -= count
                self._is_complete = not self._left and not self._is_chunked
        return total

    async def _next_chunk(self, connection: _Connection) -> bool:
        """Reads a chunk's size; False after the last, whose trailers are passed over."""
        if not self._is_first_chunk and (await connection.readline()).strip():
            raise http.client.HTTPException("a chunk of the answer is longer than its size says")
        self._is_first_chunk = False
        size = _CHUNK_SIZE.fullmatch((await connection.readline()).strip())
        if size is None:
            raise http.client.HTTPException("a chunk of the answer has no size")
        self._left = int(size[1], 16)
        if self._left:
            return True
        while (line := await connection.readline()).strip():
            pass
        if not line:
            raise http.client.HTTPException("the answer ends within its trailers")
        self._is_complete = True
        return False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        buffer = memoryview(bytearray(1 << 16))
        while count := await self.readinto(buffer):
            yield bytes(buffer[:count])

    async def aclose(self) -> None:
        """Keeps the connection if the content was read to its end, and closes it otherwise."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not self._is_complete:
            connection.abort()
        elif self._response.will_close or self._left is None:
            await connection.close()
        else:
            await self._transport.give_back(connection)


class _Head:
    """What http.client reads a head from: the bytes of one."""

    def __init__(self, head: bytearray) -> None:
        self._head = head

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._head)

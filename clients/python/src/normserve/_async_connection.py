"""A connection of asyncio that receives into memory of the caller's choice, in one turn of the task."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import re
import socket
import time
from typing import Any, cast

import httpx

from ._direct import IDLE_SECONDS, is_readable, request_head, translated

# What comes before somebody wants it, the head of an answer among it, goes here; no more is taken in when it is full.
_BUFFER = 1 << 16

# What is smaller goes out with the head; copying this much takes less time than another call to send.
_SMALL = 1 << 17

# How long an orderly end of TLS may take.
_CLOSE_SECONDS = 1.0


class AsyncConnection(asyncio.BufferedProtocol):
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
        if self._is_at_end or self._end or self._is_expired():
            return False
        # The event loop may not have come to tell.
        return not self._transport.is_closing() and not is_readable(self._transport.get_extra_info("socket").fileno())

    def is_useless(self) -> bool:
        """Whether its event loop is closed; or is the running one, and the server may be about to close it."""
        loop = self._closed.get_loop()
        return loop.is_closed() or (self._is_expired() and loop is asyncio.get_running_loop())

    def _is_expired(self) -> bool:
        return time.monotonic() - self.idle_since >= IDLE_SECONDS

    def abort(self) -> None:
        """Closes it at once."""
        if not self._closed.get_loop().is_closed():
            self._transport.close() if self._closed.done() else self._transport.abort()
        elif not self._closed.done():
            # Without its event loop no transport closes its socket before it is collected; so the connection is ended
            # here, and the cycle of the two is broken, lest that takes long.
            self._closed.cancel()
            # Those of uvloop are closed, and cannot be shut down.
            with contextlib.suppress(OSError, TypeError, AttributeError):
                self._transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            del self._transport

    async def close(self) -> None:
        """Closes it in order."""
        if self.origin[-1] is not asyncio.get_running_loop():
            return self.abort()
        self._transport.close()
        await asyncio.wait([self._closed], timeout=_CLOSE_SECONDS)
        self.abort()


class _Head:
    """What http.client reads a head from: the bytes of one."""

    def __init__(self, head: bytearray) -> None:
        self._head = head

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._head)

"""`_direct` for asyncio: answers are received into memory of the caller's choice, in one turn of the task."""

from __future__ import annotations

import asyncio
import http.client
import re
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from ._async_connection import AsyncConnection
from ._direct import translated

# RFC 9112 §7.1: a chunk's size, and extensions that nobody knows.
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class AsyncDirectTransport(httpx.AsyncBaseTransport):
    """Sends each request on a connection of its own, which it keeps for later ones of the same event loop."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        """`ssl_context`: needed for https; `uds`: the path of a Unix socket to connect to, whatever the URL says."""
        self._ssl_context = ssl_context
        self._uds = uds
        self._idle: list[AsyncConnection] = []
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

    async def give_back(self, connection: AsyncConnection) -> None:
        """Keeps a connection whose answer was received to its end, and no others that are of no more use."""
        if self._is_closed:
            return await connection.close()
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        useless = [one for one in self._idle if one.is_useless()]
        if useless:
            self._idle = [one for one in self._idle if one not in useless]
        for one in useless:
            one.abort()

    def _take(self, url: httpx.URL) -> AsyncConnection | None:
        """The connection that was used last, if it is still good."""
        origin = _origin(url)
        while (found := next((one for one in reversed(self._idle) if one.origin == origin), None)) is not None:
            self._idle.remove(found)
            if found.is_good():
                return found
            found.abort()
        return None

    async def _connect(self, url: httpx.URL) -> AsyncConnection:
        loop = asyncio.get_running_loop()
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            context = self._ssl_context or httpx.create_ssl_context()
        name = url.host if context else None

        def make() -> AsyncConnection:
            return AsyncConnection(_origin(url))

        with translated(httpx.ConnectError, httpx.ConnectTimeout):
            if self._uds is not None:
                _, connection = await loop.create_unix_connection(make, self._uds, ssl=context, server_hostname=name)
            else:
                port = url.port or (443 if context else 80)
                _, connection = await loop.create_connection(make, url.host, port, ssl=context, server_hostname=name)
        return connection


def _origin(url: httpx.URL) -> tuple[Any, ...]:
    return url.scheme, url.host, url.port, asyncio.get_running_loop()


class _Content(httpx.AsyncByteStream):
    """The content of an answer, read from its connection."""

    def __init__(
        self, transport: AsyncDirectTransport, connection: AsyncConnection, response: http.client.HTTPResponse
    ) -> None:
        self._transport = transport
        self._connection: AsyncConnection | None = connection
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

    async def _next_chunk(self, connection: AsyncConnection) -> bool:
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

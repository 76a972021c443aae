"""A client's connection, plain or TLS: everything that a client can do to a server, down to the segment."""

import asyncio
import contextlib
import re
import select
import socket
import ssl
import struct
import time
import zlib

HEAD_LIMIT = 64 << 10
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) [ -~]*")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]?([ -~]*)")


class Violation(Exception):
    """The server did what it must never do."""


class Response:
    """An answer as it stood on the wire; `content` without chunk framing, content coding as it came."""

    def __init__(self, head):
        self.head = bytes(head)
        status_line, *lines = self.head[:-4].split(b"\r\n")
        if not (status := STATUS_LINE.fullmatch(status_line)):
            raise Violation(f"no status line: {status_line[:80]!r}")
        self.status = int(status[1])
        self.fields = []
        for line in lines:
            if not (field := FIELD.fullmatch(line)):
                raise Violation(f"no field line: {line[:80]!r}")
            self.fields.append((field[1].lower(), field[2].strip()))
        self.content = b""

    def __getitem__(self, name):
        """The value of a field, its lines joined; None if there is none."""
        values = [value for key, value in self.fields if key == name]
        return b", ".join(values) if values else None

    @property
    def closes(self):
        return self[b"connection"] == b"close"

    def decoded(self):
        """The content without its coding."""
        coding = self[b"content-encoding"]
        if coding is None:
            return self.content
        decoder = zlib.decompressobj({b"gzip": 31, b"deflate": 15}[coding])
        try:
            content = decoder.decompress(self.content)
        except zlib.error as error:
            raise Violation(f"the answer is not {coding.decode()}: {error}") from None
        if not decoder.eof or decoder.unused_data:
            raise Violation(f"the answer is not one whole {coding.decode()} stream")
        return content


class Connection:
    """One connection. What the peer does to it comes as OSError, its end as b""."""

    def __init__(self, connected, tls=None):
        self.loop = asyncio.get_running_loop()
        self.socket = connected
        self.buffer = bytearray()
        # When the connection was there, and when the last request on it was begun, or else the connection itself.
        self.opened_at = self.begun_at = time.monotonic()
        self.answers = 0
        self.tls, self.tls_settings = None, tls
        if tls:
            self.incoming, self.outgoing, self.writing = ssl.MemoryBIO(), ssl.MemoryBIO(), asyncio.Lock()
            self.tls = tls.wrap(self.incoming, self.outgoing)

    @classmethod
    async def open(cls, address, tls=None, receive_buffer=None):
        connected = socket.socket()
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            begun_at = time.monotonic()
            await asyncio.get_running_loop().sock_connect(connected, address)
            connection = cls(connected, tls)
            connection.begun_at = begun_at
        except BaseException:
            connected.close()
            raise
        if tls:
            try:
                await connection._through_tls(connection.tls.do_handshake)
                tls.established(connection.tls)
            except BaseException:
                connection.close()
                raise
            connection.opened_at = time.monotonic()
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Bytes

    async def send(self, data):
        """Returns when the system has taken all of it."""
        if self.tls:
            for start in range(0, len(data), 1 << 18):
                await self._through_tls(self.tls.write, data[start : start + (1 << 18)])
        else:
            await self.loop.sock_sendall(self.socket, data)

    async def receive(self, limit=1 << 18):
        """Some bytes; b"" at the end, which in TLS must have been announced."""
        if not self.tls:
            return await self.loop.sock_recv(self.socket, limit)
        try:
            return await self._through_tls(self.tls.read, limit, limit=limit)
        except ssl.SSLZeroReturnError:
            return b""

    async def _through_tls(self, function, *arguments, limit=1 << 18):
        while True:
            try:
                result = function(*arguments)
            except ssl.SSLWantReadError:
                # Whoever sends at the moment may wait for the server, which waits for the answer to be read.
                if not self.writing.locked():
                    await self._flush()
                data = await self.loop.sock_recv(self.socket, limit)
                self.incoming.write(data) if data else self.incoming.write_eof()
            else:
                if function != self.tls.read:
                    await self._flush()
                return result

    async def _flush(self):
        # The order is that of the records, and whoever sends takes along what a reader has to say.
        async with self.writing:
            while data := self.outgoing.read():
                await self.loop.sock_sendall(self.socket, data)

    # Ends

    async def end_sending(self):
        """Half-closes: nothing more will be sent, answers are still read."""
        if self.tls:
            # `unwrap` looks for the server's close_notify, too, and takes an answer that it finds for an attack.
            unread = self.incoming.read()
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.unwrap()
            self.incoming.write(unread)
            await self._flush()
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Leaves with a reset in place of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        if self.socket.fileno() >= 0:
            # Before the number is another socket's.
            self.loop.remove_reader(self.socket.fileno())
            self.loop.remove_writer(self.socket.fileno())
            if self.answers and self.tls:
                self.tls_settings.remember(self.tls)
        self.socket.close()

    def is_open(self):
        """Whether the server has neither ended nor reset the connection. On loopback its end is here at once."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        return not poll.poll(0)

    # Answers

    async def _fill(self):
        received = await self.receive()
        if not received:
            if self.buffer:
                raise ConnectionAbortedError("the connection was closed within an answer")
            return False
        self.buffer += received
        return True

    async def response(self, to_head=False, interim=False):
        """The next answer; None when the connection was closed before it. 1xx are skipped unless `interim`."""
        while True:
            while (end := self.buffer.find(b"\r\n\r\n")) < 0:
                if len(self.buffer) > HEAD_LIMIT:
                    raise Violation(f"an endless head: {bytes(self.buffer[:80])!r}")
                if not await self._fill():
                    return None
            response = Response(self.buffer[: end + 4])
            del self.buffer[: end + 4]
            if response.status >= 200 or interim:
                break
        if response.status >= 200 and response.status != 204 and not to_head:
            response.content = await self._content(response)
        return response

    async def _content(self, response):
        if response[b"transfer-encoding"] == b"chunked":
            content = bytearray()
            while size := int(await self._line(), 16):
                content += await self._take(size)
                if await self._take(2) != b"\r\n":
                    raise Violation("a chunk is longer than its size")
            if await self._line():
                raise Violation("a trailer that nobody announced")
            return bytes(content)
        length = response[b"content-length"]
        if length is None or not length.isdigit():
            raise Violation(f"no length: {response.head!r}")
        return await self._take(int(length))

    async def _line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            await self._more()
        return await self._take(end + 2, 2)

    async def _take(self, count, without=0):
        while len(self.buffer) < count:
            await self._more()
        taken = bytes(memoryview(self.buffer)[: count - without])
        del self.buffer[:count]
        return taken

    async def _more(self):
        if not await self._fill():
            raise ConnectionAbortedError("the connection was closed within an answer")

"""The clients, one class for each kind: one that behaves, and all that do not."""

import asyncio
import gzip
import socket
import ssl
import time

from connection import Violation
from load import ANSWER_SECONDS


# The server's patience with whoever is slow, in seconds: short enough to be seen, longer than a busy machine ever keeps
# a client waiting.
PATIENCE = 8


class Client:
    """Does the same thing again and again."""

    kind = "client"

    def __init__(self, load, number):
        self.load, self.number, self.random, self.oracle = load, number, load.random, load.oracle
        self.connection = None

    async def act(self):
        """One round. OSError is the server's right, unless the round says otherwise."""
        raise NotImplementedError

    def leave(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    async def connected(self, **options):
        """The connection of the last round if it is still there, else a new one."""
        if self.connection is None:
            self.connection = await self.load.connect(**options)
        return self.connection

    async def refused(self, connection, *statuses, seconds=30):
        """The next answer must be one of these, and the last."""
        try:
            response = await asyncio.wait_for(connection.response(), seconds)
        except asyncio.TimeoutError:
            raise Violation(f"neither an answer nor a close within {seconds} s") from None
        if response is None:
            raise ConnectionAbortedError("closed without a word")
        self.load.tally.statuses[response.status] += 1
        if response.status not in statuses or not response.closes:
            raise Violation(f"{statuses} was expected: {response.head!r}")
        await self.load.ends(connection)


class Steady(Client):
    """Behaves: asks, reads, checks, asks again on the same connection."""

    kind = "well-behaved"
    rest = 0.03

    async def act(self):
        connection = await self.connected()
        asked = self.load.draw(self.cases())
        response = await self.load.exchange(self, connection, asked, in_pieces=self.random.random() < 0.2)
        if response.closes:
            self.leave()
        await self.load.pause(self.rest * self.random.random() * 2)

    def cases(self):
        return self.oracle.cases


class Heavy(Steady):
    """Behaves, and keeps every thread of the server busy."""

    kind = "large tensors only"
    rest = 0

    def cases(self):
        return [case for case in self.oracle.tensors if case.is_large]


class Expecting(Client):
    """Waits for 100 Continue; now and then it does not go on."""

    kind = "expects 100-continue"

    async def act(self):
        with await self.load.connect() as connection:
            asked = self.oracle.ask(self.random.choice(self.oracle.tensors), "Expect: 100-continue")
            await self.load.in_time(self.ask(connection, asked), connection, asked)
        await self.load.pause(0.2)

    async def ask(self, connection, asked):
        asked.mark_begun(connection)
        await connection.send(asked.head)
        response = await connection.response(interim=True)
        if response is None:
            raise ConnectionAbortedError("the connection was closed without an answer")
        if response.status == 503:
            self.load.tally.statuses[503] += 1
        elif response.status != 100:
            raise Violation(f"neither 100 nor 503: {response.head!r}")
        elif self.random.random() < 0.3:
            connection.reset()
        else:
            for piece in asked.content:
                await connection.send(piece)
            asked.mark_sent(connection)
            await self.load.answer(self, connection, asked)


class ResetInHead(Client):
    kind = "reset mid-head"

    async def act(self):
        with await self.load.connect() as connection:
            head = self.load.draw(self.oracle.cases).head
            await connection.send(head[: self.random.randrange(1, len(head))])
            await self.load.pause(self.random.choice([0, 0.01, 0.1]))
            connection.reset()
        await self.load.pause(0.05)


class ResetInBody(Client):
    kind = "reset mid-body"

    async def act(self):
        with await self.load.connect() as connection:
            asked = self.load.draw(self.oracle.tensors)
            raw = asked.raw()
            end = self.random.randrange(len(asked.head), len(raw))
            await connection.send(raw[:end])
            await self.load.pause(self.random.choice([0, 0.01, 0.1]))
            connection.reset()
        await self.load.pause(0.1)


class ResetInAnswer(Client):
    """Asks for much and leaves before, or while, the answer comes."""

    kind = "reset mid-response"

    async def act(self):
        with await self.load.connect() as connection:
            await self.load.send(connection, self.load.draw([case for case in self.oracle.tensors if case.is_large]))
            if self.random.random() < 0.3:
                # While the server computes, if it does not yet answer.
                await asyncio.sleep(self.random.random() * 0.005)
            else:
                for _ in range(self.random.randrange(1, 4)):
                    await connection.receive(1 << 14)
            connection.reset()
        await self.load.pause(0.2)


class HalfCloser(Client):
    """Ends its sending side behind up to three requests; all of them are answered, then the server ends, too."""

    kind = "half-close"

    async def act(self):
        with await self.load.connect() as connection:
            asked = [self.load.draw(self.oracle.cases) for _ in range(self.random.randint(1, 3))]
            sending = asyncio.create_task(self.send(connection, asked))
            try:
                for one in asked:
                    response = await self.load.in_time(self.load.answer(self, connection, one), connection, one)
                    if response.closes:
                        # What is still to be sent was not taken up, and the client knows (RFC 9112 §9.6).
                        break
                else:
                    await sending
                await self.load.ends(connection)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        await self.load.pause(0.15)

    async def send(self, connection, asked):
        for one in asked:
            await self.load.send(connection, one)
        await connection.end_sending()


class CutBody(Client):
    """Ends its sending side within a body: what is not whole is not computed, and never answered with 200."""

    kind = "half-close mid-body"

    async def act(self):
        with await self.load.connect() as connection:
            asked = self.load.draw(self.oracle.tensors)
            raw = asked.raw()
            await connection.send(raw[: self.random.randrange(len(asked.head), len(raw))])
            await connection.end_sending()
            try:
                response = await asyncio.wait_for(connection.response(), 30)
            except asyncio.TimeoutError:
                raise Violation("a request that was cut off holds its connection") from None
            if response and response.status not in (400, 408, 503):
                raise Violation(f"{response.status} to half a request")
        await self.load.pause(0.2)


class SlowReader(Client):
    """Reads one byte a second, of a large answer or of a small one; in the end some read on at full speed.

    With a small receive buffer a large answer stays with the server, which resets the connection in the end. Whoever
    hurries before that gets every byte.
    """

    kind = "one byte a second"

    async def act(self):
        is_large = self.number % 3 > 0
        with await self.load.connect(receive_buffer=1 << 15 if is_large else None) as connection:
            case = self.random.choice([case for case in self.oracle.tensors if case.is_large == is_large])
            asked = self.oracle.ask(case)
            await self.load.send(connection, asked)
            hurries = not is_large or self.random.random() < 0.5
            for _ in range(self.random.randint(1, 2) if is_large and hurries else 3 * PATIENCE):
                # The rest of a run is not waited for.
                if self.load.has_ended or self.load.told_at and hurries:
                    break
                if not hurries and not connection.is_open():
                    raise ConnectionResetError("the server has waited long enough")
                received = await connection.receive(1)
                if not received:
                    raise ConnectionAbortedError("closed under a slow reader")
                connection.buffer += received
                await asyncio.sleep(1)
            if not hurries:
                return connection.reset()
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
            is_in_time = time.monotonic() - asked.sent_at < PATIENCE / 2
            if is_large and not is_in_time:
                # On a busy machine a second can be long, and the server's patience at its end.
                await asyncio.wait_for(self.load.answer(self, connection, asked), ANSWER_SECONDS)
            else:
                await self.load.in_time(self.load.answer(self, connection, asked), connection, asked)


class SlowHead(Client):
    """Sends one byte of a head a second, and is told that it took too long."""

    kind = "one byte of a head a second"

    async def act(self):
        with await self.load.connect() as connection:
            head = b"POST /normalize HTTP/1.1\r\nHost: normserve\r\nX-Slow: " + b"x" * 100
            await trickle(self.load, connection, head)
            if not self.load.has_ended:
                await self.refused(connection, 408)


class SlowBody(Client):
    """Sends one byte of a body a second, and is told that it took too long."""

    kind = "one byte of a body a second"

    async def act(self):
        with await self.load.connect() as connection:
            asked = self.load.draw(self.oracle.tensors)
            await connection.send(asked.head)
            await trickle(self.load, connection, b"".join(asked.content)[:100])
            if not self.load.has_ended:
                await self.refused(connection, 408, 503)


async def trickle(load, connection, data):
    """Sends a byte a second until the server has something to say."""
    hearing = asyncio.create_task(connection.receive())
    try:
        for start in range(3 * PATIENCE):
            if load.has_ended:
                return
            await connection.send(data[start : start + 1])
            await asyncio.wait([hearing], timeout=1)
            if hearing.done():
                connection.buffer += hearing.result()
                if not connection.buffer:
                    raise ConnectionAbortedError("closed without a word")
                return
        raise Violation("nothing happened to a client that sends a byte a second")
    finally:
        hearing.cancel()


class Pipeliner(Client):
    """Sends a thousand requests without waiting; the answers come in their order, each to its own request."""

    kind = "1000 pipelined requests"
    count = 1000

    async def act(self):
        with await self.load.connect() as connection:
            cases = [case for case in self.oracle.small if case.size < 4000]
            asked = [self.load.draw(cases) for _ in range(self.count)]
            sending = asyncio.create_task(self.send(connection, asked))
            try:
                for number, one in enumerate(asked):
                    response = await self.load.in_time(self.load.answer(self, connection, one), connection, one)
                    if response.closes:
                        # RFC 9112 §9.6: the client knows that what stands behind was not taken up, and may ask again.
                        self.load.tally.drained["handed back"] += self.count - number - 1
                        await self.load.ends(connection)
                        break
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        await self.load.pause(1)

    async def send(self, connection, asked):
        for one in asked:
            one.mark_begun(connection)
        await connection.send(b"".join(one.raw() for one in asked))
        for one in asked:
            one.mark_sent(connection)


class Storm(Client):
    """Many connections at once: some only come and go, some reset, some ask once."""

    kind = "reconnect storm"
    count = 60

    async def act(self):
        results = await asyncio.gather(*(self.one(number) for number in range(self.count)), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result
        await self.load.pause(1)

    async def one(self, number):
        with await self.load.connect() as connection:
            if number % 3 == 0:
                connection.reset()
            elif number % 3 == 1:
                asked = self.load.draw(self.oracle.small)
                await self.load.exchange(self, connection, asked)


class Idler(Client):
    """Holds a connection for some seconds, then asks; or outstays its welcome and is put out without a word."""

    kind = "idle connection"

    async def act(self):
        with await self.load.connect() as connection:
            if self.number % 4 == 0:
                waiting = asyncio.create_task(connection.receive())
                await asyncio.wait([waiting], timeout=1)
                for _ in range(3 * PATIENCE):
                    if waiting.done() or self.load.has_ended:
                        break
                    await asyncio.wait([waiting], timeout=1)
                if not waiting.done():
                    waiting.cancel()
                    if not self.load.has_ended:
                        raise Violation("an idle connection is kept for ever")
                elif waiting.result():
                    raise Violation(f"a word to an idle connection: {waiting.result()[:80]!r}")
            else:
                await self.load.wait(self.random.random() * 5)
                await self.load.exchange(self, connection, self.load.draw(self.oracle.small))


JSON = b"POST /normalize HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
# What is no request or too much of one, and the status that it gets; %b is where the key goes.
NONSENSE = [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    (b"POST /normalize HTTP/1.1\r\n\r\n", 400),
    (b"POST /normalize HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"POST /normalize HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
    (b"POST /normalize HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    (JSON + b"%bContent-Length: 99999999\r\n\r\n", 413),
]


def coded(coding, content):
    return JSON + b"%%bContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(content)) + content


BOMB = gzip.compress(bytes(20 << 20))
MISCODED = [
    (coded(b"gzip", gzip.compress(b"{}")[:-3]), 400),
    (coded(b"gzip", gzip.compress(b"{}") + b"more"), 400),
    (coded(b"gzip", b"{}"), 400),
    (coded(b"deflate", b"{}"), 400),
    (coded(b"br", b"{}"), 415),
    (coded(b"gzip, gzip", gzip.compress(gzip.compress(b"{}"))), 415),
    (coded(b"gzip", BOMB), 413),
]


class Babbler(Client):
    """Sends what is no request, or too much of one."""

    kind = "nonsense"

    async def act(self):
        with await self.load.connect() as connection:
            raw, status = self.random.choice(NONSENSE + MISCODED)
            fields = "".join(field + "\r\n" for field in self.oracle.fields)
            await connection.send(raw.replace(b"%b", fields.encode()))
            await self.refused(connection, status, 503)
        await self.load.pause(0.1)


class WrongKey(Client):
    """Has no key, or another, and is told so for whatever it asks."""

    kind = "no key or a wrong one"

    async def act(self):
        with await self.load.connect() as connection:
            field = self.random.choice([b"", b"Authorization: Bearer wrong\r\n", b"Authorization: Basic YTpi\r\n"])
            target = self.random.choice([b"/layer-types", b"/nowhere", b"/metrics"])
            await connection.send(b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (target, field))
            response = await asyncio.wait_for(connection.response(), 30)
            if response is None:
                raise ConnectionAbortedError("closed without a word")
            self.load.tally.statuses[response.status] += 1
            if response.status != 401 or b"www-authenticate" not in dict(response.fields):
                raise Violation(f"without a key: {response.head!r}")
        await self.load.pause(0.1)


class HandshakeQuitter(Client):
    """Speaks no TLS, or leaves within the handshake, or says nothing; hears nothing of HTTP."""

    kind = "no whole handshake"

    async def act(self):
        with await self.load.connect(plain=True) as connection:
            hello = self.hello()
            way = self.random.randrange(5)
            if way == 0:
                await connection.send(hello[: self.random.randrange(1, len(hello))])
                return connection.reset()
            if way == 1:
                await connection.send(hello)
                await connection.receive()
                return connection.reset()
            if way == 2:
                await connection.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
            elif way == 3:
                await connection.send(hello[:50])
                await connection.end_sending()
            heard = b""
            try:
                while data := await asyncio.wait_for(connection.receive(), 3 * PATIENCE):
                    heard += data
            except asyncio.TimeoutError:
                raise Violation("a connection without a handshake is kept") from None
            finally:
                if b"HTTP" in heard:
                    raise Violation(f"HTTP without TLS: {heard[:80]!r}")
        await self.load.pause(0.1)

    def hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self.load.tls.wrap(incoming, outgoing).do_handshake()
        except ssl.SSLWantReadError:
            return outgoing.read()


class Guest(Client):
    """Asks once, and stays until it may leave."""

    kind = "without descriptors"

    def __init__(self, load, number, leave):
        super().__init__(load, number)
        self.leaving, self.is_answered = leave, False

    async def act(self):
        self.load.tally.rounds[self.kind] += 1
        with await self.load.connect() as connection:
            await self.load.exchange(self, connection, self.load.draw(self.oracle.tensors[:3]))
            self.is_answered = True
            await self.leaving.wait()

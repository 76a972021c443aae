"""All clients of a run at once, what they share, and what becomes of their requests."""

import asyncio
import collections
import itertools
import os
import random
import time
import traceback

from connection import Connection, Violation
from oracle import CODINGS

# Nobody waits longer for an answer; the machine may be busy with other things, too.
ANSWER_SECONDS = 30
REQUESTS_PER_CONNECTION = 10_000
# While draining, the server closes connections that were idle for 250 ms. Until then a request counts as accepted.
DRAIN_PATIENCE = 0.15
# What the clients may take of all processors, so that it is the server that is tested.
CLIENTS_SHARE = 0.35
MAX_VIOLATIONS = 20


class Gone(Exception):
    """The server was told to stop, and has; the client has nothing more to do."""


class Tally:
    """What was seen."""

    def __init__(self):
        self.rounds = collections.Counter()
        self.checked = collections.Counter()
        self.cut = collections.Counter()
        self.statuses = collections.Counter()
        self.checked_bytes = 0
        self.drained = collections.Counter()
        self.violations = []

    def add(self, other):
        for name in ("rounds", "checked", "cut", "statuses", "drained"):
            getattr(self, name).update(getattr(other, name))
        self.checked_bytes += other.checked_bytes
        self.violations += other.violations


class Load:
    """Runs clients until it is ended, and judges what happens to their requests."""

    def __init__(self, address, oracle, tally, seed, tls=None):
        self.address, self.oracle, self.tally, self.tls = address, oracle, tally, tls
        self.random = random.Random(seed)
        self.tasks = []
        self.has_ended = False
        # When the server was told to stop.
        self.told_at = None
        self.pace = 1.0

    # Clients

    def start(self, kinds):
        """Starts so many clients of each kind, one after the other within a second."""
        for kind, count in kinds.items():
            self.tasks += [asyncio.create_task(self._live(kind(self, number))) for number in range(count)]
        self.tasks.append(asyncio.create_task(self._govern()))

    async def end(self, seconds=ANSWER_SECONDS + 10):
        """Lets every client end what it is doing."""
        self.has_ended = True
        _, late = await asyncio.wait(self.tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            self.tally.violations.append(f"{len(late)} clients did not come to an end")
        self.tasks.clear()

    async def _live(self, client):
        await asyncio.sleep(self.random.random())
        try:
            while not self.has_ended:
                self.tally.rounds[client.kind] += 1
                try:
                    await client.act()
                except Violation as violation:
                    self.violated(f"{client.kind}: {violation}")
                    client.leave()
                except OSError:
                    # Clients that ask for it do not mind; those that do raise a violation themselves.
                    self.tally.cut[client.kind] += 1
                    client.leave()
        except Gone:
            pass
        except Exception:
            self.violated(f"{client.kind}: {traceback.format_exc()}")
        finally:
            client.leave()

    def violated(self, text):
        self.tally.violations.append(text)
        if len(self.tally.violations) >= MAX_VIOLATIONS:
            self.has_ended = True

    async def pause(self, seconds):
        """Sleeps, longer if the clients take too much of the machine."""
        await self.wait(seconds * self.pace)

    async def wait(self, seconds):
        """Sleeps, not much beyond the end of the load."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.has_ended:
            await asyncio.sleep(min(left, 0.5))

    async def _govern(self):
        allowed = CLIENTS_SHARE * os.cpu_count()
        before, at = time.process_time(), time.monotonic()
        while not self.has_ended:
            await asyncio.sleep(0.25)
            spent, now = time.process_time(), time.monotonic()
            share = (spent - before) / (now - at)
            before, at = spent, now
            self.pace = min(max(self.pace * (1.2 if share > allowed else 0.95), 0.5), 20)

    # Requests

    async def connect(self, plain=False, **options):
        """A connection, which must be had for the asking until the server is told to stop."""
        tls = None if plain else self.tls
        try:
            return await asyncio.wait_for(Connection.open(self.address, tls, **options), ANSWER_SECONDS)
        except asyncio.TimeoutError:
            raise Violation("no connection in time") from None
        except OSError as error:
            if self.told_at is None:
                raise Violation(f"no connection: {error!r}") from None
            raise Gone from None

    def draw(self, cases):
        """A request for one of `cases`, framed and coded in one of the ways there are."""
        case = self.random.choices(cases, [case.weight for case in cases])[0]
        options = {}
        if self.random.random() < 0.3:
            options["accept"] = self.random.choice(CODINGS)
        if case.size and self.random.random() < 0.2:
            options["coding"] = "gzip" if case.is_large else self.random.choice(CODINGS)
        # Chunked content that is not wanted ends a connection.
        if case.status == 200 and self.random.random() < 0.2:
            options["chunks"] = self.chunk_sizes(case)
        return self.oracle.ask(case, **options)

    def chunk_sizes(self, case):
        low, high = (1 << 14, 1 << 20) if case.is_large else (1, 1 << self.random.randrange(4, 17))
        return (self.random.randint(low, high) for _ in itertools.count())

    async def send(self, connection, asked, in_pieces=False):
        """Sends a request whole, or its head and the beginning of its content in small segments."""
        asked.mark_begun(connection)
        if in_pieces:
            start = (asked.head + b"".join(asked.content[:1]))[:2000]
            rest = b"".join([asked.head, *asked.content])[len(start) :]
            while start:
                size = self.random.randint(1, 400)
                await connection.send(start[:size])
                start = start[size:]
                await asyncio.sleep(0)
            await connection.send(rest)
        else:
            # Small pieces go together; large ones are not copied.
            small = b""
            for piece in [asked.head, *asked.content]:
                if len(piece) < 1 << 16:
                    small += piece
                else:
                    await connection.send(small)
                    await connection.send(piece)
                    small = b""
            if small:
                await connection.send(small)
        asked.mark_sent(connection)

    async def answer(self, client, connection, asked):
        """The right answer to a request that was sent; `None` if the server had no room for it."""
        response = await connection.response(asked.to_head)
        if response is None:
            raise ConnectionAbortedError("the connection was closed without an answer")
        self.tally.statuses[response.status] += 1
        if response.status == 503 and asked.case.status != 503:
            if b'"code":"overloaded"' not in response.content or response[b"retry-after"] is None:
                raise Violation(f"{asked.case.name}: {response.content[:200]!r}")
        else:
            asked.check(response)
            self.tally.checked[client.kind] += 1
            self.tally.checked_bytes += len(response.content)
            connection.answers += 1
            if response.closes and self.told_at is None and connection.answers < REQUESTS_PER_CONNECTION:
                raise Violation(f"{asked.case.name}: closed without need after {connection.answers} answers")
        if self.told_at:
            self.tally.drained["begun before" if asked.begun_at <= self.told_at else "sent after"] += 1
        return response

    async def exchange(self, client, connection, asked, in_pieces=False):
        """Asks and returns the answer, which must be right; a request that was accepted must not be lost."""

        async def both():
            await self.send(connection, asked, in_pieces)
            return await self.answer(client, connection, asked)

        response = await self.in_time(both(), connection, asked)
        if response.closes:
            await self.ends(connection)
        return response

    async def in_time(self, answering, connection, asked):
        """What `answering` returns; neither late nor lost."""
        try:
            return await asyncio.wait_for(answering, ANSWER_SECONDS)
        except asyncio.TimeoutError:
            raise Violation(f"{asked.case.name}: no answer within {ANSWER_SECONDS} s") from None
        except OSError as error:
            self.lost(connection, asked, error)

    def lost(self, connection, asked, error):
        """Judges a request without an answer.

        It was accepted, and must not be lost, if its connection was established before the server was told to stop and
        - its first byte was sent before that, or
        - its last byte was in the server's socket before that had closed the connection, and before the connection had
          been idle for as long as a draining server waits for requests that are on their way (RFC 9112 §9.5: a client
          cannot tell from its side alone whether an idle connection is closed while it sends).
        """
        told_at, what = self.told_at, f"{asked.case.name}: lost ({error!r})"
        if told_at is None:
            raise Violation(what)
        if connection.opened_at > told_at:
            self.tally.drained["not accepted"] += 1
        elif asked.begun_at and asked.begun_at <= told_at:
            raise Violation(f"{what}, though begun {told_at - asked.begun_at:.3f} s before SIGTERM")
        elif not (asked.sent_at and asked.was_open):
            self.tally.drained["too late"] += 1
        elif asked.sent_at <= max(told_at, asked.quiet_since) + DRAIN_PATIENCE:
            raise Violation(f"{what}, though sent {asked.sent_at - told_at:.3f} s after SIGTERM and not idle before")
        else:
            self.tally.drained["crossed"] += 1
        raise Gone

    async def ends(self, connection, seconds=10):
        """A connection that the server said it would close is closed, and nothing more is said (RFC 9112 §9.6)."""
        try:
            more = connection.buffer or await asyncio.wait_for(connection.receive(), seconds)
        except asyncio.TimeoutError:
            raise Violation("a connection was announced to be closed and is not") from None
        except ConnectionResetError:
            more = b""
        if more:
            raise Violation(f"more after the last answer: {bytes(more[:80])!r}")
        connection.close()

"""Mixes every kind of client that misbehaves with some that do not, and asserts that the server does not mind.

usage: python faults.py [--seconds 60] [--seed N] [--tls] [--drains 3] [--report FILE]

The executable is NORMSERVE_BINARY, else the release build of this checkout. Everything stays on 127.0.0.1.
"""

import argparse
import asyncio
import os
import random
import re
import resource
import signal
import sys
import time

import report
from clients import (
    PATIENCE, Babbler, CutBody, Expecting, Guest, HalfCloser, HandshakeQuitter, Heavy, Idler, Pipeliner, ResetInAnswer,
    ResetInBody, ResetInHead, SlowBody, SlowHead, SlowReader, Steady, Storm, WrongKey,
)  # fmt: skip
from credentials import ClientTLS, Credentials
from load import Load, Tally
from oracle import Oracle
from probe import CLIENTS, Probe, Prober, learn
from process import Ended, Process

# Short times, so that each of them runs out during the run; little memory, so that it is refused.
OPTIONS = [
    "--max-in-flight-bytes", "40MiB", "--max-body-bytes", "16MiB", "--head-timeout", f"{PATIENCE}s",
    "--body-grace", f"{PATIENCE}s", "--write-timeout", f"{PATIENCE}s", "--idle-timeout", f"{PATIENCE + 4}s",
    "--drain-timeout", "25s",
]  # fmt: skip
DRAIN_SECONDS = 25
# How many clients of each kind there are at a time.
KINDS = {
    Steady: 10, Expecting: 2, Pipeliner: 2, HalfCloser: 4, CutBody: 2, ResetInHead: 3, ResetInBody: 4, ResetInAnswer: 4,
    SlowReader: 18, SlowHead: 4, SlowBody: 4, Storm: 1, Idler: 24, Babbler: 2, WrongKey: 2,
}  # fmt: skip
WARM_UP_SECONDS = 15
# A client that does not close is waited for for five seconds; memory is kept for three.
LEAVING_SECONDS, SETTLE_SECONDS = 10, 5
# Resident memory at the end beside that at the start.
MEMORY_FACTOR = 1.10
GUESTS, FREE_DESCRIPTORS = 120, 40
WITHOUT_DESCRIPTORS = {Steady: 4, Heavy: 6}
PAUSE = "accepting pauses"  # as the server logs it


class Run:
    """One run: its phases, and what is asserted between them."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.tally, self.facts, self.loads = Tally(), {"lag": 0}, []
        self.random = random.Random(arguments.seed)
        self.credentials = Credentials(arguments.tls)
        self.kinds, self.options = dict(KINDS), OPTIONS + self.credentials.options
        if arguments.tls:
            self.kinds[HandshakeQuitter] = 3
        self.tls = ClientTLS(self.credentials.authority) if arguments.tls else None
        self.oracle = Oracle(arguments.seed, self.credentials.key)

    def all_kinds(self):
        return self.kinds | {Prober: CLIENTS, Heavy: WITHOUT_DESCRIPTORS[Heavy], Guest: GUESTS}

    def violated(self, text):
        self.tally.violations.append(text)

    def phase(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def load(self, process):
        load = Load(process.address, self.oracle, self.tally, self.random.random(), self.tls)
        self.loads.append(load)
        return load

    def process(self):
        self.credentials.make_good()
        return Process(*self.options)

    async def everything(self):
        noting = asyncio.create_task(self.note_lag())
        await self.all_phases()
        noting.cancel()

    async def note_lag(self):
        """How long the busy machine keeps the clients from doing anything; beyond the server's patience it shows."""
        while True:
            due = time.monotonic() + 0.1
            await asyncio.sleep(0.1)
            self.facts["lag"] = max(self.facts["lag"], time.monotonic() - due)

    async def all_phases(self):
        with self.process() as process:
            await self.watched(process, self.live, self.drain)
        for _ in range(1, self.arguments.drains):
            if not self.tally.violations:
                with self.process() as process:
                    await self.watched(process, self.drain)

    async def watched(self, process, *phases):
        """Goes through phases of a process, and asserts that it ends only when it is told to."""
        self.loads.clear()
        watching = asyncio.create_task(process.watch(self.end))
        try:
            for phase in phases:
                if not self.tally.violations:
                    await phase(process)
        except Ended:
            pass
        watching.cancel()
        if process.status is not None and not any(load.told_at for load in self.loads):
            # What the clients saw of it is of no more interest.
            self.tally.violations.clear()
            self.violated(f"the process ended by itself with {process.status}: {process.log()[-4000:]}")
            return
        self.read_log(process.log())

    def end(self):
        """Without a server there is nothing left to do."""
        for load in self.loads:
            load.has_ended = True

    async def live(self, process):
        """From the first request to the moment when all clients have gone."""
        self.phase("learning the answers")
        await learn(self.load(process), self.oracle.cases)
        self.phase(f"warming up with all clients for {WARM_UP_SECONDS} s")
        await self.mix(process, WARM_UP_SECONDS)
        # All that comes later comes once before: threads and their memory stay when they are no longer needed.
        await self.exhaust(process)
        start = await self.settled(process)
        await self.measured(process)
        await self.settled(process)
        self.phase("descriptors run out")
        await self.exhaust(process)
        end = await self.settled(process)
        self.facts |= {"start": start, "end": end, "peak": process, "hangups": process.hangups}
        if end.descriptors != start.descriptors:
            self.violated(f"{end.descriptors} descriptors, {start.descriptors} at the start: {process.descriptors()}")
        if end.memory > start.memory * MEMORY_FACTOR:
            self.violated(f"resident memory went from {start.memory >> 10} to {end.memory >> 10} KiB")
        if self.credentials.bad_changes and " error normserve" not in process.log():
            self.violated("nobody was told that a certificate or a key file is no good")
        if self.tls and len(self.tls.certificates) < 2:
            self.violated("SIGHUP did not bring the other certificate")

    async def settled(self, process):
        """The process when all clients have gone, and so have their connections and what was kept for the next."""
        if not await process.is_left_alone(LEAVING_SECONDS):
            self.violated(f"connections are left though no client is: {process.descriptors()}")
        await asyncio.sleep(SETTLE_SECONDS)
        return process.sample()

    async def measured(self, process):
        """All clients, and some in a process of their own that only look how long they wait."""
        probe = Probe(process.address, self.arguments.seed, self.credentials.authority, self.credentials.key)
        try:
            await probe.ready()
            self.phase(f"all clients for {self.arguments.seconds:g} s")
            begun_at, own = time.monotonic(), clients_time()
            before = process.sample().processor_time
            await self.mix(process, self.arguments.seconds)
            available = (time.monotonic() - begun_at) * os.cpu_count()
            self.facts["server"] = (process.sample().processor_time - before) / available
            timed, self.facts["latency"] = await probe.end()
            self.facts["clients"] = (clients_time() - own) / available
            self.tally.add(timed)
        finally:
            probe.kill()

    async def mix(self, process, seconds):
        """All clients at once, SIGHUP in storms."""
        load = self.load(process)
        load.start(self.kinds)
        hanging_up = asyncio.create_task(process.hang_up(self.credentials.change))
        await load.wait(seconds)
        hanging_up.cancel()
        await load.end()

    async def exhaust(self, process):
        """Clients come for whom there are no descriptors: they wait, and are answered when the first leave.

        The server is kept busy: then its libraries, too, ask for a descriptor now and then.
        """
        load, leave = self.load(process), asyncio.Event()
        load.start(WITHOUT_DESCRIPTORS)
        await load.wait(1.5)
        before, pauses = self.tally.checked[Steady.kind], process.log().count(PAUSE)
        process.limit_descriptors(FREE_DESCRIPTORS)
        guests = [Guest(load, number, leave) for number in range(GUESTS)]
        visits = [asyncio.create_task(guest.act()) for guest in guests]
        await load.wait(4)
        process.signal(signal.SIGHUP)
        answered, pauses = sum(guest.is_answered for guest in guests), process.log().count(PAUSE) - pauses
        self.facts |= {"guests": GUESTS, "free": FREE_DESCRIPTORS}
        if not 1 <= answered <= FREE_DESCRIPTORS:
            self.violated(f"{answered} of {GUESTS} clients were answered with {FREE_DESCRIPTORS} descriptors left")
        if self.tally.checked[Steady.kind] - before < 20:
            self.violated("connections that were there are not served while descriptors are short")
        if not 1 <= pauses <= 25:
            self.violated(f"accepting paused {pauses} times in 4 s without descriptors")
        leave.set()
        done, waiting = await asyncio.wait(visits, timeout=20)
        for visit in done:
            if visit.exception():
                self.violated(f"{Guest.kind}: {visit.exception()!r}")
        for visit in waiting:
            visit.cancel()
        if waiting:
            self.violated(f"{len(waiting)} clients were never answered after descriptors were short")
        process.limit_descriptors(None)
        await load.end()

    async def drain(self, process):
        """SIGTERM in full load: what was accepted is answered, and the process ends with 0 in time."""
        drains = self.facts.setdefault("drains", [])
        self.phase(f"SIGTERM in full load, {len(drains) + 1} of {self.arguments.drains}")
        load, before = self.load(process), self.tally.drained["begun before"]
        load.start(self.kinds)
        hanging_up = asyncio.create_task(process.hang_up(self.credentials.change))
        await load.wait(4 + self.random.random())
        load.told_at = time.monotonic()
        process.signal(signal.SIGTERM)
        status = await process.wait(DRAIN_SECONDS + 2)
        drains.append(time.monotonic() - load.told_at)
        hanging_up.cancel()
        if status != 0:
            self.violated(f"{drains[-1]:.1f} s after SIGTERM the exit status is {status}")
        await load.end(10)
        if self.tally.drained["begun before"] == before:
            self.violated("SIGTERM found nothing to do")

    def read_log(self, log):
        """Errors are logged of files only that are no good or cannot be opened for want of descriptors, keys never."""
        for line in log.splitlines():
            is_expected = re.search(r" error normserve.*(chain\.pem|keys)", line)
            if not is_expected and not re.search(r" (notice|warning|info) normserve", line):
                self.violated(f"the log says: {line[:300]}")
        if self.credentials.key in log:
            self.violated("the log shows a key")


def clients_time():
    """The processor time of this process and of those that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long all clients are there at once (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 16), help="of all that is drawn")
    parser.add_argument("--drains", type=int, default=3, help="how often SIGTERM comes in full load (3)")
    parser.add_argument("--tls", action="store_true", help="all of it over TLS")
    parser.add_argument("--report", metavar="FILE", help="rewrites the part of FILE between the soak's markers")
    arguments = parser.parse_args()
    # Clients and their storms need more than the usual 1024.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    # Whoever ends the run ends the server, too, which else would stay.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    run = Run(arguments)
    run.phase(f"seed {arguments.seed}")
    asyncio.run(run.everything())
    run.credentials.close()
    if run.tally.violations:
        print(*run.tally.violations[:40], sep="\n", file=sys.stderr)
        print(f"The clients themselves were held up for up to {run.facts['lag']:.1f} s.", file=sys.stderr)
        sys.exit(f"faults: {len(run.tally.violations)} violations; seed {arguments.seed}")
    text = report.table(run)
    print(text)
    if arguments.report:
        report.write(arguments.report, text)


if __name__ == "__main__":
    main()

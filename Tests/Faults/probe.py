"""Well-behaved clients in a process of their own: what they wait is the server's time, not the other clients'."""

import asyncio
import collections
import multiprocessing

import numpy as np

from clients import Steady
from credentials import ClientTLS
from load import Load, Tally
from oracle import CODINGS, Oracle

SMALL, MEDIUM = "layer_norm of 4 as JSON", "dynamic_tanh of 16384 as bytes"
CLIENTS = 2
REST = 0.015


class Prober(Steady):
    """Asks for something small or something of 64 KiB, and notes how long it took."""

    kind = "well-behaved, timed"

    async def act(self):
        connection = await self.connected()
        asked = self.oracle.ask(self.random.choice(self.load.cases))
        begun_at = self.load.clock()
        response = await self.load.exchange(self, connection, asked)
        if response.status == 200:
            self.load.seconds[asked.case.name].append(self.load.clock() - begun_at)
        if response.closes:
            self.leave()
        await self.load.wait(REST * self.random.random() * 2)


async def learn(load, cases):
    """Asks each case once, in each way its answer may be coded, and holds the answers against the reference."""
    connection = await load.connect()
    for case in cases:
        for accept in (None, *CODINGS):
            asked = load.oracle.ask(case, accept=accept)
            await load.send(connection, asked)
            asked.learn(await asyncio.wait_for(connection.response(asked.to_head), 60))
    connection.close()


async def probe(pipe, address, seed, authority, key):
    oracle, tally = Oracle(seed, key), Tally()
    load = Load(address, oracle, tally, seed, ClientTLS(authority) if authority else None)
    load.cases = [case for case in oracle.tensors if case.name in (SMALL, MEDIUM)]
    load.clock, load.seconds = asyncio.get_running_loop().time, collections.defaultdict(list)
    await learn(load, load.cases)
    pipe.send("ready")
    load.start({Prober: CLIENTS})
    while not pipe.poll():
        await asyncio.sleep(0.1)
    await load.end()
    pipe.send((tally, dict(load.seconds)))


def main(*arguments):
    asyncio.run(probe(*arguments))


class Probe:
    """The other end: starts the process, and in the end has what it found."""

    def __init__(self, address, seed, authority, key):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=main, args=(theirs, address, seed, authority, key), daemon=True)
        self.process.start()
        theirs.close()

    async def receive(self, seconds):
        for _ in range(int(seconds * 20)):
            if self.pipe.poll():
                return self.pipe.recv()
            await asyncio.sleep(0.05)
        raise RuntimeError("the process of the timed clients does not answer")

    async def ready(self):
        await self.receive(60)

    async def end(self):
        """The tally, and per case the percentiles 50 and 99 in milliseconds."""
        self.pipe.send("end")
        tally, seconds = await self.receive(60)
        self.process.join(10)
        return tally, {name: np.percentile(times, [50, 99]) * 1000 for name, times in seconds.items()}

    def kill(self):
        self.process.kill()

"""The server under test, seen from outside: memory, descriptors, threads, processor time, and whether it lives."""

import asyncio
import contextlib
import os
import pathlib
import re
import resource
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))
import server  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


class Ended(Exception):
    """The process is no more."""


class Sample:
    """One look at a process; memory in bytes, times in seconds."""

    def __init__(self, directory):
        rollup = (directory / "smaps_rollup").read_text()
        self.memory, self.own_memory = (
            int(re.search(rf"^{name}: +(\d+) kB", rollup, re.M)[1]) << 10 for name in ("Rss", "Anonymous")
        )
        self.descriptors = len(os.listdir(directory / "fd"))
        self.threads = len(os.listdir(directory / "task"))
        times = (directory / "stat").read_text().rpartition(")")[2].split()
        self.processor_time = (int(times[11]) + int(times[12])) / TICKS


class Process:
    """A normserve that is watched. It may end only when it is told to."""

    def __init__(self, *options):
        self.server = server.Server(*options)
        self.address = ("127.0.0.1", self.server.port)
        self.directory = pathlib.Path(f"/proc/{self.server.process.pid}")
        self.hangups = 0
        self.peak_memory = self.peak_descriptors = self.peak_threads = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.session.close()
        self.server.process.kill()
        self.server.process.wait()
        self.server.log_file.close()

    @property
    def status(self):
        """The exit status; None while it lives."""
        return self.server.process.poll()

    def sample(self):
        try:
            sample = Sample(self.directory)
        except (FileNotFoundError, ProcessLookupError):
            self.server.process.wait(10)
            raise Ended from None
        self.peak_memory = max(self.peak_memory, sample.memory)
        self.peak_descriptors = max(self.peak_descriptors, sample.descriptors)
        self.peak_threads = max(self.peak_threads, sample.threads)
        return sample

    async def watch(self, ended):
        """Looks at the process until it ends, and calls `ended` then."""
        while self.status is None:
            try:
                self.sample()
            except Ended:
                break
            await asyncio.sleep(0.25)
        ended()

    async def is_left_alone(self, seconds):
        """Whether the only socket left within some seconds is the one that listens."""
        for _ in range(seconds * 10):
            if sum(name.startswith("socket:") for name in self.descriptors()) == 1:
                return True
            await asyncio.sleep(0.1)
        return False

    def descriptors(self):
        """What the descriptors are."""
        names = []
        try:
            entries = os.listdir(self.directory / "fd")
        except FileNotFoundError:
            raise Ended from None
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # closed in the meantime
                names.append(os.readlink(self.directory / "fd" / entry))
        return names

    def signal(self, number):
        self.server.process.send_signal(number)

    async def hang_up(self, prepare=lambda: None):
        """SIGHUP again and again, in storms, until cancelled."""
        while True:
            prepare()
            for _ in range(40):
                self.signal(signal.SIGHUP)
                self.hangups += 1
                await asyncio.sleep(0.005)
            await asyncio.sleep(2)

    def limit_descriptors(self, free):
        """Leaves so many free descriptors; None lifts the limit again."""
        pid = self.server.process.pid
        try:
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            used = {int(name) for name in os.listdir(self.directory / "fd")}
        except (FileNotFoundError, ProcessLookupError):
            raise Ended from None
        # The limit is one of numbers, and the lowest free number is taken next.
        soft = hard
        if free is not None:
            soft = [number for number in range(max(used) + free + 2) if number not in used][free - 1] + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    async def wait(self, seconds):
        """The exit status, or None if the process does not end in time."""
        end = time.monotonic() + seconds
        while self.status is None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        return self.status

    def log(self):
        return self.server.log()

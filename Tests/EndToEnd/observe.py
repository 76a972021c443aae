"""What the system knows about a server's process."""

import os
import pathlib
import re
import time


def _bytes(server, field):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s*(\d+) kB", status)[1]) << 10


def resident_bytes(server):
    return _bytes(server, "VmRSS")


def peak_bytes(server):
    """The most that was ever resident."""
    return _bytes(server, "VmHWM")


def descriptors(server):
    """The numbers of its open files."""
    return {int(name) for name in os.listdir(f"/proc/{server.process.pid}/fd")}


def processor_seconds(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def eventually(condition, seconds=5):
    """Waits until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)

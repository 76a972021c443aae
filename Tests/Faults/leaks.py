"""Looks with valgrind for memory that a request leaves behind for ever, and for any use of memory that is not there.

usage: python leaks.py

The executable is NORMSERVE_BINARY. It is run twice, with and without TLS, and twice again with four times the requests:
what is lost at the end must not grow with them.
"""

import contextlib
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))

import server as harness  # noqa: E402
from certificates import Authority  # noqa: E402
from codings import coded_request, compress  # noqa: E402
from server import ResponseReader, Server, request  # noqa: E402
from tensors import frame, tensor  # noqa: E402

ROUNDS = 10
LAYER = {"type": "batch_norm", "running_mean": [0.5, 1], "running_var": [1, 4]}
JSON = b'{"layer": {"type": "layer_norm", "normalized_shape": [3]}, "input": [[1, 2, 3], [4, 5, 7]]}'
WRAPPER = """#!/bin/sh
exec valgrind --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=none --num-callers=20 \\
    --log-file={log} {binary} "$@"
"""


def requests():
    """One of each kind that takes a way of its own through the server."""
    described, blob = tensor(np.arange(4096, dtype=np.float32).reshape(1, 2, 2048))
    body, fields = frame({"layer": LAYER, "input": described}, blob)
    lines = [f"{name}: {value}" for name, value in fields.items()]
    chunks = b"%x\r\n" % len(JSON) + JSON + b"\r\n0\r\n\r\n"
    return [
        request("POST", "/normalize", JSON),
        request("POST", "/normalize", body, *lines),
        request("POST", "/normalize", body, *lines, "Accept: application/json", "Accept-Encoding: gzip"),
        coded_request(compress(JSON)),
        coded_request(compress(JSON)[:-3]),
        b"POST /normalize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        request("POST", "/normalize", b'{"layer": {"type": "layer_norm", "axis": 9}, "input": [[1]]}'),
        request("POST", "/normalize", b'{"input": [[1'),
        request("GET", "/metrics"),
        request("GET", "/openapi.yaml", b"", "Accept-Encoding: deflate"),
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    ]


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def exercise(server, rounds):
    for _ in range(rounds):
        for raw in requests():
            with server.connect(timeout=60) as connection:
                connection.sendall(raw)
                assert ResponseReader(connection).final() is not None
            for cut in (len(raw) // 3, len(raw)):
                connection = server.connect(timeout=60)
                with contextlib.suppress(ConnectionError):
                    connection.sendall(raw[:cut])
                reset(connection)


def run(rounds, tls, directory):
    """Bytes that are lost for certain at the end, and the number of other errors."""
    log = directory / f"valgrind-{rounds}-{bool(tls)}.log"
    wrapper = directory / "normserve-in-valgrind"
    # Valgrind does not understand the debugging information of Swift's compiler, and gives up on it.
    stripped = directory / "normserve"
    subprocess.run(["objcopy", "--strip-debug", os.environ["NORMSERVE_BINARY"], stripped], check=True)
    wrapper.write_text(WRAPPER.format(log=log, binary=stripped))
    wrapper.chmod(0o755)
    harness.binary = lambda: str(wrapper)
    harness.STARTUP_SECONDS = 120
    with Server("--handshake-timeout", "2m", "--drain-timeout", "2m", tls=tls) as server:
        exercise(server, rounds)
        server.session.close()
        assert server.terminate(180) == 0
    text = log.read_text()
    lost = re.search(r"definitely lost: ([\d,]+) bytes|(All heap blocks were freed)", text)
    errors = re.search(r"ERROR SUMMARY: (\d+) errors", text)
    if int(errors[1]):
        print(text)
    return int((lost[1] or "0").replace(",", "")), int(errors[1])


def main():
    failed = False
    print("| | rounds | requests and resets | lost, bytes | errors |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        credentials = Authority(directory).issue("localhost")
        for tls in (None, credentials):
            lost = []
            for rounds in (ROUNDS, 4 * ROUNDS):
                bytes_lost, errors = run(rounds, tls, directory)
                lost.append(bytes_lost)
                failed |= errors > 0
                count = rounds * len(requests()) * 3
                print(f"| {'TLS' if tls else 'plain'} | {rounds} | {count} | {bytes_lost} | {errors} |", flush=True)
            failed |= lost[1] > lost[0]
    raise SystemExit("valgrind has found something, see above" if failed else 0)


if __name__ == "__main__":
    main()

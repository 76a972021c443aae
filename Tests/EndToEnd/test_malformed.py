"""A thousand malformed heads and bodies, and valid ones that were damaged: the server refuses and lives on.

Set NORMSERVE_BINARY to a build with AddressSanitizer to hold it against the same requests, and NORMSERVE_SEED to try
others.
"""

import os
import random
import socket

import malformed
from problems import check_problem
from server import ResponseReader

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))
REFUSALS = {*range(400, 500), 501, 505}


def answer_to(server, raw):
    """The first final response, or None if the connection was closed without one."""
    with server.connect(timeout=5) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # It refused before all was sent; its answer may still be there.
        try:
            return ResponseReader(connection).final(to_head=raw.startswith(b"HEAD"))
        except ConnectionError:
            return None


def test_malformed_requests(server):
    print(f"seed {SEED}")
    for number, raw in enumerate(malformed.generate(SEED, 1000)):
        response = answer_to(server, raw)
        context = f"seed {SEED}, request {number}: {raw[:600]!r}"
        if response is not None:
            assert response.status in REFUSALS, f"{response.status} {response.content[:200]!r} to {context}"
            try:
                check_problem(response.status, response["content-type"], response.json())
            except (AssertionError, ValueError) as error:
                raise AssertionError(context) from error
        assert server.process.poll() is None, f"the server died of {context}"
        if number % 50 == 0:
            assert server.is_healthy()
    assert server.is_healthy()


def test_damaged_requests(server):
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    for number in range(500):
        raw = malformed.mutated(rng)
        response = answer_to(server, raw)
        context = f"seed {SEED}, request {number}: {raw!r}"
        assert response is None or response.status in REFUSALS | {200}, f"{response.status} to {context}"
        assert server.process.poll() is None, f"the server died of {context}"
    assert server.is_healthy()

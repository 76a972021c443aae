"""Watches the limits of a server: each that is reached goes up by one in its metrics."""

import contextlib
import time

from server import wait_for


@contextlib.contextmanager
def reached(server, limit, times=1):
    """Holds that the block makes the server reach this limit so many times, no more and no fewer."""
    before = server.metric("normserve_limit_reached_total", limit=limit)
    yield
    wait_for(lambda: server.metric("normserve_limit_reached_total", limit=limit) >= before + times)
    time.sleep(0.02)
    assert server.metric("normserve_limit_reached_total", limit=limit) == before + times

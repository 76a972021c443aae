"""How often, and until when, a call is tried. Knows no clock but the one it is given, and sends nothing."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable

import httpx

from ._wire import Call
from .errors import ConnectionFailed, ConnectionLost, NormserveError, Overloaded, TimedOut

# Seconds before the first repetition; each further one waits twice as long.
_FIRST_DELAY = 0.05


class Attempts:
    """The tries of one call.

    A call is repeated only where that cannot do anything twice: when nothing was sent; and, if the call is repeatable,
    when the connection broke before the head of an answer came, or the server said 503 and when to try again.
    """

    def __init__(
        self, call: Call, timeout: float | None, retries: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`timeout`: seconds for all tries together; `retries`: how many there may be after the first."""
        self._call = call
        self._clock = clock
        self._timeout = timeout
        self._left = retries
        self._delay = _FIRST_DELAY
        #: When the call must be over, on the clock; None is never.
        self.deadline = None if timeout is None else clock() + timeout

    def remaining(self) -> float | None:
        """Seconds until the deadline. Raises TimedOut after it."""
        if self.deadline is None:
            return None
        seconds = self.deadline - self._clock()
        if seconds <= 0:
            raise self.timed_out()
        return seconds

    def timed_out(self) -> TimedOut:
        return TimedOut(f"there was no complete answer within {self._timeout:g} s")

    def delay_after(self, error: NormserveError, answered: bool) -> float:
        """Seconds to wait before the next try; raises `error` where there is to be none.

        `answered`: whether the head of an answer came.
        """
        delay = self._delay_after(error, answered)
        if delay is None or self._left <= 0:
            raise error
        if self.deadline is not None and self._clock() + delay >= self.deadline:
            raise error
        self._left -= 1
        return delay

    def _delay_after(self, error: NormserveError, answered: bool) -> float | None:
        if isinstance(error, Overloaded):
            return error.retry_after if self._call.is_repeatable else None
        if isinstance(error, ConnectionFailed):
            repeatable = not isinstance(error.__cause__, httpx.HTTPError) or not _is_about_tls(error)
        else:
            repeatable = isinstance(error, ConnectionLost) and self._call.is_repeatable and not answered
        if not repeatable:
            return None
        delay = self._delay * random.uniform(0.5, 1)  # So that clients of a server that restarts come one by one.
        self._delay *= 2
        return delay


def translated(error: httpx.TransportError, attempts: Attempts) -> NormserveError:
    """The exception of this package for one of httpx. Raises ValueError for a request that no server can be sent."""
    if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
        raise ValueError(str(error)) from error
    if isinstance(error, httpx.TimeoutException):
        return attempts.timed_out()
    kind = ConnectionFailed if isinstance(error, httpx.ConnectError) else ConnectionLost
    return kind(str(error) or type(error).__name__)


def _is_about_tls(error: BaseException | None) -> bool:
    """Whether a refused handshake caused it, which no repetition changes."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False

"""When a call is tried again, on a clock that stands still."""

import ssl

import httpx
import pytest

import normserve
from normserve import ConnectionFailed, ConnectionLost, InvalidAnswer, InvalidRequest, Overloaded, ServerFault, TimedOut
from normserve._attempts import Attempts, translated
from normserve._wire import Call

PURE = Call("POST", "/normalize")
CHANGING = Call("PUT", "/layers/bn1", is_repeatable=False)


def busy(retry_after):
    return Overloaded(503, "overloaded", "too many", None, retry_after)


def attempts(call=PURE, timeout=10.0, retries=2, clock=lambda: 100.0):
    return Attempts(call, timeout, retries, clock)


@pytest.mark.parametrize(
    ("call", "error", "answered", "repeats"),
    [
        (PURE, ConnectionFailed("refused"), False, True),
        (CHANGING, ConnectionFailed("refused"), False, True),
        (PURE, ConnectionLost("reset"), False, True),
        (PURE, ConnectionLost("reset"), True, False),
        (CHANGING, ConnectionLost("reset"), False, False),
        (PURE, busy(1.0), True, True),
        (PURE, busy(None), True, False),
        (CHANGING, busy(1.0), True, False),
        (PURE, ServerFault(500, None, "", None, 1.0), True, False),
        (PURE, InvalidRequest(422, "wrong_type", ""), True, False),
        (PURE, InvalidAnswer("what?"), True, False),
        (PURE, TimedOut("late"), False, False),
    ],
)
def test_what_is_repeated(call, error, answered, repeats):
    if repeats:
        assert attempts(call).delay_after(error, answered) >= 0
    else:
        with pytest.raises(type(error)):
            attempts(call).delay_after(error, answered)


def test_how_often():
    tries = attempts(retries=3)
    delays = [tries.delay_after(ConnectionLost("reset"), False) for _ in range(3)]
    assert 0.025 <= delays[0] <= 0.05 <= delays[1] <= 0.1 <= delays[2] <= 0.2
    with pytest.raises(ConnectionLost):
        tries.delay_after(ConnectionLost("reset"), False)
    with pytest.raises(ConnectionLost):
        attempts(retries=0).delay_after(ConnectionLost("reset"), False)


def test_retry_after_within_the_time_out():
    assert attempts(timeout=10).delay_after(busy(9.0), True) == 9
    for too_long in (10.0, 11.0, 1e9):
        with pytest.raises(Overloaded):
            attempts(timeout=10).delay_after(busy(too_long), True)
    assert attempts(timeout=None).delay_after(busy(3600.0), True) == 3600


def test_deadline():
    now = [100.0]
    tries = attempts(timeout=2.5, clock=lambda: now[0])
    assert tries.deadline == 102.5 and tries.remaining() == 2.5
    now[0] = 102.5
    with pytest.raises(TimedOut, match=r"2\.5 s"):
        tries.remaining()
    assert attempts(timeout=None).remaining() is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectTimeout("late"), TimedOut), (httpx.ReadTimeout(""), TimedOut), (httpx.PoolTimeout(""), TimedOut),
        (httpx.ConnectError("refused"), ConnectionFailed), (httpx.ReadError(""), ConnectionLost),
        (httpx.WriteError("broken"), ConnectionLost), (httpx.RemoteProtocolError("what?"), ConnectionLost),
    ],
)  # fmt: skip
def test_errors_of_httpx(error, expected):
    assert type(translated(error, attempts())) is expected


def test_a_refused_certificate_stays_refused():
    cause = httpx.ConnectError("certificate verify failed")
    cause.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    error = translated(cause, attempts())
    error.__cause__ = cause
    with pytest.raises(ConnectionFailed):
        attempts().delay_after(error, False)


@pytest.mark.parametrize("kind", [httpx.LocalProtocolError, httpx.UnsupportedProtocol])
def test_a_request_that_cannot_be_sent(kind):
    """Which no repetition changes, and no server is to blame for."""
    calls = []

    def refuse(request):
        calls.append(request)
        raise kind("a field has a value that no field can have")

    with normserve.Client(transport=httpx.MockTransport(refuse), retries=5) as client:
        for call in (client.layer_types, client.is_live):
            with pytest.raises(ValueError, match="no field can have") as caught:
                call()
            assert isinstance(caught.value.__cause__, kind) and not isinstance(caught.value, normserve.NormserveError)
    assert len(calls) == 2

"""What can go wrong, as exceptions: all of them are `NormserveError`.

```
NormserveError
├── ProblemError             the server refused: status, code, detail, pointer
│   ├── BadRequest           400  it cannot be parsed
│   ├── Unauthorized         401  a key is needed
│   ├── Forbidden            403  the administrator's key is needed
│   ├── NotFound             404
│   │   └── UnknownLayer     404  no such layer; a KeyError, too
│   ├── TooLarge             413
│   ├── InvalidRequest       422  parsed, but impossible; a ValueError, too
│   ├── Overloaded           503  too busy, or shutting down
│   └── ServerFault          any other 5xx
├── TimedOut                 the time-out passed; a TimeoutError, too
└── TransportError           there is no answer; a ConnectionError, too
    ├── ConnectionFailed     nobody listens, or TLS was refused: nothing was sent
    ├── ConnectionLost       the connection broke before the answer was complete
    └── InvalidAnswer        the answer is not what the contract promises
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping


class NormserveError(Exception):
    """Whatever this package raises, but for wrong arguments (TypeError, ValueError)."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # KeyError and OSError have ways of their own.


class TimedOut(NormserveError, TimeoutError):
    """The client's time-out passed before the answer was complete."""


class TransportError(NormserveError, ConnectionError):
    """There is no answer, or none that can be understood."""


class ConnectionFailed(TransportError):
    """No connection came about, so nothing was sent."""


class ConnectionLost(TransportError):
    """The connection broke; whether the server did what it was asked to do is not known."""


class InvalidAnswer(TransportError):
    """The answer is not what the contract promises; perhaps it is not normserve that answered."""


class ProblemError(NormserveError):
    """The server's refusal, an RFC 9457 problem document."""

    def __init__(
        self,
        status: int,
        code: str | None,
        detail: str,
        pointer: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code or 'unknown'}: {detail}" + (f" (at {pointer})" if pointer else ""))
        #: The HTTP status.
        self.status = status
        #: From the closed list of the API's description; None where the answer was no problem document.
        self.code = code
        #: What was wrong and where, in a sentence.
        self.detail = detail
        #: A JSON Pointer to the member of the request that is to blame, where there is one.
        self.pointer = pointer
        #: Seconds after which another try may succeed, where the server said so.
        self.retry_after = retry_after


class BadRequest(ProblemError):
    """400: the request cannot be parsed."""


class Unauthorized(ProblemError):
    """401: a key is needed, and none that is known there was shown."""


class Forbidden(ProblemError):
    """403: the administrator's key is needed."""


class NotFound(ProblemError):
    """404: there is nothing of this name."""


class UnknownLayer(NotFound, KeyError):
    """404: no layer of this name and version is registered."""


class TooLarge(ProblemError):
    """413: the tensor is larger than the server takes."""


class InvalidRequest(ProblemError, ValueError):
    """422: parsed, but impossible; `pointer` names the parameter or tensor to blame."""


class ServerFault(ProblemError):
    """Any other status from 500 on."""


class Overloaded(ServerFault):
    """503: too many requests, or the server is shutting down."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 413: TooLarge, 422: InvalidRequest,
    503: Overloaded,
}  # fmt: skip


def problem(status: int, headers: Mapping[str, str], content: bytes) -> ProblemError:
    """The exception for an answer other than success, whoever wrote it: a proxy's page has no code."""
    document: dict[str, object] = {}
    if headers.get("content-type", "").partition(";")[0].strip() == "application/problem+json":
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            document = parsed
    texts = {name: value for name, value in document.items() if isinstance(value, str)}
    code = texts.get("code")
    detail = texts.get("detail", "the answer does not say why")
    kind = _BY_STATUS.get(status, ServerFault if status >= 500 else ProblemError)
    if code == "unknown_layer":
        kind = UnknownLayer
    return kind(status, code, detail, texts.get("pointer"), _seconds(headers.get("retry-after")))


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110 §10.2.3: delay-seconds; dates are of no use without the server's clock."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

"""The client for threads; `async_client` is its twin."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

import httpx
import numpy.typing as npt

from . import _repository as repository
from ._arrays import Array, TensorLike
from ._attempts import Attempts, translated
from ._direct import DirectTransport
from ._repository import LayerDescription
from ._settings import (
    DEFAULT_URL,
    LARGEST_REFUSAL,
    Certificate,
    LayerLike,
    Normalization,
    Settings,
    Verify,
    inline,
    parsed,
    ssl_context,
)
from ._wire import Answer, Call, Timing
from .errors import InvalidAnswer, NormserveError, Overloaded, ProblemError, TimedOut, TransportError, problem
from .layers import Layer

Result = TypeVar("Result")
Self = TypeVar("Self", bound="Client")


class Client:
    """A normserve server, over connections that are kept. Thread-safe; a context manager that closes them.

    - `base_url`: `http://HOST:PORT` or `https://HOST:PORT`, with a path in front of the server's if need be.
    - `uds`: the path of a Unix socket that is connected to instead of the URL's host.
    - `api_key`: shown to the server with every request.
    - `timeout`: seconds for each call with all its tries; None waits forever.
    - `verify`, `cert`: whom to trust, and whom to be, with https; see `ssl_context`.
    - `retries`: how often a call is tried again where that cannot do anything twice: when no connection came about;
      and, but for changes of the layer repository, when it broke before the head of an answer, or the answer was 503
      with `Retry-After`.
    - `transport`: another transport of httpx, say one through a proxy; it replaces `uds`, `verify` and `cert`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        uds: str | os.PathLike[str] | None = None,
        api_key: str | None = None,
        timeout: float | None = 60.0,
        verify: Verify = True,
        cert: Certificate | None = None,
        retries: int = 2,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = Settings(base_url, api_key, timeout, retries)
        if transport is None:
            context = ssl_context(verify, cert) if self._settings.base_url.scheme == "https" else None
            transport = DirectTransport(context, None if uds is None else os.fspath(uds))
        self._transport = transport
        #: The layers that the server has registered.
        self.layers = Layers(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._settings.base_url)!r})"

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()

    @overload
    def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: Literal[False] = False,
    ) -> Array: ...

    @overload
    def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: Literal[True],
    ) -> tuple[Array, Timing]: ...

    def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: bool = False,
    ) -> Array | tuple[Array, Timing]:
        """The normalized `x`: a new row-major array of its shape.

        - `x`: an array of any layout and byte order, or whatever numpy (or a CPU copy of torch) makes one of. It is not
          changed.
        - `layer`: the name of a registered layer, or (name, version); a layer such as `LayerNorm(768)`; or a module of
          torch.nn that is one.
        - `output_dtype`: float16, float32, float64 or bfloat16. By default that of `x` if it is one of these, else
          float32.
        - `return_timing`: whether the server's timing comes along.

        Raises NormserveError: InvalidRequest for what cannot be, with `pointer` to the member to blame; see `errors`.
        Raises TypeError for a dtype or a layer that cannot be sent.
        """
        answer = self.normalize_detailed(x, layer, output_dtype=output_dtype)
        return (answer.output, answer.timing) if return_timing else answer.output

    def normalize_detailed(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
    ) -> Answer:
        """As `normalize`, with all that the server says: also the `sigma` of a spectral norm."""
        normalization = Normalization(x, layer, output_dtype)

        def receive(response: httpx.Response, attempts: Attempts) -> Answer:
            reader = normalization.reader(response)
            readinto: Callable[[memoryview], int] | None = response.extensions.get("readinto")
            if readinto is None:
                for chunk in response.stream:  # type: ignore[union-attr]
                    attempts.remaining()
                    reader.feed(chunk)
                return normalization.answer(reader)
            while reader.window and (count := readinto(reader.window)):
                reader.advance(count)
            if readinto(memoryview(bytearray(1))):
                raise InvalidAnswer("the answer goes on after the tensor's last byte")
            return normalization.answer(reader)

        return self._run(normalization.call, receive)

    def is_live(self) -> bool:
        """Whether the server answers at all."""
        return self._is_well("/health/live")

    def is_ready(self) -> bool:
        """Whether the server takes requests; not before its start, nor while it shuts down."""
        return self._is_well("/health/ready")

    def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Returns as soon as the server takes requests. Raises TimedOut after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if self._is_well("/health/ready", left):
                return
            time.sleep(max(0.0, min(0.05, deadline - time.monotonic())))
        raise TimedOut(f"the server was not ready within {timeout:g} s")

    def layer_types(self) -> list[dict[str, Any]]:
        """What the server says of each type of layer: formula, source, parameters and their defaults."""
        types: list[dict[str, Any]] = self._json(Call("GET", "/layer-types"))["layer_types"]
        return types

    def _is_well(self, path: str, within: float = math.inf) -> bool:
        try:
            self._run(Call("GET", path), _passed_over, retries=0, within=within)
        except (ProblemError, TransportError, TimedOut):
            return False
        return True

    def _json(self, call: Call) -> Any:
        """The JSON of the answer."""

        def receive(response: httpx.Response, _: Attempts) -> Any:
            response.read()
            return parsed(response)

        return self._run(call, receive)

    def _run(
        self,
        call: Call,
        receive: Callable[[httpx.Response, Attempts], Result],
        retries: int | None = None,
        within: float = math.inf,
    ) -> Result:
        """What `receive` makes of the answer, after as many tries as may be; `within` may shorten the time-out."""
        timeout = self._settings.timeout
        if within < math.inf:
            timeout = within if timeout is None else min(timeout, within)
        attempts = Attempts(call, timeout, self._settings.retries if retries is None else retries)
        while True:
            answered = False
            error: NormserveError
            try:
                response = self._transport.handle_request(self._settings.request(call, attempts))
                answered = True
                with contextlib.closing(response):
                    if response.is_success:
                        return receive(response, attempts)
                    raise problem(response.status_code, response.headers, _beginning(response))
            except httpx.TransportError as cause:
                error = translated(cause, attempts)
                error.__cause__ = cause
            except Overloaded as refusal:
                error = refusal
            time.sleep(attempts.delay_after(error, answered))


def _passed_over(response: httpx.Response, _: Attempts) -> None:
    """What there is to receive when the status says it all: the content, as only its end frees the connection."""
    _beginning(response)


def _beginning(response: httpx.Response) -> bytes:
    """The content of an answer; of one that is longer than any refusal only its beginning."""
    content = b""
    for chunk in response.stream:  # type: ignore[union-attr]
        content += chunk
        if len(content) > LARGEST_REFUSAL:
            break
    return content


class Layers(Mapping[str, LayerDescription]):
    """The registered layers of a server, by name, as a mapping whose every look-up is a request.

    `layers["bn1"] = BatchNorm(…)` registers a new version and `del layers["bn1"]` removes all of them; both need the
    administrator's key. `layers["bn1"]` describes it and `load` gets its parameters.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def put(self, name: str, layer: LayerLike, *, datatype: str | None = None) -> str:
        """Registers a new version of a layer (or a module of torch.nn), and returns it: "1", "2", …

        `datatype`: what clients of the Open Inference Protocol are told; by default that of the parameters. It is not
        tried again when nobody knows what became of it.
        """
        return repository.version_of(self._client._json(repository.put_call(name, inline(layer), datatype)))

    def load(self, name: str, version: str | None = None) -> Layer:
        """The layer with its parameters, by default of the latest version; see `layers`."""
        return repository.layer_of(
            self._client._json(Call("GET", repository.path_of(name, version) + "?parameters=true"))
        )

    def delete(self, name: str, version: str | None = None) -> None:
        """Removes a version, by default all. Raises UnknownLayer if there is none."""
        self._client._run(repository.delete_call(name, version), _passed_over)

    def __setitem__(self, name: str, layer: LayerLike) -> None:
        self.put(name, layer)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __getitem__(self, name: str) -> LayerDescription:
        """Raises UnknownLayer, which is a KeyError."""
        if not repository.is_name(name):
            raise KeyError(name)
        return repository.description_of(self._client._json(Call("GET", repository.path_of(name))))

    def __iter__(self) -> Iterator[str]:
        return iter(self._snapshot())

    def __len__(self) -> int:
        return len(self._snapshot())

    def values(self) -> ValuesView[LayerDescription]:
        return self._snapshot().values()

    def items(self) -> ItemsView[str, LayerDescription]:
        return self._snapshot().items()

    def _snapshot(self) -> dict[str, LayerDescription]:
        return repository.descriptions_of(self._client._json(Call("GET", "/layers")))

    def __repr__(self) -> str:
        return f"<layers of {self._client!r}>"

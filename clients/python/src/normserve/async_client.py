"""The client for asyncio; it does what `Client` does, and shares all but the waiting with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

import httpx
import numpy.typing as npt

from . import _repository as repository
from ._arrays import Array, TensorLike
from ._async_direct import AsyncDirectTransport
from ._attempts import Attempts, translated
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
Self = TypeVar("Self", bound="AsyncClient")


class AsyncClient:
    """A normserve server, for asyncio; an async context manager. The arguments are those of `Client`.

    `timeout` is exact: what is not done by then is cancelled. A call that is cancelled closes its connection.
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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = Settings(base_url, api_key, timeout, retries)
        if transport is None:
            context = ssl_context(verify, cert) if self._settings.base_url.scheme == "https" else None
            transport = AsyncDirectTransport(context, None if uds is None else os.fspath(uds))
        self._transport = transport
        #: The layers that the server has registered.
        self.layers = AsyncLayers(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._settings.base_url)!r})"

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._transport.aclose()

    @overload
    async def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: Literal[False] = False,
    ) -> Array: ...

    @overload
    async def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: Literal[True],
    ) -> tuple[Array, Timing]: ...

    async def normalize(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
        return_timing: bool = False,
    ) -> Array | tuple[Array, Timing]:
        """The normalized `x`: a new row-major array of its shape; see `Client.normalize`."""
        answer = await self.normalize_detailed(x, layer, output_dtype=output_dtype)
        return (answer.output, answer.timing) if return_timing else answer.output

    async def normalize_detailed(
        self,
        x: TensorLike,
        layer: LayerLike,
        *,
        output_dtype: npt.DTypeLike | None = None,
    ) -> Answer:
        """As `normalize`, with all that the server says: also the `sigma` of a spectral norm."""
        normalization = Normalization(x, layer, output_dtype)

        async def receive(response: httpx.Response) -> Answer:
            reader = normalization.reader(response)
            readinto: Callable[[memoryview], Awaitable[int]] | None = response.extensions.get("readinto")
            if readinto is not None:
                while reader.window and (count := await readinto(reader.window)):
                    reader.advance(count)
                if await readinto(memoryview(bytearray(1))):
                    raise InvalidAnswer("the answer goes on after the tensor's last byte")
                return normalization.answer(reader)
            async for chunk in response.stream:  # type: ignore[union-attr]
                reader.feed(chunk)
            return normalization.answer(reader)

        return await self._run(normalization.call, receive)

    async def is_live(self) -> bool:
        """Whether the server answers at all."""
        return await self._is_well("/health/live")

    async def is_ready(self) -> bool:
        """Whether the server takes requests; not before its start, nor while it shuts down."""
        return await self._is_well("/health/ready")

    async def wait_until_ready(self, timeout: float = 30.0) -> None:
        """Returns as soon as the server takes requests. Raises TimedOut after `timeout` seconds."""

        async def wait() -> None:
            while not await self.is_ready():
                await asyncio.sleep(0.05)

        try:
            await asyncio.wait_for(wait(), timeout)
        except asyncio.TimeoutError as cause:
            raise TimedOut(f"the server was not ready within {timeout:g} s") from cause

    async def layer_types(self) -> list[dict[str, Any]]:
        """What the server says of each type of layer: formula, source, parameters and their defaults."""
        types: list[dict[str, Any]] = (await self._json(Call("GET", "/layer-types")))["layer_types"]
        return types

    async def _is_well(self, path: str) -> bool:
        try:
            await self._run(Call("GET", path), _passed_over, retries=0)
        except (ProblemError, TransportError, TimedOut):
            return False
        return True

    async def _json(self, call: Call) -> Any:
        """The JSON of the answer."""

        async def receive(response: httpx.Response) -> Any:
            await response.aread()
            return parsed(response)

        return await self._run(call, receive)

    async def _run(
        self, call: Call, receive: Callable[[httpx.Response], Awaitable[Result]], retries: int | None = None
    ) -> Result:
        """What `receive` makes of the answer, after as many tries as may be, in time."""
        attempts = Attempts(call, self._settings.timeout, self._settings.retries if retries is None else retries)
        try:
            if sys.version_info < (3, 11):
                return await asyncio.wait_for(self._try(call, receive, attempts), self._settings.timeout)
            async with asyncio.timeout(self._settings.timeout):  # Which needs no task of its own.
                return await self._try(call, receive, attempts)
        except NormserveError:
            raise
        except asyncio.TimeoutError as cause:
            raise attempts.timed_out() from cause

    async def _try(
        self, call: Call, receive: Callable[[httpx.Response], Awaitable[Result]], attempts: Attempts
    ) -> Result:
        while True:
            answered = False
            error: NormserveError
            try:
                response = await self._transport.handle_async_request(self._settings.request(call, attempts))
                answered = True
                async with contextlib.aclosing(response):
                    if response.is_success:
                        return await receive(response)
                    raise problem(response.status_code, response.headers, await _beginning(response))
            except httpx.TransportError as cause:
                error = translated(cause, attempts)
                error.__cause__ = cause
            except Overloaded as refusal:
                error = refusal
            await asyncio.sleep(attempts.delay_after(error, answered))


async def _passed_over(response: httpx.Response) -> None:
    """What there is to receive when the status says it all: the content, as only its end frees the connection."""
    await _beginning(response)


async def _beginning(response: httpx.Response) -> bytes:
    """The content of an answer; of one that is longer than any refusal only its beginning."""
    content = b""
    async for chunk in response.stream:  # type: ignore[union-attr]
        content += chunk
        if len(content) > LARGEST_REFUSAL:
            break
    return content


class AsyncLayers:
    """The registered layers of a server; `Layers` for asyncio, which has no `layers[name]` to wait for."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def put(self, name: str, layer: LayerLike, *, datatype: str | None = None) -> str:
        """Registers a new version of a layer (or a module of torch.nn), and returns it; see `Layers.put`."""
        return repository.version_of(await self._client._json(repository.put_call(name, inline(layer), datatype)))

    async def get(self, name: str) -> LayerDescription:
        """Describes a layer. Raises UnknownLayer, which is a KeyError."""
        return repository.description_of(await self._client._json(Call("GET", repository.path_of(name))))

    async def load(self, name: str, version: str | None = None) -> Layer:
        """The layer with its parameters, by default of the latest version; see `layers`."""
        call = Call("GET", repository.path_of(name, version) + "?parameters=true")
        return repository.layer_of(await self._client._json(call))

    async def delete(self, name: str, version: str | None = None) -> None:
        """Removes a version, by default all. Raises UnknownLayer if there is none."""
        await self._client._run(repository.delete_call(name, version), _passed_over)

    async def all(self) -> dict[str, LayerDescription]:
        """All layers by name."""
        return repository.descriptions_of(await self._client._json(Call("GET", "/layers")))

    async def __aiter__(self) -> AsyncIterator[str]:
        for name in await self.all():
            yield name

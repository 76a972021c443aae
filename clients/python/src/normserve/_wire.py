"""One exchange of `POST /normalize` in the binary framing, without any input or output (API.md, section 3).

A request is N bytes of JSON, then the bytes of each tensor in the order in which they stand in the JSON. N is in
`Inference-Header-Content-Length`. An answer is framed alike.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx
import numpy as np

from ._arrays import Array, datatype_of, dtype_of, empty, wire_bytes
from .errors import InvalidAnswer
from .layers import Layer

FRAMING = "inference-header-content-length"
_BINARY = "application/octet-stream"

# Much more than any server of this contract writes before the tensor.
_LARGEST_HEADER = 1 << 20

# Who sends copies what one call to send did not take, so that large tensors go out in pieces: asyncio and httpx do, a
# blocking socket does not but must look up for its deadline.
_PIECE = 1 << 20
_ASYNC_PIECE = 1 << 18


class Registered(NamedTuple):
    """The name of a layer in the server's repository, and its version; None is the latest."""

    name: str
    version: str | None = None


class Timing(NamedTuple):
    """What the server measured, in microseconds; the stages add up to no more than the total."""

    #: From the first byte of the request to its last.
    receive_us: float
    #: Until a thread took it up.
    queue_us: float
    decode_us: float
    compute_us: float
    encode_us: float
    total_us: float


@dataclass(frozen=True, eq=False)
class Answer:
    """All that the server said of a tensor."""

    #: The normalized tensor; writable, row-major, of the machine's byte order.
    output: Array
    timing: Timing
    #: The type of the layer on the wire, say "batch_norm".
    layer_type: str
    #: What `spectral_norm` divided by; None for any other type.
    sigma: float | None = None


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """What a request consists of, piece by piece and as often as it must be sent."""

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        self.parts = parts
        self.length = sum(len(part) for part in parts)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces(_PIECE)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces(_ASYNC_PIECE):
            yield piece

    def _pieces(self, size: int) -> Iterator[bytes]:
        for part in self.parts:
            for start in range(0, len(part), size):
                yield part[start : start + size]  # type: ignore[misc]  # Whatever has bytes will do.


@dataclass(frozen=True)
class Call:
    """A request to be sent, perhaps more than once."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[bytes | memoryview] = ()
    #: Whether it may be sent again when nobody knows what became of it.
    is_repeatable: bool = True


def normalize_call(x: Array, layer: Layer | Registered, output: str | None) -> Call:
    """The request for the normalization of `x`, of any layout; `output` is a datatype of the wire."""
    blobs: list[memoryview] = []

    def tensor(array: Array) -> dict[str, Any]:
        blob = wire_bytes(array)
        blobs.append(blob)
        return {
            "shape": array.shape, "datatype": datatype_of(array.dtype), "parameters": {"binary_data_size": len(blob)},
        }  # fmt: skip

    document = {"layer": _layer_document(layer, tensor), "input": tensor(x)}
    if output:
        document["output"] = {"datatype": output}
    header = json.dumps(document, separators=(",", ":")).encode()
    headers = {"Content-Type": _BINARY, "Accept": _BINARY, "Inference-Header-Content-Length": str(len(header))}
    return Call("POST", "/normalize", headers, [header, *blobs])


def _layer_document(layer: Layer | Registered, tensor: Any) -> Any:
    if isinstance(layer, Registered):
        return layer.name if layer.version is None else {"name": layer.name, "version": layer.version}
    described = {"type": layer.type}
    for name, value in layer.parameters().items():
        described[name] = tensor(value) if isinstance(value, np.ndarray) else value
    return described


class AnswerReader:
    """Takes an answer in, straight into the memory of the array that it becomes.

    `window` is where the next bytes belong, and `advance` says how many came; or `feed` takes bytes that are already
    somewhere. `finish` gives the answer when no more bytes come.
    """

    def __init__(self, headers: Mapping[str, str], shape: Sequence[int]) -> None:
        """`headers` are the answer's, `shape` is that of the input. Raises InvalidAnswer."""
        self._shape = list(shape)
        text = headers.get(FRAMING, "")
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 0 < int(text) <= _LARGEST_HEADER:
            raise InvalidAnswer("the answer has no binary framing")
        self._header = bytearray(int(text))
        self._window = memoryview(self._header)
        self._document: dict[str, Any] | None = None
        self._output: Array | None = None

    @property
    def window(self) -> memoryview:
        """Where the next bytes belong; empty when the answer is complete."""
        return self._window

    def advance(self, count: int) -> None:
        """Says that `count` bytes were written to the window. Raises InvalidAnswer when the JSON is not as promised."""
        self._window = self._window[count:]
        if not self._window and self._document is None:
            self._window = self._begin_output()

    def feed(self, chunk: bytes) -> None:
        """Takes in bytes that came. Raises InvalidAnswer when there are too many."""
        rest = memoryview(chunk)
        while rest:
            count = min(len(rest), len(self._window))
            if not count:
                raise InvalidAnswer("the answer goes on after the tensor's last byte")
            self._window[:count] = rest[:count]
            rest = rest[count:]
            self.advance(count)

    def finish(self) -> Answer:
        """The answer, after its last byte. Raises InvalidAnswer when bytes are missing."""
        if self._window or self._document is None or self._output is None:
            raise InvalidAnswer("the answer ends before the tensor's last byte")
        try:
            layer, timing = self._document["layer"], self._document["timing"]
            sigma = layer.get("sigma")
            return Answer(
                self._output,
                Timing(*(float(timing[name]) for name in Timing._fields)),
                str(layer["type"]),
                None if sigma is None else float(sigma),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidAnswer("the answer's JSON is not as promised") from error

    def _begin_output(self) -> memoryview:
        """Reads the JSON and makes the array that the rest belongs into."""
        try:
            document: dict[str, Any] = json.loads(self._header)
            output = document["output"]
            shape, datatype, size = output["shape"], output["datatype"], output["parameters"]["binary_data_size"]
            width = dtype_of(datatype).itemsize
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise InvalidAnswer("the answer's JSON is not as promised") from error
        # A layer keeps the shape; so no answer makes the client reserve more than it sent.
        if shape != self._shape or size != math.prod(self._shape) * width:
            raise InvalidAnswer(f"the answer's shape is {shape}, and its bytes are {size}")
        self._document = document
        self._output, window = empty(self._shape, datatype)
        return window

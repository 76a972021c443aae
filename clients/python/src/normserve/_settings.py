"""What both clients are made of: where the server is, who asks, and what a call becomes."""

from __future__ import annotations

import json
import os
import re
import ssl
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import numpy.typing as npt

from . import torch_modules
from ._arrays import as_array, output_datatype
from ._attempts import Attempts
from ._wire import Answer, AnswerReader, Body, Call, Registered, normalize_call
from .errors import InvalidAnswer
from .layers import Layer

Verify: TypeAlias = bool | str | os.PathLike[str] | ssl.SSLContext
Certificate: TypeAlias = str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]]

#: What stands for a layer: a name, a name and a version, a layer, a module.
LayerLike: TypeAlias = str | tuple[str, str] | Registered | Layer | torch_modules.Module

DEFAULT_URL = "http://127.0.0.1:8080"

# RFC 6750 §2.1: what a bearer token consists of.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

# Paths whose URL is not made again for each request, which takes as long as sending it.
_FREQUENT = frozenset({"/normalize"})

# The longest refusal that is read to its end.
LARGEST_REFUSAL = 1 << 20


class Settings:
    """The arguments of a client, judged."""

    def __init__(self, base_url: str, api_key: str | None, timeout: float | None, retries: int) -> None:
        url = httpx.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError("base_url must be http://HOST, https://HOST, with a port and a path at most")
        if api_key is not None and not _TOKEN.fullmatch(api_key):
            raise ValueError("api_key has characters that a bearer token cannot have")
        if timeout is not None and not timeout > 0:
            raise ValueError("timeout must be greater than 0; None is no time-out")
        if retries < 0:
            raise ValueError("retries must not be negative")
        self.base_url = url
        self.timeout = timeout
        self.retries = retries
        self._prefix = url.raw_path.rstrip(b"/")
        self._urls: dict[str, httpx.URL] = {}
        self._headers = {
            "Host": url.netloc.decode("ascii"),
            # Compressing numbers takes longer than sending them.
            "Accept-Encoding": "identity",
            "User-Agent": "normserve-python",
        }
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def request(self, call: Call, attempts: Attempts) -> httpx.Request:
        """The request of one try. Raises TimedOut when it is too late for it."""
        remaining = attempts.remaining()
        extensions = {"timeout": httpx.Timeout(remaining).as_dict(), "deadline": attempts.deadline}
        headers = {**self._headers, **call.headers}
        body = Body(call.parts)
        if call.parts:
            headers["Content-Length"] = str(body.length)
        url = self._urls.get(call.path)
        if url is None:
            url = self.base_url.copy_with(raw_path=self._prefix + call.path.encode("ascii"))
            if call.path in _FREQUENT:
                self._urls[call.path] = url
        return httpx.Request(call.method, url, headers=headers, stream=body, extensions=extensions)


class Normalization:
    """The normalization of one tensor: the call, and what becomes of the answer."""

    def __init__(self, x: Any, layer: Any, output_dtype: npt.DTypeLike | None) -> None:
        array = as_array(x)
        #: Whether the input is one sample, to which the axis of the batch was added.
        self._is_single = torch_modules.is_module(layer) and torch_modules.batched_rank(layer) == array.ndim + 1
        if self._is_single:
            array = array[None]
        self._shape = array.shape
        output = None if output_dtype is None else output_datatype(output_dtype)
        self.call = normalize_call(array, resolved(layer), output)

    def reader(self, response: httpx.Response) -> AnswerReader:
        return AnswerReader(response.headers, self._shape)

    def answer(self, reader: AnswerReader) -> Answer:
        answer = reader.finish()
        if not self._is_single:
            return answer
        return Answer(answer.output[0], answer.timing, answer.layer_type, answer.sigma)


def resolved(layer: Any) -> Layer | Registered:
    """A layer, from all that stands for one. Raises TypeError and ValueError."""
    if isinstance(layer, (Layer, Registered)):
        return layer
    if isinstance(layer, str):
        return Registered(layer)
    if isinstance(layer, tuple) and len(layer) == 2 and all(isinstance(part, str) for part in layer):
        return Registered(*layer)
    if torch_modules.is_module(layer):
        return torch_modules.layer_of_module(layer)
    raise TypeError(f"a layer is a name, (name, version), a layer of this package or a torch.nn module, not {layer!r}")


def inline(layer: Any) -> Layer:
    """A layer with its parameters, from all that stands for one but names."""
    found = resolved(layer)
    if isinstance(found, Registered):
        raise TypeError("a layer is registered by its parameters, not by the name of another")
    return found


def parsed(response: httpx.Response) -> Any:
    """The JSON of an answer that was read. Raises InvalidAnswer."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer("the answer is not JSON") from error


def ssl_context(verify: Verify, cert: Certificate | None) -> ssl.SSLContext:
    """How to speak TLS.

    `verify`: True trusts the authorities that httpx does, a path those of a PEM file, False whatever comes; or a
    context, which is used as it is. `cert`: a PEM file with the client's certificate and key, or one for each.
    """
    if isinstance(verify, ssl.SSLContext):
        context = verify
    elif isinstance(verify, bool):
        context = httpx.create_ssl_context(verify=verify)
    else:
        context = ssl.create_default_context(cafile=str(Path(verify)))
    if cert is not None:
        certificate, key = cert if isinstance(cert, tuple) else (cert, None)
        context.load_cert_chain(certificate, key)
    return context

"""The calls of the layer repository and what is answered, without any input or output (API.md, section 6)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._arrays import Array, datatype_of, dtype_of
from ._wire import Call
from .errors import InvalidAnswer
from .layers import LAYER_TYPES, Layer

# The server's rule; what breaks it would mean another path.
_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}")
_VERSION = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True)
class LayerDescription:
    """A registered layer, but for its parameters."""

    name: str
    #: From the oldest to the latest, which the name alone stands for.
    versions: tuple[str, ...]
    #: Of the latest version, as on the wire: "batch_norm".
    type: str
    #: The datatype that the latest version announces to clients of the Open Inference Protocol: "FP32".
    datatype: str


def is_name(name: object) -> bool:
    """Whether a layer can have this name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def path_of(name: str, version: str | None = None) -> str:
    """Raises ValueError for what is no name or no version."""
    if not is_name(name):
        raise ValueError("the name of a layer is 1 to 128 of A-Za-z0-9._- and does not start with a dot")
    if version is None:
        return f"/layers/{name}"
    if not _VERSION.fullmatch(version):
        raise ValueError("the version of a layer is a number, as text")
    return f"/layers/{name}/versions/{version}"


def put_call(name: str, layer: Layer, datatype: str | None) -> Call:
    """Registers a version of a layer. Parameters keep their precision: a double's decimals read back to any."""
    document: dict[str, Any] = {"type": layer.type}
    if datatype is not None:
        document["datatype"] = datatype
    for parameter, value in layer.parameters().items():
        document[parameter] = _tensor_document(value) if isinstance(value, np.ndarray) else value
    content = json.dumps(document, separators=(",", ":")).encode()
    return Call("PUT", path_of(name), {"Content-Type": "application/json"}, [content], is_repeatable=False)


def delete_call(name: str, version: str | None) -> Call:
    return Call("DELETE", path_of(name, version), is_repeatable=False)


def _tensor_document(array: Array) -> dict[str, Any]:
    data = array.astype(np.float64).reshape(-1).tolist()
    return {"shape": array.shape, "datatype": datatype_of(array.dtype), "data": data}


def version_of(document: Any) -> str:
    """The version that a PUT made."""
    return str(_member(document, "version", str))


def description_of(document: Any) -> LayerDescription:
    versions = _member(document, "versions", list)
    return LayerDescription(
        _member(document, "name", str),
        tuple(str(version) for version in versions),
        _member(document, "type", str),
        _member(document, "datatype", str),
    )


def descriptions_of(document: Any) -> dict[str, LayerDescription]:
    """The answer to GET /layers, by name."""
    described = [description_of(layer) for layer in _member(document, "layers", list)]
    return {layer.name: layer for layer in described}


def layer_of(document: Any) -> Layer:
    """The layer with its parameters: the answer to GET with `parameters=true`."""
    kind = LAYER_TYPES.get(_member(document, "type", str))
    if kind is None:
        raise InvalidAnswer("the layer is of a type that this client does not know")
    try:
        values = {name: _value(value) for name, value in _member(document, "parameters", dict).items()}
        return kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidAnswer("the layer has parameters that this client does not know") from error


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    array = np.array([float(element) for element in value["data"]], np.float64)  # "NaN" is a string there.
    return array.reshape(value["shape"]).astype(dtype_of(value.get("datatype", "FP64")))


def _member(document: Any, name: str, kind: type) -> Any:
    value = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(value, kind):
        raise InvalidAnswer(f"the answer lacks {name}, or has another type of it")
    return value

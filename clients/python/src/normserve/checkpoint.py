"""Checkpoints of PyTorch as safetensors files, which `normserve serve --checkpoint` takes its layers from.

A safetensors file is the length of its header (64 bits, little-endian), the header (JSON: for each tensor its datatype,
its shape and where its bytes are), and the bytes. It is read without running any code, as a pickle is not.
"""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ._arrays import wire_bytes
from .errors import NormserveError

# The datatypes of safetensors by those of PyTorch, with the size of an element in bytes.
_DATATYPES = {
    "float32": ("F32", 4), "float64": ("F64", 8), "float16": ("F16", 2), "bfloat16": ("BF16", 2), "bool": ("BOOL", 1),
    "uint8": ("U8", 1), "uint16": ("U16", 2), "uint32": ("U32", 4), "uint64": ("U64", 8), "int8": ("I8", 1),
    "int16": ("I16", 2), "int32": ("I32", 4), "int64": ("I64", 8), "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
}  # fmt: skip

# Under which key frameworks keep the weights beside the rest of a checkpoint.
_WRAPPERS = ("state_dict", "model_state_dict", "model")

# As much as safetensors' own readers accept.
_LARGEST_HEADER = 100_000_000


class CheckpointError(NormserveError):
    """The file is no checkpoint that can be converted."""


class Conversion(NamedTuple):
    """What was written."""

    tensors: int
    #: The size of the file.
    byte_count: int
    #: Entries of the checkpoint that are no tensors, and so were left out.
    left_out: tuple[str, ...]


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Conversion:
    """Writes the tensors of a checkpoint of torch.save as a safetensors file; needs PyTorch.

    The checkpoint is a state_dict, or a dictionary that has one as `state_dict`, `model_state_dict` or `model`. It is
    read as weights only: a pickle that would run code is refused. `target` is there whole or not at all.
    Raises CheckpointError, OSError, and ImportError without PyTorch.
    """
    state = _tensors_of(_load(Path(source)))
    tensors = {name: value for name, value in state.items() if hasattr(value, "dtype") and hasattr(value, "shape")}
    if not tensors:
        raise CheckpointError("the checkpoint holds no tensors")
    size = save(tensors, target)
    return Conversion(len(tensors), size, tuple(sorted(map(str, state.keys() - tensors.keys()))))


def save(tensors: Mapping[str, Any], target: str | os.PathLike[str]) -> int:
    """Writes tensors or arrays as a safetensors file, whole or not at all, and returns the file's size in bytes.

    Tensors that share memory are written one by one. Raises CheckpointError for a tensor that is not dense, or of a
    datatype that safetensors does not have.
    """
    target = Path(target)
    header, ordered = _header(tensors)
    # Opened as any new file is, so that the system applies the umask; tempfile's are the owner's alone.
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(8)}.new")
    try:
        with temporary.open("xb") as file:
            size = file.write(header) + sum(file.write(_bytes_of(tensor)) for tensor in ordered)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size


def _load(source: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError("reading a checkpoint of PyTorch needs PyTorch: pip install 'normserve[torch]'") from error
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # Of many classes, as a file can be broken in many ways; none of them is our bug.
        raise CheckpointError(f"{source.name} is no checkpoint of weights alone: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _tensors_of(checkpoint: Any) -> Mapping[str, Any]:
    if isinstance(checkpoint, Mapping):
        for key in _WRAPPERS:
            if isinstance(inner := checkpoint.get(key), Mapping):
                return inner
        return checkpoint
    raise CheckpointError(f"the checkpoint is a {type(checkpoint).__name__}, not a state_dict")


def _header(tensors: Mapping[str, Any]) -> tuple[bytes, list[Any]]:
    """The length and the JSON, and the tensors in the order of their bytes: the widest first, which aligns all."""
    entries = []
    for name, tensor in tensors.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise CheckpointError("a tensor has a name that safetensors cannot have")
        entries.append((name, tensor, *_datatype(name, tensor)))
    entries.sort(key=lambda entry: (-entry[3], entry[0]))
    document: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor, datatype, width in entries:
        start, end = end, end + math.prod(tensor.shape) * width
        document[name] = {"dtype": datatype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _LARGEST_HEADER:
        raise CheckpointError("there are more tensors than a safetensors file can list")
    return len(text).to_bytes(8, "little") + text, [entry[1] for entry in entries]


def _datatype(name: str, tensor: Any) -> tuple[str, int]:
    found = _DATATYPES.get(str(tensor.dtype).removeprefix("torch."))
    if found is None or str(getattr(tensor, "layout", "torch.strided")) != "torch.strided":
        raise CheckpointError(f"{name} is of {tensor.dtype}, or not dense, which safetensors cannot hold")
    return found


def _bytes_of(tensor: Any) -> memoryview:
    """The row-major bytes of a tensor, little-endian as every machine that PyTorch runs on."""
    if isinstance(tensor, (np.ndarray, np.generic)):
        return wire_bytes(np.asarray(tensor))
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    content: memoryview = flat.view(torch.uint8).numpy().data
    return content

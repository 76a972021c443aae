"""Between numpy arrays and the tensors of the wire: datatypes, byte order, memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class TorchTensor(Protocol):
    """What tells a tensor of PyTorch."""

    def detach(self) -> Any: ...

    def cpu(self) -> Any: ...


TensorLike: TypeAlias = npt.ArrayLike | TorchTensor

# The datatypes of the Open Inference Protocol that the service takes; BF16 is ml_dtypes' and not always there.
_DTYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"), "FP64": np.dtype("<f8"), "FP16": np.dtype("<f2"), "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"), "UINT16": np.dtype("<u2"), "UINT32": np.dtype("<u4"), "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"), "INT16": np.dtype("<i2"), "INT32": np.dtype("<i4"), "INT64": np.dtype("<i8"),
}  # fmt: skip
_DATATYPES = {dtype: name for name, dtype in _DTYPES.items()}

# What an answer, and a parameter of a layer, can be.
FLOATING = ("FP32", "FP64", "FP16", "BF16")


def bfloat16() -> np.dtype[Any]:
    """The dtype of BF16. Raises ImportError without ml_dtypes."""
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError("BF16 arrays need the package ml_dtypes: pip install 'normserve[bf16]'") from error
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return dtype


def dtype_of(datatype: str) -> np.dtype[Any]:
    """The little-endian dtype of a datatype of the wire. Raises KeyError for an unknown one."""
    return bfloat16() if datatype == "BF16" else _DTYPES[datatype]


def datatype_of(dtype: np.dtype[Any]) -> str:
    """The datatype of the wire for a dtype of any byte order. Raises TypeError where there is none."""
    if dtype.name == "bfloat16":
        return "BF16"
    datatype = _DATATYPES.get(dtype.newbyteorder("<"))
    if datatype is None:
        raise TypeError(f"an array of {dtype} cannot be sent; convert it to one of {', '.join(_DTYPES)} or BF16")
    return datatype


def output_datatype(dtype: npt.DTypeLike) -> str:
    """The datatype that an answer is asked for in, from a dtype or a name as on the wire. Raises TypeError."""
    if isinstance(dtype, str) and dtype in FLOATING:
        return dtype
    datatype = "BF16" if dtype == "bfloat16" else datatype_of(np.dtype(dtype))
    if datatype not in FLOATING:
        raise TypeError(f"answers are of a floating dtype, not {np.dtype(dtype)}")
    return datatype


def as_array(value: Any) -> Array:
    """`value` as an array, without a copy if it is one; tensors of PyTorch are taken off their device and graph."""
    if callable(getattr(value, "detach", None)):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":  # Which numpy cannot read; through FP32 nothing is lost.
            return np.asarray(value.float()).astype(bfloat16())
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError("a masked array cannot be sent, as the mask would be lost; fill it first")
    return np.asarray(value)


def as_parameter(value: Any) -> Array | list[Any]:
    """A parameter of a layer: a floating array, where integers become FP64; or nested lists where it has no dtype."""
    array = as_array(value)
    if datatype_of(array.dtype) not in FLOATING:
        array = array.astype(np.float64)
    return array if hasattr(value, "dtype") else array.astype(np.float64).tolist()


def wire_bytes(array: Array) -> memoryview:
    """The little-endian row-major bytes of `array`; its own memory where it is laid out so, else a copy."""
    if array.dtype.name == "bfloat16":  # Whose buffers Python cannot describe.
        array = array.view(np.uint16)
    laid_out = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return laid_out.reshape(-1).view(np.uint8).data


def empty(shape: Sequence[int], datatype: str) -> tuple[Array, memoryview]:
    """A new array and its bytes, to be written."""
    dtype = dtype_of(datatype)
    storage = np.empty(math.prod(shape) * dtype.itemsize, np.uint8)
    return storage.view(dtype).reshape(shape), storage.data

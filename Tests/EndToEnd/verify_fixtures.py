"""Holds the golden files, which PyTorch made, against the FP64 reference here; needs numpy alone."""

import json
import pathlib
import sys

import numpy as np

import reference
from tensors import decode

SAFETENSORS = {"F64": "FP64", "F32": "FP32", "F16": "FP16", "BF16": "BF16", "U8": "UINT8", "I8": "INT8", "U16": "UINT16",
               "I16": "INT16", "U32": "UINT32", "I32": "INT32", "U64": "UINT64", "I64": "INT64", "BOOL": "BOOL"}  # fmt: skip


def load(path):
    """The metadata and the tensors, in FP64, of a safetensors file."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    metadata, tensors = header.pop("__metadata__"), {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        tensors[name] = decode(content[end + start : end + stop], SAFETENSORS[entry["dtype"]], entry["shape"])
    return metadata, tensors, {name: entry["dtype"] for name, entry in header.items()}


def worst_error(path):
    """The largest difference, relative where the expected value is large, over all cases of a file."""
    metadata, tensors, dtypes = load(path)
    worst = 0.0
    for case, options in json.loads(metadata["cases"]).items():
        parameters = {name.rpartition(".")[2]: value for name, value in tensors.items() if name.rpartition(".")[0] == case}
        x, expected = parameters.pop("input"), parameters.pop("expected")
        layer = {"type": path.stem} | options | parameters
        if path.stem == "rms_norm" and dtypes[f"{case}.input"] == "F64":
            layer.setdefault("eps", reference.FP64_MACHINE_EPSILON)
        difference = np.abs(reference.normalize(layer, x) - expected) / np.maximum(1, np.abs(expected))
        worst = max(worst, difference.max(initial=0))
    return worst


if __name__ == "__main__":
    directory = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
    errors = {path.stem: worst_error(path) for path in sorted(directory.glob("*.safetensors"))}
    if set(errors) != set(reference.LAYERS):
        sys.exit(f"golden files and reference differ in their layers: {sorted(set(errors) ^ set(reference.LAYERS))}")
    wrong = {name: error for name, error in errors.items() if not error < 1e-12}
    sys.exit(f"not what the reference computes: {wrong}" if wrong else 0)

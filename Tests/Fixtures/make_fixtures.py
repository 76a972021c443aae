#!/usr/bin/env python3
"""Writes the golden files of the layers: inputs, parameters, and what PyTorch computes from them in FP64.

    make_fixtures.py            writes *.safetensors beside this script
    make_fixtures.py --check    verifies that they are what would be written

One file per layer type. The tensors of a case are called `<case>.input`, `<case>.expected`, `<case>.<parameter>`;
the metadata member `cases` is a JSON object from a case's name to its parameters that are not tensors.

Where `torch` cannot be imported, a virtual environment in the cache directory is made first, with the PyTorch wheel
that the environment variable NORMSERVE_TORCH_WHEEL names (a file or a requirement; default: "torch").
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent


def reexecute_in_environment():
    """Starts this script again where its dependencies are installed."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    directory = cache / "normserve" / "fixtures-venv"
    python = directory / "bin" / "python"
    if pathlib.Path(sys.executable) == python:
        sys.exit("make_fixtures.py: torch, numpy or safetensors cannot be imported in " + str(directory))
    if not python.exists():
        venv.create(directory, with_pip=True)
    wheel = os.environ.get("NORMSERVE_TORCH_WHEEL", "torch")
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel, "numpy", "safetensors"], check=True)
    os.execv(python, [str(python), *sys.argv])


try:
    import torch

    import composed_layers
    import torch_layers
    import weight_layers
except ImportError:
    reexecute_in_environment()

LAYERS = [*torch_layers.LAYERS, *composed_layers.LAYERS, *weight_layers.LAYERS]


def main():
    directory = pathlib.Path(tempfile.mkdtemp()) if "--check" in sys.argv else HERE
    different = []
    for make in LAYERS:
        path = directory / f"{make.__name__}.safetensors"
        make().save(path)
        committed = HERE / path.name
        if not committed.exists() or committed.read_bytes() != path.read_bytes():
            different.append(path.name)
    if different:
        sys.exit("make_fixtures.py: not what the script writes: " + ", ".join(different))


if __name__ == "__main__":
    torch.use_deterministic_algorithms(True)
    main()

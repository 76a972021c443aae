#!/usr/bin/env python3
"""Writes the golden files of the layers: inputs, parameters, and what PyTorch computes from them in FP64.

    make_fixtures.py            writes *.safetensors beside this script
    make_fixtures.py --check    verifies that they are what would be written

One file per layer type. The tensors of a case are called `<case>.input`, `<case>.expected`, `<case>.<parameter>`;
the metadata member `cases` is a JSON object from a case's name to its parameters that are not tensors.

Where `torch` cannot be imported, a virtual environment in the cache directory is made first, with the PyTorch wheel
that the environment variable NORMSERVE_TORCH_WHEEL names (a file or a requirement; default: "torch").
"""
import json
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
    import torch.nn.functional as F
    from safetensors.torch import save_file
except ImportError:
    reexecute_in_environment()

FP16, BF16, FP32, FP64 = torch.float16, torch.bfloat16, torch.float32, torch.float64


class Cases:
    """The cases of one layer type, drawn from one seeded generator."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.tensors = {}
        self.options = {}

    def normal(self, shape, dtype, offset=0.0):
        return (torch.randn(shape, generator=self.generator, dtype=FP64) + offset).to(dtype)

    def uniform(self, shape, dtype, low=0.0, high=1.0):
        return (torch.rand(shape, generator=self.generator, dtype=FP64) * (high - low) + low).to(dtype)

    def add(self, name, x, compute, parameters, options):
        """Computes from exactly what is stored, in FP64."""
        wide = {key: value.to(FP64) for key, value in parameters.items()}
        expected = compute(x.to(FP64), wide)
        self.options[name] = options
        for key, value in {"input": x, "expected": expected, **parameters}.items():
            self.tensors[f"{name}.{key}"] = value.contiguous()

    def save(self, path):
        # One metadata member: the order of several is not fixed.
        save_file(self.tensors, path, metadata={"cases": json.dumps(self.options, sort_keys=True)})
        path.chmod(0o644)


def channels_first(compute, options):
    """`compute`, for input that may have its channels last."""
    if options.get("data_format") != "channels_last":
        return compute
    return lambda x, parameters: compute(x.movedim(-1, 1), parameters).movedim(1, -1)


def channel_shapes(options):
    last = options.get("data_format") == "channels_last"
    for shape in [(3, 6), (2, 6, 5), (2, 4, 3, 5), (2, 4, 2, 3, 2)]:
        yield (shape[0], *shape[2:], shape[1]) if last else shape, shape[1]


def channel_cases(cases, variants, make_compute, make_parameters):
    """Every variant of the options, over all shapes; the data types take turns."""
    types = [FP32, FP64, FP16, BF16]
    number = 0
    for options in variants:
        for shape, channels in channel_shapes(options):
            dtype = types[number % len(types)]
            # The parameters of 16-bit inputs come in FP32, as mixed precision has them.
            parameter_type = dtype if dtype in (FP32, FP64) else FP32
            x = cases.normal(shape, dtype, offset=[0, 3, -0.5][number % 3])
            parameters = make_parameters(cases, channels, parameter_type)
            cases.add(f"{number:02}", x, channels_first(make_compute(options), options), parameters, options)
            number += 1


def affine(cases, channels, dtype):
    return {"weight": cases.uniform((channels,), dtype), "bias": cases.uniform((channels,), dtype)}


def frozen(cases, channels, dtype):
    return {
        "running_mean": cases.normal((channels,), dtype),
        "running_var": cases.uniform((channels,), dtype, 0.25, 4),
        **affine(cases, channels, dtype),
    }


def batch_norm():
    cases = Cases(1)

    def make_compute(options):
        batch = options.get("use_batch_statistics", False)
        return lambda x, p: F.batch_norm(
            x, None if batch else p["running_mean"], None if batch else p["running_var"],
            p["weight"], p["bias"], training=batch, eps=options["eps"])

    variants = [{"eps": 1e-5}, {"eps": 1e-3, "data_format": "channels_last"},
                {"eps": 1e-5, "use_batch_statistics": True},
                {"eps": 1e-3, "use_batch_statistics": True, "data_format": "channels_last"}]
    channel_cases(cases, variants, make_compute, frozen)
    return cases


def instance_norm():
    cases = Cases(2)

    def make_compute(options):
        running = options.get("use_running_statistics", False)

        def compute(x, p):
            if x.dim() == 2:
                # torch.nn.InstanceNorm refuses a single spatial element; over one, x - E[x] is zero.
                if not running:
                    return p["bias"].expand_as(x)
                return F.batch_norm(x, p["running_mean"], p["running_var"], p["weight"], p["bias"], eps=options["eps"])
            mean, var = (p["running_mean"], p["running_var"]) if running else (None, None)
            return F.instance_norm(x, mean, var, p["weight"], p["bias"], not running, eps=options["eps"])

        return compute

    variants = [{"eps": 1e-5}, {"eps": 1e-3, "data_format": "channels_last"},
                {"eps": 1e-5, "use_running_statistics": True}]
    channel_cases(cases, variants, make_compute, frozen)
    return cases


def group_norm():
    cases = Cases(3)

    def make_compute(options):
        return lambda x, p: F.group_norm(x, options["num_groups"], p["weight"], p["bias"], eps=options["eps"])

    variants = [{"eps": 1e-5, "num_groups": 1}, {"eps": 1e-3, "num_groups": 2},
                {"eps": 1e-5, "num_groups": 2, "data_format": "channels_last"}]
    channel_cases(cases, variants, make_compute, affine)
    return cases


def trailing_cases(cases, compute, names, eps):
    types = [FP32, FP64, FP16, BF16]
    shapes = [((17,), 1), ((5, 24), 1), ((3, 4, 10), 1), ((3, 4, 10), 2), ((2, 3, 4, 6), 3), ((2, 2, 2, 3, 7), 2)]
    for number, (shape, normalized) in enumerate(shapes * 2):
        dtype = types[(number + number // len(shapes)) % len(types)]
        parameter_type = dtype if dtype in (FP32, FP64) else FP32
        row = list(shape[len(shape) - normalized:])
        x = cases.normal(shape, dtype, offset=[0, 3, -0.5][number % 3])
        parameters = {name: cases.uniform(row, parameter_type) for name in names}
        options = {"normalized_shape": row} if number < len(shapes) else {"axis": -normalized}
        if number % 2 == 0:
            options["eps"] = eps
        cases.add(f"{number:02}", x, compute(row, options, dtype), parameters, options)


def layer_norm():
    cases = Cases(4)

    def compute(row, options, dtype):
        return lambda x, p: F.layer_norm(x, row, p["weight"], p["bias"], eps=options.get("eps", 1e-5))

    trailing_cases(cases, compute, ["weight", "bias"], 1e-3)
    return cases


def rms_norm():
    cases = Cases(5)

    def compute(row, options, dtype):
        # By default the machine epsilon of the computation's type; a 16-bit input computes in FP32.
        eps = options.get("eps", torch.finfo(FP64 if dtype == FP64 else FP32).eps)
        return lambda x, p: F.rms_norm(x, row, p["weight"], eps=eps)

    trailing_cases(cases, compute, ["weight"], 1e-6)
    return cases


def main():
    directory = pathlib.Path(tempfile.mkdtemp()) if "--check" in sys.argv else HERE
    different = []
    for make in (batch_norm, instance_norm, group_norm, layer_norm, rms_norm):
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

"""Draws the cases of a layer type: inputs, parameters, and what a function makes of them in FP64."""

import json

import torch
from safetensors.torch import save_file

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
        yield (shape[0], *shape[2:], shape[1]) if last else shape


def draw(cases, shape, options, make_compute, make_parameters):
    """One more case; the data types take turns."""
    types, number = [FP32, FP64, FP16, BF16], len(cases.options)
    dtype = types[number % len(types)]
    # The parameters of 16-bit inputs come in FP32, as mixed precision has them.
    parameter_type = dtype if dtype in (FP32, FP64) else FP32
    x = cases.normal(shape, dtype, offset=[0, 3, -0.5][number % 3])
    parameters = make_parameters(cases, x, parameter_type, options)
    cases.add(f"{number:02}", x, make_compute(options), parameters, options)


def channel_cases(cases, variants, make_compute, make_parameters):
    """Every variant of the options, over all shapes that have channels."""
    for options in variants:
        for shape in channel_shapes(options):
            draw(cases, shape, options, lambda options: channels_first(make_compute(options), options), make_parameters)


def shaped_cases(cases, shapes, variants, make_compute, make_parameters):
    """Every variant of the options, over the shapes that have the axes it names."""
    for options in variants:
        named = [options.get("axis"), options.get("dim"), *options.get("axes", [])]
        for shape in shapes:
            if all(axis is None or -len(shape) <= axis < len(shape) for axis in named):
                draw(cases, shape, options, make_compute, make_parameters)


def channel_count(x, options):
    return x.shape[-1 if options.get("data_format") == "channels_last" else 1]


def per_channel(values, x):
    """(C) or (N, C) values, to broadcast against x with its channels first."""
    values = values if values.dim() == 2 else values[None]
    return values.reshape(*values.shape, *[1] * (x.dim() - 2))


def affine(cases, x, dtype, options):
    channels = channel_count(x, options)
    return {"weight": cases.uniform((channels,), dtype), "bias": cases.uniform((channels,), dtype)}


def frozen(cases, x, dtype, options):
    channels = channel_count(x, options)
    return {
        "running_mean": cases.normal((channels,), dtype),
        "running_var": cases.uniform((channels,), dtype, 0.25, 4),
        **affine(cases, x, dtype, options),
    }

"""Measures how far the layers and those of PyTorch, ONNX Runtime and OpenVINO are from exact, and writes the tables of
docs/numerics.md.

usage: python accuracy.py --kernel-bench PATH
"""

import argparse
import contextlib
import os
import pathlib
import tempfile

import numpy as np

import kernel_processes
from bench_kernels import replace_between
from kernel_cases import Case, Data
from kernel_processes import HERE, Normserve, Peer

OFFSETS = ["0", "1e2", "1e4", "1e6"]
LAYERS = {
    "batch_norm": (8, 64, 56, 56),
    "layer_norm": (1024, 768),
    "instance_norm": (8, 64, 56, 56),
    "group_norm": (8, 64, 56, 56),
    "rms_norm": (1024, 768),
}
# Accumulates with 64 bits of mantissa; _standardized corrects the mean, so that an offset takes none of them away.
EXTENDED = np.longdouble


def draw(case, directory, offset):
    """Normal data around an offset, γ and β in [0, 1), and statistics that fit."""
    random = np.random.default_rng(1)
    x = (random.standard_normal(case.stored_shape) + offset).astype(case.element_type)
    return Data(case, directory, x, case.parameters(random, offset, low=0, high=1))


def error(runner, data, expected, path, is_relative):
    """The largest error of any element; None where the framework does not have the layer."""
    if runner.prepare(data) is not None:
        return None
    runner.write(path)
    # The difference is exact in the wider type, or nearly.
    difference = np.abs(data.read(path).astype(expected.dtype) - expected)
    if is_relative:
        difference /= np.maximum(1, np.abs(expected))
    return float(difference.max())


def measure(runners, directory, datatype, precision):
    """Per layer and offset the error of each runner, in their order."""
    errors = {}
    for layer, shape in LAYERS.items():
        for offset in OFFSETS if layer != "rms_norm" else OFFSETS[:1]:
            data = draw(Case(layer, shape, datatype), directory, float(offset))
            expected = data.expected(precision)
            path = directory / "y.bin"
            errors[layer, offset] = [
                error(runner, data, expected, path, is_relative=datatype == "FP64") for runner in runners.values()
            ]
    return errors


def misrounded(runner, data, expected, path):
    """The share of the elements that are not the exact result rounded once; None as above."""
    if runner.prepare(data) is not None:
        return None
    runner.write(path)
    return float(np.mean(data.read(path) != expected.astype(data.case.element_type)))


def measure_rounding(runners, directory):
    """Per layer and 16-bit type the misrounded share of each runner, in their order."""
    shares = {}
    for layer, shape in LAYERS.items():
        for datatype in ("FP16", "BF16"):
            data = draw(Case(layer, shape, datatype), directory, 0.0)
            expected = data.expected()
            shares[layer, datatype] = [
                misrounded(runner, data, expected, directory / "y.bin") for runner in runners.values()
            ]
    return shares


def table(second, rows, names, cell):
    lines = [f"| layer | {second} | {' | '.join(names)} |", "|---" * (2 + len(names)) + "|"]
    for (layer, key), values in rows.items():
        lines.append(f"| {layer} | {key} | {' | '.join(map(cell, values))} |")
    return lines


def error_cell(value):
    if value is None:
        return "–"
    return "NaN" if np.isnan(value) else f"{value:.1e}"


def share_cell(value):
    return "–" if value is None else f"{value:.2%}"


def instruction_sets(kernel_bench):
    """Those that the processor has, the lowest first."""
    for name in ("baseline", "avx2", "avx512"):
        with kernel_processes.start_normserve(kernel_bench, name) as process:
            if process.ask(command="describe")["instruction_set"] == name:
                yield name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel-bench", required=True, help="the executable of Benchmarks/KernelBench")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        runners = {}
        for name in instruction_sets(options.kernel_bench):
            process = stack.enter_context(kernel_processes.start_normserve(options.kernel_bench, name))
            runners[f"normserve, {name}"] = Normserve(process, os.cpu_count())
        for name in kernel_processes.installed_peers():
            peer = Peer(name, stack.enter_context(kernel_processes.start_peer(name, 1)), 1)
            runners[f"{name} {peer.version}"] = peer
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        single = measure(runners, directory, "FP32", np.float64)
        rounding = measure_rounding(runners, directory)
        double = measure(runners, directory, "FP64", EXTENDED)
    shapes = "; ".join(f"{layer} {'×'.join(map(str, shape))}" for layer, shape in LAYERS.items())
    text = "\n".join([
        f"Shapes: {shapes}; group_norm with {Case('group_norm', ()).groups} groups, batch_norm with frozen statistics.",
        "",
        "FP32 input, the largest absolute error against FP64:",
        "",
        *table("offset", single, runners, error_cell),
        "",
        "FP16 and BF16 input at offset 0, the share of the elements that are not the exact result rounded once:",
        "",
        *table("type", rounding, runners, share_cell),
        "",
        "FP64 input, the largest error against 80-bit extended precision, of max(1, |y|):",
        "",
        *table("offset", double, runners, error_cell),
        "",
    ])  # fmt: skip
    print(text)
    replace_between(HERE.parent / "docs" / "numerics.md", "numerics", text)


if __name__ == "__main__":
    main()

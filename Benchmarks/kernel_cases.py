"""The layers that the kernel benchmarks and the table of errors run, their data, and what they are to give."""

import dataclasses
import itertools
import pathlib

import ml_dtypes
import numpy as np

DATATYPES = {"FP16": np.float16, "BF16": ml_dtypes.bfloat16, "FP32": np.float32, "FP64": np.float64}
NAMES = {
    "batch_norm": "BN",
    "layer_norm": "LN",
    "instance_norm": "IN",
    "group_norm": "GN",
    "rms_norm": "RMS",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer and the shape of its input: (rows, width) for the norms of rows, else (N, C, H, W), in whatever layout."""

    type: str
    shape: tuple
    datatype: str = "FP32"
    layout: str = "channels_first"
    groups: int = 32
    eps: float = 1e-5

    @property
    def name(self):
        groups = self.groups if self.type == "group_norm" else ""
        layout = " channels_last" if self.layout == "channels_last" else ""
        datatype = "" if self.datatype == "FP32" else f" {self.datatype}"
        return f"{NAMES[self.type]}{groups} {'×'.join(map(str, self.shape))}{layout}{datatype}"

    @property
    def element_type(self):
        return np.dtype(DATATYPES[self.datatype])

    @property
    def byte_count(self):
        return int(np.prod(self.shape)) * self.element_type.itemsize

    @property
    def stored_shape(self):
        """The dimensions in the order in which they stand in memory."""
        if self.layout == "channels_first":
            return list(self.shape)
        return [self.shape[0], *self.shape[2:], self.shape[1]]

    @property
    def is_by_rows(self):
        return self.type in ("layer_norm", "rms_norm")

    def parameters(self, random, offset=0.0, low=0.8, high=1.2):
        """The tensors of the layer: γ in [low, high), statistics near those of data from N(offset, 1)."""
        count = self.shape[-1] if self.is_by_rows else self.shape[1]
        drawn = {"weight": random.uniform(low, high, count)}
        if self.type != "rms_norm":
            drawn["bias"] = random.uniform(0, 1, count)
        if self.type == "batch_norm":
            drawn["running_mean"] = offset + random.uniform(-0.1, 0.1, count)
            drawn["running_var"] = random.uniform(1, 2, count)
        return {name: values.astype(self.element_type) for name, values in drawn.items()}


class Data:
    """The tensors of a case in files, which the processes that compute share."""

    def __init__(self, case, directory, x, parameters):
        self.case, self.directory, self.x, self.parameters = case, pathlib.Path(directory), x, parameters
        self.files = {"x": self._write("x", x)}
        self.files |= {name: self._write(name, values) for name, values in parameters.items()}

    def _write(self, name, values):
        path = self.directory / f"{name}.bin"
        np.ascontiguousarray(values).tofile(path)
        return str(path)

    def for_peer(self):
        """The case as kernel_peers.py reads it."""
        return {"case": dataclasses.asdict(self.case), "files": self.files}

    def for_normserve(self):
        """The case as KernelBench reads it."""
        case = self.case
        parameters = {"eps": case.eps}
        if case.is_by_rows:
            parameters["normalized_shape"] = [case.shape[-1]]
        else:
            parameters["data_format"] = case.layout
        if case.type == "group_norm":
            parameters["num_groups"] = case.groups
        for name, values in self.parameters.items():
            parameters[name] = {"file": self.files[name], "shape": list(values.shape), "datatype": case.datatype}
        return {
            "type": case.type,
            "parameters": parameters,
            "input": {"file": self.files["x"], "shape": case.stored_shape, "datatype": case.datatype},
        }

    def read(self, path):
        """An output that one of the processes wrote."""
        return np.fromfile(path, self.case.element_type).reshape(self.case.stored_shape)

    def expected(self, precision=np.float64):
        """What the layer gives, computed with `precision` and laid out as the input."""
        case = self.case
        x = self.x.astype(precision)
        parameters = {name: values.astype(precision) for name, values in self.parameters.items()}
        channel_axis = 1 if case.layout == "channels_first" else x.ndim - 1
        if case.is_by_rows:
            axes, wide = (1,), (1, -1)
        else:
            space = tuple(axis for axis in range(1, x.ndim) if axis != channel_axis)
            axes, wide = space, tuple(-1 if axis == channel_axis else 1 for axis in range(x.ndim))
        weight = parameters["weight"].reshape(wide)
        bias = parameters["bias"].reshape(wide) if "bias" in parameters else precision(0)
        eps = precision(case.eps)
        if case.type == "batch_norm":
            scale = weight / np.sqrt(parameters["running_var"].reshape(wide) + eps)
            return (x - parameters["running_mean"].reshape(wide)) * scale + bias
        if case.type == "rms_norm":
            return x / np.sqrt(np.square(x).mean(1, keepdims=True) + eps) * weight
        if case.type == "group_norm":
            x = np.moveaxis(x, channel_axis, 1)
            grouped = _standardized(x.reshape(x.shape[0], case.groups, -1), (2,), eps).reshape(x.shape)
            return np.moveaxis(grouped, 1, channel_axis) * weight + bias
        return _standardized(x, axes, eps) * weight + bias


def _standardized(x, axes, eps):
    """(x − E)/sqrt(Var + eps). The second subtraction is for means that are large and not exact."""
    difference = x - x.mean(axes, keepdims=True)
    difference -= difference.mean(axes, keepdims=True)
    return difference / np.sqrt(np.square(difference).mean(axes, keepdims=True) + eps)


def draw(case, directory, seed=1):
    """Standard normal data for a case; the same for cases of the same shape."""
    random = np.random.default_rng(seed)
    x = random.standard_normal(case.stored_shape, np.float32).astype(case.element_type)
    return Data(case, directory, x, case.parameters(random))


def _images(shapes, **options):
    for shape, layer in itertools.product(shapes, ("batch_norm", "instance_norm", "group_norm")):
        yield Case(layer, shape, **options)


MEDIUM, LARGE, TINY, HUGE = (1, 64, 56, 56), (8, 256, 56, 56), (1, 2048, 7, 7), (32, 64, 112, 112)

SECTIONS = {
    "FP32": [
        *(Case("layer_norm", shape) for shape in ((1, 768), (32, 768), (1024, 768), (4096, 4096))),
        *_images([MEDIUM, LARGE, TINY, HUGE]),
    ],
    "RMS norm": [Case("rms_norm", shape) for shape in ((1024, 768), (4096, 4096))],
    "Short rows and odd widths": [
        *(Case("layer_norm", shape) for shape in ((65536, 3), (16384, 17), (16384, 49), (4096, 1023))),
        *_images([(1, 64, 55, 55)]),
        Case("group_norm", (8, 96, 5, 5)),
    ],
    "Channels last": [
        *_images([MEDIUM, LARGE, TINY], layout="channels_last"),
        Case("batch_norm", (8, 3, 224, 224), layout="channels_last"),
        Case("instance_norm", (8, 3, 224, 224), layout="channels_last"),
    ],
    "FP16 and BF16": [
        case
        for datatype in ("FP16", "BF16")
        for case in (
            Case("layer_norm", (1024, 768), datatype),
            Case("layer_norm", (4096, 4096), datatype),
            *_images([LARGE], datatype=datatype),
        )
    ],
}

QUICK = ["LN 1×768", "LN 1024×768", *(f"{name} 1×64×56×56" for name in ("BN", "IN", "GN32")), "LN 65536×3",
         "BN 1×64×56×56 channels_last", "LN 1024×768 FP16", "LN 1024×768 BF16"]  # fmt: skip

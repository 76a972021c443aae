"""The layer types as NORMALIZATION.md lists them, a layer of each for any shape, and what a result may differ by."""

import numpy as np

import reference
from tensors import FLOATING, SUBNORMAL_ROUNDOFF, UNIT_ROUNDOFF, normalize, rounded

CHANNEL_TYPES = [
    "batch_norm", "instance_norm", "group_norm", "batch_renorm", "batch_instance_norm", "switchable_norm",
    "adaptive_instance_norm", "local_response_norm", "filter_response_norm", "global_response_norm",
]  # fmt: skip
OTHER_TYPES = [
    "layer_norm", "rms_norm", "weight_norm", "spectral_norm", "standardize", "mean_variance_norm", "lp_norm",
    "weight_standardization", "dynamic_tanh",
]  # fmt: skip
LAYER_TYPES = CHANNEL_TYPES + OTHER_TYPES
WITH_EPSILON_PLACEMENT = [
    "batch_norm", "layer_norm", "instance_norm", "group_norm", "batch_renorm", "batch_instance_norm", "switchable_norm",
    "adaptive_instance_norm", "weight_standardization",
]  # fmt: skip

CHANNEL_SHAPES = [(6, 8), (3, 8, 5), (2, 8, 5, 7), (2, 4, 3, 5, 3)]
SHAPES = [(24,), *CHANNEL_SHAPES]


def shapes_of(kind):
    return SHAPES if kind in OTHER_TYPES and kind != "weight_standardization" else CHANNEL_SHAPES


def generator(*key):
    return np.random.default_rng([2, *[hash_of(part) for part in key]])


def hash_of(part):
    """A number that is the same in every run, as Python's own hash is not."""
    return int.from_bytes(str(part).encode(), "little") % (1 << 61)


def uniform(random, *shape, low=0.0, high=1.0):
    """Parameters, in [0, 1] where nothing else is said, that FP32 holds exactly."""
    return rounded(low + (high - low) * random.random(shape), "FP32").tolist()


def normal(random, *shape):
    return rounded(random.standard_normal(shape), "FP32").tolist()


def _frozen(random, channels):
    return {"running_mean": normal(random, channels), "running_var": uniform(random, channels, low=0.5, high=1.5)}


def _of_channels(kind, channels, random):
    layer = {}
    if kind not in ("adaptive_instance_norm", "local_response_norm"):
        layer = {"weight": uniform(random, channels), "bias": uniform(random, channels)}
    if kind in ("batch_norm", "batch_renorm", "batch_instance_norm", "switchable_norm"):
        layer |= _frozen(random, channels)
    if kind == "group_norm":
        layer["num_groups"] = 2
    elif kind == "batch_instance_norm":
        layer["rho"] = uniform(random, channels)
    elif kind == "switchable_norm":
        layer |= {"mean_weight": normal(random, 3), "var_weight": normal(random, 3)}
    elif kind == "adaptive_instance_norm":
        layer |= {"style_mean": uniform(random, channels), "style_std": uniform(random, channels)}
    elif kind == "local_response_norm":
        layer |= {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0}
    elif kind == "filter_response_norm":
        layer["tau"] = normal(random, channels)
    return layer


def _of_dimensions(kind, shape, random):
    if kind in ("layer_norm", "rms_norm"):
        normalized = list(shape[1:] or shape)
        layer = {"normalized_shape": normalized, "weight": uniform(random, *normalized)}
        return layer | ({"bias": uniform(random, *normalized)} if kind == "layer_norm" else {})
    if kind == "weight_norm":
        return {"weight_g": uniform(random, shape[0])}
    if kind == "spectral_norm":
        u = random.standard_normal(shape[0])
        return {"u": rounded(u / np.linalg.norm(u), "FP32").tolist()}
    if kind == "standardize":
        return {"mean": normal(random, shape[-1]), "std": uniform(random, shape[-1], low=0.5, high=1.5)}
    if kind == "weight_standardization":
        return {"gain": uniform(random, shape[0])}
    if kind == "dynamic_tanh":
        return {"alpha": 0.75, "weight": uniform(random, shape[-1]), "bias": uniform(random, shape[-1])}
    return {}


def layer_of(kind, shape, random, data_format="channels_first"):
    """A layer with the tensor parameters that go with a tensor of `shape`."""
    if kind not in CHANNEL_TYPES:
        return {"type": kind} | _of_dimensions(kind, shape, random)
    layer = {"type": kind} | _of_channels(kind, shape[1 if data_format == "channels_first" else -1], random)
    return layer if data_format == "channels_first" else layer | {"data_format": data_format}


def expected_of(layer, x, datatype):
    """The reference's output, with the default eps of RMS norm that goes with the input's datatype."""
    if layer["type"] == "rms_norm" and "eps" not in layer:
        layer = layer | {
            "eps": reference.FP64_MACHINE_EPSILON if datatype == "FP64" else reference.FP32_MACHINE_EPSILON
        }
    return reference.normalize(layer, x)


def assert_close(actual, expected, output, computed_in="FP32"):
    """The computation is good to 1e-6 (1e-14 in FP64), then the result is rounded once to its datatype."""
    if computed_in == "FP32":
        tolerance = 1e-6 * np.maximum(1, np.abs(expected) / 4)
    else:
        tolerance = 1e-14 * np.maximum(1, np.abs(expected))
    tolerance += UNIT_ROUNDOFF[output] * np.abs(expected) + SUBNORMAL_ROUNDOFF[output]
    assert actual.shape == expected.shape
    assert (np.isnan(actual) == np.isnan(expected)).all(), "NaN in other places"
    worst = np.nanmax(np.abs(actual - expected) / tolerance, initial=0)
    assert worst <= 1, f"{worst:.2f} of the tolerance"


def check(server, layer, x, datatype="FP32", output=None):
    """Applies a layer and holds the answer against the reference."""
    header, actual = normalize(server, layer, x, datatype, output)
    announced = output or (datatype if datatype in FLOATING else "FP32")
    assert header["output"]["datatype"] == announced
    assert header["layer"]["type"] == layer["type"]
    assert list(header["layer"]) == (["type", "sigma"] if layer["type"] == "spectral_norm" else ["type"])
    assert_close(actual, expected_of(layer, x, datatype), announced, "FP64" if datatype == "FP64" else "FP32")
    return header, actual


EXAMPLE_SHAPE = (3, 4, 5, 6)


def example(*key, shape=EXAMPLE_SHAPE, offset=0.0):
    """A random input, and the generator to go on with."""
    random = generator(*key)
    return rounded(random.standard_normal(shape) + offset, "FP32"), random


def output(server, x, **layer):
    return normalize(server, layer, x)[1]


def same(actual, expected, atol=2e-6):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)

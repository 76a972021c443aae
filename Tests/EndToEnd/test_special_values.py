"""Zero variance, single elements, NaN and infinity, overflow."""

import numpy as np
import pytest

from layers import CHANNEL_TYPES, LAYER_TYPES, assert_close, check, expected_of, generator, layer_of
from tensors import normalize, rounded

BATCH_STATISTICS = ["batch_norm", "batch_renorm"]
SUBTRACTS_A_SAMPLE_MEAN = [
    "layer_norm", "instance_norm", "group_norm", "batch_instance_norm", "switchable_norm", "adaptive_instance_norm",
    "mean_variance_norm", "weight_standardization",
]  # fmt: skip
CONSTANT = float(np.float32(0.1))


def shift_of(layer, shape):
    """What is left where the normalized input is zero."""
    shift = np.asarray(layer.get("bias", layer.get("style_mean", 0.0)))
    if shift.ndim == 1 and layer["type"] in CHANNEL_TYPES:
        shift = shift[:, None]
    return np.broadcast_to(shift, shape)


@pytest.mark.parametrize("kind", [*BATCH_STATISTICS, *SUBTRACTS_A_SAMPLE_MEAN])
@pytest.mark.parametrize("shape", [(2, 4, 6), (3, 2, 1000)], ids=str)
@pytest.mark.parametrize("eps", [1e-5, 0])
def test_zero_variance(server, kind, shape, eps):
    """β, whatever stands below the fraction bar."""
    layer = layer_of(kind, shape, generator(kind, "constant")) | {"eps": eps}
    if kind in BATCH_STATISTICS:
        layer |= {"use_batch_statistics": True, "running_mean": [CONSTANT] * shape[1]}
    if kind == "batch_instance_norm":
        layer["rho"] = [0.0] * shape[1]
    if kind == "switchable_norm":
        layer["mean_weight"] = [1e4, -1e4, -1e4]
    _, actual = normalize(server, layer, np.full(shape, CONSTANT))
    assert (actual == shift_of(layer, shape)).all()


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_zeros(server, kind):
    """Nothing is divided by zero, whatever the norm is taken of."""
    x = np.zeros((2, 4, 6))
    check(server, layer_of(kind, x.shape, generator(kind, "zeros")), x)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1), (2, 1), (1, 3), (2, 3, 1), (2, 1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_single_elements(server, kind, shape):
    """One element in all, one a channel, one a row."""
    if len(shape) == 1 and kind in [*CHANNEL_TYPES, "weight_standardization"]:
        shape = (1, 1, 1, 1)
    layer = layer_of(kind, shape, generator(kind, shape, "single"))
    if kind == "group_norm":
        layer["num_groups"] = shape[1]
    check(server, layer, np.full(shape, 7.0))


def test_single_spatial_element_gives_bias(server):
    _, actual = normalize(server, {"type": "instance_norm", "bias": [1, 2, 3]}, np.full((2, 3, 1), 7.0))
    assert actual.tolist() == [[[1.0], [2.0], [3.0]]] * 2


def contaminated(kind, data_format, batch_statistics):
    """A layer, a clean input, and the place of an element of it."""
    random = generator(kind, data_format, batch_statistics, "special")
    shape = (3, 8, 21) if data_format == "channels_first" else (3, 21, 8)
    layer = layer_of(kind, shape, random, data_format)
    if batch_statistics:
        layer["use_batch_statistics"] = True
    return layer, rounded(random.standard_normal(shape), "FP32"), (1, 3, 5)


PLACES = [(kind, "channels_first", False) for kind in LAYER_TYPES]
PLACES += [(kind, "channels_last", False) for kind in CHANNEL_TYPES]
PLACES += [(kind, data_format, True) for kind in BATCH_STATISTICS for data_format in ("channels_first", "channels_last")]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
def test_nan_stays_among_its_own(server, place, datatype):
    """NaN in, NaN out for all that share its statistics; all others as if it were not there."""
    layer, x, index = contaminated(*place)
    x[index] = np.nan
    check(server, layer, x, datatype)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_infinity_stays_among_its_own(server, place, value):
    layer, x, index = contaminated(*place)
    dirty = x.copy()
    dirty[index] = np.nan
    reached = np.isnan(expected_of(layer, dirty, "FP32"))
    assert reached[index]
    dirty[index] = value
    _, actual = normalize(server, layer, dirty)
    assert_close(actual[~reached], expected_of(layer, x, "FP32")[~reached], "FP32")
    if layer["type"] in SUBTRACTS_A_SAMPLE_MEAN or place[2]:
        assert not np.isfinite(actual[reached]).any()


def test_fp16_overflow_is_infinite(server):
    layer = {"type": "batch_norm", "running_mean": [0], "running_var": [1e-4], "eps": 0}
    _, actual = normalize(server, layer, np.array([[1000.0], [-1000.0], [1.0]]), "FP32", "FP16")
    assert actual[:2].ravel().tolist() == [np.inf, -np.inf] and abs(actual[2, 0] - 100) < 0.1


@pytest.mark.parametrize("scale", [1e30, 1e17, 1e-17, 1e-30])
@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_magnitudes_whose_squares_overflow(server, kind, scale):
    """Finite numbers stay so, though FP32 has no room for their squares."""
    random = generator(kind, scale, "magnitude")
    x = rounded(scale * random.standard_normal((3, 8, 40)), "FP32")
    check(server, layer_of(kind, x.shape, random), x)


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_16_bits_compute_in_32(server, datatype):
    """Squares that FP16 cannot hold, sums that BF16 would stop at."""
    for kind in ("rms_norm", "lp_norm", "weight_norm", "global_response_norm", "filter_response_norm", "local_response_norm"):
        random = generator(kind, datatype, "wide")
        x = rounded(random.standard_normal((4, 600)) * 1000, datatype)
        check(server, layer_of(kind, x.shape, random), x, datatype)

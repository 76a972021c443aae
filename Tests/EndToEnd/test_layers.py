"""All layers, datatypes and data layouts against the FP64 reference."""

import numpy as np
import pytest

from layers import (
    CHANNEL_SHAPES, CHANNEL_TYPES, LAYER_TYPES, WITH_EPSILON_PLACEMENT, assert_close, check, expected_of, generator, layer_of,
    shapes_of,
)  # fmt: skip
from tensors import FLOATING, INTEGER, normalize, rounded

BY_CHANNELS = ["batch_norm", "batch_renorm", "batch_instance_norm", "switchable_norm"]


@pytest.mark.parametrize("datatype", FLOATING)
@pytest.mark.parametrize(("kind", "shape"), [(kind, shape) for kind in LAYER_TYPES for shape in shapes_of(kind)], ids=str)
def test_floating_input(server, kind, datatype, shape):
    random = generator(kind, datatype, shape)
    x = rounded(random.standard_normal(shape), datatype)
    check(server, layer_of(kind, shape, random), x, datatype)


@pytest.mark.parametrize("datatype", INTEGER)
@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_integer_input(server, kind, datatype):
    random = generator(kind, datatype)
    limits = {"BOOL": (0, 2), "INT8": (-100, 100)}
    low, high = limits.get(datatype, (0, 200) if datatype.startswith("U") else (-1000, 1000))
    x = random.integers(low, high, (2, 8, 5, 7)).astype(np.float64)
    layer = layer_of(kind, x.shape, random)
    if kind in BY_CHANNELS:
        layer["running_var"] = [1e4] * 8
    check(server, layer, x, datatype)


@pytest.mark.parametrize("output", FLOATING)
@pytest.mark.parametrize("datatype", [*FLOATING, "UINT8", "INT64"])
@pytest.mark.parametrize("kind", ["layer_norm", "local_response_norm", "dynamic_tanh", "spectral_norm", "adaptive_instance_norm"])
def test_output_datatype(server, kind, datatype, output):
    random = generator(kind, datatype, output)
    values = random.standard_normal((4, 16)) if datatype in FLOATING else random.integers(0, 200, (4, 16))
    x = rounded(values, datatype)
    check(server, layer_of(kind, x.shape, random), x, datatype, output)


@pytest.mark.parametrize("shape", CHANNEL_SHAPES, ids=str)
@pytest.mark.parametrize("kind", CHANNEL_TYPES)
@pytest.mark.parametrize("datatype", ["FP32", "FP64", "BF16", "UINT8"])
def test_channels_last(server, kind, datatype, shape):
    random = generator(kind, shape, datatype, "last")
    moved = (shape[0], *shape[2:], shape[1])
    x = rounded(random.standard_normal(moved) if datatype != "UINT8" else random.integers(0, 9, moved), datatype)
    check(server, layer_of(kind, moved, random, "channels_last"), x, datatype)


@pytest.mark.parametrize("placement", ["variance", "std"])
@pytest.mark.parametrize("eps", [1e-5, 0.25])
@pytest.mark.parametrize("kind", WITH_EPSILON_PLACEMENT)
def test_epsilon(server, kind, eps, placement):
    random = generator(kind, eps, placement)
    x = rounded(random.standard_normal((2, 4, 6, 5)), "FP32")
    layer = layer_of(kind, x.shape, random) | {"eps": eps, "epsilon_placement": placement}
    check(server, layer, x)


@pytest.mark.parametrize("eps", [1e-6, 0.25])
@pytest.mark.parametrize("kind", ["rms_norm", "mean_variance_norm", "lp_norm", "filter_response_norm", "global_response_norm"])
def test_epsilon_of_types_without_a_placement(server, kind, eps):
    random = generator(kind, eps)
    x = rounded(random.standard_normal((2, 4, 6, 5)) / 8, "FP32")
    check(server, layer_of(kind, x.shape, random) | {"eps": eps}, x)


SUBTRACTING = [*BY_CHANNELS, "instance_norm", "group_norm", "adaptive_instance_norm", "layer_norm", "mean_variance_norm", "weight_standardization"]
OFFSETS = [(kind, offset, data_format) for kind in SUBTRACTING for offset in (0, 1e2, 1e4, 1e6)
           for data_format in ("channels_first", "channels_last") if kind in CHANNEL_TYPES or data_format == "channels_first"]
OFFSETS += [("rms_norm", 0, "channels_first")]  # fmt: skip


@pytest.mark.parametrize(("kind", "offset", "data_format"), OFFSETS)
def test_offsets(server, kind, offset, data_format):
    """Issue: within 1e-6 of FP64 for N(0, 1) plus an offset, γ and β in [0, 1]; rms_norm at 0 only."""
    random = generator(kind, offset, data_format)
    shape = (64, 768) if kind in ("layer_norm", "rms_norm") else (4, 28, 28, 32)
    x = rounded(random.standard_normal(shape) + offset, "FP32")
    layer = layer_of(kind, shape, random, data_format)
    if kind in BY_CHANNELS:
        layer["running_mean"] = rounded(offset + np.array(layer["running_mean"]), "FP32").tolist()
    _, actual = normalize(server, layer, x)
    assert np.max(np.abs(actual - expected_of(layer, x, "FP32"))) <= 1e-6


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("offset", [0, 1e2, 1e4, 1e6])
@pytest.mark.parametrize("kind", ["batch_norm", "batch_renorm"])
def test_offsets_with_batch_statistics(server, kind, offset, data_format):
    random = generator(kind, offset, data_format)
    x = rounded(random.standard_normal((4, 24, 24, 24)) + offset, "FP32")
    layer = layer_of(kind, x.shape, random, data_format) | {"use_batch_statistics": True}
    layer |= {"running_mean": rounded(offset + random.random(24) / 8, "FP32").tolist()}
    _, actual = normalize(server, layer, x)
    assert np.max(np.abs(actual - expected_of(layer, x, "FP32"))) <= 1e-6


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("axis", [1, 2, -1, -2])
def test_axis_of_trailing_dimensions(server, kind, axis):
    random = generator(kind, axis)
    x = rounded(random.standard_normal((3, 4, 5)), "FP32")
    check(server, {"type": kind, "axis": axis}, x)


OPTIONAL_TENSORS = {"filter_response_norm": ["weight", "bias", "tau"], "weight_standardization": ["gain"], "rms_norm": ["weight"]}
OPTIONAL_TENSORS |= {kind: ["weight", "bias"] for kind in ("layer_norm", "dynamic_tanh", "instance_norm", "group_norm",
                                                           "global_response_norm", *BY_CHANNELS)}  # fmt: skip


@pytest.mark.parametrize("null", [False, True], ids=["absent", "null"])
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in OPTIONAL_TENSORS.items() for name in [*names, "all"]])
def test_without_optional_tensors(server, kind, name, null):
    """Each left out alone, then all; `null` says the same as nothing."""
    random = generator(kind, name, "bare")
    x = rounded(random.standard_normal((2, 4, 6)), "FP32")
    layer = layer_of(kind, x.shape, random)
    absent = [name] if name != "all" else OPTIONAL_TENSORS[kind]
    kept = {key: value for key, value in layer.items() if key not in absent}
    _, actual = normalize(server, kept | (dict.fromkeys(absent) if null else {}), x)
    assert_close(actual, expected_of(kept, x, "FP32"), "FP32")


@pytest.mark.parametrize("shape", [(0, 4), (2, 4, 0), (0, 4, 3, 3)], ids=str)
@pytest.mark.parametrize("kind", CHANNEL_TYPES)
def test_no_elements(server, kind, shape):
    layer = layer_of(kind, (2, 4), generator(kind, "empty"))
    header, actual = normalize(server, layer, np.zeros(shape))
    assert actual.shape == shape and header["output"]["shape"] == list(shape)


@pytest.mark.parametrize("shape", [(0, 4), (0, 4, 3), (3, 0), (2, 4, 0)], ids=str)
@pytest.mark.parametrize("kind", sorted({*LAYER_TYPES} - {*CHANNEL_TYPES}))
def test_no_elements_without_channels(server, kind, shape):
    layer = layer_of(kind, shape, generator(kind, "empty"))
    if kind == "spectral_norm" and shape[0] == 0:
        layer = {"type": kind}
    header, actual = normalize(server, layer, np.zeros(shape))
    assert actual.shape == shape and header["output"]["shape"] == list(shape)


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_largest_rank(server, kind):
    """Rank 5 is taken by all (above), rank 6 by none."""
    x = np.ones((2, 2, 2, 2, 2, 2))
    document = {"layer": layer_of(kind, x.shape, generator(kind, "rank")), "input": x.tolist()}
    answer = server.post(document)
    assert answer.status_code == 422 and answer.json()["code"] == "invalid_shape"
    assert answer.json()["pointer"].startswith("/input")


@pytest.mark.parametrize("kind", [*CHANNEL_TYPES, "weight_standardization"])
def test_smallest_rank(server, kind):
    layer = layer_of(kind, (2, 2), generator(kind, "rank"))
    answer = server.post({"layer": layer, "input": [1, 2]})
    assert answer.status_code == 422 and answer.json()["code"] == "invalid_shape"
    assert answer.json()["pointer"].startswith("/input")

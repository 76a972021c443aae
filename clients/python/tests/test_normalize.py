"""Arrays in, arrays out: every layer, dtype and layout, held against the reference of the end-to-end tests."""

import ml_dtypes
import numpy as np
import pytest
from layers import LAYER_TYPES, assert_close, example, expected_of, generator, layer_of, shapes_of

import normserve
from normserve import (
    DynamicTanh,
    GroupNorm,
    LayerNorm,
    LpNorm,
    MeanVarianceNorm,
    RMSNorm,
    SpectralNorm,
    Timing,
    WeightNorm,
)

DATATYPES = {np.float32: "FP32", np.float64: "FP64", np.float16: "FP16", ml_dtypes.bfloat16: "BF16"}


def layer_from(document):
    """The dataclass of a layer as it stands on the wire; its tensors as FP32 arrays."""
    parameters = {
        name: np.array(value, np.float32)
        if isinstance(value, list) and name not in ("normalized_shape", "axes")
        else value
        for name, value in document.items()
        if name != "type"
    }
    return normserve.LAYER_TYPES[document["type"]](**parameters)


@pytest.mark.parametrize("dtype", DATATYPES)
@pytest.mark.parametrize("layer_type", LAYER_TYPES)
def test_every_layer(client, layer_type, dtype):
    random = generator(layer_type)
    shape = shapes_of(layer_type)[-2]
    x = random.standard_normal(shape).astype(dtype)
    document = layer_of(layer_type, shape, random)
    y = client.normalize(x, layer_from(document))
    assert y.dtype == dtype and y.shape == shape
    datatype = DATATYPES[dtype]
    expected = expected_of(document, x.astype(np.float64), datatype)
    assert_close(y.astype(np.float64), expected, datatype, "FP64" if datatype == "FP64" else "FP32")


@pytest.mark.parametrize("dtype", [bool, "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">u2", ">i8"])
def test_integers_become_float32(client, dtype):
    x = np.arange(12).reshape(3, 4).astype(dtype)
    y = client.normalize(x, LayerNorm(4))
    assert y.dtype == np.float32
    assert_close(y.astype(np.float64), expected_of({"type": "layer_norm", "normalized_shape": [4]}, x, "INT64"), "FP32")


def layouts(x):
    """The same values as `x`, laid out in memory in other ways."""
    yield "Fortran", np.asfortranarray(x)
    yield "transposed", np.ascontiguousarray(x.T).T
    yield "reversed", x[::-1][::-1].copy()[::-1][::-1]
    yield "negative strides", np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    yield "strided", np.repeat(x, 3, axis=1)[:, ::3]
    yield "big-endian", x.astype(x.dtype.newbyteorder(">"))
    yield "unaligned", np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    yield "read-only", np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape)


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
def test_every_layout(client, dtype):
    x = example(dtype, shape=(5, 6))[0].astype(dtype)
    expected = client.normalize(x, LayerNorm(6))
    for name, same in layouts(x):
        before = same.tobytes()
        y = client.normalize(same, LayerNorm(6))
        assert same.tobytes() == before, name
        np.testing.assert_array_equal(y, expected, name)
        assert y.dtype == x.dtype and y.dtype.isnative and y.flags.c_contiguous and y.flags.writeable


def test_bfloat16_of_any_layout(client):
    x = example("bf16", shape=(5, 6))[0].astype(ml_dtypes.bfloat16)
    expected = client.normalize(x, LayerNorm(6))
    assert expected.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(client.normalize(np.asfortranarray(x), LayerNorm(6)), expected)


def test_broadcast_input(client):
    """An array whose rows are one and the same memory."""
    x = np.broadcast_to(np.arange(4, dtype=np.float32), (3, 4))
    assert (client.normalize(x, LayerNorm(4)) == client.normalize(x.copy(), LayerNorm(4))).all()


def test_parameters_of_any_layout(client):
    x, random = example("parameters", shape=(4, 3, 5))
    weight = random.standard_normal((5, 3))
    expected = client.normalize(x, LayerNorm([3, 5], weight=np.ascontiguousarray(weight.T)))
    for same in (weight.T, weight.T.tolist(), weight.T.astype(">f8")):
        np.testing.assert_array_equal(client.normalize(x, LayerNorm([3, 5], weight=same)), expected)


def test_parameters_keep_their_precision(client):
    x = np.array([[1.0, -1.0]])
    weight = np.array([1 / 3, 1.0])
    assert client.normalize(x, RMSNorm(2, weight=weight, eps=0.0))[0, 0] == 1 / 3
    assert client.normalize(x, RMSNorm(2, weight=weight.astype(np.float32), eps=0.0))[0, 0] == np.float32(1 / 3)
    bfloat16 = weight.astype(ml_dtypes.bfloat16)
    assert client.normalize(x, RMSNorm(2, weight=bfloat16, eps=0.0))[0, 0] == float(bfloat16[0])


def test_integer_parameters(client):
    assert client.normalize([[1.0, -1.0]], RMSNorm(2, weight=[2, 3], eps=0)).tolist() == [[2, -3]]


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0,)])
def test_empty(client, shape):
    y = client.normalize(np.empty(shape, np.float32), LpNorm())
    assert y.shape == shape and y.dtype == np.float32


def test_no_dimensions(client):
    with pytest.raises(normserve.InvalidRequest) as caught:
        client.normalize(np.float32(3), LpNorm())
    assert caught.value.code == "invalid_shape" and caught.value.pointer == "/input"


def test_lists(client):
    y = client.normalize([[1, 2], [3, 5.0]], LayerNorm(2, eps=0))
    assert y.dtype == np.float64 and y.tolist() == [[-1, 1], [-1, 1]]


def test_numpy_numbers_as_parameters(client):
    layer = GroupNorm(np.int64(2), eps=np.float32(0.5), data_format="channels_last")
    x = example("numbers", shape=(2, 3, 4))[0]
    expected = expected_of(
        {"type": "group_norm", "num_groups": 2, "eps": 0.5, "data_format": "channels_last"}, x, "FP64"
    )
    assert_close(client.normalize(x, layer), expected, "FP64", "FP64")


@pytest.mark.parametrize("alpha", [0.5, np.float32(0.5), 1, np.array([0.5]), [[0.5]]], ids=repr)
def test_alpha_is_a_number_or_a_tensor(client, alpha):
    y = client.normalize(np.array([[1.0, -2.0]]), DynamicTanh(alpha))
    np.testing.assert_allclose(y, np.tanh(np.ravel(alpha)[0] * np.array([[1.0, -2.0]])), rtol=1e-14)


def test_null_is_not_the_default_of_dim(client):
    x = np.array([[3.0, 0.0], [0.0, 4.0]])
    assert client.normalize(x, WeightNorm([10.0], dim=None)).tolist() == [[6, 0], [0, 8]]
    assert client.normalize(x, WeightNorm([1.0, 2.0])).tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize(
    ("output_dtype", "expected"),
    [
        (np.float64, np.float64), ("f2", np.float16), ("FP16", np.float16), ("float32", np.float32),
        ("BF16", ml_dtypes.bfloat16), ("bfloat16", ml_dtypes.bfloat16), (ml_dtypes.bfloat16, ml_dtypes.bfloat16),
        (np.dtype(">f8"), np.float64),
    ],
)  # fmt: skip
def test_output_dtype(client, output_dtype, expected):
    x = np.array([[1, 2, 4]], np.float32)
    y = client.normalize(x, LayerNorm(3), output_dtype=output_dtype)
    assert y.dtype == expected
    np.testing.assert_allclose(y.astype(float), client.normalize(x, LayerNorm(3)), rtol=2.0**-8)


@pytest.mark.parametrize("output_dtype", [np.int32, bool, "complex64", "FP8"])
def test_impossible_output_dtype(client, output_dtype):
    with pytest.raises(TypeError):
        client.normalize([1.0], LpNorm(), output_dtype=output_dtype)


@pytest.mark.parametrize(
    "x", [np.array([1j]), np.array(["a"]), np.array([None]), np.ma.masked_array([1.0], [True]), np.longdouble([1]), None],
    ids=["complex", "text", "object", "masked", "long double", "None"],
)  # fmt: skip
def test_what_cannot_be_sent(client, x):
    with pytest.raises(TypeError):
        client.normalize(x, LpNorm())
    with pytest.raises(TypeError):
        client.normalize([1.0], DynamicTanh(1, weight=x if x is not None else object()))


@pytest.mark.parametrize("layer", [None, 3, object(), {"type": "lp_norm"}, ("a", "b", "c"), ("a", 1), LpNorm], ids=repr)
def test_what_is_no_layer(client, layer):
    with pytest.raises(TypeError):
        client.normalize([1.0], layer)


def test_timing(client):
    y, timing = client.normalize(np.ones((2, 3)), LayerNorm(3), return_timing=True)
    assert y.tolist() == np.zeros((2, 3)).tolist()
    assert isinstance(timing, Timing) and min(timing) >= 0
    assert sum(timing[:-1]) <= timing.total_us + 0.5


def test_details(client):
    answer = client.normalize_detailed(np.diag([3.0, 4.0]), SpectralNorm())
    assert answer.layer_type == "spectral_norm" and answer.sigma == pytest.approx(4)
    assert client.normalize_detailed(np.ones((1, 3)), LayerNorm(3)).sigma is None


def test_large_tensor(client):
    """Larger than the buffers of sockets, so that both sides wait for each other."""
    x = np.random.default_rng(0).standard_normal((8192, 1024), np.float32)
    y = client.normalize(x, LayerNorm(1024))
    rows = [0, 4095, 8191]
    assert_close(
        y[rows].astype(float), expected_of({"type": "layer_norm", "normalized_shape": [1024]}, x[rows], "FP32"), "FP32"
    )


def test_special_values(client):
    x = np.array([[np.nan, 1, 2], [np.inf, 1, 2], [1, 2, 3]], np.float32)
    y = client.normalize(x, LayerNorm(3))
    assert np.isnan(y[:2]).all() and np.isfinite(y[2]).all()


def test_unknown_layer(client):
    for layer in ("bn1", ("bn1", "2"), normserve.Registered("bn1", "2")):
        with pytest.raises(normserve.UnknownLayer) as caught:
            client.normalize([1.0], layer)
        assert isinstance(caught.value, KeyError) and caught.value.status == 404
        assert str(caught.value).startswith("404 unknown_layer: ")


def test_sizes_and_axes_as_arrays(client):
    """Whatever numpy computes them as."""
    x = example("as arrays", shape=(2, 3, 4))[0].astype(np.float32)
    for shape in (np.array([3, 4]), (np.int64(3), np.int32(4)), np.array([3, 4], np.uint8)):
        layer = LayerNorm(shape)
        assert layer.parameters() == {"normalized_shape": [3, 4]}
        np.testing.assert_array_equal(client.normalize(x, layer), client.normalize(x, LayerNorm([3, 4])))
    for axes in (np.array([0, 1]), np.array(1), np.int64(1)):
        y = client.normalize(x, MeanVarianceNorm(axes))
        np.testing.assert_array_equal(y, client.normalize(x, MeanVarianceNorm(axes.tolist())))
    assert LpNorm(p=np.array(2), eps=np.float64(1e-12)).parameters() == {}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_parameters_as_lists(client, dtype):
    """Give what arrays of doubles do."""
    x, random = example("lists", shape=(5, 3, 4))
    x = x.astype(dtype)
    weight, bias = random.standard_normal((3, 4)), random.standard_normal((3, 4))
    weight[0, 0], bias[1, 1], bias[2, 2] = np.nan, np.inf, -np.inf
    expected = client.normalize(x, LayerNorm((3, 4), weight=weight, bias=bias))
    for make in (np.ndarray.tolist, tuple):
        y = client.normalize(x, LayerNorm((3, 4), weight=make(weight), bias=make(bias)))
        np.testing.assert_array_equal(y, expected)
    for wrong in (["1", "2"], [1j]):
        with pytest.raises(TypeError):
            LayerNorm(2, weight=wrong).parameters()

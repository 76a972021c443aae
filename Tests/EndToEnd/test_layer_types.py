"""What each layer type has that no other has: its parameters, and the identities that tie the types together."""

import numpy as np
import pytest

from layers import EXAMPLE_SHAPE, LAYER_TYPES, assert_close, check, example, expected_of, layer_of, normal, output, same, uniform
from tensors import frame, normalize, rounded, tensor, unframe

FORMATS = ["channels_first", "channels_last"]


def channels_of(data_format):
    return EXAMPLE_SHAPE[1 if data_format == "channels_first" else -1]


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("kind", ["batch_norm", "batch_renorm"])
def test_batch_statistics(server, kind, data_format):
    x, random = example(kind, data_format, offset=3)
    check(server, layer_of(kind, x.shape, random, data_format) | {"use_batch_statistics": True}, x)


def test_batch_statistics_need_no_running_ones(server):
    x, random = example("batch")
    check(server, {"type": "batch_norm", "use_batch_statistics": True, "weight": uniform(random, 4)}, x)


def test_instance_norm_with_running_statistics(server):
    x, random = example("running")
    check(server, layer_of("batch_norm", x.shape, random) | {"type": "instance_norm", "use_running_statistics": True}, x)


@pytest.mark.parametrize("limits", [{}, {"r_max": 1.0, "d_max": 0.0}, {"r_max": 1.1, "d_max": 0.25}, {"r_max": 1e6, "d_max": 1e6}], ids=str)
@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("deviation", ["running_var", "running_std"])
def test_batch_renorm(server, deviation, data_format, limits):
    """Both corrections come into their limits, and out of them."""
    x, random = example(deviation, data_format, limits)
    channels = channels_of(data_format)
    layer = {"type": "batch_renorm", "data_format": data_format, "running_mean": normal(random, channels)}
    layer |= {deviation: uniform(random, channels, low=0.05, high=4), "weight": uniform(random, channels)}
    check(server, layer, x)
    check(server, layer | {"use_batch_statistics": True, "eps": 1e-3, **limits}, x)


def test_batch_renorm_takes_running_std_as_it_is(server):
    layer = {"type": "batch_renorm", "running_mean": [0.0], "running_std": [0.5], "eps": 100.0}
    assert output(server, np.array([[1.0], [-3.0]]), **layer).tolist() == [[2.0], [-6.0]]


def test_batch_renorm_without_corrections_is_batch_norm(server):
    x, random = example("renorm")
    layer = layer_of("batch_renorm", x.shape, random) | {"use_batch_statistics": True}
    expected = output(server, x, **layer | {"type": "batch_norm"})
    same(output(server, x, **layer | {"r_max": 1, "d_max": 0}), expected)


@pytest.mark.parametrize(("rho", "kind"), [(1.0, "batch_norm"), (0.0, "instance_norm")])
def test_batch_instance_norm_at_its_ends(server, rho, kind):
    x, random = example("rho")
    layer = layer_of("batch_instance_norm", x.shape, random) | {"rho": [rho] * 4}
    other = {name: value for name, value in layer.items() if name != "rho"} | {"type": kind}
    same(output(server, x, **layer), output(server, x, **other))


@pytest.mark.parametrize("large", [200.0, 1e4])
@pytest.mark.parametrize(("chosen", "kind"), enumerate(["instance_norm", "group_norm", "batch_norm"]))
def test_switchable_norm_of_one_choice(server, chosen, kind, large):
    """The softmax of logits this far apart is one-hot; a layer's statistics are those of one group."""
    x, random = example("switch", large)
    layer = layer_of("switchable_norm", x.shape, random)
    logits = np.where(np.arange(3) == chosen, large, -large).tolist()
    affine = {name: layer[name] for name in ("weight", "bias")}
    frozen = {name: layer[name] for name in ("running_mean", "running_var")} if kind == "batch_norm" else {}
    groups = {"num_groups": 1} if kind == "group_norm" else {}
    expected = output(server, x, type=kind, **affine, **frozen, **groups)
    same(output(server, x, **layer | {"mean_weight": logits, "var_weight": logits}), expected)


def test_switchable_norm_keeps_its_logits_apart(server):
    x, random = example("logits", offset=2)
    layer = layer_of("switchable_norm", x.shape, random) | {"mean_weight": [50, -50, -50], "var_weight": [-50, -50, 50]}
    check(server, layer, x)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("samples", [None, 1, 3], ids=["(C)", "(1, C)", "(N, C)"])
def test_adaptive_instance_norm_by_statistics(server, samples, data_format):
    x, random = example(samples, data_format)
    shape = (samples, channels_of(data_format)) if samples else (channels_of(data_format),)
    layer = {"type": "adaptive_instance_norm", "style_mean": normal(random, *shape), "style_std": uniform(random, *shape)}
    if samples == 1:
        x = x[:1]
    check(server, layer | {"data_format": data_format}, x)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("samples", "space"), [(3, (5, 6)), (1, (5, 6)), (3, (2, 9)), (1, (1, 1)), (3, (30,)), (1, (2, 3, 4)), (3, ())])
def test_adaptive_instance_norm_by_a_style(server, samples, space, data_format):
    """Of any spatial size and rank, laid out as the input."""
    x, random = example(samples, space, data_format, offset=-2)
    channels = channels_of(data_format)
    shape = (samples, channels, *space) if data_format == "channels_first" else (samples, *space, channels)
    check(server, {"type": "adaptive_instance_norm", "style": normal(random, *shape), "data_format": data_format}, x)


def test_adaptive_instance_norm_in_its_own_style(server):
    x, _ = example("own", offset=7)
    same(output(server, x, type="adaptive_instance_norm", style=x.tolist()), x, atol=4e-6)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -4])
def test_standardize(server, axis):
    x, random = example("standardize", axis)
    std = uniform(random, EXAMPLE_SHAPE[axis], low=0.5, high=2)
    std[-1] = 0.0
    check(server, {"type": "standardize", "mean": normal(random, EXAMPLE_SHAPE[axis]), "std": std, "axis": axis}, x)


@pytest.mark.parametrize("axes", [None, [0], [1], [0, 2], [2, 3], [0, 1], [3, 0], [-1], [-1, 0], [1, 3], [0, 1, 2, 3], [0, 2, 3], [0, 1, 3]], ids=str)
def test_mean_variance_norm(server, axes):
    x, _ = example("axes", axes, offset=5)
    check(server, {"type": "mean_variance_norm"} | ({} if axes is None else {"axes": axes}), x)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("p", [1, 2, "inf", 2.0])
def test_lp_norm(server, p, axis):
    x, _ = example("lp", p, axis, shape=(3, 4, 5))
    check(server, {"type": "lp_norm", "p": p, "axis": axis}, x)
    check(server, {"type": "lp_norm", "p": p, "axis": axis, "eps": 2.5}, x)


@pytest.mark.parametrize("p", [1, 2, "inf"])
def test_lp_norm_of_zeros(server, p):
    assert output(server, np.array([[0, 0], [0, -2]]), type="lp_norm", p=p).tolist() == [[0, 0], [0, -1]]


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100, 2**62])
def test_local_response_norm(server, size, data_format):
    """Windows of even and odd size, smaller and much larger than the channels."""
    x, _ = example("neighbours", size, data_format)
    layer = {"type": "local_response_norm", "size": size, "data_format": data_format}
    check(server, layer, x)
    check(server, layer | {"alpha": 2.0, "beta": 0.5, "k": 0.25}, x)
    check(server, layer | {"alpha": 0.0, "beta": -1.5, "k": 3}, x)


def test_filter_response_norm_below_its_threshold(server):
    x, _ = example("tau")
    assert (output(server, x, type="filter_response_norm", tau=[50] * 4) == 50).all()


def test_global_response_norm_of_one_channel(server):
    """The channel's share is one: y = γ·x + β + x."""
    x, _ = example("one channel", shape=(2, 1, 30))
    same(output(server, x, type="global_response_norm", weight=[0.5], bias=[0.25], eps=0), 1.5 * x + 0.25)


@pytest.mark.parametrize("alpha", [0.5, 2, [0.5], [[0.5]], {"shape": [1], "datatype": "FP16", "data": [0.5]}], ids=str)
def test_dynamic_tanh(server, alpha):
    """A number, or a tensor of one element whatever its shape."""
    x, random = example("tanh")
    number = alpha["data"] if isinstance(alpha, dict) else alpha
    layer = {"type": "dynamic_tanh", "alpha": alpha, "weight": uniform(random, 6), "bias": uniform(random, 6)}
    _, actual = normalize(server, layer, x)
    assert_close(actual, expected_of(layer | {"alpha": number}, x, "FP32"), "FP32")


def test_dynamic_tanh_saturates(server):
    x = np.array([-np.inf, -1e30, -40.0, 40.0, 1e30, np.inf, 1e-30, -0.0])
    assert output(server, x, type="dynamic_tanh", alpha=1.0).tolist() == [-1, -1, -1, 1, 1, 1, pytest.approx(1e-30), 0]


def test_group_norm_between_layer_and_instance_norm(server):
    x, random = example("groups")
    affine = {"weight": uniform(random, 4), "bias": uniform(random, 4)}
    weight, bias = (np.reshape(values, (4, 1, 1)) for values in affine.values())
    expected = output(server, x, type="layer_norm", normalized_shape=EXAMPLE_SHAPE[1:]) * weight + bias
    same(output(server, x, type="group_norm", num_groups=1, **affine), expected)
    same(output(server, x, type="group_norm", num_groups=4, **affine), output(server, x, type="instance_norm", **affine))


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_every_representation_computes_the_same(server, kind):
    """JSON, and parameters as bytes, give the bits of bytes with parameters in JSON."""
    x, random = example(kind, "same", shape=(2, 4, 3))
    layer = layer_of(kind, x.shape, random)
    _, expected = normalize(server, layer, x)
    answer = server.normalize({"layer": layer, "input": {"shape": x.shape, "data": x.ravel().tolist()}})
    assert rounded(answer["output"]["data"], "FP32").tolist() == expected.ravel().tolist()
    blobs, described = [], {}
    for name, value in layer.items():
        described[name] = value
        if isinstance(value, list) and name != "normalized_shape":
            described[name], blob = tensor(value)
            blobs.append(blob)
    input_tensor, content = tensor(x)
    body, fields = frame({"layer": described, "input": input_tensor}, *blobs, content)
    assert unframe(server.post(body, headers=fields))[1].tolist() == expected.tolist()


@pytest.mark.parametrize("kind", sorted({*LAYER_TYPES} - {"spectral_norm", "mean_variance_norm"}))
def test_rows_do_not_know_of_each_other(server, kind):
    """A sample alone gives the same bits as among others."""
    x, random = example(kind, "rows", shape=(5, 4, 37))
    layer = layer_of(kind, x.shape, random)
    _, together = normalize(server, layer, x)
    alone = layer | {name: layer[name][2:3] for name in ("weight_g", "gain") if name in layer}
    assert normalize(server, alone, x[2:3])[1].tolist() == together[2:3].tolist()

"""The layers in FP64, as the papers print them: slow, plain and independent of the server's code."""

import numpy as np

FP32_MACHINE_EPSILON = 2.0**-23
FP64_MACHINE_EPSILON = 2.0**-52


def _normalized(x, mean, variance, eps, placement):
    deviation = np.sqrt(variance + eps) if placement == "variance" else np.sqrt(variance) + eps
    return (x - mean) / deviation


def _statistics(x, axes):
    mean = x.mean(axis=axes, keepdims=True)
    return mean, np.square(x - mean).mean(axis=axes, keepdims=True)


def _channels_first(function):
    """Lets a function that knows (N, C, *spatial) only take either data format."""

    def wrapped(x, *, data_format="channels_first", **parameters):
        x = np.asarray(x, np.float64)
        if data_format == "channels_first":
            return function(x, **parameters)
        return np.moveaxis(function(np.moveaxis(x, -1, 1), **parameters), 1, -1)

    return wrapped


def _per_channel(values, x):
    return np.asarray(values, np.float64).reshape((1, -1) + (1,) * (x.ndim - 2))


def _affine(x, weight, bias):
    if weight is not None:
        x = x * _per_channel(weight, x)
    if bias is not None:
        x = x + _per_channel(bias, x)
    return x


@_channels_first
def batch_norm(
    x, running_mean=None, running_var=None, weight=None, bias=None, eps=1e-5,
    epsilon_placement="variance", use_batch_statistics=False,
):  # fmt: skip
    """Ioffe and Szegedy 2015."""
    if use_batch_statistics:
        mean, variance = _statistics(x, (0, *range(2, x.ndim)))
    else:
        mean, variance = _per_channel(running_mean, x), _per_channel(running_var, x)
    return _affine(_normalized(x, mean, variance, eps, epsilon_placement), weight, bias)


@_channels_first
def instance_norm(
    x, weight=None, bias=None, eps=1e-5, epsilon_placement="variance",
    running_mean=None, running_var=None, use_running_statistics=False,
):  # fmt: skip
    """Ulyanov et al. 2016."""
    if use_running_statistics:
        mean, variance = _per_channel(running_mean, x), _per_channel(running_var, x)
    else:
        mean, variance = _statistics(x, tuple(range(2, x.ndim)))
    return _affine(_normalized(x, mean, variance, eps, epsilon_placement), weight, bias)


@_channels_first
def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5, epsilon_placement="variance"):
    """Wu and He 2018."""
    groups = x.reshape(x.shape[0], num_groups, -1)
    mean, variance = _statistics(groups, (2,))
    return _affine(_normalized(groups, mean, variance, eps, epsilon_placement).reshape(x.shape), weight, bias)


def _trailing_axes(x, normalized_shape, axis):
    if axis is None:
        axis = x.ndim - len(np.atleast_1d(normalized_shape))
    return tuple(range(axis % x.ndim, x.ndim))


def layer_norm(
    x, normalized_shape=None, axis=None, weight=None, bias=None, eps=1e-5, epsilon_placement="variance"
):
    """Ba et al. 2016."""
    x = np.asarray(x, np.float64)
    mean, variance = _statistics(x, _trailing_axes(x, normalized_shape, axis))
    y = _normalized(x, mean, variance, eps, epsilon_placement)
    y = y if weight is None else y * np.asarray(weight, np.float64)
    return y if bias is None else y + np.asarray(bias, np.float64)


def rms_norm(x, normalized_shape=None, axis=None, weight=None, eps=FP32_MACHINE_EPSILON):
    """Zhang and Sennrich 2019."""
    x = np.asarray(x, np.float64)
    square = np.square(x).mean(axis=_trailing_axes(x, normalized_shape, axis), keepdims=True)
    y = x / np.sqrt(square + eps)
    return y if weight is None else y * np.asarray(weight, np.float64)


LAYERS = {
    "batch_norm": batch_norm, "layer_norm": layer_norm, "instance_norm": instance_norm,
    "group_norm": group_norm, "rms_norm": rms_norm,
}  # fmt: skip


def normalize(layer, x):
    """The output of a layer described as on the wire."""
    parameters = {name: value for name, value in layer.items() if name != "type"}
    return LAYERS[layer["type"]](x, **parameters)

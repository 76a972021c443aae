"""The layers as the papers print them: slow, plain, independent of the server's code, and wider than FP64."""

import functools

import numpy as np

# 64 bits of significand or more, so that FP64 can be held against it.
WIDE = np.longdouble

FP32_MACHINE_EPSILON = 2.0**-23
FP64_MACHINE_EPSILON = 2.0**-52


def _deviation(variance, eps, placement="variance"):
    return np.sqrt(variance + eps) if placement == "variance" else np.sqrt(variance) + eps


def _normalized(x, mean, variance, eps, placement):
    return (x - mean) / _deviation(variance, eps, placement)


def _statistics(x, axes):
    mean = x.mean(axis=axes, keepdims=True)
    return mean, np.square(x - mean).mean(axis=axes, keepdims=True)


def _channels_first(function):
    """Lets a function that knows (N, C, *spatial) only take either data format."""

    @functools.wraps(function)
    def wrapped(x, *, data_format="channels_first", **parameters):
        x = np.asarray(x, WIDE)
        if data_format == "channels_first":
            return function(x, **parameters)
        if parameters.get("style") is not None:
            parameters["style"] = np.moveaxis(np.asarray(parameters["style"]), -1, 1)
        return np.moveaxis(function(np.moveaxis(x, -1, 1), **parameters), 1, -1)

    return wrapped


def _per_channel(values, x):
    return np.asarray(values, WIDE).reshape((1, -1) + (1,) * (x.ndim - 2))


def _spatial(x):
    return tuple(range(2, x.ndim))


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
        mean, variance = _statistics(x, (0, *_spatial(x)))
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
        mean, variance = _statistics(x, _spatial(x))
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
    x = np.asarray(x, WIDE)
    mean, variance = _statistics(x, _trailing_axes(x, normalized_shape, axis))
    y = _normalized(x, mean, variance, eps, epsilon_placement)
    y = y if weight is None else y * np.asarray(weight, WIDE)
    return y if bias is None else y + np.asarray(bias, WIDE)


def rms_norm(x, normalized_shape=None, axis=None, weight=None, eps=FP32_MACHINE_EPSILON):
    """Zhang and Sennrich 2019."""
    x = np.asarray(x, WIDE)
    square = np.square(x).mean(axis=_trailing_axes(x, normalized_shape, axis), keepdims=True)
    y = x / np.sqrt(square + eps)
    return y if weight is None else y * np.asarray(weight, WIDE)


@_channels_first
def batch_renorm(
    x, running_mean, running_var=None, running_std=None, weight=None, bias=None, r_max=3.0, d_max=5.0, eps=1e-5,
    epsilon_placement="variance", use_batch_statistics=False,
):  # fmt: skip
    """Ioffe 2017; `running_std` is the deviation itself, no eps added."""
    mean = _per_channel(running_mean, x)
    if running_std is not None:
        deviation = _per_channel(running_std, x)
    else:
        deviation = _deviation(_per_channel(running_var, x), eps, epsilon_placement)
    if not use_batch_statistics:
        return _affine((x - mean) / deviation, weight, bias)
    batch_mean, batch_variance = _statistics(x, (0, *_spatial(x)))
    batch_deviation = _deviation(batch_variance, eps, epsilon_placement)
    r = np.clip(batch_deviation / deviation, 1 / r_max, r_max)
    d = np.clip((batch_mean - mean) / deviation, -d_max, d_max)
    return _affine((x - batch_mean) / batch_deviation * r + d, weight, bias)


@_channels_first
def batch_instance_norm(
    x, running_mean, running_var, rho, weight=None, bias=None, eps=1e-5, epsilon_placement="variance"
):
    """Nam and Kim 2018."""
    by_batch = _normalized(x, _per_channel(running_mean, x), _per_channel(running_var, x), eps, epsilon_placement)
    by_instance = _normalized(x, *_statistics(x, _spatial(x)), eps, epsilon_placement)
    rho = _per_channel(rho, x)
    return _affine(rho * by_batch + (1 - rho) * by_instance, weight, bias)


def _softmax(logits):
    logits = np.asarray(logits, WIDE).ravel()
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


@_channels_first
def switchable_norm(
    x, running_mean, running_var, mean_weight, var_weight, weight=None, bias=None, eps=1e-5,
    epsilon_placement="variance",
):  # fmt: skip
    """Luo et al. 2018; the logits are those of instance, layer and batch."""
    instance, layer = _statistics(x, _spatial(x)), _statistics(x, tuple(range(1, x.ndim)))
    batch = _per_channel(running_mean, x), _per_channel(running_var, x)
    mean, variance = (
        sum(share * statistic for share, statistic in zip(_softmax(logits), statistics))
        for logits, statistics in zip((mean_weight, var_weight), zip(instance, layer, batch))
    )
    return _affine(_normalized(x, mean, variance, eps, epsilon_placement), weight, bias)


@_channels_first
def adaptive_instance_norm(
    x, style_mean=None, style_std=None, style=None, eps=1e-5, epsilon_placement="variance"
):
    """Huang and Belongie 2017."""
    if style is not None:
        style = np.asarray(style, WIDE)
        style_mean, variance = (statistic.reshape(style.shape[:2]) for statistic in _statistics(style, _spatial(style)))
        style_std = _deviation(variance, eps, epsilon_placement)

    def per_sample(values):
        values = np.atleast_2d(np.asarray(values, WIDE))
        return values.reshape(*values.shape, *[1] * (x.ndim - 2))

    normalized = _normalized(x, *_statistics(x, _spatial(x)), eps, epsilon_placement)
    return per_sample(style_std) * normalized + per_sample(style_mean)


def _along(values, axis, x):
    """`values`, one an index of an axis, in a shape that broadcasts against x."""
    shape = [1] * x.ndim
    shape[axis] = -1
    return np.asarray(values, WIDE).reshape(shape)


def weight_norm(v, weight_g, dim=0):
    """Salimans and Kingma 2016; a filter of zeros stays one."""
    v = np.asarray(v, WIDE)
    if dim is None:
        axes, gain = tuple(range(v.ndim)), np.asarray(weight_g, WIDE).reshape([1] * v.ndim)
    else:
        axes, gain = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim), _along(weight_g, dim, v)
    norm = np.sqrt(np.square(v).sum(axis=axes, keepdims=True))
    return gain * v / np.where(norm == 0, 1, norm)


def spectral_sigma(w, dim=0, u=None, v=None, n_power_iterations=None):
    """σ of spectral_norm: uᵀ W v where u is given, else the largest singular value, which the iteration approaches."""
    w = np.moveaxis(np.asarray(w, WIDE), dim, 0)
    matrix = w.reshape(w.shape[0], -1)
    if u is None:
        return np.linalg.norm(matrix.astype(np.float64), 2)
    u = np.asarray(u, WIDE).ravel()
    if v is None:
        v = matrix.T @ u
        v = v / (np.linalg.norm(v) or 1)
    return u @ matrix @ np.asarray(v, WIDE).ravel()


def spectral_norm(w, **parameters):
    """Miyato et al. 2018; a matrix of zeros stays one."""
    w = np.asarray(w, WIDE)
    return w / (spectral_sigma(w, **parameters) or 1)


def standardize(x, mean, std, axis=-1):
    """The z-score; a feature without spread is only centred."""
    x = np.asarray(x, WIDE)
    deviation = _along(std, axis, x)
    return (x - _along(mean, axis, x)) / np.where(deviation == 0, 1, deviation)


def mean_variance_norm(x, axes=None, eps=1e-9):
    """ONNX MeanVarianceNormalization."""
    x = np.asarray(x, WIDE)
    if axes is None:
        axes = [axis for axis in range(x.ndim) if axis != 1]
    return _normalized(x, *_statistics(x, tuple(np.atleast_1d(axes))), eps, "std")


def lp_norm(x, axis=-1, p=2, eps=1e-12):
    """torch.nn.functional.normalize."""
    x = np.asarray(x, WIDE)
    norm = np.linalg.norm(x, ord=np.inf if p == "inf" else p, axis=axis, keepdims=True)
    return x / np.maximum(norm, eps)


@_channels_first
def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Krizhevsky 2012, with the window and the mean of torch."""
    squares, channels = np.zeros_like(x), x.shape[1]
    for channel in range(channels):
        window = slice(max(0, channel - size // 2), min(channels, channel + (size - 1) // 2 + 1))
        squares[:, channel] = np.square(x[:, window]).sum(axis=1)
    return x / (k + alpha / size * squares) ** beta


@_channels_first
def filter_response_norm(x, weight=None, bias=None, tau=None, eps=1e-6):
    """Singh and Krishnan 2019."""
    y = _affine(x / np.sqrt(np.square(x).mean(axis=_spatial(x), keepdims=True) + eps), weight, bias)
    return y if tau is None else np.maximum(y, _per_channel(tau, x))


@_channels_first
def global_response_norm(x, weight=None, bias=None, eps=1e-6):
    """Woo et al. 2023."""
    norm = np.sqrt(np.square(x).sum(axis=_spatial(x), keepdims=True))
    return _affine(x * norm / (norm.mean(axis=1, keepdims=True) + eps), weight, bias) + x


def weight_standardization(w, gain=None, eps=1e-5, epsilon_placement="variance"):
    """Qiao et al. 2019."""
    w = np.asarray(w, WIDE)
    y = _normalized(w, *_statistics(w, tuple(range(1, w.ndim))), eps, epsilon_placement)
    return y if gain is None else y * _along(gain, 0, w)


def dynamic_tanh(x, alpha, weight=None, bias=None):
    """Zhu et al. 2025."""
    y = np.tanh(np.asarray(alpha, WIDE).ravel()[0] * np.asarray(x, WIDE))
    y = y if weight is None else y * np.ravel(weight)
    return y if bias is None else y + np.ravel(bias)


LAYERS = {
    layer.__name__: layer
    for layer in (
        batch_norm, layer_norm, instance_norm, group_norm, rms_norm, batch_renorm, batch_instance_norm, switchable_norm,
        adaptive_instance_norm, weight_norm, spectral_norm, standardize, mean_variance_norm, lp_norm, local_response_norm,
        filter_response_norm, global_response_norm, weight_standardization, dynamic_tanh,
    )
}  # fmt: skip


def normalize(layer, x):
    """The output, in FP64, of a layer described as on the wire."""
    parameters = {name: value for name, value in layer.items() if name != "type"}
    return LAYERS[layer["type"]](x, **parameters).astype(np.float64)

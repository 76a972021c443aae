"""Modules of PyTorch as layers, told by the names of their classes, so that PyTorch itself is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .layers import BatchNorm, GroupNorm, InstanceNorm, Layer, LayerNorm, LocalResponseNorm, RMSNorm


class Module(Protocol):
    """What tells a torch.nn.Module."""

    training: bool

    def state_dict(self) -> Any: ...


def is_module(value: Any) -> bool:
    """Whether `value` looks like a torch.nn.Module."""
    return callable(getattr(value, "state_dict", None)) and isinstance(getattr(value, "training", None), bool)


def layer_of_module(module: Module) -> Layer:
    """The layer that computes what `module` does when it is evaluated; its tensors are not copied.

    Batch norms of all dimensions (synchronized and frozen ones, too), layer, instance, group, RMS and local response
    norm. Raises TypeError for any other module, and for a subclass with a `forward` of its own; ValueError for a module
    in training mode whose running statistics would be used, and changed, otherwise.
    """
    for kind in type(module).__mro__:
        if make := _BY_NAME.get(kind.__name__):
            return make(module)
        if "forward" in vars(kind):
            break  # What it computes is not known, whatever it inherits.
    raise TypeError(f"{type(module).__name__} is no normalization layer of torch.nn")


def batched_rank(module: Any) -> int | None:
    """The rank of a batch of inputs where the module also takes one sample without the batch's axis; else None."""
    for kind in type(module).__mro__:
        if (rank := _BATCHED_RANKS.get(kind.__name__)) is not None:
            return rank
    return None


_BATCHED_RANKS = {"InstanceNorm1d": 3, "InstanceNorm2d": 4, "InstanceNorm3d": 5}


def _batch_norm(module: Any) -> Layer:
    if module.running_mean is None:
        return BatchNorm(weight=module.weight, bias=module.bias, eps=module.eps, use_batch_statistics=True)
    _check_evaluated(module)
    return BatchNorm(module.running_mean, module.running_var, weight=module.weight, bias=module.bias, eps=module.eps)


def _frozen_batch_norm(module: Any) -> Layer:
    return BatchNorm(module.running_mean, module.running_var, weight=module.weight, bias=module.bias, eps=module.eps)


def _instance_norm(module: Any) -> Layer:
    if module.running_mean is None:
        return InstanceNorm(weight=module.weight, bias=module.bias, eps=module.eps)
    _check_evaluated(module)
    return InstanceNorm(
        weight=module.weight, bias=module.bias, eps=module.eps,
        running_mean=module.running_mean, running_var=module.running_var, use_running_statistics=True,
    )  # fmt: skip


def _check_evaluated(module: Any) -> None:
    if module.training:
        raise ValueError(f"this {type(module).__name__} is in training mode; call its eval() first")


def _layer_norm(module: Any) -> Layer:
    shape = tuple(module.normalized_shape)
    return LayerNorm(shape, weight=module.weight, bias=module.bias, eps=module.eps)


def _group_norm(module: Any) -> Layer:
    return GroupNorm(module.num_groups, weight=module.weight, bias=module.bias, eps=module.eps)


def _rms_norm(module: Any) -> Layer:
    return RMSNorm(tuple(module.normalized_shape), weight=module.weight, eps=module.eps)


def _local_response_norm(module: Any) -> Layer:
    return LocalResponseNorm(module.size, alpha=module.alpha, beta=module.beta, k=module.k)


_BY_NAME: dict[str, Callable[[Any], Layer]] = {
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "BatchNorm3d": _batch_norm,
    "SyncBatchNorm": _batch_norm,
    "FrozenBatchNorm2d": _frozen_batch_norm,
    "InstanceNorm1d": _instance_norm,
    "InstanceNorm2d": _instance_norm,
    "InstanceNorm3d": _instance_norm,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "RMSNorm": _rms_norm,
    "LocalResponseNorm": _local_response_norm,
}

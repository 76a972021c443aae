"""The nineteen types of layers, as dataclasses whose members are named as on the wire and in `torch.nn`.

C is the number of channels, axis 1 of the input or its last (`data_format`). γ is `weight` and β is `bias`; None leaves
them out. Tensors are arrays, which are sent in their own precision; or whatever numpy makes arrays of, say lists, which
have none and take on that of the computation. Whatever is left at its default is not sent, so that the defaults of the
server apply; they are the same, which a test holds against `GET /layer-types`. Whether values are possible is for the
server to say (`InvalidRequest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ._arrays import TensorLike, as_parameter

DataFormat: TypeAlias = Literal["channels_first", "channels_last"]
Integers: TypeAlias = int | Sequence[int] | npt.NDArray[np.integer[Any]]
EpsilonPlacement: TypeAlias = Literal["variance", "std"]

# Parameters of these names are tensors in every type that has them, but for the numbers `alpha` and `beta`.
_TENSORS = frozenset(
    {
        "weight", "bias", "running_mean", "running_var", "running_std", "rho", "mean_weight", "var_weight", "style",
        "style_mean", "style_std", "weight_g", "u", "v", "mean", "std", "tau", "gain", "alpha",
    }
)  # fmt: skip


class Layer:
    """A layer with its parameters; each subclass is a type."""

    #: The name of the type on the wire.
    type: ClassVar[str]

    def parameters(self) -> dict[str, Any]:
        """What differs from the defaults, in the order of the members: arrays as such, all else as JSON has it."""
        found: dict[str, Any] = {}
        for member in fields(self):  # type: ignore[arg-type]  # Every subclass is a dataclass.
            value = getattr(self, member.name)
            if member.name in _TENSORS and not (value is None or _is_number(value)):
                found[member.name] = as_parameter(value)
            elif (plain := _plain(value)) != member.default:
                found[member.name] = plain
        return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """A number, word, switch or list of integers as Python's json writes it."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(element) for element in value]
    return value


@dataclass(frozen=True, eq=False)
class BatchNorm(Layer):
    """(x − mean) / √(var + eps) · weight + bias per channel (Ioffe and Szegedy 2015; torch.nn.BatchNorm1d, 2d, 3d).

    `running_mean`, `running_var`: of shape (C,); needed unless `use_batch_statistics` takes those of the batch.
    `weight`, `bias`: of shape (C,).
    """

    type: ClassVar[str] = "batch_norm"
    running_mean: TensorLike | None = None
    running_var: TensorLike | None = None
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"
    use_batch_statistics: bool = False


@dataclass(frozen=True, eq=False)
class LayerNorm(Layer):
    """(x − E) / √(Var + eps) · weight + bias over the trailing dimensions (Ba et al. 2016; torch.nn.LayerNorm).

    `normalized_shape`: the sizes of those dimensions; or `axis`, the first of them, which may be negative.
    `weight`, `bias`: of the normalized shape.
    """

    type: ClassVar[str] = "layer_norm"
    normalized_shape: Integers | None = None
    _: KW_ONLY
    axis: int | None = None
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"


@dataclass(frozen=True, eq=False)
class InstanceNorm(Layer):
    """(x − E) / √(Var + eps) · weight + bias per sample and channel (Ulyanov et al. 2016; torch.nn.InstanceNorm*d).

    All tensors are of shape (C,). With `use_running_statistics` `running_mean` and `running_var` replace E and Var.
    """

    type: ClassVar[str] = "instance_norm"
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"
    running_mean: TensorLike | None = None
    running_var: TensorLike | None = None
    use_running_statistics: bool = False


@dataclass(frozen=True, eq=False)
class GroupNorm(Layer):
    """(x − E) / √(Var + eps) · weight + bias per sample and group of channels (Wu and He 2018; torch.nn.GroupNorm).

    `num_groups` divides C. `weight`, `bias`: of shape (C,).
    """

    type: ClassVar[str] = "group_norm"
    num_groups: int
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class RMSNorm(Layer):
    """x / √(E[x²] + eps) · weight over the trailing dimensions (Zhang and Sennrich 2019; torch.nn.RMSNorm).

    `normalized_shape`, `axis`, `weight`: as in `LayerNorm`. `eps`: by default the machine epsilon of FP32, of FP64 for
    float64 input.
    """

    type: ClassVar[str] = "rms_norm"
    normalized_shape: Integers | None = None
    _: KW_ONLY
    axis: int | None = None
    weight: TensorLike | None = None
    eps: float | None = None


@dataclass(frozen=True, eq=False)
class BatchRenorm(Layer):
    """As `BatchNorm`; with `use_batch_statistics` the batch's, corrected towards the running ones (Ioffe 2017).

    All tensors are of shape (C,). `running_std` in place of `running_var` is σ itself, to which no eps is added. The
    corrections are clipped: r to [1/r_max, r_max], d to [−d_max, d_max].
    """

    type: ClassVar[str] = "batch_renorm"
    running_mean: TensorLike
    running_var: TensorLike | None = None
    _: KW_ONLY
    running_std: TensorLike | None = None
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"
    use_batch_statistics: bool = False
    r_max: float = 3
    d_max: float = 5


@dataclass(frozen=True, eq=False)
class BatchInstanceNorm(Layer):
    """(ρ · x̂ by running statistics + (1 − ρ) · x̂ by the sample's) · weight + bias (Nam and Kim 2018).

    All tensors are of shape (C,); `rho` is from 0 to 1.
    """

    type: ClassVar[str] = "batch_instance_norm"
    running_mean: TensorLike
    running_var: TensorLike
    rho: TensorLike
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class SwitchableNorm(Layer):
    """(x − Σ w·mean) / √(Σ w′·var + eps) · weight + bias over instance, layer and batch statistics (Luo et al. 2018).

    `mean_weight`, `var_weight`: of shape (3,), the logits of w and w′ in that order. All else is of shape (C,).
    """

    type: ClassVar[str] = "switchable_norm"
    running_mean: TensorLike
    running_var: TensorLike
    mean_weight: TensorLike
    var_weight: TensorLike
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class AdaptiveInstanceNorm(Layer):
    """style_std · (x − E) / √(Var + eps) + style_mean per sample and channel (Huang and Belongie 2017).

    `style_mean`, `style_std`: of shape (C,) or (N, C); or `style`, a tensor laid out as the input, of one sample or as
    many, the same channels and any positions, of which both are taken.
    """

    type: ClassVar[str] = "adaptive_instance_norm"
    style_mean: TensorLike | None = None
    style_std: TensorLike | None = None
    _: KW_ONLY
    style: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class WeightNorm(Layer):
    """weight_g · x / ‖x‖₂ over all axes but `dim` (Salimans and Kingma 2016; torch's weight_norm).

    `weight_g`: as many elements as the input has along `dim`, of any shape; one where `dim` is None, which makes the
    whole tensor one vector.
    """

    type: ClassVar[str] = "weight_norm"
    weight_g: TensorLike
    _: KW_ONLY
    dim: int | None = 0


@dataclass(frozen=True, eq=False)
class SpectralNorm(Layer):
    """W / σ, σ the largest singular value of W, a matrix with a row for each index along `dim` (Miyato et al. 2018).

    `u`, `v`: the singular vectors, as many elements as rows and as columns; σ = uᵀ·W·v, then. `n_power_iterations`
    gives σ otherwise, or as many as it takes. `Client.normalize_detailed` tells σ.
    """

    type: ClassVar[str] = "spectral_norm"
    _: KW_ONLY
    dim: int = 0
    u: TensorLike | None = None
    v: TensorLike | None = None
    n_power_iterations: int | None = None


@dataclass(frozen=True, eq=False)
class Standardize(Layer):
    """(x − mean) / std per feature of `axis`; a std of 0 leaves x − mean (the z-score; StandardScaler).

    `mean`, `std`: one element for each index along `axis`.
    """

    type: ClassVar[str] = "standardize"
    mean: TensorLike
    std: TensorLike
    _: KW_ONLY
    axis: int = -1


@dataclass(frozen=True, eq=False)
class MeanVarianceNorm(Layer):
    """(x − E) / (√Var + eps) over `axes`, by default all but axis 1 (ONNX MeanVarianceNormalization)."""

    type: ClassVar[str] = "mean_variance_norm"
    axes: Integers | None = None
    _: KW_ONLY
    eps: float = 1e-9


@dataclass(frozen=True, eq=False)
class LpNorm(Layer):
    """x / max(‖x‖ₚ, eps) along `axis`; `p` is 1, 2 or "inf" (ONNX LpNormalization; torch.nn.functional.normalize)."""

    type: ClassVar[str] = "lp_norm"
    _: KW_ONLY
    p: float | Literal["inf"] = 2
    axis: int = -1
    eps: float = 1e-12


@dataclass(frozen=True, eq=False)
class LocalResponseNorm(Layer):
    """x / (k + alpha/size · Σx²)^beta over `size` neighbouring channels (Krizhevsky et al. 2012)."""

    type: ClassVar[str] = "local_response_norm"
    size: int
    _: KW_ONLY
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class FilterResponseNorm(Layer):
    """max(x / √(E[x²] + eps) · weight + bias, tau) per sample and channel (Singh and Krishnan 2019).

    All tensors are of shape (C,).
    """

    type: ClassVar[str] = "filter_response_norm"
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    tau: TensorLike | None = None
    eps: float = 1e-6
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class GlobalResponseNorm(Layer):
    """weight · x · g / (E[g] + eps) + bias + x, g = ‖x‖₂ per sample and channel (Woo et al. 2023).

    `weight`, `bias`: of shape (C,).
    """

    type: ClassVar[str] = "global_response_norm"
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None
    eps: float = 1e-6
    data_format: DataFormat = "channels_first"


@dataclass(frozen=True, eq=False)
class WeightStandardization(Layer):
    """gain · (x − E) / √(Var + eps) per output filter, over all axes but the first (Qiao et al. 2019).

    `gain`: one for each filter.
    """

    type: ClassVar[str] = "weight_standardization"
    _: KW_ONLY
    gain: TensorLike | None = None
    eps: float = 1e-5
    epsilon_placement: EpsilonPlacement = "variance"


@dataclass(frozen=True, eq=False)
class DynamicTanh(Layer):
    """weight · tanh(alpha · x) + bias (Zhu et al. 2025).

    `alpha`: a number, or a tensor of one element. `weight`, `bias`: of the size of the last axis.
    """

    type: ClassVar[str] = "dynamic_tanh"
    alpha: TensorLike
    _: KW_ONLY
    weight: TensorLike | None = None
    bias: TensorLike | None = None


#: Every type by its name on the wire.
LAYER_TYPES: dict[str, type[Layer]] = {
    kind.type: kind
    for kind in (
        BatchNorm, LayerNorm, InstanceNorm, GroupNorm, RMSNorm, BatchRenorm, BatchInstanceNorm, SwitchableNorm,
        AdaptiveInstanceNorm, WeightNorm, SpectralNorm, Standardize, MeanVarianceNorm, LpNorm, LocalResponseNorm,
        FilterResponseNorm, GlobalResponseNorm, WeightStandardization, DynamicTanh,
    )
}  # fmt: skip

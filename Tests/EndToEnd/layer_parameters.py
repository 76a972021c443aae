"""The parameters of every layer type, as NORMALIZATION.md has them: kind, whether required, default, substitute."""

from typing import NamedTuple

from layers import CHANNEL_TYPES, WITH_EPSILON_PLACEMENT


class Parameter(NamedTuple):
    kind: str
    required: bool = False
    default: object = None
    substitute: str | None = None
    choices: tuple = ()


TENSOR = Parameter("tensor")
REQUIRED_TENSOR = Parameter("tensor", required=True)
SWITCH = Parameter("boolean", default=False)
AFFINE = {"weight": TENSOR, "bias": TENSOR}
FROZEN = {"running_mean": REQUIRED_TENSOR, "running_var": REQUIRED_TENSOR}
TRAILING = {
    "normalized_shape": Parameter("integers", required=True, substitute="axis"), "axis": Parameter("integer"), "weight": TENSOR,
}  # fmt: skip


def number(default=None):
    return Parameter("number", default=default)


def unless(substitute):
    return Parameter("tensor", required=True, substitute=substitute)


PARAMETERS = {
    "batch_norm": {
        "running_mean": unless("use_batch_statistics"), "running_var": unless("use_batch_statistics"), **AFFINE,
        "use_batch_statistics": SWITCH,
    },
    "layer_norm": {**TRAILING, "bias": TENSOR},
    "instance_norm": {**AFFINE, "running_mean": TENSOR, "running_var": TENSOR, "use_running_statistics": SWITCH},
    "group_norm": {"num_groups": Parameter("integer", required=True), **AFFINE},
    "rms_norm": {**TRAILING, "eps": number()},
    "batch_renorm": {
        "running_mean": REQUIRED_TENSOR, "running_var": unless("running_std"), "running_std": TENSOR, **AFFINE,
        "r_max": number(3), "d_max": number(5), "use_batch_statistics": SWITCH,
    },
    "batch_instance_norm": {**FROZEN, "rho": REQUIRED_TENSOR, **AFFINE},
    "switchable_norm": {**FROZEN, "mean_weight": REQUIRED_TENSOR, "var_weight": REQUIRED_TENSOR, **AFFINE},
    "adaptive_instance_norm": {"style_mean": unless("style"), "style_std": unless("style"), "style": TENSOR},
    "weight_norm": {"weight_g": REQUIRED_TENSOR, "dim": Parameter("integer_or_null", default=0)},
    "spectral_norm": {"dim": Parameter("integer", default=0), "u": TENSOR, "v": TENSOR, "n_power_iterations": Parameter("integer")},
    "standardize": {"mean": REQUIRED_TENSOR, "std": REQUIRED_TENSOR, "axis": Parameter("integer")},
    "mean_variance_norm": {"axes": Parameter("integers"), "eps": number(1e-9)},
    "lp_norm": {
        "axis": Parameter("integer"), "p": Parameter("number_or_choice", default=2, choices=("inf",)), "eps": number(1e-12),
    },
    "local_response_norm": {
        "size": Parameter("integer", required=True), "alpha": number(1e-4), "beta": number(0.75), "k": number(1),
    },
    "filter_response_norm": {**AFFINE, "tau": TENSOR, "eps": number(1e-6)},
    "global_response_norm": {**AFFINE, "eps": number(1e-6)},
    "weight_standardization": {"gain": TENSOR},
    "dynamic_tanh": {"alpha": Parameter("number_or_tensor", required=True), **AFFINE},
}  # fmt: skip

for _name, _parameters in PARAMETERS.items():
    if _name in WITH_EPSILON_PLACEMENT:
        _parameters["eps"] = number(1e-5)
        _parameters["epsilon_placement"] = Parameter("choice", default="variance", choices=("variance", "std"))
    if _name in CHANNEL_TYPES:
        _parameters["data_format"] = Parameter("choice", default="channels_first", choices=("channels_first", "channels_last"))

# Each parameter of each type.
ALL = [(kind, name) for kind, parameters in PARAMETERS.items() for name in parameters]

"""Each parameter of each type missing, of wrong size, of wrong type, or impossible: status, code and pointer."""

import numpy as np
import pytest

from layer_parameters import ALL, PARAMETERS
from layers import LAYER_TYPES, generator, layer_of
from problems import problem

SHAPE = (2, 4, 3)
X = {"shape": SHAPE, "data": np.linspace(-1, 1, 24).tolist()}

# What cannot stand beside a parameter: it takes their place.
EXCLUDED = {
    ("batch_renorm", "running_std"): ["running_var"], ("spectral_norm", "n_power_iterations"): ["u"],
    ("adaptive_instance_norm", "style"): ["style_mean", "style_std"],
    ("layer_norm", "axis"): ["normalized_shape", "weight", "bias"], ("rms_norm", "axis"): ["normalized_shape", "weight"],
}  # fmt: skip


def base(kind, name=None):
    """A layer that is right, and to which only the parameter `name` is to be added or changed."""
    layer = layer_of(kind, SHAPE, generator(kind, "errors"))
    return {key: value for key, value in layer.items() if key not in EXCLUDED.get((kind, name), [])}


def refused(server, layer, name, codes, input=X, problem_codes=None):
    answer = problem(server.post({"layer": layer, "input": input}), 422, problem_codes)
    assert answer["code"] in codes, answer
    assert (answer["pointer"] + "/").startswith(f"/layer/{name}/"), answer
    assert name in answer["detail"], answer
    return answer


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_the_layers_here_are_right(server, kind):
    """Else what follows would prove nothing."""
    server.normalize({"layer": base(kind), "input": X})


REQUIRED = [(kind, name) for kind, name in ALL if PARAMETERS[kind][name].required]


# Absent, and where it is a tensor also null.
MISSING = [(*case, {}) for case in REQUIRED] + [(kind, name, {name: None}) for kind, name in REQUIRED if PARAMETERS[kind][name].kind == "tensor"]


@pytest.mark.parametrize(("kind", "name", "instead"), MISSING, ids=str)
def test_missing(server, problem_codes, kind, name, instead):
    parameter = PARAMETERS[kind][name]
    layer = {key: value for key, value in base(kind).items() if key != name}
    answer = problem(server.post({"layer": layer | instead, "input": X}), 422, problem_codes)
    assert answer["code"] == "missing_parameter" and answer["pointer"] == "/layer", answer
    assert name in answer["detail"] and (parameter.substitute or "") in answer["detail"], answer


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
@pytest.mark.parametrize(("kind", "switch"), [("instance_norm", {"use_running_statistics": True}), ("batch_norm", {"use_batch_statistics": False}),
                                              ("batch_renorm", {"use_batch_statistics": True})])  # fmt: skip
def test_missing_running_statistics(server, problem_codes, kind, switch, name):
    layer = base("batch_norm") | {"type": kind} | switch
    del layer[name]
    answer = problem(server.post({"layer": layer, "input": X}), 422, problem_codes)
    assert answer["code"] == "missing_parameter" and name in answer["detail"], answer


NO_TENSOR = ["x", 1, True, {"values": [1]}, ["a", "b", "c", "d"], [[1, 2], [3]], [None]]
WRONG_TYPES = {
    "tensor": NO_TENSOR, "number": ["small", [1], None, True, {}], "integer": ["2", 1.5, None, [2], True],
    "boolean": ["yes", 1, None, [True]], "choice": ["x", 1, None, ["std"]], "integers": ["x", 1.5, None, ["x"], [1.5], [[1]], True],
    "number_or_choice": ["x", None, [2], True], "integer_or_null": ["x", 1.5, True, [0], "null"],
    "number_or_tensor": [value for value in NO_TENSOR if value != 1 or value is True],
}  # fmt: skip
WRONG_TYPE_CODES = {"wrong_type", "invalid_value", "invalid_parameter", "invalid_data", "missing_member", "unknown_member"}


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_wrong_type(server, problem_codes, kind, name):
    for value in WRONG_TYPES[PARAMETERS[kind][name].kind]:
        refused(server, base(kind, name) | {name: value}, name, WRONG_TYPE_CODES, problem_codes=problem_codes)


def wrong_sizes(kind, name):
    """Tensors of a count or shape that does not go with the input's shape (2, 4, 3)."""
    if name == "style":
        return [np.ones(shape).tolist() for shape in ((2, 3, 3), (3, 4, 3), (4, 3), (24,))]
    if kind in ("layer_norm", "rms_norm"):
        return [np.ones(count).tolist() for count in (1, 3, 11, 24)] + [[]]
    right = {"u": 2, "v": 12, "weight_g": 2, "gain": 2, "mean": 3, "std": 3, "mean_weight": 3, "var_weight": 3, "alpha": 1}
    count = right.get(name, 3 if kind == "dynamic_tanh" else 4)
    wrong = [[1.0] * (count - 1), [1.0] * (count + 1), [[1.0] * count] * 3]
    if name.startswith("style_"):
        wrong.append(np.ones((2, 4, 3)).tolist())
    return wrong


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in ALL if "tensor" in PARAMETERS[kind][name].kind])
def test_wrong_size(server, problem_codes, kind, name):
    layer = base(kind, name) | ({"use_running_statistics": True} if name.startswith("running") and kind == "instance_norm" else {})
    if kind == "instance_norm":
        layer |= {"running_mean": [0] * 4, "running_var": [1] * 4}
    codes = {"shape_mismatch"} if name not in ("mean_weight", "var_weight", "alpha") else {"shape_mismatch", "invalid_parameter"}
    for value in wrong_sizes(kind, name):
        refused(server, layer | {name: value}, name, codes, problem_codes=problem_codes)


def test_wrong_size_for_other_axes(server):
    for layer, name in [
        ({"type": "weight_norm", "weight_g": [1, 1], "dim": 1}, "weight_g"),
        ({"type": "weight_norm", "weight_g": [1, 1], "dim": None}, "weight_g"),
        ({"type": "spectral_norm", "u": [1, 1], "dim": 2}, "u"),
        ({"type": "standardize", "mean": [0] * 3, "std": [1] * 3, "axis": 1}, "mean"),
        ({"type": "batch_norm", "running_mean": [0] * 4, "running_var": [1] * 3, "data_format": "channels_last"}, "running_mean"),
        ({"type": "filter_response_norm", "tau": [0] * 4, "data_format": "channels_last"}, "tau"),
    ]:
        refused(server, layer, name, {"shape_mismatch"})


NAN = "NaN"
IMPOSSIBLE = [
    *[(kind, name, value) for kind, name in ALL if name == "eps" for value in (-1e-5, NAN)],
    *[(kind, "running_var", [1, 1, value, 1]) for kind, name in ALL if name == "running_var" for value in (-1, -1e-3, NAN)],
    *[("batch_renorm", "running_std", [1, 1, value, 1]) for value in (0, -1, NAN)],
    *[("batch_instance_norm", "rho", [0, 1, value, 0.5]) for value in (-0.001, 1.001, NAN, "Infinity")],
    *[("adaptive_instance_norm", "style_std", [1, 0, value, 1]) for value in (-1, NAN)],
    *[("standardize", "std", [1, 0, value]) for value in (-1, NAN)],
    *[("batch_renorm", "r_max", value) for value in (0.999, 0, -3, NAN)],
    *[("batch_renorm", "d_max", value) for value in (-0.001, NAN)],
    *[("local_response_norm", "size", value) for value in (0, -1)],
    *[("local_response_norm", "k", value) for value in (0, -1, NAN)],
    *[("local_response_norm", "alpha", value) for value in (-1e-4, NAN)],
    *[("spectral_norm", "n_power_iterations", value) for value in (0, -1)],
    *[("lp_norm", "p", value) for value in (3, 0, -1, 1.5, "two", "INF", NAN)],
    *[(kind, "axis", value) for kind, name in ALL if name == "axis" for value in (3, -4, 2**40)],
    *[("mean_variance_norm", "axes", value) for value in ([3], [-4], [0, 7], [0, 0], [0, -3])],
    *[("spectral_norm", "dim", value) for value in (3, -4)],
    *[("weight_norm", "dim", value) for value in (3, -4)],
    *[("group_norm", "num_groups", value) for value in (0, -2, 3, 8)],
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), IMPOSSIBLE, ids=str)
def test_impossible_value(server, problem_codes, kind, name, value):
    layer = base(kind, name) | {name: value}
    if kind == "instance_norm":
        layer |= {"running_mean": [0] * 4, "use_running_statistics": True} | ({"running_var": [1] * 4} if name != "running_var" else {})
    answer = refused(server, layer, name, {"invalid_parameter", "invalid_value"}, problem_codes=problem_codes)
    if isinstance(value, list) and kind != "mean_variance_norm":
        assert "2" in answer["detail"] + answer["pointer"], "the index of the offender is missing"


@pytest.mark.parametrize("kind", [kind for kind, name in ALL if name == "running_var"])
def test_no_variance_and_no_eps(server, problem_codes, kind):
    layer = base(kind) | {"running_mean": [0] * 4, "running_var": [1, 1, 0, 1], "eps": 0}
    layer |= {"use_running_statistics": True} if kind == "instance_norm" else {}
    answer = problem(server.post({"layer": layer, "input": X}), 422, problem_codes)
    assert answer["code"] == "invalid_parameter" and answer["pointer"] in ("/layer/running_var", "/layer/eps"), answer
    assert "2" in answer["detail"], "the index of the offender is missing"


EXCLUSIVE = [
    (base("spectral_norm") | {"n_power_iterations": 3}, ["u", "n_power_iterations"]),
    ({"type": "spectral_norm", "v": [1] * 12}, ["v", "u"]),
    ({"type": "spectral_norm", "v": [1] * 12, "n_power_iterations": 3}, ["v", "u", "n_power_iterations"]),
    (base("adaptive_instance_norm") | {"style": np.ones(SHAPE).tolist()}, ["style", "style_mean", "style_std"]),
    (base("adaptive_instance_norm", "style") | {"style": np.ones(SHAPE).tolist(), "style_mean": [0] * 4}, ["style", "style_mean"]),
    (base("adaptive_instance_norm", "style") | {"style": np.ones(SHAPE).tolist(), "style_std": [1] * 4}, ["style", "style_std"]),
    (base("batch_renorm") | {"running_std": [1] * 4}, ["running_var", "running_std"]),
    (base("layer_norm") | {"axis": 1}, ["normalized_shape", "axis"]),
    (base("rms_norm") | {"axis": 1}, ["normalized_shape", "axis"]),
]


@pytest.mark.parametrize(("layer", "names"), EXCLUSIVE, ids=[" or ".join(names) for _, names in EXCLUSIVE])
def test_parameters_that_exclude_each_other(server, problem_codes, layer, names):
    answer = problem(server.post({"layer": layer, "input": X}), 422, problem_codes)
    assert answer["code"] in ("invalid_parameter", "missing_parameter"), answer
    assert answer["pointer"] in [f"/layer/{name}" for name in names] + ["/layer"], answer
    assert any(name in answer["detail"] for name in names), answer


EVERY_NAME = sorted({name for _, name in ALL} | {"momentum", "affine", "track_running_stats", "training"})


@pytest.mark.parametrize("kind", LAYER_TYPES)
def test_unknown_parameters(server, problem_codes, kind):
    """Those of all the other types, and those that torch has for training."""
    for name in EVERY_NAME:
        if name not in PARAMETERS[kind]:
            refused(server, base(kind) | {name: 1}, name, {"unknown_member"}, problem_codes=problem_codes)

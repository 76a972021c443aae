"""The layers that normalize weights: weight_norm, spectral_norm, weight_standardization."""

import numpy as np
import pytest

import reference
from layers import EXAMPLE_SHAPE, assert_close, check, example, generator, output, same, uniform
from tensors import normalize, rounded


@pytest.mark.parametrize("dim", [0, 1, 3, None])
def test_weight_norm(server, dim):
    v, random = example("weight", dim)
    check(server, {"type": "weight_norm", "weight_g": uniform(random, 1 if dim is None else EXAMPLE_SHAPE[dim]), "dim": dim}, v)


def test_weight_norm_with_the_gain_of_torch(server):
    v, random = example("shaped")
    check(server, {"type": "weight_norm", "weight_g": uniform(random, 3, 1, 1, 1)}, v)
    check(server, {"type": "weight_norm", "weight_g": uniform(random, 1, 4, 1, 1), "dim": 1}, v)


@pytest.mark.parametrize("dim", [0, 2, None])
def test_weight_norm_of_its_own_norm(server, dim):
    v, _ = example("norm", dim)
    axes = tuple(axis for axis in range(4) if axis != dim)
    norm = np.sqrt(np.square(v).sum(axis=axes, keepdims=True))
    same(output(server, v, type="weight_norm", weight_g=norm.tolist(), dim=dim), v)


def test_weight_norm_of_zeros(server):
    v, _ = example("zero filter")
    v[1] = 0
    check(server, {"type": "weight_norm", "weight_g": [2, 2, 2]}, v)
    assert not output(server, np.zeros((2, 3)), type="weight_norm", weight_g=[1], dim=None).any()


def graded(random, shape, dim=0):
    """A matrix whose first singular value stands out, so that few iterations find it."""
    moved = np.moveaxis(np.empty(shape), dim, 0)
    rows, columns = moved.shape[0], int(np.prod(moved.shape[1:]))
    left = np.linalg.qr(random.standard_normal((rows, rows)))[0]
    right = np.linalg.qr(random.standard_normal((columns, rows)))[0]
    matrix = left @ np.diag(3 * 0.3 ** np.arange(rows)) @ right.T
    return rounded(np.moveaxis(matrix.reshape(moved.shape), 0, dim), "FP32")


def check_sigma(server, layer, w):
    header, _ = check(server, layer, w)
    parameters = {name: value for name, value in layer.items() if name != "type"}
    assert header["layer"]["sigma"] == pytest.approx(reference.spectral_sigma(w, **parameters), rel=1e-6)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("iterations", [None, 40])
def test_spectral_norm(server, iterations, dim):
    random = generator("spectral", iterations, dim)
    layer = {"type": "spectral_norm", "dim": dim}
    check_sigma(server, layer | ({"n_power_iterations": iterations} if iterations else {}), graded(random, (4, 5, 6), dim))


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("frozen", ["u", "u and v"])
def test_spectral_norm_with_frozen_vectors(server, frozen, dim):
    w, random = example("frozen", frozen, dim, shape=(4, 5, 6))
    matrix = np.moveaxis(w, dim, 0).reshape(w.shape[dim], -1)
    u = matrix @ random.standard_normal(matrix.shape[1])
    layer = {"type": "spectral_norm", "dim": dim, "u": rounded(u / np.linalg.norm(u), "FP32").tolist()}
    if frozen == "u and v":
        v = matrix.T @ u + random.standard_normal(matrix.shape[1])
        layer["v"] = rounded(v / np.linalg.norm(v), "FP32").tolist()
    check_sigma(server, layer, w)


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_power_iteration_comes_from_below(server, iterations):
    w, _ = example("below", shape=(8, 9))
    header, actual = normalize(server, {"type": "spectral_norm", "n_power_iterations": iterations}, w)
    sigma = header["layer"]["sigma"]
    assert 0 < sigma <= reference.spectral_sigma(w) * (1 + 1e-6)
    assert_close(actual, w / sigma, "FP32")


@pytest.mark.parametrize("dim", [0, 1])
def test_spectral_norm_of_an_orthogonal_matrix(server, dim):
    w = rounded(np.linalg.qr(generator("orthogonal").standard_normal((6, 6)))[0], "FP32")
    header, actual = normalize(server, {"type": "spectral_norm", "dim": dim}, w)
    assert header["layer"]["sigma"] == pytest.approx(1, abs=1e-6)
    same(actual, w)


@pytest.mark.parametrize("parameters", [{}, {"u": [1, 0]}, {"n_power_iterations": 2}], ids=str)
def test_spectral_norm_of_nan(server, parameters):
    """A σ that is no number is written as all such numbers are."""
    answer = server.normalize({"layer": {"type": "spectral_norm", **parameters}, "input": [["NaN", 1.0], [2.0, 1.0]]})
    assert answer["layer"]["sigma"] == "NaN"
    assert answer["output"]["data"] == [["NaN"] * 2] * 2


SIGNS = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
UNITS = np.eye(4).tolist()


@pytest.mark.parametrize("vectors", [SIGNS, UNITS], ids=["signs", "units"])
def test_spectral_norm_has_no_blind_spot(server, vectors):
    """No start may be orthogonal to what is sought: then the matrix would be taken for zero."""
    for left in vectors:
        for right in vectors:
            check_sigma(server, {"type": "spectral_norm"}, np.outer(left, right))


@pytest.mark.parametrize("parameters", [{}, {"n_power_iterations": 3}, {"u": [1, 0, 0]}, {"u": [1, 0, 0], "v": [0, 1, 0, 0]}], ids=str)
def test_spectral_norm_of_zeros(server, parameters):
    header, actual = normalize(server, {"type": "spectral_norm", **parameters}, np.zeros((3, 4)))
    assert not actual.any() and not np.isnan(actual).any()
    assert header["layer"]["sigma"] == 0


def test_spectral_norm_reports_sigma_in_json(server):
    answer = server.normalize({"layer": {"type": "spectral_norm"}, "input": [[3.0, 0.0], [0.0, 1.0]]})
    assert list(answer["layer"]) == ["type", "sigma"]
    assert answer["layer"]["sigma"] == pytest.approx(3, rel=1e-6)
    same(np.array(answer["output"]["data"]), [[1, 0], [0, 1 / 3]])


def test_weight_standardization_is_layer_norm_of_filters(server):
    w, random = example("filters")
    layer = {"type": "layer_norm", "normalized_shape": EXAMPLE_SHAPE[1:]}
    gain = uniform(random, 3)
    expected = output(server, w, **layer) * np.reshape(gain, (3, 1, 1, 1))
    same(output(server, w, type="weight_standardization", gain=gain), expected)

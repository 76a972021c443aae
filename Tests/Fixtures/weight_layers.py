"""The layers over weights and features, by PyTorch's own functions where it has them."""

import torch
import torch.nn.functional as F
from torch.nn.utils import parametrizations

from cases import Cases, shaped_cases

SHAPES = [(17,), (5, 12), (3, 4, 10), (2, 3, 4, 5), (2, 3, 2, 3, 4)]


def along(values, axis, x):
    """`values`, one an index of an axis, to broadcast against x."""
    return values.reshape([-1 if number == axis % x.dim() else 1 for number in range(x.dim())])


def weight_norm():
    cases = Cases(14)

    def make_compute(options):
        dim = options.get("dim", 0)
        # torch says -1 for the whole tensor.
        return lambda v, p: torch._weight_norm(v, p["weight_g"], -1 if dim is None else dim)

    def parameters(cases, x, dtype, options):
        dim = options.get("dim", 0)
        norm = torch.norm_except_dim(x, 2, -1 if dim is None else dim)
        return {"weight_g": cases.uniform(norm.shape, dtype, -0.5, 2)}

    shaped_cases(cases, SHAPES, [{}, {"dim": 1}, {"dim": 2}, {"dim": None}], make_compute, parameters)
    return cases


class Weighted(torch.nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)


def as_matrix(weight, dim):
    return weight.movedim(dim, 0).flatten(1) if weight.dim() > 1 else weight[:, None]


def spectral_norm():
    """With u (and v) frozen, as torch has them in eval."""
    cases = Cases(15)

    def make_compute(options):
        dim = options.get("dim", 0)

        def compute(w, p):
            matrix, u = as_matrix(w, dim), p["u"]
            v = p["v"] if "v" in p else F.normalize(matrix.T @ u, dim=0)
            if w.dim() == 1:
                # torch normalizes a vector without u and v; over one column the formula is the same.
                return w / (u @ matrix @ v)
            module = parametrizations.spectral_norm(Weighted(w), dim=dim).eval()
            parametrization = module.parametrizations.weight[0]
            parametrization._u.copy_(u)
            parametrization._v.copy_(v)
            return module.weight.detach()

        return compute

    def left(cases, x, dtype, options):
        """A left vector after one step, as if training had just begun."""
        matrix = as_matrix(x.double(), options.get("dim", 0))
        start = cases.normal((matrix.shape[1],), x.double().dtype)
        return {"u": F.normalize(matrix @ start, dim=0).to(dtype)}

    def both(cases, x, dtype, options):
        u = left(cases, x, dtype, options)["u"]
        v = as_matrix(x.double(), options.get("dim", 0)).T @ u.double()
        return {"u": u, "v": F.normalize(v + 0.05 * v.abs().max(), dim=0).to(dtype)}

    shaped_cases(cases, SHAPES, [{}, {"dim": 1}, {"dim": 2}], make_compute, left)
    shaped_cases(cases, SHAPES, [{}, {"dim": 1}], make_compute, both)
    return cases


def standardize():
    cases = Cases(16)

    def make_compute(options):
        axis = options.get("axis", -1)

        def compute(x, p):
            std = torch.where(p["std"] == 0, 1, p["std"])
            return (x - along(p["mean"], axis, x)) / along(std, axis, x)

        return compute

    def parameters(cases, x, dtype, options):
        count = x.shape[options.get("axis", -1)]
        std = cases.uniform((count,), dtype, 0.5, 2)
        std[0] = 0
        return {"mean": cases.normal((count,), dtype), "std": std}

    shaped_cases(cases, SHAPES, [{}, {"axis": 1}, {"axis": 0}, {"axis": -2}], make_compute, parameters)
    return cases


def mean_variance_norm():
    cases = Cases(17)

    def make_compute(options):
        def compute(x, p):
            axes = options.get("axes", [axis for axis in range(x.dim()) if axis != 1])
            variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
            return (x - mean) / (variance.sqrt() + options.get("eps", 1e-9))

        return compute

    variants = [{}, {"axes": [0, 2]}, {"axes": [1]}, {"axes": [-1], "eps": 0.25}, {"axes": [0, 1, 3]}, {"axes": [1, 2], "eps": 1e-3}]
    shaped_cases(cases, SHAPES, variants, make_compute, lambda *_: {})
    return cases


def weight_standardization():
    cases = Cases(18)

    def make_compute(options):
        eps = options.get("eps", 1e-5)

        def compute(w, p):
            if options.get("epsilon_placement") != "std":
                filters = w.reshape(1, w.shape[0], -1)
                return F.batch_norm(filters, None, None, p.get("gain"), training=True, eps=eps).reshape(w.shape)
            variance, mean = torch.var_mean(w, list(range(1, w.dim())), correction=0, keepdim=True)
            return (w - mean) / (variance.sqrt() + eps) * along(p["gain"], 0, w)

        return compute

    def gain(cases, x, dtype, options):
        return {"gain": cases.uniform((x.shape[0],), dtype, 0.5, 2)}

    shaped_cases(cases, SHAPES[1:], [{}, {"eps": 1e-3}, {"eps": 0.25, "epsilon_placement": "std"}], make_compute, gain)
    shaped_cases(cases, SHAPES[1:], [{}], make_compute, lambda *_: {})
    return cases


def dynamic_tanh():
    cases = Cases(19)

    def make_compute(options):
        return lambda x, p: torch.tanh(options.get("alpha", p.get("alpha")) * x) * p["weight"] + p["bias"]

    def affine(cases, x, dtype, options):
        return {name: cases.uniform((x.shape[-1],), dtype) for name in ("weight", "bias")}

    def learnt(cases, x, dtype, options):
        """alpha as a tensor of one element, as a checkpoint has it."""
        return affine(cases, x, dtype, options) | {"alpha": cases.uniform((1,), dtype, 0.25, 2)}

    shaped_cases(cases, SHAPES, [{"alpha": 0.5}, {"alpha": -1.75}], make_compute, affine)
    shaped_cases(cases, SHAPES, [{}], make_compute, learnt)
    return cases


LAYERS = [weight_norm, spectral_norm, standardize, mean_variance_norm, weight_standardization, dynamic_tanh]

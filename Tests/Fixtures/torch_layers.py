"""The layers that torch.nn.functional computes."""

import torch
import torch.nn.functional as F

from cases import BF16, FP16, FP32, FP64, Cases, affine, channel_cases, frozen, shaped_cases


def batch_norm():
    cases = Cases(1)

    def make_compute(options):
        batch = options.get("use_batch_statistics", False)
        return lambda x, p: F.batch_norm(
            x, None if batch else p["running_mean"], None if batch else p["running_var"],
            p["weight"], p["bias"], training=batch, eps=options["eps"])

    variants = [{"eps": 1e-5}, {"eps": 1e-3, "data_format": "channels_last"},
                {"eps": 1e-5, "use_batch_statistics": True},
                {"eps": 1e-3, "use_batch_statistics": True, "data_format": "channels_last"}]
    channel_cases(cases, variants, make_compute, frozen)
    return cases


def instance_norm():
    cases = Cases(2)

    def make_compute(options):
        running = options.get("use_running_statistics", False)

        def compute(x, p):
            if x.dim() == 2:
                # torch.nn.InstanceNorm refuses a single spatial element; over one, x - E[x] is zero.
                if not running:
                    return p["bias"].expand_as(x)
                return F.batch_norm(x, p["running_mean"], p["running_var"], p["weight"], p["bias"], eps=options["eps"])
            mean, var = (p["running_mean"], p["running_var"]) if running else (None, None)
            return F.instance_norm(x, mean, var, p["weight"], p["bias"], not running, eps=options["eps"])

        return compute

    variants = [{"eps": 1e-5}, {"eps": 1e-3, "data_format": "channels_last"},
                {"eps": 1e-5, "use_running_statistics": True}]
    channel_cases(cases, variants, make_compute, frozen)
    return cases


def group_norm():
    cases = Cases(3)

    def make_compute(options):
        return lambda x, p: F.group_norm(x, options["num_groups"], p["weight"], p["bias"], eps=options["eps"])

    variants = [{"eps": 1e-5, "num_groups": 1}, {"eps": 1e-3, "num_groups": 2},
                {"eps": 1e-5, "num_groups": 2, "data_format": "channels_last"}]
    channel_cases(cases, variants, make_compute, affine)
    return cases


def trailing_cases(cases, compute, names, eps):
    types = [FP32, FP64, FP16, BF16]
    shapes = [((17,), 1), ((5, 24), 1), ((3, 4, 10), 1), ((3, 4, 10), 2), ((2, 3, 4, 6), 3), ((2, 2, 2, 3, 7), 2)]
    for number, (shape, normalized) in enumerate(shapes * 2):
        dtype = types[(number + number // len(shapes)) % len(types)]
        parameter_type = dtype if dtype in (FP32, FP64) else FP32
        row = list(shape[len(shape) - normalized:])
        x = cases.normal(shape, dtype, offset=[0, 3, -0.5][number % 3])
        parameters = {name: cases.uniform(row, parameter_type) for name in names}
        options = {"normalized_shape": row} if number < len(shapes) else {"axis": -normalized}
        if number % 2 == 0:
            options["eps"] = eps
        cases.add(f"{number:02}", x, compute(row, options, dtype), parameters, options)


def layer_norm():
    cases = Cases(4)

    def compute(row, options, dtype):
        return lambda x, p: F.layer_norm(x, row, p["weight"], p["bias"], eps=options.get("eps", 1e-5))

    trailing_cases(cases, compute, ["weight", "bias"], 1e-3)
    return cases


def rms_norm():
    cases = Cases(5)

    def compute(row, options, dtype):
        # By default the machine epsilon of the computation's type; a 16-bit input computes in FP32.
        eps = options.get("eps", torch.finfo(FP64 if dtype == FP64 else FP32).eps)
        return lambda x, p: F.rms_norm(x, row, p["weight"], eps=eps)

    trailing_cases(cases, compute, ["weight"], 1e-6)
    return cases


def local_response_norm():
    cases = Cases(6)

    def make_compute(options):
        def compute(x, p):
            # torch wants a spatial axis.
            y = F.local_response_norm(x[..., None] if x.dim() == 2 else x, **parameters)
            return y.reshape(x.shape)

        parameters = {name: value for name, value in options.items() if name != "data_format"}
        return compute

    variants = [{"size": 5}, {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 2.0, "data_format": "channels_last"},
                {"size": 2, "alpha": 0.25}, {"size": 4, "alpha": 1.0, "k": 0.5, "data_format": "channels_last"}]
    channel_cases(cases, variants, make_compute, lambda *_: {})
    return cases


def lp_norm():
    cases = Cases(7)

    def make_compute(options):
        p, axis, eps = float(options.get("p", 2)), options.get("axis", -1), options.get("eps", 1e-12)
        return lambda x, parameters: F.normalize(x, p, axis, eps)

    shapes = [(17,), (5, 24), (3, 4, 10), (2, 3, 4, 5)]
    variants = [{}, {"p": 1}, {"p": "inf"}, {"axis": 1}, {"axis": 0, "p": 1}, {"axis": -2, "p": "inf", "eps": 2.5}]
    shaped_cases(cases, shapes, variants, make_compute, lambda *_: {})
    return cases


LAYERS = [batch_norm, instance_norm, group_norm, layer_norm, rms_norm, local_response_norm, lp_norm]

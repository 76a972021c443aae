"""The layers over channels that PyTorch lacks, composed from its tensors as their papers print them."""

import torch

from cases import Cases, affine, channel_cases, channel_count, frozen, per_channel


def deviation(variance, options):
    eps = options.get("eps", 1e-5)
    return variance.sqrt() + eps if options.get("epsilon_placement") == "std" else (variance + eps).sqrt()


def statistics(x, axes):
    """The mean and the biased variance; over no axes, the element itself and zero."""
    if not axes:
        return x, torch.zeros_like(x)
    return x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)


def spatial(x):
    return list(range(2, x.dim()))


def scaled_and_shifted(x, p):
    return x * per_channel(p["weight"], x) + per_channel(p["bias"], x)


def batch_renorm():
    cases = Cases(8)

    def make_compute(options):
        def compute(x, p):
            mean = per_channel(p["running_mean"], x)
            if "running_std" in p:
                sigma = per_channel(p["running_std"], x)
            else:
                sigma = deviation(per_channel(p["running_var"], x), options)
            if not options.get("use_batch_statistics"):
                return scaled_and_shifted((x - mean) / sigma, p)
            batch_mean, variance = statistics(x, [0, *spatial(x)])
            batch_sigma = deviation(variance, options)
            r_max, d_max = options.get("r_max", 3), options.get("d_max", 5)
            r = (batch_sigma / sigma).clamp(1 / r_max, r_max)
            d = ((batch_mean - mean) / sigma).clamp(-d_max, d_max)
            return scaled_and_shifted((x - batch_mean) / batch_sigma * r + d, p)

        return compute

    def with_deviation(*arguments):
        parameters = frozen(*arguments)
        parameters["running_std"] = parameters.pop("running_var").sqrt()
        return parameters

    variants = [{"eps": 1e-3}, {"use_batch_statistics": True, "data_format": "channels_last"},
                {"use_batch_statistics": True, "r_max": 1.25, "d_max": 0.5, "epsilon_placement": "std"}]
    channel_cases(cases, variants, make_compute, frozen)
    channel_cases(cases, [{}, {"use_batch_statistics": True, "r_max": 1.5, "d_max": 1.0}], make_compute, with_deviation)
    return cases


def batch_instance_norm():
    cases = Cases(9)

    def make_compute(options):
        def compute(x, p):
            by_batch = (x - per_channel(p["running_mean"], x)) / deviation(per_channel(p["running_var"], x), options)
            mean, variance = statistics(x, spatial(x))
            by_instance = (x - mean) / deviation(variance, options)
            rho = per_channel(p["rho"], x)
            return scaled_and_shifted(rho * by_batch + (1 - rho) * by_instance, p)

        return compute

    def parameters(cases, x, dtype, options):
        return frozen(cases, x, dtype, options) | {"rho": cases.uniform((channel_count(x, options),), dtype)}

    variants = [{}, {"eps": 1e-3, "data_format": "channels_last"}, {"eps": 0.25, "epsilon_placement": "std"}]
    channel_cases(cases, variants, make_compute, parameters)
    return cases


def switchable_norm():
    cases = Cases(10)

    def make_compute(options):
        def compute(x, p):
            of_instance, of_layer = statistics(x, spatial(x)), statistics(x, list(range(1, x.dim())))
            of_batch = per_channel(p["running_mean"], x), per_channel(p["running_var"], x)
            mean_share, variance_share = p["mean_weight"].softmax(0), p["var_weight"].softmax(0)
            mean = mean_share[0] * of_instance[0] + mean_share[1] * of_layer[0] + mean_share[2] * of_batch[0]
            variance = variance_share[0] * of_instance[1] + variance_share[1] * of_layer[1] + variance_share[2] * of_batch[1]
            return scaled_and_shifted((x - mean) / deviation(variance, options), p)

        return compute

    def parameters(cases, x, dtype, options):
        logits = {name: cases.normal((3,), dtype) for name in ("mean_weight", "var_weight")}
        return frozen(cases, x, dtype, options) | logits

    variants = [{}, {"eps": 1e-3, "data_format": "channels_last"}, {"eps": 0.25, "epsilon_placement": "std"}]
    channel_cases(cases, variants, make_compute, parameters)
    return cases


def adaptive_instance_norm():
    cases = Cases(11)

    def make_compute(options):
        def compute(x, p):
            style_mean, style_std = p.get("style_mean"), p.get("style_std")
            if "style" in p:
                last = options.get("data_format") == "channels_last"
                style = p["style"].movedim(-1, 1) if last else p["style"]
                mean, variance = statistics(style, spatial(style))
                style_mean = mean.reshape(style.shape[:2])
                style_std = deviation(variance, options).reshape(style.shape[:2])
            mean, variance = statistics(x, spatial(x))
            return (x - mean) / deviation(variance, options) * per_channel(style_std, x) + per_channel(style_mean, x)

        return compute

    def per_feature(cases, x, dtype, options):
        shape = (channel_count(x, options),)
        return {"style_mean": cases.normal(shape, dtype), "style_std": cases.uniform(shape, dtype)}

    def per_sample(cases, x, dtype, options):
        shape = (x.shape[0], channel_count(x, options))
        return {"style_mean": cases.normal(shape, dtype), "style_std": cases.uniform(shape, dtype)}

    def of_one(cases, x, dtype, options):
        """One style for all samples, of another size than theirs."""
        space = [3, 4, 2][: x.dim() - 2]
        channels = channel_count(x, options)
        shape = (1, *space, channels) if options.get("data_format") == "channels_last" else (1, channels, *space)
        return {"style": cases.normal(shape, dtype)}

    def of_each(cases, x, dtype, options):
        return {"style": cases.normal(x.shape, dtype)}

    channel_cases(cases, [{}, {"data_format": "channels_last"}], make_compute, per_feature)
    channel_cases(cases, [{"eps": 0.25, "epsilon_placement": "std"}], make_compute, per_sample)
    channel_cases(cases, [{"eps": 1e-3, "data_format": "channels_last"}], make_compute, of_one)
    channel_cases(cases, [{}], make_compute, of_each)
    return cases


def filter_response_norm():
    cases = Cases(12)

    def make_compute(options):
        def compute(x, p):
            square = x.square().mean(spatial(x), keepdim=True) if spatial(x) else x.square()
            y = scaled_and_shifted(x / (square + options.get("eps", 1e-6)).sqrt(), p)
            return torch.maximum(y, per_channel(p["tau"], x)) if "tau" in p else y

        return compute

    def thresholded(cases, x, dtype, options):
        return affine(cases, x, dtype, options) | {"tau": cases.normal((channel_count(x, options),), dtype)}

    channel_cases(cases, [{}, {"eps": 1e-3, "data_format": "channels_last"}], make_compute, affine)
    channel_cases(cases, [{}, {"eps": 1e-3, "data_format": "channels_last"}], make_compute, thresholded)
    return cases


def global_response_norm():
    cases = Cases(13)

    def make_compute(options):
        def compute(x, p):
            norm = torch.linalg.vector_norm(x, dim=spatial(x), keepdim=True) if spatial(x) else x.abs()
            return scaled_and_shifted(x * norm / (norm.mean(1, keepdim=True) + options.get("eps", 1e-6)), p) + x

        return compute

    variants = [{}, {"data_format": "channels_last"}, {"eps": 0.25}]
    channel_cases(cases, variants, make_compute, affine)
    return cases


LAYERS = [batch_renorm, batch_instance_norm, switchable_norm, adaptive_instance_norm, filter_response_norm,
          global_response_norm]  # fmt: skip

"""Real data: the sample photographs and the digits of scikit-learn, against FP64."""

import numpy as np
from sklearn.datasets import load_digits, load_sample_images

import reference
from tensors import normalize, rounded

# torchvision's statistics of ImageNet are of channels in [0, 1]; the photographs are in [0, 255].
IMAGENET_MEAN = rounded(np.array([0.485, 0.456, 0.406]) * 255, "FP32").tolist()
IMAGENET_VARIANCE = rounded((np.array([0.229, 0.224, 0.225]) * 255) ** 2, "FP32").tolist()


def test_photographs(server):
    images = np.stack(load_sample_images().images)
    assert images.shape == (2, 427, 640, 3) and images.dtype == np.uint8
    layer = {
        "type": "batch_norm", "data_format": "channels_last", "eps": 0,
        "running_mean": IMAGENET_MEAN, "running_var": IMAGENET_VARIANCE,
    }  # fmt: skip
    header, actual = normalize(server, layer, images, "UINT8")
    assert header["output"]["datatype"] == "FP32"

    # One subtraction, one reciprocal square root and one product in FP32: a few roundings of 2^-24, relative.
    np.testing.assert_allclose(actual, reference.normalize(layer, images), rtol=8 * 2.0**-24, atol=0)


def test_digits(server):
    digits = load_digits().data
    random = np.random.default_rng(64)
    layer = {
        "type": "layer_norm", "normalized_shape": [64],
        "weight": rounded(random.random(64), "FP32").tolist(), "bias": rounded(random.random(64), "FP32").tolist(),
    }  # fmt: skip
    _, actual = normalize(server, layer, digits)
    np.testing.assert_allclose(actual, reference.normalize(layer, digits), rtol=0, atol=1e-6)


def test_digits_as_json(server):
    digits = load_digits().data[:100]
    layer = {"type": "layer_norm", "normalized_shape": [64]}
    answer = server.normalize({"layer": layer, "input": digits.tolist()})
    np.testing.assert_allclose(answer["output"]["data"], reference.normalize(layer, digits), rtol=0, atol=1e-6)

"""The same bits, whatever the number of threads."""

import numpy as np
import pytest

from layers import CHANNEL_TYPES, LAYER_TYPES, generator, layer_of
from server import Server
from tensors import normalize, rounded


@pytest.fixture(scope="module")
def servers():
    """One that computes on a single thread, and two that share a large tensor among several."""
    with Server("--threads", "1") as one, Server("--threads", "2") as two, Server("--threads", "5") as five:
        yield one, two, five


CASES = [(kind, "channels_first") for kind in LAYER_TYPES] + [(kind, "channels_last") for kind in CHANNEL_TYPES]


@pytest.mark.parametrize(("kind", "data_format"), CASES)
def test_threads_do_not_matter(servers, kind, data_format):
    random = generator(kind, data_format, "threads")
    x = rounded(random.standard_normal((12, 24, 50, 48)) + 100, "FP32")
    layer = layer_of(kind, x.shape, random, data_format)
    if kind == "spectral_norm":
        del layer["u"]
    expected, *others = (normalize(server, layer, x)[1] for server in servers)
    assert all(np.array_equal(other, expected) for other in others)


@pytest.mark.parametrize("kind", ["batch_norm", "batch_renorm"])
def test_threads_do_not_matter_to_batch_statistics(servers, kind):
    random = generator(kind, "threads")
    x = rounded(random.standard_normal((12, 24, 50, 48)) + 100, "FP32")
    layer = layer_of(kind, x.shape, random) | {"use_batch_statistics": True}
    expected, *others = (normalize(server, layer, x)[1] for server in servers)
    assert all(np.array_equal(other, expected) for other in others)

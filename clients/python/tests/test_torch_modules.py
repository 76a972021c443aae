"""Modules of torch.nn: by look-alikes wherever PyTorch is not, and by PyTorch itself where it is."""

import numpy as np
import pytest
from conftest import ADMIN_KEY
from fake_repository import FakeRepository
from layers import assert_close, example, expected_of

import normserve
from normserve import layer_of_module


class Tensor:
    """What this package uses of a torch.Tensor."""

    def __init__(self, array):
        self._array = np.asarray(array, np.float32)
        self.dtype = "torch.float32"

    def detach(self):
        return self

    def cpu(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return self._array if dtype is None else self._array.astype(dtype)


class Module:
    """What this package uses of a torch.nn.Module."""

    weight = None
    bias = None
    running_mean = None
    running_var = None
    eps = 1e-5

    def __init__(self, training=False, **members):
        self.training = training
        for name, value in members.items():
            setattr(self, name, Tensor(value) if isinstance(value, np.ndarray) else value)

    def forward(self, x):
        raise NotImplementedError

    def state_dict(self):
        raise NotImplementedError


def named(name, base=Module, **members):
    return type(name, (base,), members)


X, RANDOM = example("torch", shape=(3, 4, 5, 6))
AFFINE = {"weight": RANDOM.random(4), "bias": RANDOM.standard_normal(4)}
FROZEN = {"running_mean": RANDOM.standard_normal(4), "running_var": RANDOM.random(4) + 0.5}


def as_lists(parameters):
    return {
        name: np.float32(value).tolist() if isinstance(value, np.ndarray) else value
        for name, value in parameters.items()
    }


@pytest.mark.parametrize(
    ("name", "members", "layer"),
    [
        ("BatchNorm2d", {**FROZEN, **AFFINE, "eps": 1e-3}, {"type": "batch_norm", **FROZEN, **AFFINE, "eps": 1e-3}),
        ("SyncBatchNorm", FROZEN, {"type": "batch_norm", **FROZEN}),
        ("FrozenBatchNorm2d", {**FROZEN, **AFFINE, "training": True}, {"type": "batch_norm", **FROZEN, **AFFINE}),
        ("BatchNorm2d", {**AFFINE, "training": True}, {"type": "batch_norm", **AFFINE, "use_batch_statistics": True}),
        ("InstanceNorm2d", AFFINE, {"type": "instance_norm", **AFFINE}),
        ("InstanceNorm2d", {**AFFINE, "training": True}, {"type": "instance_norm", **AFFINE}),
        ("InstanceNorm2d", FROZEN, {"type": "instance_norm", **FROZEN, "use_running_statistics": True}),
        ("GroupNorm", {**AFFINE, "num_groups": 2, "training": True}, {"type": "group_norm", **AFFINE, "num_groups": 2}),
        ("LayerNorm", {"normalized_shape": (6,), "eps": 0.1}, {"type": "layer_norm", "normalized_shape": [6], "eps": 0.1}),
        ("LayerNorm", {"normalized_shape": (6,), "weight": np.arange(6.0)}, {"type": "layer_norm", "normalized_shape": [6], "weight": np.arange(6.0)}),
        ("RMSNorm", {"normalized_shape": (5, 6), "eps": None}, {"type": "rms_norm", "normalized_shape": [5, 6]}),
        ("LocalResponseNorm", {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 2.0}, {"type": "local_response_norm", "size": 3, "alpha": 0.5, "k": 2.0}),
    ],
)  # fmt: skip
def test_look_alikes(client, name, members, layer):
    y = client.normalize(X.astype(np.float32), named(name)(**members))
    assert_close(y.astype(float), expected_of(as_lists(layer), X, "FP32"), "FP32")


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_one_sample_without_a_batch(client, rank):
    """Which instance norm alone takes; its first axis is the channels."""
    x = example("single", rank, shape=(4, 5, 6, 7)[: rank + 1])[0]
    module = named(f"InstanceNorm{rank}d")(**AFFINE)
    y = client.normalize(x, module)
    assert y.shape == x.shape and y.dtype == x.dtype
    np.testing.assert_array_equal(y, client.normalize(x[None], module)[0])


def test_training_mode(client):
    for name in ("BatchNorm1d", "InstanceNorm3d"):
        with pytest.raises(ValueError, match=r"eval\(\)"):
            client.normalize(X, named(name)(**FROZEN, training=True))


def test_subclasses():
    """One that only adds something is what it inherits; one that computes something else is not."""
    inherited = named("MyNorm", named("GroupNorm"))
    assert layer_of_module(inherited(num_groups=2)).num_groups == 2
    changed = named("LayerNorm2d", named("LayerNorm"), forward=lambda self, x: x)
    with pytest.raises(TypeError, match="LayerNorm2d"):
        layer_of_module(changed(normalized_shape=(3,)))


@pytest.mark.parametrize("name", ["Linear", "CrossMapLRN2d", "LazyBatchNorm2d"])
def test_other_modules(client, name):
    with pytest.raises(TypeError, match=name):
        client.normalize(X, named(name)())


def test_a_module_is_registered(connect):
    repository = FakeRepository()
    client = connect("http://normserve", api_key=ADMIN_KEY, transport=repository.transport())
    client.layers["bn1"] = named("BatchNorm2d")(**FROZEN, eps=0.5)
    registered = client.layers.load("bn1")
    assert isinstance(registered, normserve.BatchNorm) and registered.eps == 0.5
    np.testing.assert_array_equal(registered.running_mean, FROZEN["running_mean"].astype(np.float32))


def test_a_tensor_as_input(client):
    y = client.normalize(Tensor(X), normserve.LayerNorm(6))
    assert isinstance(y, np.ndarray) and y.dtype == np.float32 and y.shape == X.shape


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed; the look-alikes above stand for it")


def modules(torch):
    nn = torch.nn
    for trained in (True, False):
        yield nn.BatchNorm1d(4, affine=trained), (5, 4)
        yield nn.BatchNorm1d(4, track_running_stats=trained), (5, 4, 7)
        yield nn.BatchNorm2d(4, eps=1e-3, affine=trained), (5, 4, 3, 2)
        yield nn.BatchNorm3d(4), (2, 4, 3, 2, 2)
        yield nn.InstanceNorm1d(4, affine=trained), (3, 4, 7)
        yield nn.InstanceNorm1d(4, affine=trained), (4, 7)
        yield nn.InstanceNorm2d(4, affine=True, track_running_stats=trained), (3, 4, 5, 6)
        yield nn.InstanceNorm2d(4, affine=trained), (4, 5, 6)
        yield nn.InstanceNorm3d(4), (4, 2, 5, 6)
        yield nn.GroupNorm(2, 4, affine=trained), (3, 4, 5)
        yield nn.LayerNorm(6, elementwise_affine=trained), (3, 4, 6)
        yield nn.LayerNorm((4, 6), bias=trained), (3, 4, 6)
        yield nn.RMSNorm(6, elementwise_affine=trained), (3, 4, 6)
        yield nn.RMSNorm((4, 6), eps=1e-3), (3, 4, 6)
        yield nn.LocalResponseNorm(3, alpha=0.5, beta=0.6, k=1.5), (3, 6, 5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch(client, torch, dtype):
    generator = torch.Generator().manual_seed(0)
    for module, shape in modules(torch):
        module = module.to(getattr(torch, dtype)).eval()
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        x = torch.randn(shape, generator=generator).to(getattr(torch, dtype)) * 3 + 1
        with torch.no_grad():
            expected = module(x).numpy()
        for given in (x, x.numpy(), x.clone().requires_grad_()):
            y = client.normalize(given, module)
            assert y.dtype == expected.dtype and y.shape == expected.shape, module
            tolerance = 1e-5 if dtype == "float32" else 1e-12
            np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance, err_msg=str(module))


def test_pytorch_bfloat16(client, torch):
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    module = torch.nn.LayerNorm(6).to(torch.bfloat16)
    y = client.normalize(x, module)
    assert y.dtype.name == "bfloat16"
    np.testing.assert_allclose(y.astype(float), module(x).detach().float().numpy(), rtol=2**-7, atol=2**-7)


def test_pytorch_of_another_kind(client, torch):
    for module in (torch.nn.Linear(3, 3), torch.nn.Sequential(torch.nn.LayerNorm(3)), torch.nn.LazyBatchNorm1d()):
        with pytest.raises(TypeError):
            client.normalize([[1.0, 2.0, 3.0]], module)

"""The layer repository: by a strict fake of the contract, and by the real server where it has one."""

import contextlib

import httpx
import ml_dtypes
import numpy as np
import pytest
from conftest import ADMIN_KEY, Server
from fake_repository import FakeRepository
from fake_server import FakeServer, refusal
from layers import LAYER_TYPES, example, generator, layer_of

import normserve
from normserve import BatchNorm, GroupNorm, LayerDescription, LayerNorm, LpNorm, WeightNorm


@pytest.fixture(params=["contract", "server"])
def repository(request, connect):
    """A client with the administrator's key of an empty repository, and one without."""
    if request.param == "contract":
        fake = FakeRepository()
        yield (
            connect("http://normserve", api_key=ADMIN_KEY, transport=fake.transport()),
            connect("http://normserve", transport=fake.transport()),
        )
        return
    with Server(*request.getfixturevalue("repository_options"), key=ADMIN_KEY) as server:
        yield connect(server.url, api_key=ADMIN_KEY), connect(server.url)


def same_parameters(one, other):
    parameters, others = one.parameters(), other.parameters()
    assert type(one) is type(other) and list(parameters) == list(others)
    for name, value in parameters.items():
        if isinstance(value, np.ndarray):
            assert value.dtype == others[name].dtype and value.shape == others[name].shape, name
            np.testing.assert_array_equal(value, others[name])
        else:
            assert value == others[name], name


def test_as_a_mapping(repository):
    client, _ = repository
    layers = client.layers
    assert len(layers) == 0 and list(layers) == [] and dict(layers.items()) == {}
    layers["bn1"] = BatchNorm(np.zeros(4, np.float32), np.ones(4, np.float32))
    layers["bn1"] = BatchNorm(np.ones(4, np.float32), np.ones(4, np.float32))
    layers["ln"] = LayerNorm(8)
    assert layers["bn1"] == LayerDescription("bn1", ("1", "2"), "batch_norm", "FP32")
    assert sorted(layers) == ["bn1", "ln"] and len(layers) == 2
    assert dict(layers.items())["ln"] == layers["ln"] == LayerDescription("ln", ("1",), "layer_norm", "FP32")
    del layers["bn1"]
    assert list(layers) == ["ln"]
    for gone in (lambda: layers["bn1"], lambda: layers.__delitem__("bn1"), lambda: layers.load("bn1")):
        with pytest.raises(normserve.UnknownLayer):
            gone()


def test_as_a_mapping_of_python(kind, repository):
    if kind == "asyncio":
        pytest.skip("a mapping of Python cannot be waited for")
    layers = repository[0].layers
    layers["ln"] = LayerNorm(8)
    assert "ln" in layers and "bn1" not in layers and "../ln" not in layers and 3 not in layers
    assert layers.get("bn1") is None and layers.get("ln").type == "layer_norm"
    assert list(layers.keys()) == ["ln"] and [layer.name for layer in layers.values()] == ["ln"]
    assert "http" in repr(layers)


def test_versions(repository):
    client, _ = repository
    layer = GroupNorm(2, eps=0.5)
    assert [client.layers.put("gn", layer) for _ in range(3)] == ["1", "2", "3"]
    client.layers.delete("gn", "2")
    assert client.layers["gn"].versions == ("1", "3")
    for version in (None, "1", "3"):
        same_parameters(client.layers.load("gn", version), layer)
    for gone in (client.layers.load, client.layers.delete):
        with pytest.raises(normserve.UnknownLayer):
            gone("gn", "2")


def test_without_the_key(repository):
    client, stranger = repository
    client.layers["ln"] = LayerNorm(8)
    assert list(stranger.layers) == ["ln"]
    for write in (lambda: stranger.layers.put("ln", LayerNorm(9)), lambda: stranger.layers.delete("ln")):
        with pytest.raises((normserve.Forbidden, normserve.Unauthorized)):
            write()
    assert client.layers["ln"].versions == ("1",)


def test_every_type_comes_back(repository):
    client, _ = repository
    for layer_type in LAYER_TYPES:
        document = layer_of(layer_type, (4, 4, 6), generator(layer_type))
        parameters = {
            name: np.array(value, np.float32) if isinstance(value, list) and name != "normalized_shape" else value
            for name, value in document.items()
            if name != "type"
        }
        layer = normserve.LAYER_TYPES[layer_type](**parameters)
        client.layers[layer_type] = layer
        same_parameters(client.layers.load(layer_type), layer)
    assert {name: layer.type for name, layer in client.layers.items()} == {name: name for name in LAYER_TYPES}


def test_parameters_come_back_to_the_bit(repository):
    client, _ = repository
    random = np.random.default_rng(0)
    for dtype in (np.float32, np.float64, np.float16, ml_dtypes.bfloat16):
        weight = (random.standard_normal((3, 5)) * 10.0 ** random.integers(-4, 4, (3, 5))).astype(dtype)
        layer = LayerNorm([3, 5], weight=weight, bias=np.asfortranarray(weight))
        client.layers["ln"] = layer
        same_parameters(client.layers.load("ln"), layer)


def test_datatype(repository):
    client, _ = repository
    client.layers.put("ln", LayerNorm(3), datatype="FP16")
    assert client.layers["ln"].datatype == "FP16"


def test_null(repository):
    client, _ = repository
    client.layers["wn"] = WeightNorm(np.array([2.0]), dim=None)
    assert client.layers.load("wn").dim is None


def test_normalize_by_name(request, repository):
    client, stranger = repository
    if "contract" in request.node.callspec.id:
        pytest.skip("the fake keeps layers and applies none")
    x, random = example("by name", shape=(3, 4, 5))
    layers = [BatchNorm(random.standard_normal(4), np.ones(4), weight=random.random(4)) for _ in range(2)]
    for layer in layers:
        client.layers["bn"] = layer
    for name, layer in (("bn", layers[1]), (("bn", "1"), layers[0]), (normserve.Registered("bn", "2"), layers[1])):
        np.testing.assert_array_equal(stranger.normalize(x, name), stranger.normalize(x, layer))
    with pytest.raises(normserve.UnknownLayer):
        stranger.normalize(x, ("bn", "3"))
    with pytest.raises(normserve.InvalidRequest) as caught:
        stranger.normalize(x[:, :3], "bn")
    assert caught.value.code == "shape_mismatch"


def test_a_layer_that_cannot_be(request, repository):
    client, _ = repository
    if "contract" in request.node.callspec.id:
        pytest.skip("the fake keeps whatever it gets")
    with pytest.raises(normserve.InvalidRequest) as caught:
        client.layers["bn"] = BatchNorm(np.zeros(4), -np.ones(4))
    assert caught.value.pointer == "/running_var"
    assert len(client.layers) == 0


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "../x", "a" * 129, "ä", "a b", "a?b", "a#b", "a%2Fb", "a\n", None, 3],
    ids=repr,
)
def test_impossible_names(connect, name):
    """Which might be other paths, so that nothing is sent."""
    fake = FakeRepository()
    client = connect("http://normserve", api_key=ADMIN_KEY, transport=fake.transport())
    for call in (
        lambda: client.layers.put(name, LpNorm()),
        lambda: client.layers.delete(name),
        lambda: client.layers.load(name),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises((KeyError, ValueError)):
        client.layers[name]
    assert not fake.requests


@pytest.mark.parametrize("version", ["", "x", "-1", "1/..", "1?", "²"])
def test_impossible_versions(connect, version):
    fake = FakeRepository()
    client = connect("http://normserve", api_key=ADMIN_KEY, transport=fake.transport())
    for call in (client.layers.delete, client.layers.load):
        with pytest.raises(ValueError):
            call("ln", version)
    assert not fake.requests


@pytest.mark.parametrize("layer", ["other", ("other", "1"), None])
def test_what_cannot_be_registered(connect, layer):
    client = connect("http://normserve", transport=FakeRepository().transport())
    with pytest.raises(TypeError):
        client.layers["ln"] = layer


@pytest.mark.parametrize("write", ["put", "delete"])
@pytest.mark.parametrize("how", ["lost", "busy"])
def test_changes_are_made_once(connect, write, how):
    """A layer may have been registered by the request whose answer never came."""

    def serve(server, connection, _):
        server.read_request(connection)
        if how == "busy":
            connection.sendall(refusal(503, "Retry-After: 0"))

    with FakeServer(serve) as server:
        layers = connect(server.url, retries=5).layers
        with pytest.raises(normserve.ConnectionLost if how == "lost" else normserve.Overloaded):
            layers.put("ln", LpNorm()) if write == "put" else layers.delete("ln")
        assert len(server.requests) == 1
        assert server.requests[0][0].startswith(b"PUT /layers/ln " if write == "put" else b"DELETE /layers/ln ")


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"layers": {}}, {"layers": [3]}, {"layers": [{"name": "ln"}]}, {"name": "ln", "versions": "1"},
        {"name": 3, "versions": ["1"], "type": "lp_norm", "datatype": "FP32", "version": 1},
        {"type": "new_norm", "parameters": {}}, {"type": "lp_norm", "parameters": {"q": 1}}, {"type": "lp_norm", "parameters": 1},
        {"type": "layer_norm", "parameters": {"weight": {"data": ["x"], "shape": [1]}}},
        {"type": "layer_norm", "parameters": {"weight": {"data": [1], "shape": [2]}}},
        {"type": "layer_norm", "parameters": {"weight": {"data": [1], "shape": [1], "datatype": "FP8"}}},
        {"type": "layer_norm", "parameters": {"weight": {}}},
    ],
    ids=repr,
)  # fmt: skip
def test_answers_that_are_none(connect, document):
    class Transport(httpx.MockTransport):
        def __init__(self):
            super().__init__(lambda request: httpx.Response(200, json=document))

    layers = connect("http://normserve", transport=Transport()).layers
    for call in (
        lambda: list(layers),
        lambda: layers["ln"],
        lambda: layers.load("ln"),
        lambda: layers.put("ln", LpNorm()),
    ):
        with contextlib.suppress(normserve.InvalidAnswer):
            call()
            pytest.fail("was taken for an answer")


@pytest.mark.parametrize("values", [[0, 1], (0.5, 2), [[1, 2.5]], [np.float32(1), 0.1]], ids=repr)
def test_lists_have_no_precision(repository, values):
    """As numbers of JSON; so that the layer is announced as FP32, as one that curl registers is."""
    client, _ = repository
    shape = np.shape(values)
    client.layers["list"] = LayerNorm(shape, weight=values)
    client.layers["array"] = LayerNorm(shape, weight=np.array(values, np.float64))
    assert client.layers["list"].datatype == "FP32"
    np.testing.assert_array_equal(client.layers.load("list").weight, np.array(values, np.float64))


def test_lists_are_announced_as_fp32(repository_options):
    """What clients of the Open Inference Protocol send by default is taken, too."""
    with (
        Server(*repository_options, key=ADMIN_KEY) as server,
        normserve.Client(server.url, api_key=ADMIN_KEY) as client,
    ):
        client.layers["ln"] = LayerNorm(3, weight=[0, 1, 2])
        tensor = {"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
        response = httpx.post(server.url + "/v2/models/ln/infer", json={"inputs": [tensor]})
        assert response.status_code == 200, response.text

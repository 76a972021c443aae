"""Registered layers in every form of a request: by name, with and without a version (API.md, sections 3 and 6)."""

import io
import json

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from problems import problem
from server import Server

X = np.random.default_rng(25).standard_normal((2, 3, 4)).astype(np.float32)
LAYERS = {"1": {"type": "layer_norm", "axis": -1}, "2": {"type": "layer_norm", "axis": -1, "weight": [2, 2, 2, 2]}}


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A server with two versions of the layer `ln`."""
    keys = tmp_path_factory.mktemp("named") / "keys"
    keys.write_text("administrator\n")
    keys.chmod(0o600)
    with Server("--admin-key-file", keys, key="administrator") as running:
        for version, layer in LAYERS.items():
            response = running.session.put(running.url + "/layers/ln", json=layer, timeout=10)
            assert response.status_code == 201 and response.json()["version"] == version, response.text
        yield running


def as_npy(server, reference):
    file = io.BytesIO()
    np.save(file, X)
    return server.post(file.getvalue(), params=reference, headers={"Content-Type": "application/x-npy"})


def as_bytes(server, reference):
    parameters = {"shape": "2,3,4"} | reference
    return server.post(X.tobytes(), params=parameters, headers={"Content-Type": "application/octet-stream"})


def as_safetensors(server, reference):
    content = safetensors.numpy.save({"input": X}, reference)
    return server.post(content, headers={"Content-Type": "application/x-safetensors"})


FORMS = {
    as_npy: lambda content: np.load(io.BytesIO(content)),
    as_bytes: lambda content: np.frombuffer(content, np.float32).reshape(2, 3, 4),
    as_safetensors: lambda content: safetensors.numpy.load(content)["output"],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("version", [None, *LAYERS])
def test_by_name(named, form, version):
    response = form(named, {"layer": "ln"} | ({"version": version} if version else {}))
    assert response.status_code == 200, response.text
    document = {"layer": LAYERS[version or "2"], "input": X.tolist()}
    expected = np.float32(named.normalize(document)["output"]["data"])
    np.testing.assert_array_equal(FORMS[form](response.content), expected)
    if form == as_safetensors:
        (length,) = np.frombuffer(response.content[:8], "<u8")
        layer = json.loads(json.loads(response.content[8 : 8 + length])["__metadata__"]["layer"])
        assert layer == {"type": "layer_norm", "name": "ln", "version": version or "2"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reference", [{"layer": "other"}, {"layer": "ln", "version": "3"}, {"layer": "ln", "version": "x"}, {"layer": "../ln"}])
def test_unknown(named, form, reference):
    assert problem(form(named, reference), 404)["code"] == "unknown_layer"

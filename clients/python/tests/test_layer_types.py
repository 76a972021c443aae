"""The dataclasses are what the server says of its types."""

import dataclasses

import pytest
from layers import LAYER_TYPES

import normserve


@pytest.fixture(scope="module")
def described(server):
    with normserve.Client(server.url) as client:
        return {described["name"]: described for described in client.layer_types()}


def test_types(described, client):
    assert list(normserve.LAYER_TYPES) == list(described)
    assert sorted(described) == sorted(LAYER_TYPES)
    assert client.layer_types() == list(described.values())
    assert {kind.__name__ for kind in normserve.LAYER_TYPES.values()} <= set(normserve.__all__)


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_parameters(described, name):
    members = {member.name: member for member in dataclasses.fields(normserve.LAYER_TYPES[name])}
    parameters = {parameter["name"]: parameter for parameter in described[name]["parameters"]}
    assert set(members) == set(parameters)
    for parameter in parameters.values():
        default = members[parameter["name"]].default
        if parameter["required"] and "substitute" not in parameter:
            assert default is dataclasses.MISSING, parameter
        else:
            assert default is not dataclasses.MISSING and default == parameter.get("default"), parameter


def test_defaults_are_not_sent():
    for kind in normserve.LAYER_TYPES.values():
        required = {member.name: 1 for member in dataclasses.fields(kind) if member.default is dataclasses.MISSING}
        assert set(kind(**required).parameters()) == set(required)


def test_a_misspelt_parameter():
    with pytest.raises(TypeError, match="runing_mean"):
        normserve.BatchNorm(runing_mean=[0.0])

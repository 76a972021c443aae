"""GET /layer-types: what the service says of its layers, held against NORMALIZATION.md."""

import pytest

from layer_parameters import ALL, PARAMETERS
from server import ResponseReader, request

KINDS = {"tensor", "number", "integer", "boolean", "choice", "integers", "number_or_choice", "integer_or_null", "number_or_tensor"}


@pytest.fixture(scope="module")
def listed(server):
    """The answer, by type and by parameter."""
    response = server.get("/layer-types")
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/json"
    document = response.json()
    assert list(document) == ["layer_types"]
    types = {entry["name"]: entry for entry in document["layer_types"]}
    assert len(types) == len(document["layer_types"])
    return types


def test_all_types_are_listed(listed):
    assert set(listed) == set(PARAMETERS)
    for entry in listed.values():
        assert set(entry) == {"name", "summary", "formula", "source", "parameters"}
        assert all(entry[text] for text in ("name", "summary", "formula", "source"))


@pytest.mark.parametrize("kind", PARAMETERS)
def test_exactly_the_parameters_are_listed(listed, kind):
    names = [entry["name"] for entry in listed[kind]["parameters"]]
    assert len(set(names)) == len(names)
    assert set(names) == set(PARAMETERS[kind])


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_parameter(listed, kind, name):
    entry = next(entry for entry in listed[kind]["parameters"] if entry["name"] == name)
    parameter = PARAMETERS[kind][name]
    assert {"name", "kind", "required", "summary"} <= set(entry) <= {"name", "kind", "required", "default", "substitute", "summary", "choices"}
    assert entry["kind"] in KINDS and entry["kind"] == parameter.kind
    assert entry["required"] is parameter.required and entry["summary"]
    assert entry.get("substitute") == parameter.substitute
    assert sorted(entry.get("choices", [])) == sorted(parameter.choices)
    if parameter.default is not None:
        assert entry["default"] == parameter.default and isinstance(entry["default"], bool) == isinstance(parameter.default, bool)
    elif name == "axis" and kind in ("standardize", "lp_norm"):
        assert entry.get("default", -1) == -1
    else:
        assert "default" not in entry


def test_head_as_get(server):
    get = server.get("/layer-types")
    with server.connect() as connection:
        connection.sendall(request("HEAD", "/layer-types") + request("GET", "/health/live"))
        reader = ResponseReader(connection)
        head = reader.next(to_head=True)
        assert reader.next().json() == {"status": "live"}, "content followed the answer to HEAD"
    assert head.status == get.status_code == 200
    assert head["content-type"] == "application/json" and head["content-length"] == get.headers["Content-Length"]


def test_other_methods_are_refused(server):
    response = server.session.post(server.url + "/layer-types", data=b"{}", timeout=10)
    assert response.status_code == 405
    assert {"GET", "HEAD"} <= set(response.headers["Allow"].replace(" ", "").split(","))

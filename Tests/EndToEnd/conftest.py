import pytest

from server import Server


@pytest.fixture(scope="session")
def server():
    """One normserve with default settings for all tests that need no other."""
    with Server() as running:
        yield running
        assert running.is_healthy()


@pytest.fixture(scope="session")
def problem_codes(server):
    """The closed list of error codes that the API description promises."""
    import yaml

    def find(node):
        if isinstance(node, dict):
            code = node.get("properties", {}).get("code") if isinstance(node.get("properties"), dict) else None
            if isinstance(code, dict) and "enum" in code:
                yield from code["enum"]
            for value in node.values():
                yield from find(value)
        elif isinstance(node, list):
            for value in node:
                yield from find(value)

    codes = set(find(yaml.safe_load(server.get("/openapi.yaml").text)))
    assert codes, "openapi.yaml lists no error codes"
    return codes

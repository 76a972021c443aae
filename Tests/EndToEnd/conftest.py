import pytest
import yaml

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
    codes = yaml.safe_load(server.get("/openapi.yaml").text)["components"]["schemas"]["ProblemCode"]["enum"]
    assert codes, "openapi.yaml lists no error codes"
    return codes

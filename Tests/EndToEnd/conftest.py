import pytest
import yaml

import oip
from certificates import Authority, write
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


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Signs the certificates of all tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority of the same name that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def ecdsa(authority):
    return authority.issue("ecdsa")


@pytest.fixture(scope="session")
def rsa(authority):
    return authority.issue("rsa", "rsa")


@pytest.fixture(scope="session")
def tls_server(ecdsa):
    """One normserve that speaks TLS, with default settings otherwise."""
    with Server(tls=ecdsa) as running:
        yield running
        assert running.is_healthy()


@pytest.fixture(scope="session")
def description(server):
    """A large text: the answer to GET /openapi.yaml."""
    return server.get("/openapi.yaml").content


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """One normserve with the layers of oip.LAYERS; its administrator's key is oip.ADMIN, and reading needs oip.API."""
    folder = tmp_path_factory.mktemp("models")
    keys = [f"--{name}-key-file={write(folder / name, key.encode())}" for name, key in [("admin", oip.ADMIN), ("api", oip.API)]]
    with Server(*keys, key=oip.API) as running:
        for layer in oip.LAYERS:
            assert oip.register(running, *layer) == "1"
        yield running
        assert running.is_healthy()

"""Over TLS: whom the client trusts, and whom the server does."""

import pathlib
import ssl

import numpy as np
import pytest
from conftest import Server

import normserve
from normserve import LayerNorm

X = np.arange(6, dtype=np.float32).reshape(2, 3)
LARGE = np.random.default_rng(0).standard_normal((1024, 1024), np.float32)


@pytest.fixture(scope="module")
def credentials(authority):
    return authority.issue("server")


@pytest.fixture(scope="module")
def server(credentials):
    with Server(tls=credentials) as running:
        yield running


def test_a_trusted_server(connect, server, authority):
    context = ssl.create_default_context(cafile=authority.certificate)
    for verify in (authority.certificate, context):
        client = connect(server.url, verify=verify)
        client.wait_until_ready()
        before = server.metric("normserve_tls_handshakes_total", result="full")
        for _ in range(5):
            assert client.normalize(X, LayerNorm(3)).shape == X.shape
        np.testing.assert_allclose(client.normalize(LARGE, LayerNorm(1024)).mean(axis=1), 0, atol=1e-5)
        # The connection is kept; the one more is that of `metric`.
        assert server.metric("normserve_tls_handshakes_total", result="full") - before <= 2


def test_an_unknown_authority(connect, server):
    """Which no repetition changes, so that there is one try."""
    before = server.metric("normserve_tls_handshakes_total", result="failed")
    with pytest.raises(normserve.ConnectionFailed, match="certificate verify failed"):
        connect(server.url, retries=5).normalize(X, LayerNorm(3))
    assert server.metric("normserve_tls_handshakes_total", result="failed") - before == 1


def test_another_name(connect, credentials, authority):
    with Server(tls=credentials, address="0.0.0.0") as server:
        for host, is_named in (("127.0.0.1", True), ("127.0.0.2", False)):
            client = connect(f"https://{host}:{server.port}", verify=authority.certificate)
            assert client.is_ready() == is_named
        with pytest.raises(normserve.ConnectionFailed, match="certificate verify failed"):
            client.normalize(X, LayerNorm(3))


def test_no_verification(connect, server):
    assert connect(server.url, verify=False).normalize(X, LayerNorm(3)).shape == X.shape


def test_a_client_with_a_certificate(connect, authority, tmp_path):
    shown = authority.issue("client", client=True)
    credentials = authority.issue("mutual")
    credentials.client = shown
    with Server("--tls-client-ca", authority.certificate, tls=credentials) as server:
        both = tmp_path / "both.pem"
        both.write_bytes(b"".join(pathlib.Path(path).read_bytes() for path in (shown.certificate, shown.key)))
        for cert in ((shown.certificate, shown.key), both):
            client = connect(server.url, verify=authority.certificate, cert=cert)
            assert client.normalize(X, LayerNorm(3)).shape == X.shape
        with pytest.raises(normserve.TransportError):
            connect(server.url, verify=authority.certificate, retries=0).normalize(X, LayerNorm(3))


def test_plain_http_to_it(connect, server):
    with pytest.raises(normserve.TransportError):
        connect(server.url.replace("https", "http"), retries=0).normalize(X, LayerNorm(3))

"""Certificates of clients: asked for with --tls-client-ca, and needed then (HTTP.md, section 9)."""

import ssl

import pytest

from server import Server, wait_for
from tls_client import BOTH, GET, check_answer, only


@pytest.fixture(scope="module")
def mutual(authority, ecdsa, tmp_path_factory):
    """A server whose clients must show a certificate."""
    client = authority.issue("client", client=True)
    with Server("--tls-client-ca", authority.certificate, tls=ecdsa.copy(tmp_path_factory.mktemp("mutual"), client)) as running:
        yield running
        assert running.is_healthy()


def refused(server, context):
    """Whether the server ends the connection before it answers a request (in 1.3 a client learns of it late)."""
    before = server.metric("normserve_tls_handshakes_total", result="failed")
    try:
        with server.connect(context=context) as connection:
            connection.sendall(GET)
            answer = connection.recv(1)
    except (ssl.SSLError, ConnectionError) as error:
        answer = None
        assert not isinstance(error, ssl.SSLCertVerificationError), error
    assert not answer
    wait_for(lambda: server.metric("normserve_tls_handshakes_total", result="failed") == before + 1)
    return True


@BOTH
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_client_with_a_certificate(mutual, authority, version, kind):
    client = authority.issue(f"client-{kind}", kind, client=True)
    with mutual.connect(context=mutual.tls.client_context(client, **only(version))) as connection:
        check_answer(connection)


@BOTH
@pytest.mark.parametrize("flaw", ["none", "stranger", "expired", "not valid yet", "self-signed"])
def test_client_without_a_good_certificate(mutual, authority, stranger, tmp_path, version, flaw):
    context = mutual.tls.client_context(**only(version))
    if flaw == "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(authority.certificate)
        context.minimum_version = context.maximum_version = version
    else:
        shown = {
            "stranger": lambda: stranger.issue("guest", client=True),
            "expired": lambda: authority.issue("late", client=True, starts=-3, ends=-1),
            "not valid yet": lambda: authority.issue("early", client=True, starts=2),
            "self-signed": lambda: type(authority)(tmp_path, "alone").issue("alone", client=True),
        }[flaw]()  # fmt: skip
        context.load_cert_chain(shown.certificate, shown.key)
    assert refused(mutual, context)
    with mutual.connect() as connection:
        check_answer(connection)


def test_no_certificate_is_asked_for_without_an_authority(tls_server, authority):
    """A client that has one may connect all the same."""
    with tls_server.connect(context=tls_server.tls.client_context(authority.issue("spare", client=True))) as connection:
        check_answer(connection)

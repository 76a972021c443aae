"""What a TLS handshake settles: versions, suites, ALPN, names, chains, resumption (HTTP.md, section 9)."""

import ssl
import subprocess

import pytest

from server import Server
from tls_client import BOTH, TLS12, TLS13, alerts, check_answer, client_hello, old_context, only, read_to_end, record, records


@pytest.fixture(scope="module")
def rsa_server(rsa):
    with Server(tls=rsa) as running:
        yield running


@pytest.fixture(params=["ECDSA", "RSA"])
def kind(request):
    """Of which kind the server's certificate is."""
    return request.param


@pytest.fixture
def either_server(request, kind):
    return request.getfixturevalue({"ECDSA": "tls_server", "RSA": "rsa_server"}[kind])


def s_client(server, *options, input="", **more):
    """What openssl's own client says; it trusts what the tests trust."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", server.tls.authority.certificate]
    return subprocess.run([*command, *options], input=input, capture_output=True, text=True, timeout=10, **more)


@BOTH
def test_versions(either_server, version):
    """1.2 and 1.3 are spoken, with certificates of either kind."""
    with either_server.connect(context=either_server.tls.client_context(**only(version))) as connection:
        assert connection.version() == {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}[version]
        assert connection.getpeercert(binary_form=True) == either_server.tls.der()
        check_answer(connection)


def test_the_newest_version_is_preferred(tls_server):
    with tls_server.connect() as connection:
        assert connection.version() == "TLSv1.3"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_old_versions_are_refused(tls_server, version):
    """With the alert protocol_version (70)."""
    hello = client_hello(old_context(version))
    assert hello[9:11] == {ssl.TLSVersion.TLSv1: b"\3\1", ssl.TLSVersion.TLSv1_1: b"\3\2"}[version]
    with tls_server.tcp() as connection:
        connection.sendall(hello)
        assert alerts(read_to_end(connection)) == [(2, 70)]


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"])
def test_suites_of_1_2(either_server, kind, suite):
    context = either_server.tls.client_context(**only(TLS12))
    name = f"ECDHE-{kind}-{suite}"
    context.set_ciphers(name)
    with either_server.connect(context=context) as connection:
        assert connection.cipher()[0] == name
        check_answer(connection)


@pytest.mark.parametrize(
    "suites",
    [
        "kRSA", "ECDHE+AES+SHA", "ECDHE+AES+SHA256:ECDHE+AES+SHA384:!AESGCM", "DHE", "AESCCM", "ARIA", "CAMELLIA", "aNULL",
        "eNULL",
    ],
)  # fmt: skip
def test_other_suites_of_1_2_are_refused(either_server, suites):
    """Only ECDHE with AES-GCM or ChaCha20-Poly1305; the alert is handshake_failure (40)."""
    context = old_context(TLS12)
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    with either_server.tcp() as connection:
        connection.sendall(client_hello(context))
        assert alerts(read_to_end(connection)) == [(2, 40)]


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_suites_of_1_3(tls_server, suite):
    result = s_client(tls_server, "-tls1_3", "-ciphersuites", suite)
    assert f"Cipher is {suite}" in result.stdout and "Verify return code: 0 (ok)" in result.stdout


@BOTH
@pytest.mark.parametrize(
    ("offered", "selected"),
    [(None, None), (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (["http/1.1", "h2"], "http/1.1"), (["http/1.0", "x" * 255, "http/1.1"], "http/1.1")],
)  # fmt: skip
def test_alpn(tls_server, version, offered, selected):
    """http/1.1 is selected; a client without ALPN is served just the same."""
    context = tls_server.tls.client_context(**only(version))
    if offered:
        context.set_alpn_protocols(offered)
    with tls_server.connect(context=context) as connection:
        assert connection.selected_alpn_protocol() == selected
        check_answer(connection)


@BOTH
@pytest.mark.parametrize("offered", [["h2"], ["http/1.0"], ["http/1.1x", "ttp/1.1"], ["HTTP/1.1"]], ids=" ".join)
def test_alpn_without_http_1_1_is_refused(tls_server, version, offered):
    """With the fatal alert no_application_protocol (120; RFC 7301 §3.2)."""
    context = tls_server.tls.client_context(**only(version))
    context.set_alpn_protocols(offered)
    with tls_server.tcp() as connection:
        connection.sendall(client_hello(context))
        assert alerts(read_to_end(connection)) == [(2, 120)]


@pytest.mark.parametrize("name", [None, "localhost", "other.example", "a" * 63 + ".example"])
def test_server_name_does_not_matter(tls_server, name):
    with tls_server.connect(server_hostname=name) as connection:
        assert connection.getpeercert(binary_form=True) == tls_server.tls.der()
        check_answer(connection)


def test_a_client_that_checks_names(tls_server):
    with tls_server.connect(context=tls_server.tls.client_context(check_hostname=True), server_hostname="localhost") as connection:
        check_answer(connection)


def test_the_whole_chain_is_sent(authority, tmp_path):
    """A client that knows the root alone trusts what an authority below it signed."""
    between = type(authority)(tmp_path, "between", signer=authority)
    with Server(tls=between.issue("leaf", trusted=authority)) as server, server.connect() as connection:
        check_answer(connection)


@pytest.mark.parametrize("with_clients", [False, True], ids=["anonymous", "with a client's certificate"])
@BOTH
def test_resumption(authority, tmp_path, ecdsa, version, with_clients):
    """The second connection is short, and counted as such."""
    client = authority.issue("resuming", client=True) if with_clients else None
    options = ["--tls-client-ca", authority.certificate] if with_clients else []
    with Server(*options, tls=ecdsa.copy(tmp_path, client)) as server:
        context = server.tls.client_context(**only(version))
        before = server.metrics()
        with server.connect(context=context) as connection:
            assert not connection.session_reused
            check_answer(connection)  # The tickets of 1.3 come with the first answer at the latest.
            session = connection.session
        for _ in range(3):
            with server.connect(context=context, session=session) as connection:
                assert connection.session_reused
                check_answer(connection)
                session = connection.session
        after = server.metrics()
    counted = {
        result: after[f'normserve_tls_handshakes_total{{result="{result}"}}'] - before[f'normserve_tls_handshakes_total{{result="{result}"}}']
        for result in ("full", "resumed", "failed")
    }  # fmt: skip
    assert counted == {"full": 2, "resumed": 3, "failed": 0}  # The second look at the metrics was a full one.


def test_no_renegotiation(tls_server):
    """A client of TLS 1.2 that asks for it is told no, or cut off; no second handshake takes place."""
    before = tls_server.metric("normserve_tls_handshakes_total", result="full")
    result = s_client(tls_server, "-tls1_2", input="R\n")
    assert "RENEGOTIATING" in result.stdout + result.stderr
    assert "no renegotiation" in result.stderr or "closed" in result.stdout + result.stderr, result
    assert tls_server.metric("normserve_tls_handshakes_total", result="full") == before + 2


def test_no_early_data(tls_server):
    """A ticket does not allow for 0-RTT."""
    result = s_client(tls_server, "-tls1_3", "-ign_eof", input="GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert "Max Early Data: 0" in result.stdout, result.stdout


@pytest.mark.parametrize("methods", [[1, 0], [0, 1], [1, 64, 0], [1]], ids=str)
def test_no_compression(tls_server, methods):
    """The null method is chosen however compression is offered; a ClientHello without it is refused."""
    hello = client_hello(old_context(TLS12))
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    assert hello[at : at + 2] == b"\1\0"
    body = hello[9:at] + bytes([len(methods), *methods]) + hello[at + 2 :]
    with tls_server.tcp() as connection:
        connection.sendall(record(22, b"\1" + len(body).to_bytes(3) + body))
        kind, fragment = next(records(connection.recv(1 << 16)))
    if 0 not in methods:
        assert kind == 21 and fragment[0] == 2
        return
    assert kind == 22 and fragment[0] == 2
    at = 4 + 2 + 32
    at += 1 + fragment[at]
    assert fragment[at + 2] == 0

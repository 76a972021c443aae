"""Certificates and keys for a run, in files that change under the server: an authority, two identities, one API key."""

import datetime
import ipaddress
import os
import pathlib
import secrets
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(name, key, issuer=None, issuer_key=None):
    """A certificate for localhost, or without an issuer an authority of its own."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([
        x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    ])  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def pem(*certificates):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)


class Credentials:
    """The files that the server reads. Each `change` puts another content there, at times one that is no good."""

    def __init__(self, with_tls):
        self.directory = tempfile.TemporaryDirectory(prefix="normserve-faults-")
        self.path = pathlib.Path(self.directory.name)
        self.with_tls, self.key = with_tls, secrets.token_urlsafe(24)
        self.changes = self.bad_changes = 0
        self.options = ["--api-key-file", str(self.path / "keys")]
        if with_tls:
            self.make_certificates()
            self.options += ["--tls-certificate", str(self.path / "chain.pem"), "--tls-key", str(self.path / "key.pem")]
        self.change()

    def make_certificates(self):
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = certificate("normserve test authority", authority_key)
        self.chains = [pem(certificate("localhost", key, authority, authority_key), authority) for _ in range(2)]
        self.write("authority.pem", pem(authority))
        self.write("key.pem", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip

    @property
    def authority(self):
        return str(self.path / "authority.pem") if self.with_tls else None

    def write(self, name, content):
        """Replaces a file as a whole, as whoever renews a certificate does."""
        new = self.path / (name + ".new")
        new.touch(0o600)
        new.write_bytes(content)
        os.replace(new, self.path / name)

    def change(self):
        """The other certificate and another second key; every fourth time neither is any good."""
        is_bad = self.changes % 4 == 3
        self.bad_changes += is_bad
        if self.with_tls:
            self.write("chain.pem", b"no certificate" if is_bad else self.chains[self.changes % 2])
        keys = f"# keys of a run\n{self.key}\n{secrets.token_urlsafe(24)}\n"
        self.write("keys", b"this cannot be a key\n" if is_bad else keys.encode())
        self.changes += 1
        self.are_good = not is_bad

    def make_good(self):
        """Changes the files if a server would not start with them."""
        if not self.are_good:
            self.change()

    def close(self):
        self.directory.cleanup()


class ClientTLS:
    """What a client needs for TLS: 1.3 and 1.2, full handshakes and resumed ones in turn."""

    def __init__(self, authority):
        self.contexts, self.sessions, self.certificates, self.turn = [], {}, set(), 0
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            context = ssl.create_default_context(cafile=authority)
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["http/1.1"])
            self.contexts.append(context)

    def wrap(self, incoming, outgoing):
        self.turn += 1
        context = self.contexts[self.turn % 3 % 2]
        session = self.sessions.pop(context, None)
        return context.wrap_bio(incoming, outgoing, server_hostname="localhost", session=session)

    def established(self, tls):
        self.certificates.add(hash(tls.getpeercert(binary_form=True)))

    def remember(self, tls):
        """Keeps the session of a connection that has ended, for the next."""
        if tls.session and tls.session.has_ticket:
            self.sessions[tls.context] = tls.session

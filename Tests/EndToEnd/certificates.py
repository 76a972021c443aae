"""Makes certificates for tests: authorities, and what they sign for servers and clients."""

import datetime
import ipaddress
import os
import shutil
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM
NAMES = [
    x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.IPAddress(ipaddress.ip_address("::1")),
]  # fmt: skip


def new_key(kind):
    """A private key: "ecdsa" on P-256, or "rsa" of 2048 bits."""
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key, password=None):
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption)


def write(path, content, mode=0o600):
    """Writes a file that is there whole or not at all, and returns its path as text."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(path)
    return str(path)


def _builder(subject, issuer, public_key, signing_key, starts, ends):
    """What all certificates have; `starts` and `ends` are days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + starts * DAY).not_valid_after(now + ends * DAY)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), False)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Credentials:
    """A certificate with its chain and its key, as files, and the authority that clients trust for it."""

    def __init__(self, certificate, key, authority):
        self.certificate = certificate
        self.key = key
        self.authority = authority
        self.client = None  # The Credentials that clients show by default.

    def der(self):
        """The leaf as it goes over the wire."""
        with open(self.certificate, "rb") as file:
            leaf = x509.load_pem_x509_certificates(file.read())[0]
        return leaf.public_bytes(serialization.Encoding.DER)

    def copy(self, directory, client=None):
        """The same in files of `directory`, for a test that changes them; `client` is what clients shall show."""
        paths = [shutil.copy2(path, directory / name) for path, name in ((self.certificate, "server.pem"), (self.key, "server.key"))]
        copied = Credentials(*map(str, paths), self.authority)
        copied.client = client
        return copied

    def replace_by(self, other):
        """Puts another certificate and key into the files of this one."""
        for target, source in ((self.key, other.key), (self.certificate, other.certificate)):
            shutil.copy2(source, target + ".new")
            os.replace(target + ".new", target)

    def client_context(self, client=None, **settings):
        """How a client speaks to a server with this certificate; `settings` are attributes of ssl.SSLContext."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.authority.certificate)
        if client := client or self.client:
            context.load_cert_chain(client.certificate, client.key)
        for name, value in settings.items():
            setattr(context, name, value)
        return context


class Authority:
    """A certificate authority; what it signs lies in `directory`."""

    def __init__(self, directory, name="authority", signer=None):
        self.directory = directory
        self.name = _name(name)
        self.key = new_key("ecdsa")
        issuer, signing_key = (signer.name, signer.key) if signer else (self.name, self.key)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = _builder(self.name, issuer, self.key.public_key(), signing_key, -1, 10)
        builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
        self.pem = builder.sign(signing_key, hashes.SHA256()).public_bytes(PEM)
        self.certificate = write(directory / f"{name}.ca.pem", self.pem)
        self.chain = self.pem if signer else b""

    def issue(self, name, kind="ecdsa", client=False, starts=-1, ends=5, trusted=None):
        """Credentials that this authority signed; `trusted` is the root if this is not one."""
        key = new_key(kind)
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = _builder(_name(name), self.name, key.public_key(), self.key, starts, ends)
        builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        if not client:
            builder = builder.add_extension(x509.SubjectAlternativeName(NAMES), False)
        leaf = builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)
        certificate = write(self.directory / f"{name}.pem", leaf + self.chain)
        return Credentials(certificate, write(self.directory / f"{name}.key", key_pem(key)), trusted or self)

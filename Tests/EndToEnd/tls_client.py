"""A TLS client in memory: its bytes can be held back, changed and cut on their way to the server."""

import ssl
import warnings

import pytest

from server import ResponseReader, request

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])
ALERT = 21  # Content types of records.
HANDSHAKE = 22
GET = request("GET", "/health/live")


class TLSStream:
    """One TLS connection over a socket; what it wants to send is in `outgoing` until `flush`."""

    def __init__(self, connection, context, **options):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **options)

    def flush(self):
        if self.outgoing.pending:
            self.connection.sendall(self.outgoing.read())

    def complete(self, step, *arguments):
        """Runs a method of the TLS object to its end, with all the sending and receiving that it needs."""
        while True:
            try:
                result = step(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                received = self.connection.recv(1 << 16)
                self.incoming.write(received) if received else self.incoming.write_eof()

    def handshake(self):
        self.complete(self.tls.do_handshake)
        return self

    def sendall(self, content):
        self.tls.write(content)
        self.flush()

    def recv(self, size):
        """As a socket's: nothing once the server said close_notify."""
        try:
            return self.complete(self.tls.read, size)
        except ssl.SSLZeroReturnError:
            return b""

    def close_notify(self):
        """Says that nothing more will be sent; the answer can still be read."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def first_flight(self):
        """The records of the ClientHello."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()


def check_answer(connection):
    """Holds that the server serves this connection."""
    connection.sendall(GET)
    response = ResponseReader(connection).next()
    assert response.status == 200 and response.json() == {"status": "live"}


def client_hello(context, **options):
    """The records of a ClientHello as bytes."""
    return TLSStream(None, context, **options).first_flight()


def only(version):
    """A context's settings for one version of TLS."""
    return {"minimum_version": version, "maximum_version": version}


def old_context(version):
    """A context for a version that Python itself would no longer speak by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


def read_to_end(connection):
    """All that the server still sends until it closes or resets; a TimeoutError if it does neither."""
    received = b""
    try:
        while piece := connection.recv(1 << 16):
            received += piece
    except ConnectionError:
        pass
    return received


def records(content):
    """The TLS records (type, fragment) of what a server sent."""
    while content:
        length = int.from_bytes(content[3:5])
        yield content[0], content[5 : 5 + length]
        content = content[5 + length :]


def record(kind, fragment, version=0x0301):
    return bytes([kind]) + version.to_bytes(2) + len(fragment).to_bytes(2) + fragment


def alerts(content):
    """The fatal and other alerts in clear among what a server sent, as (level, description)."""
    return [tuple(fragment) for kind, fragment in records(content) if kind == ALERT and len(fragment) == 2]

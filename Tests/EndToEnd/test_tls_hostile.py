"""Handshakes that stall, lie or make no sense: none ends the process, none makes others wait.

Set NORMSERVE_BINARY to a build with AddressSanitizer to hold it against the same bytes, and NORMSERVE_SEED to try others.
"""

import contextlib
import os
import random
import socket
import ssl
import statistics
import time

import pytest

from server import Server, wait_for
from test_fairness import in_background, latencies
from test_json import EXAMPLE
from tls_client import BOTH, GET, HANDSHAKE, TLS12, TLS13, TLSStream, check_answer, client_hello, only, read_to_end, record

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))


@pytest.fixture(scope="module")
def target(ecdsa):
    """A server of its own, so that the others' metrics stay quiet."""
    with Server(tls=ecdsa) as running:
        yield running
        assert running.is_healthy()


def hello(server, version):
    return client_hello(server.tls.client_context(**only(version)))


def leave(server, content):
    """Sends something, says that no more will come, and waits until the server has closed, too."""
    with server.tcp(timeout=5) as connection:
        try:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It had closed before all was sent.
        read_to_end(connection)


def mutated(rng, content):
    """`content` with a few bytes changed, added, removed or repeated."""
    raw = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(raw))
        rng.choice([
            lambda: raw.__setitem__(at, rng.randrange(256)),
            lambda: raw.__setitem__(at, raw[at] ^ 1 << rng.randrange(8)),
            lambda: raw.insert(at, rng.randrange(256)),
            lambda: len(raw) > 1 and raw.__delitem__(at),
            lambda: raw.__setitem__(slice(at, at), raw[at : at + rng.randrange(40)]),
            lambda: raw.__setitem__(slice(at, at + 2), rng.choice([b"\0\0", b"\xff\xff", b"\x7f\xff", b"\x40\x01"])),
        ])()  # fmt: skip
    return bytes(raw)


def nonsense(server, rng):
    """Bytes that are no handshake, or only nearly one."""
    version = rng.choice([TLS12, TLS13])
    body = rng.randbytes(rng.randrange(400))
    return rng.choice([
        lambda: rng.randbytes(rng.randrange(1, 600)),
        lambda: record(rng.randrange(256), body, rng.randrange(1 << 16)),
        lambda: record(HANDSHAKE, bytes([rng.randrange(25)]) + rng.randrange(1 << 24).to_bytes(3) + body),
        lambda: record(HANDSHAKE, b"\1" + len(body).to_bytes(3) + body),
        lambda: record(21, rng.randbytes(2)) * rng.randrange(1, 50),
        lambda: record(20, b"\1") * rng.randrange(1, 50) + hello(server, version),
        lambda: b"\x80" + rng.randbytes(1) + b"\1\3\1" + body,  # The ClientHello of SSL 2.
        lambda: mutated(rng, hello(server, version)),
        lambda: mutated(rng, hello(server, version)),
        lambda: mutated(rng, hello(server, version)),
        lambda: hello(server, version) + rng.randbytes(rng.randrange(1, 300)),
    ])()  # fmt: skip


def test_thousands_of_broken_handshakes(target):
    """Each is over as soon as its client is, and all the while a healthy client is served at once."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    count = 0

    def attack():
        nonlocal count
        for _ in range(20):
            raw = nonsense(target, rng)
            leave(target, raw)
            count += 1
            assert target.process.poll() is None, f"seed {SEED}, number {count}: the server died of {raw!r}"

    with in_background(attack):
        times = latencies(lambda: target.normalize(EXAMPLE), 100)
        fresh = latencies(lambda: fresh_connection(target), 30)
    assert statistics.median(times) < 50 and times[-10] < 100 and statistics.median(fresh) < 100
    while count < 2000:
        attack()
    wait_for(lambda: target.metric("normserve_connections_open") <= 2)  # The healthy client and this one.
    assert not target.errors()


def fresh_connection(server):
    with server.connect() as connection:
        check_answer(connection)


@BOTH
def test_client_hello_cut_anywhere(target, version):
    """A connection that ends within its ClientHello leaves nothing behind; each is one failed handshake."""
    content = hello(target, version)
    before = target.metric("normserve_tls_handshakes_total", result="failed")
    for length in range(1, len(content)):
        leave(target, content[:length])
    wait_for(lambda: target.metric("normserve_tls_handshakes_total", result="failed") == before + len(content) - 1)


@BOTH
def test_every_byte_of_a_client_hello_changed(target, version):
    content = hello(target, version)
    for at in range(len(content)):
        leave(target, content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    fresh_connection(target)


@BOTH
def test_client_hello_in_any_pieces(target, version):
    """Segments of one byte, and a record for every few bytes: the handshake succeeds."""
    for size in (None, 1, 50):
        with target.tcp() as connection:
            stream = TLSStream(connection, target.tls.client_context(**only(version)))
            content = stream.first_flight()
            if size:
                content = b"".join(record(HANDSHAKE, content[5:][at : at + size]) for at in range(0, len(content) - 5, size))
                connection.sendall(content)
            else:
                for byte in content:
                    connection.sendall(bytes([byte]))
            check_answer(stream.handshake())


@BOTH
def test_damaged_finish_of_a_handshake(target, version):
    """What comes after the ClientHello, changed: refused."""
    rng = random.Random(SEED)
    for _ in range(100):
        with target.tcp(timeout=5) as connection:
            stream = TLSStream(connection, target.tls.client_context(**only(version)))
            connection.sendall(stream.first_flight())
            while not stream.outgoing.pending:
                stream.incoming.write(connection.recv(1 << 16))
                try:
                    stream.tls.do_handshake()
                except ssl.SSLWantReadError:
                    pass
            flight = bytearray(stream.outgoing.read())
            flight[rng.randrange(5, len(flight))] ^= 1 << rng.randrange(8)
            leave_with(connection, bytes(flight))
    fresh_connection(target)


def leave_with(connection, content):
    """What the server still says to the last bytes of a client."""
    connection.sendall(content)
    with contextlib.suppress(OSError):  # It may have closed by now.
        connection.shutdown(socket.SHUT_WR)
    return read_to_end(connection)


@BOTH
def test_damaged_record(target, version):
    """A request whose record does not decrypt is never answered; the connection ends."""
    for at in (5, 20, -1):
        with target.tcp(timeout=5) as connection:
            stream = TLSStream(connection, target.tls.client_context(**only(version))).handshake()
            check_answer(stream)
            stream.tls.write(GET)
            content = bytearray(stream.outgoing.read())
            content[at] ^= 1
            connection.sendall(content)
            with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
                assert stream.recv(1 << 16)
                stream.recv(1 << 16)


@BOTH
def test_plain_bytes_after_the_handshake(target, version):
    with target.tcp(timeout=5) as connection:
        stream = TLSStream(connection, target.tls.client_context(**only(version))).handshake()
        check_answer(stream)
        assert b"HTTP/1.1" not in leave_with(connection, GET)


@pytest.mark.parametrize("length", [0x4001 + 0x1000, 0xFFFF])
def test_record_larger_than_there_are(target, length):
    with target.tcp(timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01" + length.to_bytes(2) + b"\1" * 100)
        assert read_to_end(connection)[:1] in (b"", b"\x15")


def test_client_hello_without_end(target):
    """A handshake message that says it is 16 MiB long is cut off long before."""
    with target.tcp(timeout=5) as connection:
        sent, piece = 0, record(HANDSHAKE, bytes(1 << 14))
        connection.sendall(record(HANDSHAKE, b"\1\xff\xff\xff" + bytes(1000)))
        with pytest.raises(ConnectionError):
            while sent < 16 << 20:
                connection.sendall(piece)
                sent += len(piece)
    assert sent < 4 << 20


@pytest.mark.parametrize(("kind", "fragment"), [(21, b"\1\x5a"), (HANDSHAKE, b""), (20, b"\1"), (23, b"")], ids=["warnings", "handshake", "ccs", "data"])
def test_records_that_say_nothing(target, kind, fragment):
    """Warning alerts, empty records and ChangeCipherSpec without end are cut off before a handshake, too."""
    flood = record(kind, fragment) * 1000
    with target.tcp(timeout=5) as connection:
        connection.sendall(record(HANDSHAKE, hello(target, TLS13)[5:15]))
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                connection.sendall(flood)
                time.sleep(0.001)

"""SIGHUP: new certificates for new connections, while the old ones go on."""

import ssl
import threading
import time

import pytest

from certificates import write
from observe import descriptors, resident_bytes
from server import ResponseReader, Server, wait_for
from test_tls_options import BAD_KEYS, a_directory, binary, empty, missing, not_pem
from tls_client import BOTH, GET, TLSStream, check_answer, only


def shown(server):
    """The certificate that a new connection gets to see."""
    with server.connect() as connection:
        check_answer(connection)
        return connection.getpeercert(binary_form=True)


@pytest.mark.parametrize("kinds", [("ecdsa", "ecdsa"), ("ecdsa", "rsa"), ("rsa", "ecdsa")], ids=" to ".join)
def test_new_connections_see_the_new_certificate(authority, tmp_path, kinds):
    first, second = (authority.issue(f"reload-{number}", kind) for number, kind in enumerate(kinds))
    files = first.copy(tmp_path)
    with Server(tls=files) as server, server.connect() as old:
        assert shown(server) == first.der()
        check_answer(old)
        files.replace_by(second)
        assert shown(server) == first.der(), "read again without being asked to"
        server.reload()
        wait_for(lambda: shown(server) == second.der())
        check_answer(old)
        assert not server.errors()


def test_reload_under_load(authority, tmp_path):
    """Requests go on over old connections, new ones are opened all the time, and not one of them fails."""
    all_credentials = [authority.issue(f"load-{number}", "rsa" if number == 1 else "ecdsa") for number in range(4)]
    known = {credentials.der() for credentials in all_credentials}
    files = all_credentials[0].copy(tmp_path)
    ended, failures, answered, opened = threading.Event(), [], [0] * 4, [0] * 2

    def guarded(work, *arguments):
        try:
            work(*arguments)
        except Exception as error:
            failures.append(error)

    with Server(tls=files) as server:

        def stay(number):
            with server.connect() as connection:
                reader = ResponseReader(connection)
                while not ended.is_set():
                    connection.sendall(GET)
                    assert reader.next().status == 200
                    answered[number] += 1

        def come_and_go(number):
            while not ended.is_set():
                assert shown(server) in known
                opened[number] += 1

        work = [(stay, number) for number in range(4)] + [(come_and_go, number) for number in range(2)]
        threads = [threading.Thread(target=guarded, args=each) for each in work]
        for thread in threads:
            thread.start()
        try:
            for turn in range(8):
                wanted = all_credentials[(turn + 1) % 4]
                files.replace_by(wanted)
                server.reload()
                wait_for(lambda: shown(server) == wanted.der())
                before = [*answered, *opened]
                wait_for(lambda: failures or all(now > then for now, then in zip([*answered, *opened], before)))
        finally:
            ended.set()
            for thread in threads:
                thread.join(10)
        assert not failures, failures
        assert not server.errors()


@BOTH
def test_a_handshake_that_had_begun_goes_on(authority, tmp_path, version):
    first, second = authority.issue("begun-1"), authority.issue("begun-2")
    files = first.copy(tmp_path)
    with Server(tls=files) as server, server.tcp() as connection:
        stream = TLSStream(connection, files.client_context(**only(version)))
        connection.sendall(stream.first_flight())
        stream.incoming.write(connection.recv(1 << 16))
        files.replace_by(second)
        server.reload()
        wait_for(lambda: shown(server) == second.der())
        stream.handshake()
        check_answer(stream)
        assert stream.tls.getpeercert(True) == first.der()


@pytest.mark.parametrize("make", BAD_KEYS, ids=lambda make: make.__name__)
def test_bad_key(authority, ecdsa, tmp_path, make):
    """It is logged as an error that names the file, the old certificate stays, and a good file is taken later on."""
    files, second = ecdsa.copy(tmp_path), authority.issue("after-the-bad")
    with Server(tls=files) as server:
        path = tmp_path / "server.key"
        bad = make(tmp_path, files.key)
        path.unlink()
        if make is a_directory:
            path.mkdir()
        elif make is not missing:
            bad = type(path)(bad)
            bad.rename(path)
        server.reload()
        wait_for(lambda: any(str(path) in line or str(files.certificate) in line for line in server.errors()))
        assert shown(server) == ecdsa.der()
        if make is a_directory:
            path.rmdir()
        files.replace_by(second)
        server.reload()
        wait_for(lambda: shown(server) == second.der())
        assert len(server.errors()) == 1, server.errors()


@pytest.mark.parametrize("make", [missing, empty, not_pem, binary], ids=lambda make: make.__name__)
@pytest.mark.parametrize("which", ["server.pem", "clients.pem"])
def test_bad_certificate(authority, ecdsa, tmp_path, which, make):
    """Of the server or of the authority of clients; the other files being good changes nothing."""
    files = ecdsa.copy(tmp_path, authority.issue("reload-client", client=True))
    clients = write(tmp_path / "clients.pem", authority.pem)
    with Server("--tls-client-ca", clients, tls=files) as server:
        bad = make(tmp_path, files.certificate)
        (tmp_path / which).unlink()
        if make is not missing:
            type(tmp_path)(bad).rename(tmp_path / which)
        server.reload()
        wait_for(lambda: any(str(tmp_path / which) in line for line in server.errors()))
        assert shown(server) == ecdsa.der()


def test_half_a_replacement_changes_nothing(authority, ecdsa, tmp_path):
    """A new certificate whose key is not there yet: the pair of before stays."""
    files, second = ecdsa.copy(tmp_path), authority.issue("half")
    with Server(tls=files) as server:
        write(tmp_path / "server.pem", open(second.certificate, "rb").read())
        server.reload()
        wait_for(server.errors)
        assert shown(server) == ecdsa.der()
        write(tmp_path / "server.key", open(second.key, "rb").read())
        server.reload()
        wait_for(lambda: shown(server) == second.der())


def lets_in(server, context, session=None):
    try:
        with server.connect(context=context, session=session) as connection:
            check_answer(connection)
            return True
    except (ssl.SSLError, ConnectionError, AttributeError):
        return False


@BOTH
def test_new_authority_of_clients(authority, stranger, ecdsa, tmp_path, version):
    """Clients of the old one are refused from then on, those included that come with a session of before."""
    ours, theirs = authority.issue("ours", client=True), stranger.issue("theirs", client=True)
    clients = write(tmp_path / "clients.pem", authority.pem)
    files = ecdsa.copy(tmp_path, ours)
    with Server("--tls-client-ca", clients, tls=files) as server:
        old_context, new_context = (files.client_context(client, **only(version)) for client in (ours, theirs))
        assert not lets_in(server, new_context)
        with server.connect(context=old_context) as old:
            check_answer(old)
            session = old.session
            write(tmp_path / "clients.pem", stranger.pem)
            server.reload()
            wait_for(lambda: lets_in(server, new_context))
            assert not lets_in(server, old_context)
            assert not lets_in(server, old_context, session)
            check_answer(old)
            files.client = theirs  # The end of the test asks the server how it is.


@pytest.mark.memory
def test_many_reloads(ecdsa, tmp_path):
    """Neither memory nor descriptors pile up."""
    files = ecdsa.copy(tmp_path)
    with Server(tls=files) as server:
        before = len(descriptors(server))
        for _ in range(50):
            server.reload()
            time.sleep(0.002)
        settled = resident_bytes(server)
        for _ in range(300):
            server.reload()
            time.sleep(0.002)
        assert shown(server) == ecdsa.der()
        wait_for(lambda: len(descriptors(server)) <= before)
        assert resident_bytes(server) < settled + (8 << 20)
        assert not server.errors()

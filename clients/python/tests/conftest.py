"""The clients under test, against the real server, which the helpers of Tests/EndToEnd start and sign for."""

import asyncio
import inspect
import pathlib
import socket
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "Tests" / "EndToEnd"))

import server as end_to_end  # noqa: E402
from certificates import Authority  # noqa: E402

import normserve  # noqa: E402

ADMIN_KEY = "admin-admin-admin"


class Server(end_to_end.Server):
    """A running normserve that closes its log, too, as here whatever is left open is an error."""

    def __exit__(self, *arguments):
        with self.log_file:
            super().__exit__(*arguments)

    def tcp(self, timeout=10, source=None):
        if not self.unix_socket:
            return super().tcp(timeout, source)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout)
            connection.connect(self.unix_socket)
        except OSError:
            connection.close()
            raise
        return connection


class Waiting:
    """An object of asyncio whose coroutines are waited for, so that one test serves both clients."""

    def __init__(self, loop, wrapped):
        self._loop = loop
        self._wrapped = wrapped

    def __getattr__(self, name):
        value = getattr(self._wrapped, name)
        if name == "layers":
            return WaitingLayers(self._loop, value)
        if not inspect.iscoroutinefunction(value):
            return value
        return lambda *arguments, **options: self._loop.run_until_complete(value(*arguments, **options))

    def __repr__(self):
        return repr(self._wrapped)

    def close(self):
        self.aclose()


class WaitingLayers(Waiting):
    """AsyncLayers as the mapping that Layers is."""

    def __getitem__(self, name):
        return self.get(name)

    def __setitem__(self, name, layer):
        self.put(name, layer)

    def __delitem__(self, name):
        self.delete(name)

    def __iter__(self):
        async def names():
            return [name async for name in self._wrapped]

        return iter(self._loop.run_until_complete(names()))

    def __len__(self):
        return len(self.all())

    def items(self):
        return self.all().items()


@pytest.fixture(params=["threads", "asyncio"])
def kind(request):
    """Which of the two clients."""
    return request.param


@pytest.fixture
def connect(kind):
    """Makes clients of that kind, which are closed when the test is over."""
    loop = asyncio.new_event_loop() if kind == "asyncio" else None
    clients = []

    def make(*arguments, **options):
        if loop is None:
            client = normserve.Client(*arguments, **options)
        else:
            client = Waiting(loop, normserve.AsyncClient(*arguments, **options))
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
    if loop:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.fixture
def client(connect, server):
    """A client of the server with default settings."""
    return connect(server.url)


@pytest.fixture(scope="session")
def server():
    """One normserve with default settings for all tests that need no other."""
    with Server() as running:
        yield running
        assert running.is_healthy()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Signs the certificates of all tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def serve_help():
    """What options the server has."""
    return end_to_end.run("serve", "--help").stdout


@pytest.fixture
def repository_options(server, serve_help, tmp_path):
    """The options of a server whose layer repository is empty and writable with ADMIN_KEY."""
    if "\n  /layers:\n" not in server.get("/openapi.yaml").text:
        pytest.skip("this server has no layer repository yet")
    keys = tmp_path / "keys"
    keys.write_text(ADMIN_KEY + "\n")
    keys.chmod(0o600)
    directory = tmp_path / "layers"
    directory.mkdir()
    return ["--admin-key-file", str(keys), *(["--layers", str(directory)] if "--layers" in serve_help else [])]

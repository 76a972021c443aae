"""What only asyncio has: many calls at once, and calls that are cancelled."""

import asyncio
import contextlib
import gc
import inspect
import pathlib
import weakref

import numpy as np
import pytest
from conftest import Server, end_to_end
from fake_server import FakeServer, answer

from normserve import AsyncClient, AsyncLayers, Client, LayerNorm, Layers, TimedOut

X = np.arange(6, dtype=np.float32).reshape(2, 3)
LAYER = LayerNorm(3)


def test_many_at_once(server):
    inputs = [np.random.default_rng(seed).standard_normal((64, 300), np.float32) for seed in range(50)]
    layer = LayerNorm(300)

    async def main():
        async with AsyncClient(server.url) as client:
            expected = [await client.normalize(x, layer) for x in inputs]
            actual = await asyncio.gather(*(client.normalize(x, layer) for x in inputs))
            for one, other in zip(actual, expected, strict=True):
                np.testing.assert_array_equal(one, other)

    asyncio.run(main())


def test_cancellation(server):
    """Ends the call at once, closes its connection, and leaves the client in order."""
    closed = []

    def serve(fake, connection, number):
        if number:
            fake.read_request(connection)
            connection.sendall(answer(X))
        else:
            fake.read_request(connection)
            closed.append(connection.recv(1))

    async def main(url):
        async with AsyncClient(url) as client:
            task = asyncio.create_task(client.normalize(X, LAYER))
            while not fake.requests:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await client.normalize(X, LAYER)).tolist() == X.tolist()

    with FakeServer(serve) as fake:
        asyncio.run(main(fake.url))
    assert closed == [b""]


def test_cancellation_at_any_moment(server):
    """Whatever the call is at, the client goes on as if it had not been."""
    x = np.random.default_rng(0).standard_normal((256, 1024), np.float32)
    layer = LayerNorm(1024)

    async def main():
        async with AsyncClient(server.url) as client:
            expected = await client.normalize(x, layer)
            for steps in range(0, 60, 2):
                task = asyncio.create_task(client.normalize(x, layer))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    np.testing.assert_array_equal(await task, expected)
                np.testing.assert_array_equal(await client.normalize(x, layer), expected)

    asyncio.run(main())


def test_a_time_out_of_the_caller(server):
    def serve(fake, connection, _):
        fake.ended.wait(10)

    async def main(url):
        async with AsyncClient(url) as client:
            with pytest.raises(asyncio.TimeoutError) as caught:
                await asyncio.wait_for(client.normalize(X, LAYER), 0.1)
            assert not isinstance(caught.value, TimedOut)

    with FakeServer(serve) as fake:
        asyncio.run(main(fake.url))


def signature(function):
    """The parameters, whatever is waited for."""
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    ]


def public(kind):
    return {
        name: member for name, member in vars(kind).items() if inspect.isfunction(member) and not name.startswith("_")
    }


def test_the_clients_are_twins():
    """Each method of one is one of the other, with the same arguments."""
    renamed = {"close": "aclose"}
    methods, others = public(Client), public(AsyncClient)
    assert {renamed.get(name, name) for name in methods} == set(others)
    for name, method in methods.items():
        assert signature(method) == signature(others[renamed.get(name, name)]), name
        assert inspect.iscoroutinefunction(others[renamed.get(name, name)])
    assert signature(Client)[:-1] == signature(AsyncClient)[:-1]  # All but `transport`.
    for name in ("put", "load", "delete"):
        assert signature(public(Layers)[name]) == signature(public(AsyncLayers)[name])


def test_connections_of_a_burst_are_not_kept_for_ever():
    """But for those that are in use still."""

    async def main(server):
        async with AsyncClient(server.url) as client:
            await asyncio.gather(*(client.normalize(X, LAYER) for _ in range(8)))
            idle = client._transport._idle
            assert len(idle) == 8
            for connection in idle[:5]:
                connection.idle_since -= 60
            await client.normalize(X, LAYER)
            assert len(client._transport._idle) == 3
            await asyncio.sleep(0)
            end_to_end.wait_for(lambda: server.metric("normserve_connections_open") == 3 + 1)  # That of `metric`.

    with Server() as server:
        asyncio.run(main(server))


# What asyncio says of a transport that is left to a closed event loop.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
def test_event_loops_that_are_closed(authority, is_secure):
    """The connections of one are closed at the first call in another."""

    loops = []

    async def main(client):
        loops.append(weakref.ref(asyncio.get_running_loop()))
        assert (await client.normalize(X, LAYER)).shape == X.shape

    with Server(tls=authority.issue("loops") if is_secure else None) as server:
        client = AsyncClient(server.url, verify=authority.certificate if is_secure else True)
        descriptors = open_descriptors()
        for _ in range(10):
            asyncio.run(main(client))
            assert len(client._transport._idle) == 1
        end_to_end.wait_for(lambda: server.metric("normserve_connections_open") == 1 + 1)  # That of `metric`.
        asyncio.run(client.aclose())
        assert not client._transport._idle
        end_to_end.wait_for(lambda: server.metric("normserve_connections_open") == 1)
        gc.collect()
        assert open_descriptors() == descriptors and not any(loop() for loop in loops)


def open_descriptors():
    return len(list(pathlib.Path("/dev/fd").iterdir()))

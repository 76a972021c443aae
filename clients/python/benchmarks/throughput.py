"""The clients beside a bare loop of the standard library's http.client, which does nothing but send and receive.

    python benchmarks/throughput.py http://127.0.0.1:8080 [--profile]

Prints, for each size of tensor, the median time of a request and the median ratio to the bare loop in the same round,
as the machine's other work changes from second to second.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import http.client
import json
import pstats
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from normserve import AsyncClient, Client, LayerNorm

Array = np.typing.NDArray[np.float32]
WIDTH = 1024
ROUNDS = 15


class BareLoop:
    """One connection of http.client, the tensor sent from its memory and received into new memory."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port)

    def normalize(self, x: Array) -> Array:
        described = {"shape": x.shape, "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}
        header = json.dumps({"layer": {"type": "layer_norm", "normalized_shape": [WIDTH]}, "input": described}).encode()
        fields = {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(header)),
            "Content-Length": str(len(header) + x.nbytes),
        }
        self.connection.request("POST", "/normalize", [header, x.reshape(-1).view(np.uint8).data], fields)
        response = self.connection.getresponse()
        json.loads(response.read(int(response.headers["Inference-Header-Content-Length"])))
        y = np.empty_like(x)
        view = y.reshape(-1).view(np.uint8).data
        while view:
            view = view[response.readinto(view) :]
        return y


def measure(rounds: dict[str, Callable[[Array], Any]], x: Array) -> dict[str, list[float]]:
    """Seconds a request of each in each round, in which one request comes before those that count."""
    repetitions = max(3, min(300, (1 << 22) // x.nbytes))
    times: dict[str, list[float]] = {name: [] for name in rounds}
    for _ in range(ROUNDS):
        for name, normalize in rounds.items():
            normalize(x)
            start = time.perf_counter()
            for _ in range(repetitions):
                normalize(x)
            times[name].append((time.perf_counter() - start) / repetitions)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url")
    parser.add_argument("--profile", action="store_true", help="tell where the client spends its time")
    arguments = parser.parse_args()
    layer = LayerNorm(WIDTH)
    loop = asyncio.new_event_loop()
    bare, client, async_client = BareLoop(arguments.url), Client(arguments.url), AsyncClient(arguments.url)
    rounds: dict[str, Callable[[Array], Any]] = {
        "http.client": bare.normalize,
        "Client": lambda x: client.normalize(x, layer),
        "AsyncClient": lambda x: loop.run_until_complete(async_client.normalize(x, layer)),
    }
    print(f"{'tensor':>10} {'http.client':>12} {'Client':>12} {'ratio':>6} {'AsyncClient':>12} {'ratio':>6}")
    for rows in (1, 16, 256, 4096, 16384):
        x = np.random.default_rng(0).standard_normal((rows, WIDTH), np.float32)
        assert all(np.array_equal(normalize(x), bare.normalize(x)) for normalize in rounds.values())
        times = measure(rounds, x)
        bare_times = times["http.client"]
        cells = [f"{x.nbytes >> 10:>6} KiB", f"{statistics.median(bare_times) * 1e6:9.0f} µs"]
        for name in ("Client", "AsyncClient"):
            ratio = statistics.median(one / other for one, other in zip(bare_times, times[name], strict=True))
            cells += [f"{statistics.median(times[name]) * 1e6:9.0f} µs", f"{ratio:6.2f}"]
        print(" ".join(cells))
    if arguments.profile:
        x = np.random.default_rng(0).standard_normal((1, WIDTH), np.float32)
        for name in ("Client", "AsyncClient"):
            print(name)
            with cProfile.Profile() as profile:
                for _ in range(2000):
                    rounds[name](x)
            profile.create_stats()
            pstats.Stats(profile).sort_stats("tottime").print_stats(18)
    loop.run_until_complete(async_client.aclose())
    loop.close()
    client.close()


if __name__ == "__main__":
    main()

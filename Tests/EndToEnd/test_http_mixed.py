"""A hundred thousand requests of every valid kind, mixed and cut at random: every answer in its place (9112 §9.3.2).

Set NORMSERVE_SEED to try others.
"""

import os
import random
import selectors

from http_cases import CASES
from http_exchange import LAST, comparable, converse

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))
CONNECTIONS = 20
REQUESTS = 100_000
# How long a piece may be: mostly a few bytes, or many requests at once.
LENGTHS = [1, 2, 3, 10, 100, 1000, 10_000, 50_000]


class Client:
    """Sends its requests piece by piece while it receives the answers."""

    def __init__(self, connection, requests, rng):
        self.connection = connection
        self.unsent = memoryview(requests)
        self.rng = rng
        self.received = []

    def send(self):
        try:
            count = self.connection.send(self.unsent[: self.rng.randrange(1, self.rng.choice(LENGTHS) + 1)])
        except BlockingIOError:
            return
        self.unsent = self.unsent[count:]

    def receive(self):
        piece = self.connection.recv(1 << 18)
        self.received.append(piece)
        return bool(piece)


def run(clients):
    with selectors.DefaultSelector() as selector:
        for client in clients:
            client.connection.setblocking(False)
            selector.register(client.connection, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        while selector.get_map():
            ready = selector.select(timeout=10)
            assert ready, "nothing moves any more"
            for key, events in ready:
                client = key.data
                if events & selectors.EVENT_READ and not client.receive():
                    selector.unregister(client.connection)
                    continue
                if events & selectors.EVENT_WRITE:
                    client.send()
                    if not client.unsent:
                        selector.modify(client.connection, selectors.EVENT_READ, client)


def test_mixed_requests(server):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    lasting = [case for case in CASES if not case.closes]
    ending = [case for case in CASES if case.closes and case.answers]
    # What each gets on a connection of its own; the answer to `LAST` comes off again.
    alone = converse(server, [[case.content] if case.closes else [case.content, LAST] for case in lasting + ending])
    answers = {case: comparable(received) for case, (_, received) in zip(lasting + ending, alone)}
    [(_, last)] = converse(server, [[LAST]])
    for case in lasting:
        assert answers[case].endswith(comparable(last))
        answers[case] = answers[case].removesuffix(comparable(last))

    clients, expected = [], []
    try:
        for _ in range(CONNECTIONS):
            cases, count = [], 0
            while count < REQUESTS // CONNECTIONS:
                cases.append(rng.choice(lasting))
                count += len(cases[-1].answers)
            cases.append(rng.choice(ending))
            clients.append(Client(server.connect(), b"".join(case.content for case in cases), rng))
            expected.append(b"".join(answers[case] for case in cases))
        run(clients)
        for client, wanted in zip(clients, expected):
            received = comparable(b"".join(client.received))
            assert len(received) == len(wanted)
            assert received == wanted
    finally:
        for client in clients:
            client.connection.close()

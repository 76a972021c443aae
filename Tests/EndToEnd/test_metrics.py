"""GET /metrics: Prometheus's text format, what is counted, and who may see it."""

import json
import re
import time

import pytest

from certificates import write
from codings import coded_request, compress
from problems import check_problem
from server import ResponseReader, Server, request, run, wait_for
from test_json import EXAMPLE

TEXT = json.dumps(EXAMPLE).encode()
SCRAPE = request("GET", "/metrics")
FAMILIES = {
    "normserve_build_info": "gauge", "normserve_responses_total": "counter", "normserve_problems_total": "counter",
    "normserve_limit_reached_total": "counter", "normserve_connections_accepted_total": "counter", "normserve_connections_open": "gauge",
    "normserve_tls_handshakes_total": "counter", "normserve_in_flight_bytes": "gauge", "normserve_received_bytes_total": "counter",
    "normserve_sent_bytes_total": "counter",
}  # fmt: skip
LIMITS = [
    "max-request-line-bytes", "max-head-bytes", "max-fields", "max-trailer-bytes", "max-trailer-fields", "max-chunk-extension-bytes", "max-body-bytes",
    "max-json-depth", "max-elements", "max-in-flight-bytes", "max-connections", "max-connections-per-address", "max-requests-per-connection",
    "head-timeout", "handshake-timeout", "min-body-rate", "idle-timeout", "write-timeout", "linger-timeout",
]  # fmt: skip
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)+)\})? ([0-9.eE+-]+|NaN|[+-]Inf)(?: -?\d+)?')


@pytest.fixture(scope="module")
def quiet():
    """A server that nobody but the test talks to."""
    with Server() as running:
        yield running


def delta(server, action, name):
    """By how much a sample changes while `action` runs."""
    before = server.metrics().get(name, 0)
    action()
    return server.metrics().get(name, 0) - before


def test_format(server):
    """Every sample belongs to a family with a type, stands with it, and appears once (text format 0.0.4)."""
    response = server.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.text.endswith("\n") and "\r" not in response.text
    types, seen, family = {}, set(), None
    for line in response.text.splitlines():
        if not line:
            continue
        if line.startswith("#"):
            kind, family, rest = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line).groups()
            if kind == "TYPE":
                assert family not in types, f"{family} has two types, or is in two places"
                assert rest in ("counter", "gauge", "histogram", "summary", "untyped")
                types[family] = rest
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        base = re.sub(r"_(bucket|sum|count)$", "", name) if name not in types else name
        assert base == family and base in types, f"{line} is not with its family"
        assert (name, labels) not in seen, f"{line} is there twice"
        seen.add((name, labels))
        assert float(value) >= 0
        assert name.endswith("_total") == (types[base] == "counter"), line
    assert FAMILIES.items() <= types.items()


def test_zero_from_the_start(problem_codes):
    """All codes that openapi.yaml lists and all limits are there before they first happen."""
    with Server() as server:
        samples = server.metrics()
    problems = {sample for sample in samples if sample.startswith("normserve_problems_total")}
    assert problems == {f'normserve_problems_total{{code="{code}"}}' for code in problem_codes}
    limits = {sample for sample in samples if sample.startswith("normserve_limit_reached_total")}
    assert limits >= {f'normserve_limit_reached_total{{limit="{limit}"}}' for limit in LIMITS}
    handshakes = {f'normserve_tls_handshakes_total{{result="{result}"}}' for result in ("full", "resumed", "failed")}
    assert handshakes <= samples.keys()
    assert all(samples[sample] == 0 for sample in problems | limits | handshakes)


def test_every_limit_is_an_option():
    """The label is the option's name."""
    text = run("serve", "--help").stdout
    with Server() as server:
        labels = re.findall(r'normserve_limit_reached_total\{limit="([^"]*)"\}', "\n".join(server.metrics()))
    assert labels and all(f"--{label} " in text for label in labels)


def test_build_info(server):
    [(sample, value)] = [item for item in server.metrics().items() if item[0].startswith("normserve_build_info")]
    labels = dict(re.findall(r'(\w+)="([^"]*)"', sample))
    assert labels.keys() == {"version", "instruction_set"} and value == 1
    assert labels["version"] == run("--version").stdout.strip().split()[-1]
    assert labels["instruction_set"] and f"instruction_set={labels['instruction_set']}" in server.log()


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (request("POST", "/normalize", TEXT), 200, None), (request("GET", "/health/live"), 200, None), (request("GET", "/nowhere"), 404, "not_found"),
        (request("GET", "/normalize"), 405, "method_not_allowed"), (request("POST", "/normalize", b"{"), 400, "invalid_json"),
        (b"nonsense\r\n\r\n", 400, "malformed_request"), (request("POST", "/normalize", b"{}"), 422, "missing_member"),
        (request("POST", "/normalize", TEXT, "Content-Encoding: br"), 415, "unsupported_content_coding"), (request("X", "/"), 501, "unsupported_method"),
        (coded_request(compress(TEXT)[:-1]), 400, "invalid_content_coding"), (request("GET", "/", version="HTTP/2.0"), 505, "unsupported_http_version"),
    ],
    ids=range(11),
)  # fmt: skip
def test_responses_and_problems(quiet, raw, status, code):
    """Each answer counts once under its status, and each refusal under its code; the scrape itself is a 200."""
    before = quiet.metrics()
    assert quiet.exchange(raw).status == status
    after = quiet.metrics()
    changed = {sample: after[sample] - before.get(sample, 0) for sample in after if after[sample] != before.get(sample, 0)}
    answers = {sample: value for sample, value in changed.items() if sample.startswith(("normserve_responses", "normserve_problems"))}
    expected = {'normserve_responses_total{status="200"}': 1}
    own = f'normserve_responses_total{{status="{status}"}}'
    expected[own] = expected.get(own, 0) + 1
    if code:
        expected[f'normserve_problems_total{{code="{code}"}}'] = 1
    assert answers == expected


def test_many_requests_on_one_connection(quiet):
    def pipeline():
        with quiet.connect() as connection:
            connection.sendall(request("POST", "/normalize", TEXT) * 200)
            reader = ResponseReader(connection)
            assert all(reader.next().status == 200 for _ in range(200))

    assert delta(quiet, pipeline, 'normserve_responses_total{status="200"}') == 201
    assert delta(quiet, pipeline, "normserve_connections_accepted_total") == 2


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_bytes(ecdsa, secured):
    """What went over sockets, to the byte, with TLS taken off: whole requests and answers, heads included."""
    with Server(tls=ecdsa) if secured else Server() as server:
        for raw in (request("POST", "/normalize", TEXT), request("GET", "/openapi.yaml"), request("POST", "/normalize", TEXT) * 50):
            count = raw.count(b"HTTP/1.1")
            before, answer = scrape(server)
            with server.connect() as connection:
                connection.sendall(raw)
                received = read_answers(connection, count)
            after, _ = scrape(server)
            assert after["normserve_received_bytes_total"] - before["normserve_received_bytes_total"] == len(raw) + len(SCRAPE)
            assert after["normserve_sent_bytes_total"] - before["normserve_sent_bytes_total"] == received + answer


def read_answers(connection, count):
    """How many bytes `count` answers had."""
    counting = CountingReader(connection)
    reader = ResponseReader(counting)
    for _ in range(count):
        assert reader.next().status == 200
    assert not reader.buffer
    return counting.received


class CountingReader:
    def __init__(self, connection):
        self.connection = connection
        self.received = 0

    def recv(self, size):
        content = self.connection.recv(size)
        self.received += len(content)
        return content


def scrape(server):
    """The metrics and how many bytes the answer had that told them."""
    time.sleep(0.1)  # A client may have its answer before the server has counted it.
    with server.connect() as connection:
        connection.sendall(SCRAPE)
        counting = CountingReader(connection)
        response = ResponseReader(counting).next()
    lines = [line for line in response.content.decode().splitlines() if line and not line.startswith("#")]
    return {sample: float(value) for sample, _, value in (line.rpartition(" ") for line in lines)}, counting.received


def test_connections(quiet):
    """Those that are open, and all that ever were."""
    wait_for(lambda: quiet.metric("normserve_connections_open") == 1)
    before = quiet.metrics()
    held = [quiet.connect() for _ in range(20)]
    wait_for(lambda: quiet.metric("normserve_connections_open") == 21)
    for connection in held:
        connection.close()
    wait_for(lambda: quiet.metric("normserve_connections_open") == 1)
    accepted = quiet.metric("normserve_connections_accepted_total") - before["normserve_connections_accepted_total"]
    assert accepted >= 22


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_in_flight_bytes(quiet, framing):
    """Holds what has arrived, and falls back when the request is over or gone."""
    content = TEXT.ljust(8 << 20)
    raw = request("POST", "/normalize", content) if framing == "length" else coded_request(content, None, sizes=[1 << 16])
    wait_for(lambda: quiet.metric("normserve_in_flight_bytes") < 1 << 20)
    for finish in (True, False):
        with quiet.connect() as connection:
            connection.sendall(raw[: 6 << 20])
            wait_for(lambda: 5 << 20 < quiet.metric("normserve_in_flight_bytes") < 20 << 20)
            if finish:
                connection.sendall(raw[6 << 20 :])
                assert ResponseReader(connection).next().status == 200
        wait_for(lambda: quiet.metric("normserve_in_flight_bytes") < 1 << 20)


def test_methods(server):
    assert server.get("/metrics").status_code == 200
    head = server.session.head(server.url + "/metrics", timeout=10)
    assert head.status_code == 200 and not head.content and head.headers["Content-Type"].startswith("text/plain")
    assert server.session.post(server.url + "/metrics", timeout=10).status_code == 405


KEYS = {"api": "Authorization: Bearer api", "admin": "Authorization: Bearer admin", "wrong": "Authorization: Bearer wrong"}

# The access, which key files there are, and the status for no key, a key of the API, the administrator's, a wrong one.
ACCESS = [
    (None, "", 200, 200, 200, 200), ("api-key", "", 200, 200, 200, 200), ("open", "", 200, 200, 200, 200), ("off", "", 404, 404, 404, 404),
    (None, "api", 401, 200, 401, 401), ("api-key", "api", 401, 200, 401, 401), ("off", "api", 401, 404, 401, 401),
    (None, "api admin", 401, 200, 200, 401), ("api-key", "api admin", 401, 200, 200, 401), ("admin-key", "api admin", 401, 403, 200, 401),
    ("off", "api admin", 401, 404, 404, 401), (None, "admin", 200, 200, 200, 200), ("admin-key", "admin", 401, 401, 200, 401),
    ("off", "admin", 404, 404, 404, 404), ("open", "admin", 200, 200, 200, 200),
]  # fmt: skip


@pytest.mark.parametrize(("access", "files", "none", "api", "admin", "wrong"), ACCESS, ids=[f"{row[0]}-{row[1] or 'no keys'}" for row in ACCESS])
def test_access(tmp_path, access, files, none, api, admin, wrong):
    options = ["--metrics-access", access] if access else []
    for kind in files.split():
        options += [f"--{kind}-key-file", write(tmp_path / kind, kind.encode())]
    with Server(*options) as server:
        for key, status in (("none", none), ("api", api), ("admin", admin), ("wrong", wrong)):
            response = server.exchange(request("GET", "/metrics", b"", *([KEYS[key]] if key in KEYS else [])))
            assert response.status == status, (key, response.content)
            if status != 200:
                check_problem(status, response["content-type"], response.json())


def test_open_beside_an_api_key(tmp_path):
    """`open` is open, whoever needs a key for the rest."""
    with Server("--metrics-access", "open", "--api-key-file", write(tmp_path / "keys", b"api")) as server:
        for fields in ([], [KEYS["api"]]):
            assert server.exchange(request("GET", "/metrics", b"", *fields)).status == 200
        assert server.exchange(request("GET", "/layer-types")).status == 401


def test_bad_access(tmp_path):
    """An access that does not exist, and the administrator's where there is none: exit 64 and one line."""
    api = write(tmp_path / "keys", b"api")
    for options in (["--metrics-access", "all"], ["--metrics-access", ""], ["--metrics-access", "admin-key"], ["--metrics-access", "admin-key", "--api-key-file", api]):
        result = run("serve", "--port", "0", *options)
        assert result.returncode == 64 and len(result.stderr.strip().splitlines()) == 1, (options, result)
    assert run("serve", NORMSERVE_METRICS_ACCESS="all").returncode == 64


def test_over_a_unix_socket(tmp_path):
    path = str(tmp_path / "socket")
    with Server("--unix-socket", path, unix_socket=path) as server:
        wait_for(lambda: server.metric("normserve_connections_open") == 1)

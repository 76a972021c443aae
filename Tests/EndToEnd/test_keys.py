"""API keys and the administrator's: who may do what, key files, and that no key is ever told (API.md, sections 5 and 9)."""

import json
import os
import random

import pytest

from certificates import write
from codings import coded_request, compress
from problems import check_problem
from server import ResponseReader, Server, request
from test_json import EXAMPLE

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))
API, OTHER_API, ADMIN = "api-key.1_~+/Aa==", "second" + "x" * 500, "Admin-Key-0123456789"
TEXT = json.dumps(EXAMPLE).encode()
MISSING = 'Bearer realm="normserve"'
WRONG = 'Bearer realm="normserve", error="invalid_token"'
OPEN_PATHS = ["/health/live", "/health/ready"]


def bearer(key):
    return f"Authorization: Bearer {key}"


@pytest.fixture(scope="module")
def api_file(tmp_path_factory):
    text = f"# those of the API\n\n{API}\n# the second\n{OTHER_API}\n"
    return write(tmp_path_factory.mktemp("keys") / "api", text.encode())


@pytest.fixture(scope="module")
def admin_file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("keys") / "admin", ADMIN.encode())


@pytest.fixture(scope="module")
def guarded(api_file, admin_file):
    """A server with keys of both kinds, whose metrics are the administrator's."""
    options = ["--api-key-file", api_file, "--admin-key-file", admin_file, "--metrics-access", "admin-key", "--log-level", "trace"]
    with Server(*options) as running:
        yield running
        log = running.log()
    for key in (API, OTHER_API, ADMIN, "guessed-key"):
        assert key not in log, "a key is in the log"


def unauthorized(response, challenge=MISSING):
    assert response.status == 401, (response.status, response.content)
    assert response["www-authenticate"] == challenge
    document = check_problem(401, response["content-type"], response.json())
    assert document["code"] == "unauthorized"


@pytest.mark.parametrize("key", [API, OTHER_API, ADMIN], ids=["first", "second", "admin"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_good_key(guarded, scheme, key):
    """The scheme is case-insensitive; the administrator's key is good for everything that an API key is good for."""
    authorization = f"Authorization: {scheme} {key}"
    assert guarded.exchange(request("POST", "/normalize", TEXT, authorization)).status == 200
    assert guarded.exchange(request("GET", "/openapi.yaml", b"", authorization)).status == 200
    assert guarded.exchange(request("GET", "/nowhere", b"", authorization)).status == 404
    assert guarded.exchange(request("GET", "/normalize", b"", authorization)).status == 405


@pytest.mark.parametrize("path", OPEN_PATHS)
@pytest.mark.parametrize("fields", [[], [bearer("guessed-key")], ["Authorization: Basic eDp5"], [bearer(API)], [bearer(API)] * 2], ids=["none", "wrong", "basic", "good", "twice"])
def test_health_needs_no_key(guarded, path, fields):
    """Whatever is said in Authorization."""
    assert guarded.exchange(request("GET", path, b"", *fields)).status == 200
    assert guarded.exchange(request("HEAD", path, b"", *fields), to_head=True).status == 200


@pytest.mark.parametrize(
    "target",
    ["/", "/normalize", "/openapi.yaml", "/layer-types", "/metrics", "/nowhere", "/health", "/health/", "/health/live/", "/health/livelier",
     "/health/live/../../layer-types", "/health%2Flive/x", "//health/live", "/layers", "/v2", "/HEALTH/LIVE", "http://normserve/layer-types", "/layer-types?/health/live"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_every_other_path_needs_a_key(guarded, method, target):
    """Paths that do not exist and methods that a path does not answer included: nothing is learned without a key."""
    unauthorized(guarded.exchange(request(method, target)))


def test_head_needs_a_key(guarded):
    with guarded.connect() as connection:
        connection.sendall(request("HEAD", "/layer-types") + request("GET", "/health/live"))
        reader = ResponseReader(connection)
        response = reader.next(to_head=True)
        assert response.status == 401 and response["www-authenticate"] == MISSING
        following = reader.next()
        assert following is None or following.json() == {"status": "live"}


@pytest.mark.parametrize(
    "raw",
    [
        request("POST", "/normalize", b"{", "Content-Type: application/json"), request("POST", "/normalize", TEXT, "Content-Type: text/plain"),
        request("POST", "/normalize", TEXT, "Accept: text/html"), request("POST", "/normalize", TEXT, "Content-Encoding: br"),
        request("POST", "/normalize", TEXT, "Content-Encoding: gzip"), coded_request(compress(TEXT)[:-1]),
        b"POST /normalize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n",
    ],
    ids=["json", "media type", "accept", "coding", "not gzip", "gzip cut", "chunk"],
)  # fmt: skip
def test_the_key_is_judged_first(guarded, raw):
    """Before anything else about the request but its head, which must be HTTP before anything can be found in it."""
    unauthorized(guarded.exchange(raw))


def test_no_continue_without_a_key(guarded):
    """The final status comes at once, before any content (RFC 9110 §10.1.1)."""
    with guarded.connect() as connection:
        connection.sendall(request("POST", "/normalize", TEXT, "Expect: 100-continue").removesuffix(TEXT))
        unauthorized(ResponseReader(connection).next())


@pytest.mark.parametrize(
    "fields",
    [
        [], [""], ["Bearer"], ["Basic eDp5"], ["Digest username=x"], [API], ["Bearer" + API], ["Bearer:" + API], ["Bearer=" + API], [f"Bearer {API} x"],
        [f"Bearer {API}, Bearer {API}"], [f"Bearer {API},"], [f'Bearer "{API}"'], [f"Bearer\t{API}"], ["Bearer ="], ["Bearer a=b"], ["Bearer \xe9"],
        ["Bearer key!"], [f"Token {API}"], [f"Bearer realm=x, {API}"], [f"Bearer {API}"] * 2, [f"Bearer {API}", ""], ["", f"Bearer {API}"],
        [f"Bearer {API}", "Basic eDp5"], ["Bearer " + API.replace("=", "%3D")],
    ],
    ids=repr,
)  # fmt: skip
def test_missing_malformed_or_repeated(guarded, fields):
    """401 without error="invalid_token"; two lines are refused even if both hold a good key."""
    lines = [f"Authorization: {field}" for field in fields]
    unauthorized(guarded.exchange(request("POST", "/normalize", TEXT, *lines)))


@pytest.mark.parametrize(
    "key",
    ["guessed-key", API[:-1], API + "=", API[:-2], API.swapcase(), API[1:], ADMIN + "0", ADMIN[:-1], ADMIN.lower(), OTHER_API[:-1], OTHER_API + "x", "x", "x" * 8000],
    ids=range(13),
)  # fmt: skip
def test_wrong_key(guarded, key):
    response = guarded.exchange(request("POST", "/normalize", TEXT, bearer(key)))
    unauthorized(response, WRONG)
    assert len(key) < 5 or key.encode() not in response.content, "the key is in the answer"


def test_a_comment_is_no_key(guarded):
    for key in ("#", "those", "the"):
        assert guarded.exchange(request("GET", "/layer-types", b"", bearer(key))).status == 401


def test_the_administrator_is_somebody_else(guarded):
    """Nobody: 401. A key of the API: 403. The administrator's: 200."""
    unauthorized(guarded.exchange(request("GET", "/metrics")))
    unauthorized(guarded.exchange(request("GET", "/metrics", b"", bearer("guessed-key"))), WRONG)
    for key in (API, OTHER_API):
        response = guarded.exchange(request("GET", "/metrics", b"", bearer(key)))
        document = check_problem(403, response["content-type"], response.json())
        assert response.status == 403 and document["code"] == "forbidden" and response["www-authenticate"] is None
    assert guarded.exchange(request("GET", "/metrics", b"", bearer(ADMIN))).status == 200


def test_a_connection_may_be_used_with_and_without(guarded):
    """Each request is judged on its own."""
    with guarded.connect() as connection:
        reader = ResponseReader(connection)
        for key in (API, ADMIN, OTHER_API) * 3:
            connection.sendall(request("POST", "/normalize", TEXT, bearer(key)))
            assert reader.next().status == 200
        connection.sendall(request("GET", "/layer-types"))
        unauthorized(reader.next())


def test_only_an_admin_key(admin_file):
    """Everything but administration is open, whatever is said in Authorization."""
    with Server("--admin-key-file", admin_file, "--metrics-access", "admin-key") as server:
        for fields in ([], [bearer("guessed-key")], ["Authorization: Basic eDp5"], [bearer(ADMIN)]):
            assert server.exchange(request("POST", "/normalize", TEXT, *fields)).status == 200
            assert server.exchange(request("GET", "/nowhere", b"", *fields)).status == 404
        unauthorized(server.exchange(request("GET", "/metrics")))
        unauthorized(server.exchange(request("GET", "/metrics", b"", bearer("guessed-key"))), WRONG)
        assert server.exchange(request("GET", "/metrics", b"", bearer(ADMIN))).status == 200


def test_only_an_api_key(api_file):
    with Server(NORMSERVE_API_KEY_FILE=api_file, NORMSERVE_PORT="0") as server:
        unauthorized(server.exchange(request("GET", "/layer-types")))
        assert server.exchange(request("GET", "/layer-types", b"", bearer(API))).status == 200
        unauthorized(server.exchange(request("GET", "/layer-types", b"", bearer(ADMIN))), WRONG)


def test_no_keys_at_all(server):
    """Without a key file nobody is asked for one."""
    assert server.exchange(request("GET", "/layer-types", b"", bearer("guessed-key"))).status == 200


def test_keys_over_tls_and_unix_sockets(api_file, ecdsa, tmp_path):
    path = str(tmp_path / "socket")
    for running in (Server("--api-key-file", api_file, tls=ecdsa), Server("--api-key-file", api_file, "--unix-socket", path, unix_socket=path)):
        with running as server:
            unauthorized(server.exchange(request("GET", "/layer-types")))
            assert server.exchange(request("GET", "/layer-types", b"", bearer(API))).status == 200


def test_any_key_of_the_grammar(tmp_path):
    """A thousand random keys: each is good, and none of those that differ from all of them in one place is."""
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
    keys = ["".join(rng.choices(letters, k=rng.randrange(1, 80))) + "=" * rng.randrange(3) for _ in range(1000)]
    with Server("--api-key-file", write(tmp_path / "keys", "\r\n".join(keys).encode())) as server, server.connect() as connection:
        reader = ResponseReader(connection)

        def status(key):
            nonlocal connection, reader
            connection.sendall(request("GET", "/layer-types", b"", bearer(key)))
            response = reader.next()
            if response["connection"] == "close":
                connection = server.connect()
                reader = ResponseReader(connection)
            return response.status

        assert all(status(key) == 200 for key in keys)
        for key in rng.sample([key for key in keys if len(key) > 10], 100):
            at = rng.randrange(8)
            changed = key[:at] + ("a" if key[at] != "a" else "b") + key[at + 1 :]
            assert changed in keys or status(changed) == 401


def test_problem_codes(problem_codes):
    """The description promises both codes."""
    assert {"unauthorized", "forbidden"} <= set(problem_codes)

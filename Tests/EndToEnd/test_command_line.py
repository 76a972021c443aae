"""Options, environment variables, log formats and subcommands (API.md, section 9)."""

import json
import socket

import pytest

from server import ResponseReader, Server, request, run
from test_json import EXAMPLE


def test_version():
    result = run("--version")
    assert result.returncode == 0 and result.stdout.strip() and not result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["health", "--help"]])
def test_help(arguments):
    result = run(*arguments)
    assert result.returncode == 0 and "USAGE" in result.stdout.upper()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--prot", "80"], ["serve", "--prot", "80"], ["serve", "--port", "http"], ["serve", "--port", "65536"], ["serve", "--port", "-1"],
        ["serve", "--port"], ["serve", "--max-body-bytes", "12XB"], ["serve", "--max-body-bytes", "-1"], ["serve", "--log-level", "loud"],
        ["serve", "--log-format", "xml"], ["serve", "--threads", "0"], ["serve", "--threads", "many"], ["serve", "extra"], ["frobnicate"],
        ["serve", "--max-body-bytes", "99999999999999999999GiB"], ["health", "not a url"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_bad_option(arguments):
    """Exit 64 (EX_USAGE) and one line that says what to write instead."""
    result = run(*arguments)
    assert result.returncode == 64, result
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("MAX_BODY_BYTES", "12XB"), ("LOG_LEVEL", "loud")])
def test_bad_environment_variable(name, value):
    result = run("serve", **{f"NORMSERVE_{name}": value})
    assert result.returncode == 64, result
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert value in result.stderr


def test_port_in_use(server):
    result = run("serve", "--port", str(server.port))
    assert result.returncode not in (0, 64) and str(server.port) in result.stderr


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_limit(how):
    """Flags and environment variables mean the same; a flag wins."""
    if how == "flag":
        running = Server("--max-body-bytes", "1KiB", NORMSERVE_MAX_BODY_BYTES="2KiB")
    else:
        running = Server(NORMSERVE_MAX_BODY_BYTES="1KiB", NORMSERVE_PORT="0")
    with running as server:
        content = json.dumps(EXAMPLE).encode()
        assert server.post(content.ljust(1024)).status_code == 200
        with server.connect() as connection:
            connection.sendall(request("POST", "/normalize", content.ljust(1025), "Content-Type: application/json"))
            assert ResponseReader(connection).final().status == 413


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_json_log(how):
    options, variables = (["--log-format", "json"], {}) if how == "flag" else ([], {"NORMSERVE_LOG_FORMAT": "json"})
    with Server(*options, **variables) as server:
        assert server.normalize(EXAMPLE)
        port = server.port
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert all(isinstance(line, dict) for line in lines) and str(port) in json.dumps(lines[0])


def test_health(server):
    assert run("health", server.url).returncode == 0
    assert run("health", NORMSERVE_PORT=str(server.port)).returncode == 0


def test_health_of_nothing():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert run("health", f"http://127.0.0.1:{unused.getsockname()[1]}").returncode not in (0, 64)


def test_unix_socket(tmp_path):
    path = str(tmp_path / "normserve.sock")
    with Server("--unix-socket", path, unix_socket=path) as server:
        with server.connect() as connection:
            connection.sendall(request("GET", "/health/live"))
            assert ResponseReader(connection).next().json() == {"status": "live"}
    with Server("--unix-socket", path, unix_socket=path) as again:
        assert again.connect().close() is None


def test_one_thread():
    with Server("--threads", "1") as server:
        assert server.normalize(EXAMPLE)

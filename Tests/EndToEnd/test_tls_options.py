"""The options of TLS: which go together, and files that the server cannot start with."""

import shutil
import socket

import pytest

from certificates import key_pem, new_key, write
from server import Server, run
from tls_client import check_answer


def check_usage(result):
    """Exit 64 (EX_USAGE) and one line that says what to write instead."""
    assert result.returncode == 64, result
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-certificate", "CERTIFICATE"], ["--tls-key", "KEY"], ["--tls-client-ca", "AUTHORITY"],
        ["--tls-certificate", "CERTIFICATE", "--tls-client-ca", "AUTHORITY"], ["--tls-key", "KEY", "--tls-client-ca", "AUTHORITY"],
        ["--tls-certificate", "CERTIFICATE", "--tls-key", "KEY", "--unix-socket", "SOCKET"],
        ["--tls-certificate", "CERTIFICATE", "--tls-key", "KEY", "--handshake-timeout", "soon"],
        ["--tls-certificate", "CERTIFICATE", "--tls-key", "KEY", "--handshake-timeout", "-1s"],
        ["--tls-certificate"], ["--tls-certificate", "CERTIFICATE", "--tls-key"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_options_that_do_not_go_together(ecdsa, tmp_path, options):
    files = {
        "CERTIFICATE": ecdsa.certificate, "KEY": ecdsa.key, "AUTHORITY": ecdsa.authority.certificate, "SOCKET": str(tmp_path / "s"),
    }  # fmt: skip
    check_usage(run("serve", *[files.get(option, option) for option in options]))


def test_environment_variables(ecdsa, tmp_path):
    variables = {"NORMSERVE_TLS_CERTIFICATE": ecdsa.certificate, "NORMSERVE_TLS_KEY": ecdsa.key}
    check_usage(run("serve", NORMSERVE_TLS_CERTIFICATE=ecdsa.certificate))
    check_usage(run("serve", "--unix-socket", str(tmp_path / "s"), **variables))
    with Server(**variables) as plain_url:
        plain_url.tls = ecdsa
        with plain_url.connect() as connection:
            check_answer(connection)


def missing(directory, good):
    return directory / "missing.pem"


def a_directory(directory, good):
    return directory


def empty(directory, good):
    return write(directory / "empty.pem", b"")


def not_pem(directory, good):
    return write(directory / "text.pem", b"This is no PEM at all.\n" * 10)


def damaged(directory, good):
    text = open(good, "rb").read()
    return write(directory / "damaged.pem", text[: len(text) // 2] + b"!?" + text[len(text) // 2 :])


def cut(directory, good):
    text = open(good, "rb").read()
    return write(directory / "cut.pem", text[: len(text) // 2])


def binary(directory, good):
    return write(directory / "binary.pem", bytes(range(256)) * 8)


def encrypted(directory, good):
    return write(directory / "encrypted.key", key_pem(new_key("ecdsa"), b"secret"))


def of_another(directory, good):
    return write(directory / "another.key", key_pem(new_key("ecdsa")))


def of_another_kind(directory, good):
    return write(directory / "another.key", key_pem(new_key("rsa")))


def readable_by_others(mode):
    def make(directory, good):
        path = directory / "shared.key"
        shutil.copy2(good, path)
        path.chmod(mode)
        return path

    make.__name__ = f"mode_{mode:o}"
    return make


BAD_FILES = [missing, a_directory, empty, not_pem, damaged, cut, binary]
BAD_KEYS = [*BAD_FILES, encrypted, of_another, of_another_kind, *map(readable_by_others, (0o604, 0o644, 0o666, 0o602, 0o601))]
FLAWS = (
    [("--tls-certificate", make) for make in BAD_FILES]
    + [("--tls-key", make) for make in BAD_KEYS]
    + [("--tls-client-ca", make) for make in BAD_FILES]
)


@pytest.mark.parametrize(("option", "make"), FLAWS, ids=[f"{option[6:]}-{make.__name__}" for option, make in FLAWS])
def test_file_that_cannot_be_used(ecdsa, tmp_path, option, make):
    """Exit 1 at start and one line that names the file; nothing of what is in it."""
    options = {"--tls-certificate": ecdsa.certificate, "--tls-key": ecdsa.key, "--tls-client-ca": ecdsa.authority.certificate}
    path = str(make(tmp_path, options[option]))
    options[option] = path
    result = run("serve", "--port", "0", *[word for pair in options.items() for word in pair])
    assert result.returncode == 1, result
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    # Which of two files that do not belong together is the wrong one, nobody can tell.
    assert path in result.stderr or (make in (of_another, of_another_kind) and ecdsa.certificate in result.stderr), result.stderr
    assert len(result.stderr.replace(path, "").strip()) > 20, "it does not say what is wrong"
    content = "" if make in (missing, a_directory, binary) else open(path).read()
    assert not any(line in result.stderr for line in content.splitlines() if len(line) > 10)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440, 0o660])
def test_modes_of_a_key_that_others_cannot_read(ecdsa, tmp_path, mode):
    copied = ecdsa.copy(tmp_path)
    (tmp_path / "server.key").chmod(mode)
    with Server(tls=copied) as server, server.connect() as connection:
        check_answer(connection)


def test_the_certificate_and_the_authority_may_be_read_by_all(ecdsa, tmp_path):
    copied = ecdsa.copy(tmp_path)
    (tmp_path / "server.pem").chmod(0o644)
    authority = write(tmp_path / "authority.pem", ecdsa.authority.pem, 0o644)
    with Server("--tls-client-ca", authority, tls=copied) as server:
        assert server.tcp().close() is None


def test_certificate_and_key_in_one_file(rsa, tmp_path):
    """As some tools write them."""
    both = write(tmp_path / "both.pem", open(rsa.certificate, "rb").read() + open(rsa.key, "rb").read())
    combined = type(rsa)(both, both, rsa.authority)
    with Server(tls=combined) as server, server.connect() as connection:
        check_answer(connection)


def test_one_line_even_in_json(ecdsa, tmp_path):
    result = run("serve", "--port", "0", "--log-format", "json", "--tls-certificate", ecdsa.certificate, "--tls-key", str(tmp_path / "none"))
    assert result.returncode == 1 and len(result.stderr.strip().splitlines()) == 1 and str(tmp_path / "none") in result.stderr


def test_a_bad_file_is_noticed_before_the_port_is_taken(ecdsa, tmp_path):
    """What cannot serve does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = ["--port", str(taken.getsockname()[1]), "--tls-certificate", ecdsa.certificate, "--tls-key", str(tmp_path / "none")]
        result = run("serve", *options)
    assert result.returncode == 1 and str(tmp_path / "none") in result.stderr

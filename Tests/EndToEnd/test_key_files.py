"""Key files: what may stand in them, what the server cannot start with, and reading them again on SIGHUP."""

import re
import threading

import pytest

from certificates import write
from server import ResponseReader, Server, request, run, wait_for

OPTIONS = ["--api-key-file", "--admin-key-file"]
SECRET = "Secret-0123456789"


def status(server, key, path="/layer-types"):
    return server.exchange(request("GET", path, b"", f"Authorization: Bearer {key}")).status


@pytest.mark.parametrize(
    "content",
    [
        b"K\n", b"K", b"K\r\n", b"\nK\n", b"\n\n\nK\n\n\n", b"# comment\nK\n", b"#K\n#\nK", b"#\nK\n#", b"# other key!\r\n\r\nK\r\n", b"other\nK\n",
        b"K\nother", b"K\nK\n", b"# \xc3\xa9\xff\x00\nK\n", b"# " + b"x" * 100_000 + b"\nK", b"other\n" * 10_000 + b"K",
    ],
    ids=range(15),
)  # fmt: skip
@pytest.mark.parametrize("option", OPTIONS)
def test_good_file(tmp_path, option, content):
    """Blank lines and comments are ignored; the last line may lack its end; CRLF is tolerated."""
    path = write(tmp_path / "keys", content.replace(b"K", SECRET.encode()))
    more = ["--metrics-access", "admin-key"] if option == "--admin-key-file" else []
    with Server(option, path, *more) as server:
        assert status(server, SECRET, "/metrics") == 200
        assert status(server, SECRET + "x", "/metrics") == 401


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o660, 0o440])
def test_modes_that_keep_others_out(tmp_path, mode):
    with Server("--api-key-file", write(tmp_path / "keys", SECRET.encode(), mode)) as server:
        assert status(server, SECRET) == 200


def rejected(option, path):
    """Exit 1 and one line that names the file, but no key; returns what else it says."""
    more = ["--metrics-access", "admin-key"] if option == "--admin-key-file" else []
    result = run("serve", "--port", "0", option, str(path), *more)
    assert result.returncode == 1, result
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert str(path) in result.stderr
    assert "Secret" not in result.stderr and SECRET[3:] not in result.stderr
    return result.stderr.replace(str(path), "")


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666, 0o602, 0o601, 0o607])
def test_file_that_others_may_open(tmp_path, option, mode):
    rejected(option, write(tmp_path / "keys", SECRET.encode(), mode))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\r\n", b"# nothing\n#\n", b"#" + SECRET.encode()], ids=repr)
def test_file_without_a_key(tmp_path, option, content):
    rejected(option, write(tmp_path / "keys", content))


@pytest.mark.parametrize("option", OPTIONS)
def test_file_that_cannot_be_read(tmp_path, option):
    rejected(option, tmp_path / "missing")
    rejected(option, tmp_path)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"Secret key\n", 1), (b"K\nSecret key\n", 2), (b"# one\n\n# three\nK\nSecret,key\nK\n", 5), (b"K # comment\n", 1), (b" K\n", 1), (b"K\n\tK\n", 2),
        (b"K \n", 1), (b"K:x\n", 1), (b'"K"\n', 1), (b"Secret=key\n", 1), (b"=Secret\n", 1), (b"==\n", 1), (b"K!\n", 1), (b"K\xc3\xa9\n", 1), (b"K\xff\n", 1),
        (b"K\x00\n", 1), (b"\xef\xbb\xbfK\n", 1), (b"K\rK\n", 1), (b"K\r\n\r\nSecret key\r\n", 3), (b"Bearer K\n", 1), (b"K" + b"x" * 10_000 + b"*", 1),
        (b"K\n" * 99 + b"Secret(key)\n", 100), (b"K\nK\n#\n\nSecret@key", 5), (b"\x1f\x8b\x08\0\0\0\0\0", 1),
    ],
    ids=range(24),
)  # fmt: skip
def test_line_that_is_no_key(tmp_path, option, content, line):
    """Named by its number, counted from 1 with comments and blank lines; never by what is in it."""
    said = rejected(option, write(tmp_path / "keys", content.replace(b"K", SECRET.encode())))
    assert re.search(rf"\b{line}\b", said), said


BAD = [b"", b"# none\n", b"Secret key\n", b"Secret-new\nSecret key\n", None, "others"]


@pytest.mark.parametrize("option", OPTIONS)
def test_reload(tmp_path, option):
    """On SIGHUP, for the connections that are open, too."""
    path = tmp_path / "keys"
    write(path, b"old\nkept\n")
    more = ["--metrics-access", "admin-key"] if option == "--admin-key-file" else []
    with Server(option, str(path), *more) as server, server.connect() as connection:
        reader = ResponseReader(connection)

        def on_the_old_connection(key):
            connection.sendall(request("GET", "/metrics", b"", f"Authorization: Bearer {key}"))
            return reader.next().status

        assert on_the_old_connection("old") == 200
        write(path, b"new\nkept\n")
        assert status(server, "old", "/metrics") == 200 and status(server, "new", "/metrics") == 401, "read again without being asked to"
        server.reload()
        wait_for(lambda: status(server, "new", "/metrics") == 200)
        assert on_the_old_connection("new") == 200 and on_the_old_connection("kept") == 200
        assert status(server, "old", "/metrics") == 401
        assert not server.errors()


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("content", BAD, ids=range(6))
def test_bad_reload(tmp_path, option, content):
    """The old keys stay, none of the new ones counts, and an error in the log names the file, but no key."""
    path = tmp_path / "keys"
    write(path, SECRET.encode())
    more = ["--metrics-access", "admin-key"] if option == "--admin-key-file" else []
    with Server(option, str(path), *more) as server:
        if content is None:
            path.unlink()
        else:
            write(path, b"Secret-new\n" if content == "others" else content, 0o644 if content == "others" else 0o600)
        server.reload()
        wait_for(server.errors)
        assert len(server.errors()) == 1 and str(path) in server.errors()[0]
        assert status(server, SECRET, "/metrics") == 200 and status(server, "Secret-new", "/metrics") == 401
        write(path, b"Secret-good\n")
        server.reload()
        wait_for(lambda: status(server, "Secret-good", "/metrics") == 200)
        assert status(server, SECRET, "/metrics") == 401
        assert len(server.errors()) == 1
        assert "Secret" not in server.log()


def test_one_bad_file_of_two(tmp_path):
    """That of the API is damaged, that of the administrator is good: in any case no door opens that was closed."""
    api, admin = tmp_path / "api", tmp_path / "admin"
    write(api, b"api-old")
    write(admin, b"admin-old")
    options = ["--api-key-file", str(api), "--admin-key-file", str(admin), "--metrics-access", "admin-key"]
    with Server(*options) as server:
        write(api, b"no key")
        write(admin, b"admin-new")
        server.reload()
        wait_for(server.errors)
        assert any(str(api) in line for line in server.errors())
        assert status(server, "api-old") == 200 and status(server, "api-old", "/metrics") == 403
        assert {status(server, key, "/metrics") for key in ("admin-old", "admin-new")} == {200, 401}
        assert server.exchange(request("GET", "/layer-types")).status == 401


def test_reload_under_load(tmp_path):
    """A key that stays is good at every moment, one that never was is good at none."""
    path = tmp_path / "keys"
    write(path, b"kept\nfirst\n")
    ended, failures = threading.Event(), []
    with Server("--api-key-file", str(path)) as server:

        def ask(key, expected):
            while not ended.is_set():
                if (got := status(server, key)) != expected:
                    failures.append((key, got))

        threads = [threading.Thread(target=ask, args=each) for each in [("kept", 200), ("never", 401)]]
        for thread in threads:
            thread.start()
        try:
            for turn in range(10):
                key = f"turn-{turn}"
                write(path, f"kept\n{key}\n".encode())
                server.reload()
                wait_for(lambda: failures or status(server, key) == 200)
        finally:
            ended.set()
            for thread in threads:
                thread.join(10)
        assert not failures, failures
        assert status(server, "turn-0") == 401

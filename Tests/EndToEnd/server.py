"""Starts the real normserve binary and talks to it, through requests or byte by byte."""

import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
STARTUP_SECONDS = 20  # An AddressSanitizer build on a busy machine takes its time.


def binary():
    """The executable under test: NORMSERVE_BINARY, else the release build of this checkout."""
    if path := os.environ.get("NORMSERVE_BINARY"):
        return path
    command = ["swift", "build", "-c", "release", "--show-bin-path"]
    return subprocess.check_output(command, cwd=ROOT, text=True).strip() + "/normserve"


def environment(**variables):
    """This process's environment without its own normserve settings, plus `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NORMSERVE_")}
    return kept | variables


def run(*arguments, **variables):
    """Runs normserve to its end."""
    return subprocess.run(
        [binary(), *arguments], env=environment(**variables), capture_output=True, text=True, timeout=20
    )


def wait_for(condition, seconds=5):
    """What `condition` returns as soon as that is true; an assertion that fails when it does not become so."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"still {result!r} after {seconds} s"
        time.sleep(0.005)
    return result


class Server:
    """A running normserve; a context manager that checks that it ends well.

    `tls`: the Credentials that it serves TLS with; `address`: where it listens; `key`: what `get`, `post` and `metrics`
    show; `descriptors`: how many files it may have open, if not as many as this process.
    """

    def __init__(
        self, *options, unix_socket=None, tls=None, address="127.0.0.1", key=None, descriptors=None, **variables
    ):
        self.log_file = tempfile.NamedTemporaryFile("w+", prefix="normserve-", suffix=".log")
        self.unix_socket = unix_socket
        self.tls = tls
        self.address = address
        self.authorization = [f"Authorization: Bearer {key}"] if key else []
        arguments = [binary(), "serve", *options]
        if tls:
            arguments += ["--tls-certificate", tls.certificate, "--tls-key", tls.key]
        if address != "127.0.0.1":
            arguments += ["--host", address]
        if not unix_socket and "--port" not in options and "NORMSERVE_PORT" not in variables:
            arguments += ["--port", "0"]
        self.process = subprocess.Popen(
            arguments, env=environment(**variables), stdin=subprocess.DEVNULL, stderr=self.log_file, stdout=self.log_file,
            preexec_fn=descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))),
        )  # fmt: skip
        self.port = None
        self._wait_until_ready()
        host = f"[{address}]" if ":" in address else address
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Encoding"] = "identity"  # Answers as they are, unless a test asks for a coding.
        if tls:
            self.session.verify = tls.authority.certificate
            self.session.cert = (tls.client.certificate, tls.client.key) if tls.client else None
        if key:
            self.session.headers["Authorization"] = f"Bearer {key}"

    def _wait_until_ready(self):
        deadline = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"normserve ended with {self.process.returncode}: {self.log()}")
            try:
                self.port = self.port or self._port_in_log()
                if self.port or self.unix_socket:
                    if not self.tls:  # Where it would count as a failed handshake.
                        self.tcp().close()
                    return
            except OSError:
                pass
            time.sleep(0.005)
        self.process.kill()
        raise AssertionError(f"normserve did not become ready: {self.log()}")

    def _port_in_log(self):
        """The port in the log's first line."""
        first_line, newline, _ = self.log().partition("\n")
        found = re.search(r"(?:127\.0\.0\.1|0\.0\.0\.0|localhost|\[[0-9a-f:]*\]):(\d+)", first_line)
        found = found or re.search(r'port["=: ]+(\d+)', first_line)
        return int(found[1]) if newline and found else None

    def log(self):
        return pathlib.Path(self.log_file.name).read_text()

    def tcp(self, timeout=10, source=None):
        """A bare connection, without TLS; from the address `source`."""
        if self.unix_socket:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            connection.connect(self.unix_socket)
            return connection
        connection = socket.create_connection((self.address, self.port), timeout, (source, 0) if source else None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def connect(self, timeout=10, source=None, context=None, **options):
        """A connection, over TLS where the server speaks it; `options` are those of SSLContext.wrap_socket."""
        connection = self.tcp(timeout, source)
        if not self.tls:
            return connection
        context = context or self.tls.client_context()
        return context.wrap_socket(connection, suppress_ragged_eofs=False, **options)

    def exchange(self, raw, to_head=False, **options):
        """The final response to `raw` on a connection of its own; None if the server closes without one."""
        with self.connect(**options) as connection:
            try:
                connection.sendall(raw)
            except ConnectionError:
                pass  # It refused before all was sent; its answer may still be there.
            return ResponseReader(connection).final(to_head)

    def metrics(self):
        """The samples of GET /metrics: 'name{label="value"}', as it stands there, to number."""
        response = self.exchange(request("GET", "/metrics", b"", "Connection: close", *self.authorization))
        assert response.status == 200, response.content
        lines = [line for line in response.content.decode().splitlines() if line and not line.startswith("#")]
        return {sample: float(value) for sample, _, value in (line.rpartition(" ") for line in lines)}

    def metric(self, name, **labels):
        """One sample."""
        listed = ",".join(f'{label}="{value}"' for label, value in labels.items())
        return self.metrics()[f"{name}{{{listed}}}" if labels else name]

    def errors(self):
        """The lines of the log (as text) that tell of errors."""
        return [line for line in self.log().splitlines() if re.match(r"\S+ (error|critical) ", line)]

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def get(self, path, **options):
        return self.session.get(self.url + path, timeout=10, **options)

    def post(self, document, **options):
        """Posts to /normalize: an object as Python's json writes it, or bytes as they are."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"} | options.pop("headers", {})
        return self.session.post(self.url + "/normalize", data=data, headers=headers, timeout=60, **options)

    def normalize(self, document, **options):
        """The answer to a JSON request that must succeed."""
        response = self.post(document, **options)
        assert response.status_code == 200, response.text
        return response.json(parse_constant=lambda token: pytest_fail(f"{token} is not JSON"))

    def is_healthy(self):
        return self.get("/health/live").json() == {"status": "live"}

    def terminate(self, seconds=10):
        """Ends the server with SIGTERM and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.session.close()
        try:
            if self.process.poll() is None:
                status = self.terminate()
            else:
                status = self.process.returncode
        finally:
            self.process.kill()
            self.process.wait()
        if kind is None:
            assert status == 0, f"normserve ended with {status}: {self.log()[-4000:]}"


def pytest_fail(reason):
    raise AssertionError(reason)


class Response:
    """An HTTP response as it stood on the wire."""

    def __init__(self, status, fields, content):
        self.status = status
        self.fields = fields
        self.content = content

    def __getitem__(self, name):
        """The value of a field, its lines joined; None if there is none."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None

    def json(self):
        return json.loads(self.content)


class ResponseReader:
    """Reads responses off a connection, strictly."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()

    def _fill(self):
        received = self.connection.recv(1 << 20)
        self.buffer += received
        return bool(received)

    def next(self, to_head=False):
        """The next response, interim ones included; None when the connection was closed before it."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                more = self._fill()
            except ConnectionError:
                more = False
            if not more:
                assert not self.buffer, f"the connection was closed within a head: {self.buffer!r}"
                return None
        head = self._take(self.buffer.index(b"\r\n\r\n"))
        del self.buffer[:4]
        status_line, *lines = head.decode("ascii").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.1 \d{3} [ -~]*", status_line), status_line
        status = int(status_line[9:12])
        fields = []
        for line in lines:
            assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]?[ -~]*", line), line
            name, _, value = line.partition(":")
            fields.append((name.lower(), value.strip()))
        response = Response(status, fields, b"")
        if to_head or status < 200 or status in (204, 304):
            return response
        if response["transfer-encoding"] is not None:
            assert response["transfer-encoding"] == "chunked" and response["content-length"] is None, fields
            response.content = self._chunked()
        else:
            response.content = self._take(int(response["content-length"]))
        return response

    def _take(self, length):
        while len(self.buffer) < length:
            assert self._fill(), "the connection was closed within the content"
        taken = bytes(self.buffer[:length])
        del self.buffer[:length]
        return taken

    def _chunked(self):
        """The content of chunks without extensions or trailer fields, as RFC 9112 §7.1 has them."""
        pieces = []
        while True:
            while b"\r\n" not in self.buffer:
                assert len(self.buffer) < 20 and self._fill(), f"no end of a chunk's size: {self.buffer[:20]!r}"
            size = self._take(self.buffer.index(b"\r\n"))
            assert re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size), size
            del self.buffer[:2]
            pieces.append(self._take(int(size, 16)))
            assert self._take(2) == b"\r\n", "a chunk is longer than its size says"
            if not pieces[-1]:
                return b"".join(pieces)

    def final(self, to_head=False):
        """The next response that is not an interim one."""
        while (response := self.next(to_head)) is not None and response.status < 200:
            pass
        return response

    def is_closed(self):
        """Whether the server has nothing more to say and closed the connection."""
        try:
            return not self.buffer and not self._fill()
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def request(method="POST", target="/normalize", content=b"", *fields, version="HTTP/1.1"):
    """A request as bytes; `fields` are whole lines and come in addition to Host and Content-Length."""
    lines = [f"{method} {target} {version}", "Host: normserve", *fields]
    if content or method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content

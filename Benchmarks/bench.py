"""Measures normserve against a bare echo server and FastAPI + PyTorch, in turn, and writes what it finds.

usage: python bench.py --normserve PATH --echo PATH [--peer] [--seconds S] [--rounds N]
"""

import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
WIDTH = 1024
SIZES = {"4 KiB": 1 << 12, "64 KiB": 1 << 16, "1 MiB": 1 << 20, "16 MiB": 1 << 24}
COUNTS = [64, 4096, 262_144]
RANDOM = np.random.default_rng(1)


class Case:
    """One request to one server, and what the answer must hold."""

    def __init__(self, server, target, body, fields, expected):
        self.server, self.target, self.body, self.fields, self.expected = server, target, body, fields, expected


def layer_norm(x):
    x = x.astype(np.float64)
    mean = x.mean(1, keepdims=True)
    return (x - mean) / np.sqrt(np.square(x - mean).mean(1, keepdims=True) + 1e-5)


def binary_cases(size):
    x = RANDOM.standard_normal((size // 4 // WIDTH, WIDTH), np.float32)
    header = json.dumps({
        "layer": {"type": "layer_norm", "normalized_shape": [WIDTH]},
        "input": {"shape": list(x.shape), "datatype": "FP32", "parameters": {"binary_data_size": size}},
    }).encode()  # fmt: skip
    framed = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    raw = {"Content-Type": "application/octet-stream"}
    content = header + x.tobytes()
    return [
        Case("normserve", "/normalize", content, framed, layer_norm(x)),
        Case("echo", "/", content, framed, content),
        Case("FastAPI", f"/binary?width={WIDTH}", x.tobytes(), raw, layer_norm(x)),
    ]


def json_cases(count):
    width = min(count, WIDTH)
    x = RANDOM.standard_normal((count // width, width), np.float32)
    tensor = {"shape": list(x.shape), "data": [float(np.format_float_positional(value)) for value in x.ravel()]}
    fields = {"Content-Type": "application/json"}
    layer = {"type": "layer_norm", "normalized_shape": [width]}
    own = json.dumps({"layer": layer, "input": tensor}, separators=(",", ":")).encode()
    peer = json.dumps(tensor, separators=(",", ":")).encode()
    return [
        Case("normserve", "/normalize", own, fields, layer_norm(x)),
        Case("FastAPI", "/json", peer, fields, layer_norm(x)),
    ]


def check(case, port):
    """Sends the request once and fails if the answer is not right."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", case.target, case.body, case.fields)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200:
        raise SystemExit(f"{case.server} answered {response.status}: {content[:300]!r}")
    if case.server == "echo":
        right = content == case.expected
    else:
        if "json" in response.getheader("Content-Type"):
            answer = json.loads(content)
            actual = np.array(answer.get("output", answer)["data"])
        else:
            start = int(response.getheader("Inference-Header-Content-Length", 0))
            actual = np.frombuffer(content[start:], np.float32)
        right = actual.size == case.expected.size and np.abs(actual - case.expected.ravel()).max() < 1e-5
    if not right:
        raise SystemExit(f"{case.server} gave a wrong answer to {len(case.body)} bytes")


def load(case, port, seconds):
    """Requests per second under `wrk -t1 -c4`, and the rest that wrk knows."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(case.body)
        body.flush()
        fields = "\n".join(f"{name}: {value}" for name, value in case.fields.items())
        command = ["wrk", "-t1", "-c4", f"-d{seconds}s", "--timeout", "20s", "-s", HERE / "request.lua",
                   f"http://127.0.0.1:{port}{case.target}"]  # fmt: skip
        environment = os.environ | {"BENCH_BODY": body.name, "BENCH_FIELDS": fields}
        text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    result = json.loads(re.search(r"RESULT (.*)", text)[1])
    if result["not_2xx"] or result["socket_errors"]:
        raise SystemExit(f"{case.server} failed under load: {result}")
    return result | {"requests_per_second": result["requests"] / result["seconds"]}


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def wait_for(process, port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
    raise SystemExit(f"{process.args[0]} did not become ready")


@contextlib.contextmanager
def running(command):
    """A server that is given its port as the last argument; yields it and the port."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NORMSERVE_")}
    process = subprocess.Popen(
        [*command, str(port)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(process, port)
        yield process, port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def compare(cases, ports, seconds, rounds):
    """Runs the servers alternately; every second round in reverse order."""
    cases = [case for case in cases if case.server in ports]
    for case in cases:
        check(case, ports[case.server])
    results = {case.server: [] for case in cases}
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            results[case.server].append(load(case, ports[case.server], seconds))
    return results


def rate(results, server):
    return statistics.median(result["requests_per_second"] for result in results[server])


def ratio(results, other):
    """The median over the rounds of normserve's rate by the other's."""
    if other not in results:
        return None
    pairs = zip(results["normserve"], results[other], strict=True)
    return statistics.median(own["requests_per_second"] / its["requests_per_second"] for own, its in pairs)


def peak_memory(command):
    """MiB of peak resident memory beyond the body, while one 256 MiB request is served."""
    rows = (256 << 20) // 4 // WIDTH - 1  # The JSON header has to fit in, too.
    case = binary_cases(rows * WIDTH * 4)[0]
    with running(command) as (process, port):
        check(case, port)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    kibibytes = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
    return kibibytes / 1024 - len(case.body) / 2**20


def start_to_ready(command):
    """Milliseconds from the start of the process until /health/ready says 200."""
    port = free_port()
    start = time.perf_counter()
    process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
                if connection.recv(100).startswith(b"HTTP/1.1 200"):
                    return (time.perf_counter() - start) * 1000
            if process.poll() is not None:
                raise SystemExit(f"normserve ended with {process.returncode}")
    finally:
        process.terminate()
        process.wait(10)


def machine():
    information = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", information)
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "date": datetime.date.today().isoformat(),
    }


def number(value):
    return f"{value:,.0f}".replace(",", " ")


def cell(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def markdown(report):
    """The tables that README quotes."""
    lines = [
        f"`wrk -t1 -c4` over loopback, {report['machine']['cores']} cores of {report['machine']['processor']}"
        f" shared by client and server, {report['machine']['date']}; layer norm over the last {WIDTH}, FP32.",
        "The machine is noisy: read the ratios, which are medians of alternating rounds.",
        "",
        "| binary body | normserve, requests/s | bare echo, requests/s | normserve / echo | normserve / FastAPI + PyTorch |",
        "|---|---|---|---|---|",
    ]
    for name, results in report["binary"].items():
        lines.append(
            f"| {name} | {number(rate(results, 'normserve'))} | {number(rate(results, 'echo'))}"
            f" | {cell(ratio(results, 'echo'))} | {cell(ratio(results, 'FastAPI'), 1)} |"
        )
    lines += ["", "| JSON, floats | normserve, requests/s | normserve / FastAPI + orjson + PyTorch |", "|---|---|---|"]
    for name, results in report["json"].items():
        lines.append(f"| {name} | {number(rate(results, 'normserve'))} | {cell(ratio(results, 'FastAPI'), 1)} |")
    if not report["peer"]:
        lines += ["", "FastAPI + PyTorch was not measured: `NORMSERVE_TORCH_WHEEL` did not name a PyTorch wheel."]
    lines += [
        "",
        f"Peak resident memory while one 256 MiB binary request is served: the body plus {report['memory_mib']:.0f} MiB."
        f" From the start of the process to ready: {report['ready_ms']:.0f} ms.",
        "",
    ]
    return "\n".join(lines)


def quote_in_readme(text):
    path = HERE.parent / "README.md"
    readme = path.read_text()
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    before, rest = readme.split(begin)
    path.write_text(f"{before}{begin}\n{text}{end}{rest.split(end)[1]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--normserve", required=True)
    parser.add_argument("--echo", required=True)
    parser.add_argument("--peer", action="store_true", help="measure FastAPI + PyTorch of this environment, too")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    commands = {
        "normserve": [options.normserve, "serve", "--log-level", "warning", "--port"],
        "echo": [options.echo],
    }
    if options.peer:
        commands["FastAPI"] = [sys.executable, str(HERE / "peer.py")]
    report = {"machine": machine(), "peer": options.peer, "binary": {}, "json": {}}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(running(command))[1] for name, command in commands.items()}
        for name, size in SIZES.items():
            report["binary"][name] = compare(binary_cases(size), ports, options.seconds, options.rounds)
            print(f"binary {name}: {cell(ratio(report['binary'][name], 'echo'))} of the bare echo", file=sys.stderr)
        for count in COUNTS:
            report["json"][number(count)] = compare(json_cases(count), ports, options.seconds, options.rounds)
            print(f"JSON {number(count)}: {number(rate(report['json'][number(count)], 'normserve'))}/s", file=sys.stderr)
    report["memory_mib"] = peak_memory(commands["normserve"])
    report["ready_ms"] = statistics.median(start_to_ready(commands["normserve"]) for _ in range(11))

    (HERE / "results.json").write_text(json.dumps(report, indent=1) + "\n")
    text = markdown(report)
    (HERE / "results.md").write_text(text)
    quote_in_readme(text)
    print(text)


main()

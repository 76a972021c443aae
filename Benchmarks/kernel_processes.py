"""The processes that compute: KernelBench with the library's layers, and one for each framework and thread count."""

import contextlib
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODULES = {"PyTorch": "torch", "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}

# Freed memory is to be used again. The frameworks allocate each result; without this they mostly time page faults.
ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(8 << 30)}


class Process:
    """Answers a line of JSON with a line of JSON."""

    def __init__(self, command, environment):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{' '.join(self.command)}: {answer['error']}")
        return answer

    def close(self):
        # KernelBench and the peers end where their input does.
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Normserve:
    """The library's layers. The number of threads goes with each call, so one process does for all."""

    name = "normserve"

    def __init__(self, process, threads):
        self.process, self.threads = process, threads

    def prepare(self, data):
        self.process.ask(command="prepare", case=data.for_normserve())

    def write(self, path):
        self.process.ask(command="normalize", threads=self.threads, output=str(path))

    def measure(self, seconds):
        answer = self.process.ask(command="measure", threads=self.threads, seconds=seconds)
        return answer["nanoseconds"]


class Copy:
    """A copy of the bytes of the input to another place: what memory allows."""

    name = "memcpy"

    def __init__(self, process, threads):
        self.process, self.threads = process, threads
        self.byte_count = 0

    def prepare(self, data):
        self.byte_count = data.case.byte_count

    def measure(self, seconds):
        answer = self.process.ask(command="copy", bytes=self.byte_count, threads=self.threads, seconds=seconds)
        return answer["nanoseconds"]


class Peer:
    """A framework's layers."""

    def __init__(self, name, process, threads):
        self.name, self.process, self.threads = name, process, threads
        self.version = process.hear()["version"]

    def prepare(self, data):
        """Why the framework cannot do it, if so."""
        return self.process.ask(prepare=data.for_peer()).get("unsupported")

    def write(self, path):
        self.process.ask(write=str(path))

    def measure(self, seconds):
        return self.process.ask(measure=seconds)["nanoseconds"]


def installed_peers():
    return [name for name, module in MODULES.items() if importlib.util.find_spec(module)]


@contextlib.contextmanager
def start(command, **variables):
    process = Process(command, os.environ | ALLOCATOR | variables)
    try:
        yield process
    finally:
        process.close()


def start_normserve(kernel_bench, instruction_set=None):
    """KernelBench, with the best instruction set or another."""
    return start([kernel_bench], **({"NORMSERVE_INSTRUCTION_SET": instruction_set} if instruction_set else {}))


def start_peer(name, threads):
    command = [sys.executable, HERE / "kernel_peers.py", name, threads]
    return start(command, OMP_NUM_THREADS=str(threads))

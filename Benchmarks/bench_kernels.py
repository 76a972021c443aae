"""Measures the layers against PyTorch, ONNX Runtime and OpenVINO, in turn, beside memcpy, and writes what it finds.

usage: python bench_kernels.py --kernel-bench PATH [--quick] [--only REGEX] [--peers none|NAME,…] [--seconds S]
           [--rounds N] [--write]

Without --quick, --only and --peers it writes kernels.json, kernels.md and the tables in docs/performance.md;
with them only where --write says so.
"""

import argparse
import contextlib
import datetime
import json
import math
import os
import pathlib
import platform
import re
import sys
import tempfile
import time

import numpy as np

import kernel_cases
import kernel_processes
from kernel_processes import HERE, Copy, Normserve, Peer

CORES = os.cpu_count()
THREAD_COUNTS = sorted({1, CORES})
# Of max(1, |y|). The peers' own algorithms are no reason to leave them out; a wrong layer is.
TOLERANCES = {"FP32": 1e-4, "FP16": 4e-3, "BF16": 4e-2}


def check(runner, data, expected, path):
    """What is wrong with the output, if something is."""
    runner.write(path)
    error = np.abs(data.read(path).astype(np.float64) - expected)
    error /= np.maximum(1, np.abs(expected))
    worst = error.max()
    if not worst <= TOLERANCES[data.case.datatype]:  # NaN is wrong, too.
        return f"wrong by {worst:.1e}"
    return None


def measure(case, runners, directory, seconds, rounds):
    """The shortest call of each runner in nanoseconds, and why some have none."""
    data = kernel_cases.draw(case, directory)
    expected = data.expected()
    ready, notes = [], {}
    for runner in runners:
        problem = runner.prepare(data)
        if problem is None and not isinstance(runner, Copy):
            problem = check(runner, data, expected, directory / "y.bin")
        if problem is None:
            ready.append(runner)
        elif isinstance(runner, Normserve):
            raise SystemExit(f"normserve, {case.name}, {runner.threads} threads: {problem}")
        else:
            notes[runner.name] = problem
    times = {}
    for number in range(rounds):
        for runner in ready if number % 2 == 0 else reversed(ready):
            # The threads of the one before may still spin, waiting for more to do.
            time.sleep(0.01)
            taken = runner.measure(seconds)
            by_threads = times.setdefault(runner.name, {})
            by_threads[runner.threads] = min(taken, by_threads.get(runner.threads, math.inf))
    return times, notes


class Result:
    """What was measured for a case."""

    def __init__(self, case, times, notes):
        self.case, self.times, self.notes = case, times, notes

    def nanoseconds(self, name, threads):
        return self.times.get(name, {}).get(threads)

    def rate(self, name, threads):
        """GB/s of bytes read and written."""
        taken = self.nanoseconds(name, threads)
        return None if taken is None else 2 * self.case.byte_count / taken

    def ratio(self, other, threads):
        """How many times as fast as `other` normserve is."""
        its = self.nanoseconds(other, threads)
        return None if its is None else its / self.nanoseconds("normserve", threads)

    def best_peer(self, threads):
        """The fastest framework, and normserve's speed as a multiple of its."""
        ratios = {name: self.ratio(name, threads) for name in kernel_processes.MODULES}
        ratios = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        return min(ratios.items(), key=lambda item: item[1], default=(None, None))

    def scaling(self, name):
        """How many times as fast as one thread all cores are."""
        one, all_of_them = self.nanoseconds(name, 1), self.nanoseconds(name, CORES)
        return None if one is None or all_of_them is None else one / all_of_them

    def document(self):
        return {
            "case": self.case.name,
            "bytes": self.case.byte_count,
            "nanoseconds": self.times,
            "best_peer": {threads: self.best_peer(threads)[0] for threads in THREAD_COUNTS},
            "times_best_peer": {threads: self.best_peer(threads)[1] for threads in THREAD_COUNTS},
            "times_memcpy": {threads: self.ratio("memcpy", threads) for threads in THREAD_COUNTS},
            "scaling": {name: self.scaling(name) for name in ("normserve", "memcpy")},
            "notes": self.notes,
        }

    def line(self):
        """For those who wait."""
        peer, ratio = self.best_peer(1)
        return (
            f"{self.case.name:32} {self.nanoseconds('normserve', 1) / 1000:10.1f} µs"
            f" {cell(self.rate('normserve', 1), 1):>6} GB/s"
            f" | {cell(ratio):>5} × {peer or 'no peer':12}"
            f" | {cell(self.ratio('memcpy', 1)):>5} × memcpy ({cell(self.rate('memcpy', 1), 0):>4})"
            f" | {CORES} threads: × {cell(self.scaling('normserve')):>5}, memcpy × {cell(self.scaling('memcpy')):>5},"
            f" {cell(self.best_peer(CORES)[1]):>5} × best peer"
        )


def geometric_mean(values):
    values = list(values)
    return math.exp(math.fsum(map(math.log, values)) / len(values)) if values else None


def cell(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def microseconds(nanoseconds):
    if nanoseconds is None:
        return ""
    value = nanoseconds / 1000
    return f" ({value:.1f} µs)" if value < 100 else f" ({value:,.0f} µs)".replace(",", " ")


def table(results, peers, threads):
    """One row for each case; with several threads also what they gain over one."""
    heads = [f"{threads} threads, GB/s" if threads > 1 else "one thread, GB/s", "normserve", *peers, "memcpy"]
    heads += ["× best peer", *(["× one thread", "memcpy × one thread"] if threads > 1 else ["× memcpy"])]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for result in results:
        cells = [
            result.case.name,
            cell(result.rate("normserve", threads), 1) + microseconds(result.nanoseconds("normserve", threads)),
            *(cell(result.rate(peer, threads), 1) for peer in peers),
            cell(result.rate("memcpy", threads), 0),
            cell(result.best_peer(threads)[1]),
        ]
        if threads > 1:
            cells += [cell(result.scaling("normserve")), cell(result.scaling("memcpy"))]
        else:
            cells.append(cell(result.ratio("memcpy", threads)))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def summary(sections):
    """What the goals are about."""
    lines = []
    for threads in THREAD_COUNTS:
        # RMS norm is no part of the mean that is a goal; nor are the sizes that were chosen to hurt.
        main = [result.best_peer(threads)[1] for result in sections.get("FP32", [])]
        every = [
            (result.best_peer(threads)[1], result.case.name)
            for results in sections.values()
            for result in results
            if result.best_peer(threads)[1] is not None
        ]
        if not every:
            continue
        slower = sorted(pair for pair in every if pair[0] < 1)
        mean = geometric_mean(ratio for ratio in main if ratio is not None)
        lines.append(
            f"Threads: {threads}. Against the best peer: geometric mean {cell(mean)} over the first table,"
            f" {cell(geometric_mean(ratio for ratio, _ in every))} over all; lowest"
            f" {cell(min(every)[0])} ({min(every)[1]})."
        )
        if slower:
            lines[-1] += " Slower in: " + ", ".join(f"{name} ({ratio:.2f})" for ratio, name in slower) + "."
    return lines


def markdown(report, sections, peers):
    versions = ", ".join(f"{name} {report['versions'][name]}" for name in peers)
    lines = [
        f"{report['machine']['cores']} cores of {report['machine']['processor']}, instruction set"
        f" {report['instruction_set']}, {report['machine']['date']}; {versions or 'no peers'}.",
        "GB/s of bytes read and written, the best of many calls in alternating rounds. normserve works in place, as the"
        " service has it do; memcpy copies the same bytes to another place. The machine is noisy: read the ratios.",
        "",
        *(f"- {line}" for line in summary(sections)),
    ]
    for name, results in sections.items():
        lines += ["", f"### {name}"]
        for threads in THREAD_COUNTS:
            lines += ["", *table(results, peers, threads)]
    notes = {
        (peer, note): None
        for results in sections.values()
        for result in results
        for peer, note in result.notes.items()
        if note.startswith("wrong")
    }
    if notes:
        lines += ["", "Left out because the answer was wrong: " + ", ".join(f"{peer} {note}" for peer, note in notes)]
    return "\n".join(lines) + "\n"


def replace_between(path, name, text):
    """Puts a text between the comments `<!-- name:begin -->` and `<!-- name:end -->` of a document."""
    content = path.read_text()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = content.split(begin)
    path.write_text(f"{before}{begin}\n{text}{end}{rest.split(end)[1]}")


def machine():
    information = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", information)
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": CORES,
        "date": datetime.date.today().isoformat(),
    }


def chosen_peers(text):
    installed = kernel_processes.installed_peers()
    if text is None:
        return installed
    names = [] if text == "none" else text.split(",")
    for name in names:
        if name not in installed:
            raise SystemExit(f"{name} is not installed; installed: {', '.join(installed) or 'none'}")
    return names


def chosen_sections(options):
    sections = {}
    for section, cases in kernel_cases.SECTIONS.items():
        cases = [
            case
            for case in cases
            if (not options.quick or case.name in kernel_cases.QUICK) and re.search(options.only, case.name)
        ]
        if cases:
            sections[section] = cases
    if not sections:
        raise SystemExit(f"no case matches {options.only!r}")
    return sections


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel-bench", required=True, help="the executable of Benchmarks/KernelBench")
    parser.add_argument("--quick", action="store_true", help="few cases, one short round")
    parser.add_argument("--only", default="", metavar="REGEX", help="the cases whose names it matches")
    parser.add_argument("--peers", help="PyTorch, ONNX Runtime, OpenVINO with commas between, or none; default: all")
    parser.add_argument("--seconds", type=float, help="how long each measurement takes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--write", action="store_true", help="write the results of a part, too")
    options = parser.parse_args()
    seconds = options.seconds or (0.05 if options.quick else 0.15)
    rounds = options.rounds or (1 if options.quick else 3)
    peers, sections = chosen_peers(options.peers), chosen_sections(options)

    if os.getloadavg()[0] > CORES / 2:
        print(f"The machine is busy: its load is {os.getloadavg()[0]:.1f}. The figures will be noisy.", file=sys.stderr)
    report = {"machine": machine(), "versions": {}, "sections": {}}
    results = {}
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(kernel_processes.start_normserve(options.kernel_bench))
        report["instruction_set"] = own.ask(command="describe")["instruction_set"]
        runners = [Normserve(own, threads) for threads in THREAD_COUNTS]
        for name in peers:
            for threads in THREAD_COUNTS:
                process = stack.enter_context(kernel_processes.start_peer(name, threads))
                runners.append(Peer(name, process, threads))
                report["versions"][name] = runners[-1].version
        runners += [Copy(own, threads) for threads in THREAD_COUNTS]
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        for section, cases in sections.items():
            for case in cases:
                result = Result(case, *measure(case, runners, directory, seconds, rounds))
                results.setdefault(section, []).append(result)
                print(result.line(), file=sys.stderr, flush=True)
    report["sections"] = {section: [result.document() for result in results[section]] for section in results}

    text = markdown(report, results, peers)
    print("\n".join(summary(results)), file=sys.stderr)
    is_whole = not options.quick and not options.only and options.peers is None
    if is_whole or options.write:
        (HERE / "kernels.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        (HERE / "kernels.md").write_text(text)
        replace_between(HERE.parent / "docs" / "performance.md", "bench-kernels", text)
        print(text)


if __name__ == "__main__":
    main()

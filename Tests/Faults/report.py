"""What a run has seen, as Markdown."""

import datetime
import os
import pathlib
import re

BEGIN, END = "<!-- soak:begin -->", "<!-- soak:end -->"
MEBI = 1 << 20


def number(value):
    """Thousands apart, as in the other documents."""
    return f"{value:,}".replace(",", " ")


def processor():
    """The processor's name without its model, of which the machine may not be certain."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*: (.*)", info, re.M)
    return name[1].strip() if name else "an unknown processor"


def rows(header, *lines):
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (header, ["---"] * len(header), *lines))


def server_rows(facts):
    start, end, peak = facts["start"], facts["end"], facts["peak"]
    return rows(
        ["server", "start", "end", "peak"],
        ["resident memory, MiB", *(f"{value / MEBI:.1f}" for value in (start.memory, end.memory, peak.peak_memory))],
        ["of it its own, MiB", *(f"{value / MEBI:.1f}" for value in (start.own_memory, end.own_memory)), ""],
        ["descriptors", start.descriptors, end.descriptors, peak.peak_descriptors],
        ["threads", start.threads, end.threads, peak.peak_threads],
    )


def latency_rows(latency):
    times = [[name, *(f"{value:.2f}" for value in percentiles)] for name, percentiles in sorted(latency.items())]
    return rows(["well-behaved clients, ms", "p50", "p99"], *times)


def client_rows(run):
    tally = run.tally
    lines = [
        [kind.kind, count, number(tally.rounds[kind.kind]), number(tally.checked[kind.kind]), number(tally.cut[kind.kind])]
        for kind, count in run.all_kinds().items()
    ]
    return rows(["clients", "at a time", "rounds", "answers checked", "ended by the server"], *lines)


def table(run):
    """The tables of a run without violations."""
    tally, facts = run.tally, run.facts
    refused = {status: count for status, count in sorted(tally.statuses.items()) if status >= 400}
    drained = tally.drained
    return "\n\n".join([
        f"{run.arguments.seconds:g} s of all clients at once, {', '.join(run.features())}; {os.cpu_count()} cores of "
        f"{processor()} for server and clients, {datetime.date.today()}, seed {run.arguments.seed}.",
        f"- {number(sum(tally.checked.values()))} answers with {tally.checked_bytes / 2**30:.1f} GiB were checked; every "
        "one was right.\n"
        f"- Refusals by status: {', '.join(f'{status}: {number(count)}' for status, count in refused.items())}.\n"
        f"- SIGHUP came {number(facts['hangups'])} times. The server took {facts['server']:.0%} of the processors' time, "
        f"the clients {facts['clients']:.0%}.\n"
        f"- Without descriptors accepting paused {facts['pauses']} times; all {facts['guests']} clients that came were "
        "answered in the end.\n"
        f"- SIGTERM in full load, {len(facts['drains'])} times: {number(drained['begun before'])} requests that were begun "
        f"before it and {number(drained['sent after'])} that were sent after it were answered, none was lost, "
        f"{number(drained['handed back'])} pipelined ones were handed back behind `Connection: close`, "
        f"{number(drained['too late'])} came when the connection was closed, {number(drained['crossed'])} crossed the "
        f"close of an idle connection, {number(drained['not accepted'])} were on connections made after it. Exit status 0 "
        f"after {', '.join(f'{seconds:.1f}' for seconds in facts['drains'])} s.",
        server_rows(facts),
        latency_rows(facts["latency"]),
        client_rows(run),
    ])  # fmt: skip


def write(path, text):
    """Puts the tables between the markers of a document."""
    document = pathlib.Path(path)
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{path}: no {BEGIN} ... {END} in it")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")

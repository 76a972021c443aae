"""What a run has seen, as Markdown."""

import collections
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
    memory = [f"{value / MEBI:.1f}" for value in (start.memory, end.memory, peak.peak_memory)]
    return rows(
        ["server", "start", "end", "peak"],
        ["resident memory, MiB", *memory],
        ["of it its own, MiB", *(f"{value / MEBI:.1f}" for value in (start.own_memory, end.own_memory)), ""],
        ["descriptors", start.descriptors, end.descriptors, peak.peak_descriptors],
        ["threads", start.threads, end.threads, peak.peak_threads],
    )


def latency_rows(latency):
    times = [[name, *(f"{value:.2f}" for value in percentiles)] for name, percentiles in sorted(latency.items())]
    return rows(["well-behaved clients, ms", "p50", "p99"], *times)


def client_rows(run):
    tally = run.tally
    lines = []
    for kind, count in run.all_kinds().items():
        counts = (tally.rounds[kind.kind], tally.checked[kind.kind], tally.cut[kind.kind])
        lines.append([kind.kind, count, *map(number, counts)])
    return rows(["clients", "at a time", "rounds", "answers checked", "ended by the server"], *lines)


def sentences(run):
    """What is no table."""
    tally, facts = run.tally, run.facts
    drained = collections.defaultdict(int, {what: number(count) for what, count in tally.drained.items()})
    refused = [f"{status}: {number(count)}" for status, count in sorted(tally.statuses.items()) if status >= 400]
    drains = ", ".join(f"{seconds:.1f}" for seconds in facts["drains"])
    checked, size = number(sum(tally.checked.values())), tally.checked_bytes / 2**30
    yield f"{checked} answers with {size:.1f} GiB were checked; all were right."
    yield f"Refusals by status: {', '.join(refused)}."
    yield f"SIGHUP came {number(facts['hangups'])} times."
    yield f"The server took {facts['server']:.0%} of the processors' time, the clients {facts['clients']:.0%}."
    yield f"{facts['guests']} clients came when {facts['free']} descriptors were left; all were answered in the end."
    yield f"SIGTERM came in full load {len(facts['drains'])} times; the exit status was 0 after {drains} s."
    yield (
        f"Requests around SIGTERM: {drained['begun before']} begun before it and {drained['sent after']} sent after it were "
        f"answered; none was lost. {drained['handed back']} pipelined ones were handed back behind `Connection: close`, "
        f"{drained['too late']} were sent on connections that were closed, {drained['crossed']} crossed the close of an "
        f"idle one, {drained['not accepted']} were on connections made after it."
    )


def table(run):
    """The report of a run without violations."""
    facts = run.facts
    where = f"{os.cpu_count()} cores of {processor()} for server and clients"
    how = "over TLS" if run.tls else "without TLS"
    return "\n\n".join([
        f"{run.arguments.seconds:g} s of all clients at once, {how}; {where}, {datetime.date.today()}, "
        f"seed {run.arguments.seed}.",
        "\n".join(f"- {sentence}" for sentence in sentences(run)),
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

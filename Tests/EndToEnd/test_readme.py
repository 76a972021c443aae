"""Every snippet of the README runs: `sh` and `python` blocks against a server, in order; a `json` block is the answer.

Blocks marked `console` show commands that start servers or build images; those are tested elsewhere. Those marked `pycon`
need the Python client, whose tests run them.
"""

import json
import re
import subprocess
import sys

import pytest

from certificates import write
from server import ROOT, Server

SNIPPETS = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
RUNNABLE = [number for number, (language, _) in enumerate(SNIPPETS) if language in ("sh", "python")]


def without_timing(document):
    return {name: value for name, value in document.items() if name != "timing"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Where all snippets run, as one may use the file that another wrote."""
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def server(directory):
    """A server whose administrator's key is where the snippets look for it."""
    with Server("--admin-key-file", write(directory / "admin.txt", b"administrator")) as running:
        yield running


@pytest.mark.parametrize("number", RUNNABLE)
def test_snippet(server, directory, number):
    language, text = SNIPPETS[number]
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
    command = ["bash", "-euo", "pipefail", "-c", text] if language == "sh" else [sys.executable, "-c", text]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    if number + 1 < len(SNIPPETS) and SNIPPETS[number + 1][0] == "json":
        assert without_timing(json.loads(result.stdout)) == without_timing(json.loads(SNIPPETS[number + 1][1]))


def test_languages():
    assert {language for language, _ in SNIPPETS} <= {"sh", "python", "json", "console", "pycon"}

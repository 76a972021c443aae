"""docs/http-conformance.md against the tests: all that it names is there, and no group of cases is left out."""

import re

from http_cases import GROUPS
from server import ROOT

ROWS = [
    line for line in (ROOT / "docs" / "http-conformance.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| | rule ", "| | trap "))
]  # fmt: skip
NAMES = {row: re.findall(r"`([^`]+)`", row.rstrip(" |").rpartition(" | ")[2]) for row in ROWS}


def exists(name):
    if name in GROUPS:
        return True
    if "::" in name:
        file, _, function = name.partition("::")
        path = ROOT / "Tests" / "EndToEnd" / file
        return path.exists() and re.search(rf"^def {function}\(", path.read_text(), re.MULTILINE)
    suite, _, function = name.partition(".")
    return any(
        re.search(rf"\b(func {function}\(|static let {function}\b)", path.read_text())
        for path in (ROOT / "Tests").glob(f"*/{suite}.swift")
    )


def test_every_rule_has_a_test():
    assert len(ROWS) > 100
    assert [row for row, names in NAMES.items() if not names] == []


def test_every_name_is_that_of_a_test():
    assert [name for names in NAMES.values() for name in names if not exists(name)] == []


def test_every_group_holds_a_rule():
    assert set(GROUPS) <= {name for names in NAMES.values() for name in names}

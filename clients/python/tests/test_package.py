"""What is installed: the package with its types, and what it says that it needs."""

import importlib.metadata
import importlib.resources
import re

import pytest

import normserve


@pytest.fixture
def distribution():
    try:
        return importlib.metadata.distribution("normserve")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("run from the sources; scripts/test-python-client runs it from the wheel")


def test_metadata(distribution):
    assert distribution.version == normserve.__version__
    needed = [
        re.split(r"[<>=; ]", requirement)[0] for requirement in distribution.requires if "extra ==" not in requirement
    ]
    assert sorted(needed) == ["httpx", "numpy"]
    assert set(distribution.metadata.get_all("Provides-Extra")) == {"bf16", "torch"}
    assert [script.name for script in distribution.entry_points] == ["normserve-client"]
    assert distribution.entry_points["normserve-client"].load()(["health", "http://127.0.0.1:1"]) == 1


def test_only_the_package_is_installed(distribution):
    folders = {str(file).split("/")[0] for file in distribution.files if ".." not in str(file)}
    assert folders == {"normserve", f"normserve-{normserve.__version__}.dist-info"}


def test_types():
    assert importlib.resources.files("normserve").joinpath("py.typed").is_file()


def test_what_is_exported():
    assert len(normserve.__all__) == len(set(normserve.__all__))
    for name in normserve.__all__:
        assert getattr(normserve, name).__doc__, name

"""Every `python` block of the README runs against a server, in order and one after the other as in one session.

Those marked `notest` need what is not there; those marked `repository` a server with a layer repository.
"""

import pathlib
import re

import numpy as np
import pytest
from conftest import Server

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
SNIPPETS = re.findall(r"^```([^\n]*)\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
KEY = "the-administrators-key"


def run(text, server, names):
    exec(compile(text.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}"), README.name, "exec"), names)


def test_snippets(server, capsys):
    names = {}
    for language, text in SNIPPETS:
        if language == "python":
            run(text, server, names)
    names["client"].close()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("[2.963")
    assert "µs" in printed[1]
    assert printed[2] == "4.0 [0.75 1.  ]"
    assert printed[3:5] == [
        "422 invalid_parameter /layer/num_groups",
        "num_groups is 3, which does not divide the 4 channels",
    ]
    assert printed[5:] == ["True True 19", "8"]


def test_repository_snippets(server, capsys, tmp_path):
    if "  /layers:" not in server.get("/openapi.yaml").text:
        pytest.skip("this server has no layer repository yet")
    keys = tmp_path / "keys"
    keys.write_text(KEY + "\n")
    keys.chmod(0o600)
    (tmp_path / "layers").mkdir()
    names = {"images": np.ones((2, 3, 32, 32), np.float16)}
    with Server("--layers", str(tmp_path / "layers"), "--admin-key-file", str(keys), key=KEY) as running:
        run("import numpy as np\nfrom normserve import BatchNorm, Client", running, names)
        for language, text in SNIPPETS:
            if language == "python repository":
                run(text, running, names)
        names["client"].close()
    assert capsys.readouterr().out.splitlines() == [
        "LayerDescription(name='bn1', versions=('1', '2'), type='batch_norm', datatype='FP64')",
        "[1. 1. 1.] ['bn1']",
    ]
    assert np.allclose(names["y"], 1, atol=1e-2)


def test_languages():
    assert {language for language, _ in SNIPPETS} == {"python", "python notest", "python repository", "console"}

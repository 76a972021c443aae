"""Every `python` block of the client's README runs against a server, in order and one after the other as in one session.

Those marked `notest` need what is not there; those marked `repository` a server with a layer repository. The `pycon` blocks of the project's README run, too.
"""

import pathlib
import re
import types

import numpy as np
from conftest import ADMIN_KEY, ROOT, Server
from test_torch_modules import Module, named

README = pathlib.Path(__file__).resolve().parents[1] / "README.md"
SNIPPETS = re.findall(r"^```([^\n]*)\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)


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


def test_repository_snippets(repository_options, capsys):
    names = {"images": np.ones((2, 3, 32, 32), np.float16)}
    with Server(*repository_options, key=ADMIN_KEY) as running:
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


def test_the_three_lines(server):
    """Of the project's README, with a look-alike of a module of PyTorch."""
    blocks = re.findall(r"^```pycon\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    lines = blocks[0].splitlines()
    assert len(lines) == 3 and all(line.startswith(">>> ") for line in lines)
    bn1 = named("BatchNorm2d", Module)(running_mean=np.ones(3), running_var=np.full(3, 4.0), eps=0.0)
    names = {"model": types.SimpleNamespace(bn1=bn1), "x": np.full((2, 3, 4, 5), 5, np.float32)}
    run("\n".join(line.removeprefix(">>> ") for line in lines), server, names)
    names["client"].close()
    assert names["y"].dtype == np.float32 and (names["y"] == np.full((2, 3, 4, 5), 2)).all()

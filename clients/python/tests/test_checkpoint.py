"""Checkpoints to safetensors, read back by the safetensors package; and the command line."""

import itertools
import json
import os
import pickle
import subprocess
import sys
import types

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from conftest import ROOT, Server

import normserve
from normserve import checkpoint
from normserve.__main__ import main

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "odd": np.array([1, 2, 3], np.uint8),
    "f64": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "f16": np.array([1.5, np.nan], np.float16),
    "big": np.arange(4, dtype=np.int64)[::2],
    "number": np.array(7, np.int32),
    "scalar": np.float64(7.5),
    "empty": np.empty((0, 3), np.float32),
    "γ β": np.array([True, False]),
}


@pytest.fixture
def torch_of(monkeypatch):
    """Stands a module named torch in, whose `load` gives, or raises, what the test says."""

    def make(result):
        def load(path, map_location, weights_only):
            assert map_location == "cpu" and weights_only is True
            assert path.exists()
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(load=load))

    return make


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"what the stand-in reads")
    return path


def test_what_is_written_reads_back(tmp_path):
    target = tmp_path / "model.safetensors"
    assert checkpoint.save(ARRAYS, target) == target.stat().st_size
    read = safetensors.numpy.load_file(target)
    assert set(read) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype and read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_layout(tmp_path):
    """Every tensor is aligned to its datatype, and nothing lies between two."""
    target = tmp_path / "model.safetensors"
    checkpoint.save(ARRAYS, target)
    content = target.read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    header = json.loads(content[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    offsets = sorted(entry["data_offsets"] for entry in header.values())
    assert offsets[0][0] == 0 and offsets[-1][1] == len(content) - 8 - length
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(offsets))
    assert all(header[name]["data_offsets"][0] % array.itemsize == 0 for name, array in ARRAYS.items())


def test_bfloat16(tmp_path):
    target = tmp_path / "model.safetensors"
    array = np.array([[1.5, -2.0]], ml_dtypes.bfloat16)
    checkpoint.save({"w": array}, target)
    content = target.read_bytes()
    assert b'"dtype":"BF16"' in content and content.endswith(array.tobytes())


@pytest.mark.parametrize(
    "array", [np.array([1j]), np.array(["a"]), np.array([None]), np.longdouble([1.0]), np.array([1.0], ">f4")]
)
def test_what_cannot_be_written(tmp_path, array):
    with pytest.raises(checkpoint.CheckpointError, match="weight"):
        checkpoint.save({"weight": array}, tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["__metadata__", 3])
def test_impossible_names(tmp_path, name):
    with pytest.raises(checkpoint.CheckpointError):
        checkpoint.save({name: np.zeros(1)}, tmp_path / "model.safetensors")


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(ARRAYS, target)
    assert target.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_permissions(tmp_path):
    """Those of any new file, not of a temporary one."""
    (tmp_path / "other").touch()
    checkpoint.save(ARRAYS, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("key", [None, "state_dict", "model_state_dict", "model"])
def test_import(source, torch_of, capsys, key):
    torch_of({key: ARRAYS, "epoch": 3} if key else {**ARRAYS, "epoch": 3})
    assert main(["import", str(source)]) == 0
    read = safetensors.numpy.load_file(source.with_suffix(".safetensors"))
    assert set(read) == set(ARRAYS)
    output = capsys.readouterr()
    assert "9 tensors" in output.out
    assert ("epoch" in output.err) == (key is None)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (pickle.UnpicklingError("Weights only load failed.\nSee the manual"), "no checkpoint of weights alone: Weights only load failed."),
        (RuntimeError("broken"), "broken"), (EOFError(), "EOFError"), ([1, 2], "is a list, not a state_dict"),
        ({}, "holds no tensors"), ({"epoch": 3}, "holds no tensors"), ({"w": np.array([1j])}, "complex128"),
    ],
    ids=str,
)  # fmt: skip
def test_import_of_something_else(source, torch_of, capsys, result, message):
    torch_of(result)
    assert main(["import", str(source), "-o", str(source.parent / "out.safetensors")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("normserve-client: ") and message in error and error.count("\n") == 1
    assert [path.name for path in source.parent.iterdir()] == ["model.pt"]


def test_import_without_pytorch(source, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["import", str(source)]) == 1
    assert "pip install 'normserve[torch]'" in capsys.readouterr().err


def test_import_of_no_file(tmp_path, torch_of, capsys):
    torch_of(FileNotFoundError(2, "No such file or directory", "model.pt"))
    (tmp_path / "x.pt").touch()
    assert main(["import", str(tmp_path / "x.pt")]) == 1
    assert "No such file" in capsys.readouterr().err


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "normserve", *arguments], capture_output=True, text=True, timeout=60)


def test_command_line(server):
    assert run("health", server.url).returncode == 0
    assert main(["health", "http://127.0.0.1:1"]) == 1
    assert run("--version").stdout == normserve.__version__ + "\n"


def test_wrong_arguments(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2 and "COMMAND" in capsys.readouterr().err
    assert main(["health", "nonsense"]) == 1
    assert capsys.readouterr().err.startswith("normserve-client: base_url")


def test_version():
    """The client is released with the server, and the project's description says which."""
    description = (ROOT / "openapi.yaml").read_text()
    assert f"\n  version: {normserve.__version__}\n" in description


def test_the_server_takes_it(serve_help, tmp_path):
    """What was written here is what `--checkpoint` reads."""
    if "--checkpoint" not in serve_help:
        pytest.skip("this server reads no checkpoints yet")
    norm = {"running_mean": np.ones(3), "running_var": np.full(3, 4.0), "weight": np.ones(3), "bias": np.zeros(3)}
    tensors = {f"features.bn1.{name}": array.astype(np.float32) for name, array in norm.items()}
    target = tmp_path / "model.safetensors"
    checkpoint.save({**tensors, "features.bn1.num_batches_tracked": np.int64(3)}, target)
    x = np.random.default_rng(0).standard_normal((2, 3, 5), np.float32)
    with Server("--checkpoint", str(target)) as server, normserve.Client(server.url) as client:
        assert client.layers["features.bn1"].type == "batch_norm"
        np.testing.assert_array_equal(
            client.normalize(x, "features.bn1"), client.normalize(x, normserve.BatchNorm(**norm))
        )


class Evil:
    def __reduce__(self):
        return print, ("this must not run",)


def test_pytorch(tmp_path, capfd):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; a stand-in above reads for it")
    shared = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    state = {
        "a": shared, "b": shared.T, "c": torch.tensor([1.5, 2]).to(torch.bfloat16), "d": torch.tensor(3),
        "e": torch.zeros(0, 2), "f": torch.nn.Parameter(torch.ones(2, dtype=torch.float64)),
    }  # fmt: skip
    source, target = tmp_path / "m.pt", tmp_path / "m.safetensors"
    torch.save({"state_dict": state, "epoch": 3}, source)
    assert checkpoint.convert(source, target) == (6, target.stat().st_size, ())
    import safetensors.torch

    read = safetensors.torch.load_file(target)
    assert set(read) == set(state)
    for name, tensor in state.items():
        assert read[name].dtype == tensor.dtype and torch.equal(read[name], tensor.detach())
    for content in (torch.nn.LayerNorm(3), {"state_dict": {"w": Evil()}}, {"w": torch.zeros(2, 2).to_sparse()}):
        torch.save(content, source)
        with pytest.raises(checkpoint.CheckpointError):
            checkpoint.convert(source, tmp_path / "not.safetensors")
    assert "must not run" not in capfd.readouterr().out and not (tmp_path / "not.safetensors").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_is_only_read(tmp_path, mask):
    """By the system: as it is the whole process's, a thread that set it would open the files of others to everyone."""
    program = (
        "import os, sys; set_umask = os.umask; set_umask(int(sys.argv[1])); del os.umask\n"
        "import numpy; from normserve import checkpoint; checkpoint.save({'w': numpy.zeros(3)}, sys.argv[2])"
    )
    target = tmp_path / "model.safetensors"
    subprocess.run([sys.executable, "-c", program, str(mask), str(target)], check=True, timeout=60)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]

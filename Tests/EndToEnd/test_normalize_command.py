"""`normserve normalize`: files in, files out, without a server (API.md, section 9)."""

import json
import os
import resource
import subprocess

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy

import reference
from server import binary, environment

RANDOM = np.random.default_rng(24)
X = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
EXPECTED = reference.layer_norm(X.astype(np.float64), [4])
QUERY = "type=layer_norm&normalized_shape=4"


def normalize(*arguments, cwd=None, input=b"", **options):
    command = [binary(), "normalize", *map(str, arguments)]
    return subprocess.run(command, input=input, env=environment(), cwd=cwd, capture_output=True, timeout=60, **options)


def good(*arguments, **options):
    result = normalize(*arguments, **options)
    assert result.returncode == 0 and not result.stderr, result
    return result.stdout


def bad(status, *arguments, **options):
    """The one line that says why it failed."""
    result = normalize(*arguments, **options)
    assert result.returncode == status, result
    assert not result.stdout
    line = result.stderr.decode()
    assert line.startswith("normserve: ") and line.count("\n") == 1, line
    return line


@pytest.fixture
def directory(tmp_path):
    np.save(tmp_path / "in.npy", X)
    safetensors.numpy.save_file({"input": X}, tmp_path / "in.safetensors")
    return tmp_path


def close(actual, expected=EXPECTED):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("layer", [
    QUERY, '{"type": "layer_norm", "normalized_shape": [4]}', ' {"normalized_shape": 4, "type": "layer_norm"}', "@layer.json", "@layer.safetensors",
])  # fmt: skip
def test_ways_to_say_the_layer(directory, layer):
    (directory / "layer.json").write_text('{"type": "layer_norm", "axis": -1}\n')
    safetensors.numpy.save_file({"weight": np.ones(4, np.float32)}, directory / "layer.safetensors", {"type": "layer_norm", "axis": "-1", "datatype": "FP32"})
    assert good("in.npy", "--layer", layer, "-o", "out.npy", cwd=directory) == b""
    close(np.load(directory / "out.npy"))


@pytest.mark.parametrize("source", ["npy", "safetensors"])
@pytest.mark.parametrize("target", ["npy", "safetensors"])
def test_formats(directory, source, target):
    good(f"in.{source}", "--layer", QUERY, "--output", f"out.{target}", cwd=directory)
    if target == "npy":
        close(np.load(directory / "out.npy"))
    else:
        close(safetensors.numpy.load_file(directory / "out.safetensors")["output"])
        with safetensors.safe_open(directory / "out.safetensors", "np") as file:
            assert json.loads(file.metadata()["layer"]) == {"type": "layer_norm"}


def test_a_file_with_its_layer(directory):
    safetensors.numpy.save_file({"input": X, "weight": np.full(4, 2, np.float32)}, directory / "all.safetensors",
                                {"type": "layer_norm", "axis": "-1", "output_datatype": "FP64"})  # fmt: skip
    good("all.safetensors", "-o", "out.npy", cwd=directory)
    y = np.load(directory / "out.npy")
    assert y.dtype == np.float64
    close(y, 2 * EXPECTED)


def test_streams(directory):
    source = (directory / "in.npy").read_bytes()
    content = good("-", "--layer", QUERY, input=source)
    (directory / "out.npy").write_bytes(content)
    close(np.load(directory / "out.npy"))
    content = good("-", "--layer", QUERY, input=(directory / "in.safetensors").read_bytes())
    close(safetensors.numpy.load(content)["output"])
    assert good("in.npy", "--layer", QUERY, "-o", "-", cwd=directory) == good("-", "--layer", QUERY, input=source)


def test_a_large_stream(directory):
    """More than the memory that is taken at first for what has no size."""
    x = RANDOM.standard_normal((1000, 1000)).astype(np.float32)
    np.save(directory / "large.npy", x)
    content = good("-", "--layer", "type=layer_norm&axis=1", input=(directory / "large.npy").read_bytes())
    (directory / "out.npy").write_bytes(content)
    np.testing.assert_allclose(np.load(directory / "out.npy"), reference.layer_norm(x.astype(np.float64), [1000]), rtol=0, atol=2e-6)


@pytest.mark.parametrize(("name", "dtype"), [("FP64", np.float64), ("FP32", np.float32), ("FP16", np.float16), ("BF16", ml_dtypes.bfloat16)])
def test_output_datatype(directory, name, dtype):
    good("in.npy", "--layer", QUERY, "--output-datatype", name, "-o", "out.npy", cwd=directory)
    y = np.load(directory / "out.npy")
    y = y.view(dtype) if name == "BF16" else y
    assert y.dtype == dtype
    np.testing.assert_allclose(y.astype(np.float64), EXPECTED, rtol=2**-8, atol=1e-6)


def test_a_type_alone(directory):
    good("in.npy", "--layer", "instance_norm", "-o", "out.npy", cwd=directory)
    close(np.load(directory / "out.npy"), reference.instance_norm(X.astype(np.float64)))


def test_in_place(directory):
    good("in.npy", "--layer", QUERY, "-o", "in.npy", cwd=directory)
    close(np.load(directory / "in.npy"))
    assert sorted(os.listdir(directory)) == ["in.npy", "in.safetensors"]


def test_a_link_stays_a_link(directory):
    (directory / "target.npy").write_bytes(b"old")
    (directory / "out.npy").symlink_to("target.npy")
    good("in.npy", "--layer", QUERY, "-o", "out.npy", cwd=directory)
    assert (directory / "out.npy").is_symlink()
    close(np.load(directory / "target.npy"))


def test_modes_are_those_of_new_files(directory):
    good("in.npy", "--layer", QUERY, "-o", "out.npy", cwd=directory, preexec_fn=lambda: os.umask(0o027))
    assert (directory / "out.npy").stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_written_to(directory):
    good("in.npy", "--layer", QUERY, "-o", "/dev/null", cwd=directory)
    assert os.path.exists("/dev/null") and not os.path.isfile("/dev/null")


def test_help():
    assert "--layer" in good("--help").decode()


@pytest.mark.parametrize("arguments", [
    [], ["in.npy"], ["in.npy", "--layer"], ["in.npy", "out.npy", "--layer", QUERY], ["in.npy", "--layer", QUERY, "--threads", "0"],
    ["in.npy", "--layer", QUERY, "-o", "out.txt"],
], ids=" ".join)  # fmt: skip
def test_bad_usage(directory, arguments):
    bad(64, *arguments, cwd=directory)


@pytest.mark.parametrize(("layer", "told"), [
    ("type=nonsense", "nonsense"), ("type=layer_norm", "normalized_shape"), ("layer=bn1", "no layer of this name"), ("{", "JSON"), ("{}", "type"),
    ('{"type": "layer_norm", "normalized_shape": [3]}', "[3]"), ("type=group_norm&num_groups=2", "num_groups"), (QUERY + "&eps=-1", "eps"),
    ("type=layer_norm&axis=9", "axis"), (QUERY + "&eps=%", "percent"), ('{"type": "layer_norm", "axis": -1} x', "byte 35"),
])  # fmt: skip
def test_impossible_layers(directory, layer, told):
    assert told in bad(65, "in.npy", "--layer", layer, "-o", "out.npy", cwd=directory)
    assert not (directory / "out.npy").exists()


@pytest.mark.parametrize(("name", "content"), [
    ("in.npy", b""), ("in.npy", b"\x93NUMPY\1\0"), ("in.safetensors", b"{}"), ("in.npy", b"\0" * 100), ("other", b"\x93NUMPY\1\0"), ("other", b"1,2,3\n"),
])  # fmt: skip
def test_damaged_input(directory, name, content):
    (directory / name).write_bytes(content)
    (directory / "out.npy").write_bytes(b"old")
    assert "no .npy file" in (line := bad(65, name, "--layer", QUERY, "-o", "out.npy", cwd=directory)) or "no safetensors file" in line
    assert (directory / "out.npy").read_bytes() == b"old"


def test_an_input_that_is_not_there(directory):
    assert "missing.npy cannot be opened: No such file" in bad(66, "missing.npy", "--layer", QUERY, "-o", "out.npy", cwd=directory)
    assert "cannot be opened" in bad(66, directory, "--layer", QUERY, "-o", "out.npy", cwd=directory)
    assert "@" not in bad(66, "in.npy", "--layer", "@missing.json", "-o", "out.npy", cwd=directory)


def test_an_output_that_cannot_be(directory):
    assert "cannot be written" in bad(74, "in.npy", "--layer", QUERY, "-o", "missing/out.npy", cwd=directory)
    (directory / "folder.npy").mkdir()
    bad(74, "in.npy", "--layer", QUERY, "-o", "folder.npy", cwd=directory)
    assert "No space left" in bad(74, "in.npy", "--layer", QUERY, "-o", "/dev/full", cwd=directory)
    assert sorted(os.listdir(directory)) == ["folder.npy", "in.npy", "in.safetensors"]


def test_a_full_disk_leaves_what_was_there(directory):
    """A limit of the size of files stands for it; without SIGXFSZ the write fails as it does on a full disk."""
    import signal

    np.save(directory / "large.npy", np.zeros((1000, 1000), np.float32))
    (directory / "out.npy").write_bytes(b"old")

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    assert "cannot be written" in bad(74, "large.npy", "--layer", "type=layer_norm&axis=1", "-o", "out.npy", cwd=directory, preexec_fn=limit)
    assert (directory / "out.npy").read_bytes() == b"old"
    assert sorted(os.listdir(directory)) == ["in.npy", "in.safetensors", "large.npy", "out.npy"]


def test_a_reader_that_has_left(directory):
    reading, writing = os.pipe()
    os.close(reading)
    command = [binary(), "normalize", "in.npy", "--layer", QUERY]
    result = subprocess.run(command, env=environment(), cwd=directory, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert result.returncode == 74 and b"standard output cannot be written" in result.stderr

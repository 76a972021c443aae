"""The layer repository: names, versions, what stays on disk, what a crash leaves (API.md, section 6)."""

import fcntl
import json
import os
import random
import shutil
import subprocess
import threading
import time

import numpy as np
import pytest
import requests
from safetensors.numpy import load_file, save_file

from problems import problem
from server import Server, binary, run, wait_for

KEY = "an-administrators-key"
BATCH_NORM = {"type": "batch_norm", "running_mean": [0.1, 1], "running_var": [0.7, 4], "weight": [0.3, 3], "eps": 1e-3}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "admin"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return str(path)


def started(key_file, directory=None, *options, **others):
    arguments = ["--admin-key-file", key_file, *options]
    if directory:
        arguments += ["--layers", str(directory)]
    return Server(*arguments, key=KEY, **others)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("layers")


@pytest.fixture(scope="module")
def repository(key_file, directory):
    """One server with a directory; tests use names of their own."""
    with started(key_file, directory) as running:
        yield running
        assert running.is_healthy()


def put(server, name, layer=BATCH_NORM):
    return server.session.put(f"{server.url}/layers/{name}", json=layer, timeout=20)


def delete(server, path):
    return server.session.delete(server.url + path, timeout=20)


def versions(server, name):
    response = server.get(f"/layers/{name}")
    return response.json()["versions"] if response.status_code == 200 else []


def file_of(directory, name, version):
    return directory / name / str(version) / "layer.safetensors"


def test_a_layer_is_a_file_that_others_read(repository, directory):
    layer = BATCH_NORM | {"weight": {"datatype": "FP16", "data": [0.5, 2]}, "epsilon_placement": "std", "datatype": "BF16"}
    response = put(repository, "file", layer)
    assert response.status_code == 201
    assert response.headers["Location"] == "/layers/file/versions/1"
    assert response.json() == {"name": "file", "version": "1", "type": "batch_norm", "datatype": "BF16"}
    path = file_of(directory, "file", 1)
    assert [entry.name for entry in path.parent.iterdir()] == ["layer.safetensors"]
    tensors = load_file(path)
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {
        "running_mean": np.float64, "running_var": np.float64, "weight": np.float16,
    }  # fmt: skip
    assert tensors["running_mean"].tolist() == [0.1, 1] and tensors["weight"].tolist() == [0.5, 2]


def test_everything_is_there_after_a_restart(key_file, tmp_path):
    layers = {
        "bn": BATCH_NORM,
        "ln": {"type": "layer_norm", "normalized_shape": [2], "weight": {"shape": [2], "datatype": "BF16", "data": [1, 3]}},
        "weight": {"type": "weight_norm", "weight_g": [[1], [2]]},
        "style": {"type": "switchable_norm", "running_mean": [1], "running_var": [2], "mean_weight": [1, 2, 3],
                  "var_weight": [3, 2, 1], "data_format": "channels_last", "datatype": "FP64"},
        "tanh": {"type": "dynamic_tanh", "alpha": 0.1},
        "lp": {"type": "lp_norm", "p": "inf", "axis": 0},
        "rms": {"type": "rms_norm", "axis": -1},
        "whole": {"type": "weight_norm", "weight_g": [2.5], "dim": None},
    }  # fmt: skip
    requests = [
        {"layer": name, "input": {"shape": [1, 2], "datatype": datatype, "data": [1.1, 2.7]}}
        for name in ("bn", "ln", "lp", "rms", "tanh") for datatype in ("FP32", "FP64")
    ]  # fmt: skip

    def state(server):
        found = [server.get(f"/layers/{name}?parameters=true").json() for name in layers]
        return found, server.get("/layers").json(), [server.normalize(document)["output"] for document in requests]

    with started(key_file, tmp_path) as server:
        for name, layer in layers.items():
            assert put(server, name, layer).status_code == 201, name
        put(server, "bn")
        delete(server, "/layers/bn/versions/2")
        before = state(server)
    with started(key_file, tmp_path) as server:
        assert state(server) == before
        assert not server.errors()
        for document in requests:
            inline = document | {"layer": layers[document["layer"]]}
            assert server.normalize(document)["output"] == server.normalize(inline)["output"]
        # Number 2 was given before.
        assert put(server, "bn").json()["version"] == "3"
        assert versions(server, "bn") == ["1", "3"]
        assert delete(server, "/layers/bn").status_code == 204
        assert not list((tmp_path / "bn").rglob("*.safetensors"))
        problem(server.get("/layers/bn"), 404, ["unknown_layer"])
    with started(key_file, tmp_path) as server:
        problem(server.get("/layers/bn"), 404, ["unknown_layer"])
        # Whoever asks for version 1 must not get another layer.
        assert put(server, "bn").json()["version"] == "4"


def test_what_cannot_be_removed_stays(key_file, tmp_path):
    with started(key_file, tmp_path) as server:
        put(server, "x")
        file = file_of(tmp_path, "x", 1)
        file.unlink()
        file.mkdir()
        problem(delete(server, "/layers/x"), 500, ["storage_failed"])
        problem(delete(server, "/layers/x/versions/1"), 500, ["storage_failed"])
        assert versions(server, "x") == ["1"]
        # What is gone already is as good as removed.
        shutil.rmtree(tmp_path / "x")
        assert delete(server, "/layers/x").status_code == 204
        assert versions(server, "x") == []


def test_load_tells_of_a_newer_version_that_is_no_good(key_file, tmp_path):
    with started(key_file, tmp_path) as server:
        put(server, "x")
        put(server, "x")
        file_of(tmp_path, "x", 1).write_bytes(b"damaged")
        (tmp_path / "x" / "README").write_text("nothing that is in use")

        def load():
            return server.session.post(f"{server.url}/v2/repository/models/x/load", timeout=20)

        assert load().status_code == 200
        file_of(tmp_path, "x", 7).parent.mkdir()
        file_of(tmp_path, "x", 7).write_bytes(b"damaged")
        assert "version 7" in problem(load(), 500, ["storage_failed"])["detail"]
        assert versions(server, "x") == ["1", "2"]


def test_there_is_a_last_version(key_file, tmp_path):
    (tmp_path / "x" / "999999999999999").mkdir(parents=True)
    with started(key_file, tmp_path) as server:
        problem(put(server, "x"), 500, ["storage_failed"])
        assert versions(server, "x") == []
    assert [entry.name for entry in (tmp_path / "x").iterdir()] == ["999999999999999"]


def test_another_process_holds_the_directory(key_file, tmp_path):
    """A writer waits for it, but not for ever, and nobody else waits at all."""
    with started(key_file, tmp_path) as server:
        put(server, "x")
        descriptor = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            response = put(server, "x")
            assert "another process" in problem(response, 503, ["storage_busy"])["detail"]
            assert response.headers["Retry-After"] == "1"
            assert server.normalize({"layer": "x", "input": [[1, 2]]})["layer"]["version"] == "1"
        finally:
            os.close(descriptor)
        assert put(server, "x").json()["version"] == "2"


def test_without_a_directory_layers_live_in_memory(key_file):
    with started(key_file) as server:
        assert put(server, "x").status_code == 201
        assert server.normalize({"layer": "x", "input": [[1, 2]]})["layer"]["version"] == "1"
    with started(key_file) as server:
        problem(server.get("/layers/x"), 404, ["unknown_layer"])


def test_without_a_key_the_repository_is_read_only(key_file, tmp_path):
    with started(key_file, tmp_path) as server:
        put(server, "x")
    with Server("--layers", str(tmp_path)) as server:
        assert versions(server, "x") == ["1"]
        for response in (put(server, "x"), delete(server, "/layers/x"), delete(server, "/layers/x/versions/1")):
            assert "--admin-key-file" in problem(response, 403, ["forbidden"])["detail"]
        assert server.normalize({"layer": "x", "input": [[1, 2]]})["layer"]["name"] == "x"


def test_a_template_is_no_layer(repository):
    """What stands in braces in a route is a name like any other when it comes from outside."""
    for path in ("/layers/%7Bname%7D", "/layers/%7bname%7d/versions/%7bversion%7d", "/layers/{name}"):
        problem(repository.get(path), 404, ["unknown_layer"])
        problem(delete(repository, path), 404, ["unknown_layer"])


def test_who_may_write(repository):
    for authorization, status in ((None, 401), ("Bearer nobody", 401)):
        response = repository.session.put(
            repository.url + "/layers/x", json=BATCH_NORM, headers={"Authorization": authorization}, timeout=10
        )
        problem(response, status)


def test_concurrent_writers_get_distinct_versions(repository, directory):
    numbers = []

    def write():
        headers = {"Authorization": f"Bearer {KEY}"}
        with requests.Session() as session:
            for _ in range(5):
                response = session.put(repository.url + "/layers/many", json=BATCH_NORM, headers=headers, timeout=60)
                numbers.append(response.json()["version"])

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers, key=int) == [str(number) for number in range(1, 41)] == versions(repository, "many")
    assert all(file_of(directory, "many", number).exists() for number in numbers)


def test_two_servers_share_a_directory(key_file, tmp_path):
    with started(key_file, tmp_path) as one, started(key_file, tmp_path) as other:
        assert [put(server, "x").json()["version"] for server in (one, other, one)] == ["1", "2", "3"]
        assert versions(one, "x") == ["1", "3"] and versions(other, "x") == ["2"]
        one.reload()
        wait_for(lambda: versions(one, "x") == ["1", "2", "3"])
        delete(other, "/layers/x")
        one.reload()
        wait_for(lambda: not versions(one, "x"))


def test_reload(key_file, tmp_path):
    with started(key_file, tmp_path) as server:
        for _ in range(3):
            put(server, "x")
        put(server, "y")
        # Another has put a version there, removed one, and written over two.
        shutil.copytree(tmp_path / "x" / "1", tmp_path / "x" / "7")
        shutil.copytree(tmp_path / "x", tmp_path / "z")
        shutil.rmtree(tmp_path / "x" / "2")
        file_of(tmp_path, "x", 3).write_bytes(b"damaged")
        server.reload()
        wait_for(lambda: versions(server, "z"))
        # What was good before stays as it was.
        assert versions(server, "x") == ["1", "3", "7"]
        assert [line for line in server.errors() if "layer=x" in line and "version=3" in line]
        assert put(server, "x").json()["version"] == "8"
        shutil.rmtree(tmp_path / "y")
        tmp_path.rename(tmp_path.with_name("gone"))
        tmp_path.mkdir()
        server.reload()
        wait_for(lambda: server.log().count("layers reloaded") == 2)
        # The directory is that which was opened, wherever it has gone.
        assert versions(server, "x") == ["1", "3", "7", "8"] and not versions(server, "y")


def safetensors(header, data=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


MEAN = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
DAMAGED = {
    "empty": b"",
    "short": b"\x08",
    "text": b"this is no tensor at all",
    "huge-header": (1 << 62).to_bytes(8, "little") + b"{}",
    "header-beyond-end": (100).to_bytes(8, "little") + b"{}",
    "no-type": safetensors({"mean": MEAN}, bytes(8)),
    "no-such-type": safetensors({"__metadata__": {"type": "norm"}}),
    "missing": safetensors({"__metadata__": {"type": "batch_norm"}}),
    "unknown-tensor": safetensors({"__metadata__": {"type": "lp_norm"}, "mean": MEAN}, bytes(8)),
    "unknown-parameter": safetensors({"__metadata__": {"type": "lp_norm", "q": "1"}}),
    "bad-parameter": safetensors({"__metadata__": {"type": "lp_norm", "axis": "1.5"}}),
    "impossible-parameter": safetensors({"__metadata__": {"type": "lp_norm", "eps": "-1"}}),
    "two-values": safetensors({"__metadata__": {"type": "lp_norm", "axis": "1 2"}}),
    "tensor-in-metadata": safetensors({"__metadata__": {"type": "instance_norm", "weight": "[1]"}}),
    "bad-datatype": safetensors({"__metadata__": {"type": "lp_norm", "datatype": "INT8"}}),
    "bad-untyped": safetensors({"__metadata__": {"type": "lp_norm", "untyped": "weight"}}),
    "typed-untyped": safetensors(
        {"__metadata__": {"type": "instance_norm", "untyped": '["weight"]'}, "weight": MEAN | {"dtype": "F32", "shape": [2]}},
        bytes(8),
    ),
    "cut": safetensors({"__metadata__": {"type": "instance_norm"}, "weight": MEAN}, bytes(7)),
    "float8": safetensors(
        {"__metadata__": {"type": "instance_norm"}, "weight": MEAN | {"dtype": "F8_E5M2", "shape": [8]}}, bytes(8)
    ),
    "not-boolean": safetensors(
        {"__metadata__": {"type": "instance_norm"}, "weight": MEAN | {"dtype": "BOOL", "shape": [8]}}, b"\2" * 8
    ),
}


def test_damaged_and_odd_files(key_file, tmp_path):
    """Each is named in the log, stops nothing else, and is never written over."""
    with started(key_file, tmp_path) as server:
        put(server, "good")
        put(server, "half")
    good = file_of(tmp_path, "good", 1).read_bytes()
    for name, content in DAMAGED.items():
        path = file_of(tmp_path, name, 3)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    directories = {"linked-version": "1", "linked-file": "1", "pipe": "1", "folder": "1"}
    for name in directories:
        (tmp_path / name).mkdir()
    (tmp_path / "linked-version" / "1").symlink_to(tmp_path / "good" / "1")
    for name in ("linked-file", "pipe", "folder"):
        (tmp_path / name / "1").mkdir()
    file_of(tmp_path, "linked-file", 1).symlink_to(file_of(tmp_path, "good", 1))
    os.mkfifo(file_of(tmp_path, "pipe", 1))
    file_of(tmp_path, "folder", 1).mkdir()
    (tmp_path / "linked-name").symlink_to(tmp_path / "good")
    (tmp_path / "plain-file").write_text("")
    (tmp_path / "no name\n").mkdir()
    (tmp_path / "half" / "02").mkdir()
    (tmp_path / "half" / "latest").symlink_to("1")
    for hidden in (tmp_path / ".snapshot", tmp_path / "half" / ".x"):
        hidden.mkdir()
    # What a crash leaves: a directory without a file, or with a part of one.
    (tmp_path / "half" / "4").mkdir()
    (tmp_path / "half" / "5").mkdir()
    (tmp_path / "half" / "5" / ".layer.safetensors.part").write_bytes(good[:20])
    with started(key_file, tmp_path) as server:
        assert [layer["name"] for layer in server.get("/layers").json()["layers"]] == ["good", "half"]
        log = server.log()
        for name in [*DAMAGED, *directories, "linked-name", "plain-file", "no name?", "half"]:
            assert f"layer={name}" in log, (name, log)
        for version in ("02", "latest"):
            assert f"version={version}" in log
        assert "snapshot" not in log and str(tmp_path) not in "".join(server.errors())
        for name, number in {"half": 6, "cut": 4, "linked-file": 2, "folder": 2, "pipe": 2}.items():
            response = put(server, name)
            assert response.status_code == 201, response.text
            assert response.json()["version"] == str(number), name
        for name in ("linked-name", "plain-file"):
            assert str(tmp_path) not in problem(put(server, name), 500, ["storage_failed"])["detail"]
        assert not (tmp_path / "half" / "4").exists() and not list(tmp_path.rglob("*.part"))
    assert file_of(tmp_path, "good", 1).read_bytes() == good
    for name, content in DAMAGED.items():
        assert file_of(tmp_path, name, 3).read_bytes() == content


def test_what_others_write_is_read(key_file, tmp_path):
    """A file of the safetensors package makes the layer that the same parameters make in a request."""
    tensors = {"running_mean": np.float32([0.1, 1]), "running_var": np.float16([0.5, 4]), "weight": np.float64([0.3, 3])}
    path = file_of(tmp_path, "x", 1)
    path.parent.mkdir(parents=True)
    save_file(tensors, path, {"type": "batch_norm", "eps": "1e-3", "epsilon_placement": '"std"', "datatype": "FP16"})
    names = {np.dtype(np.float32): "FP32", np.dtype(np.float16): "FP16", np.dtype(np.float64): "FP64"}
    parameters = {
        name: {"datatype": names[tensor.dtype], "data": tensor.astype(np.float64).tolist()} for name, tensor in tensors.items()
    }
    with Server("--layers", str(tmp_path)) as server:
        assert server.get("/layers").json()["layers"] == [
            {"name": "x", "versions": ["1"], "type": "batch_norm", "datatype": "FP16"}
        ]
        inline = {"type": "batch_norm", "eps": 1e-3, "epsilon_placement": "std"} | parameters
        for layer in (inline, "x"):
            output = server.normalize({"layer": layer, "input": [[1.1, 2.7]]})["output"]
            if layer is inline:
                expected = output
        assert output == expected


@pytest.mark.parametrize("value", ["", "/nonexistent/directory", "/dev/null"])
def test_a_directory_that_cannot_be_opened(value):
    ended = run("serve", "--port", "0", "--layers", value)
    assert ended.returncode != 0 and "--layers" in ended.stderr and len(ended.stderr.splitlines()) == 1


LARGE = {"type": "instance_norm", "weight": [1.5] * 40_000}


def check_full(server, directory):
    """A layer that does not fit is a 507, and all others stay what they are."""
    assert put(server, "small").json()["version"] == "1"
    before = server.get("/layers").json()
    for name in ("small", "new"):
        problem(put(server, name, LARGE), 507, ["storage_full"])
        assert server.get("/layers").json() == before
    assert sorted(path.name for path in directory.rglob("*") if path.name != "lost+found") == ["1", "layer.safetensors", "small"]
    assert server.normalize({"layer": "small", "input": [[1, 2]]})["layer"]["version"] == "1"
    # No number was taken, and what fits is stored.
    assert put(server, "small").json()["version"] == "2"
    assert delete(server, "/layers/small").status_code == 204


def test_a_file_that_may_not_grow(key_file, tmp_path, monkeypatch):
    """RLIMIT_FSIZE, as `ulimit -f` sets it, in units of 512 bytes."""
    limited = tmp_path / "normserve"
    limited.write_text(f'#!/bin/sh\nulimit -f 128\nexec "{binary()}" "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setenv("NORMSERVE_BINARY", str(limited))
    layers = tmp_path / "layers"
    layers.mkdir()
    with started(key_file, layers) as server:
        check_full(server, layers)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
def test_a_full_file_system(key_file, tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with started(key_file, tmp_path) as server:
            check_full(server, tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_two_hundred_ends_amid_writing(key_file, tmp_path):
    """kill -9 at a random moment, two hundred times: each version is there whole, or not at all, and none that a client
    was told of is lost."""
    generator = random.Random(200)
    layer = BATCH_NORM | {"weight": [0.3] * 2, "bias": {"datatype": "FP32", "data": [1.0] * 2}}
    acknowledged = set()
    name = "storm"

    def storm(url, stop):
        with requests.Session() as session:
            session.trust_env = False
            while not stop.is_set():
                try:
                    response = session.put(
                        f"{url}/layers/{name}", json=layer, headers={"Authorization": f"Bearer {KEY}"}, timeout=5
                    )
                except requests.RequestException:
                    return
                assert response.status_code == 201, response.text
                acknowledged.add(int(response.json()["version"]))

    for round_number in range(200):
        server = started(key_file, tmp_path)
        try:
            # Start-up has read all that is there, whole.
            assert not server.errors(), (round_number, server.log())
            found = {int(version) for version in versions(server, name)}
            assert acknowledged <= found, (round_number, acknowledged - found)
            stop = threading.Event()
            threads = [threading.Thread(target=storm, args=(server.url, stop)) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(generator.uniform(0, 0.03))
        finally:
            server.process.kill()
            server.process.wait()
            stop.set()
            for thread in threads:
                thread.join()
            server.session.close()
        if len(acknowledged) > 40:
            # Few are enough, and quicker to read.
            for number in sorted(acknowledged)[:-5]:
                shutil.rmtree(tmp_path / name / str(number))
                acknowledged.discard(number)
    assert acknowledged
    with started(key_file, tmp_path) as server:
        parameters = {json.dumps(server.get(f"/layers/{name}/versions/{version}?parameters=true").json()["parameters"])
                      for version in versions(server, name)}  # fmt: skip
        assert len(parameters) == 1
        assert not list(tmp_path.rglob("*.part"))

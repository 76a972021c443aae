"""A framework that computes layers, in a process of its own so that its threads get into nobody's way.

usage: python kernel_peers.py {PyTorch,ONNX Runtime,OpenVINO} THREADS < requests > answers

One request a line and one answer a line, both JSON. {"prepare": Data.for_peer()} says whether the framework has the
layer; {"write": PATH} computes it once; {"measure": SECONDS} answers with the shortest call in nanoseconds.
"""

import gc
import itertools
import json
import os
import sys
import time

import numpy as np

from kernel_cases import DATATYPES, Case

# onnx.TensorProto.FLOAT16, BFLOAT16, FLOAT, DOUBLE
ONNX_TYPES = {"FP16": 10, "BF16": 16, "FP32": 1, "FP64": 11}


class Unsupported(Exception):
    """The framework does not have the layer for such an input."""


def load(case, files):
    arrays = {name: np.fromfile(path, DATATYPES[case.datatype]) for name, path in files.items()}
    arrays["x"] = arrays["x"].reshape(case.stored_shape)
    return arrays


class PyTorch:
    def __init__(self, threads):
        import torch

        self.torch = torch
        self.version = torch.__version__.split("+")[0]
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        torch.inference_mode().__enter__()

    def _tensor(self, array):
        if array.dtype == DATATYPES["BF16"]:
            return self.torch.from_numpy(array.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(array)

    def prepare(self, case, files):
        functional = self.torch.nn.functional
        tensors = {name: self._tensor(array) for name, array in load(case, files).items()}
        x, weight, bias = tensors["x"], tensors["weight"], tensors.get("bias")
        if case.layout == "channels_last":
            x = x.permute(0, 3, 1, 2)
        match case.type:
            case "batch_norm":
                arguments = (x, tensors["running_mean"], tensors["running_var"], weight, bias, False, 0.0, case.eps)
                function = functional.batch_norm
            case "layer_norm":
                function, arguments = functional.layer_norm, (x, (case.shape[-1],), weight, bias, case.eps)
            case "instance_norm":
                function, arguments = functional.instance_norm, (x, None, None, weight, bias, True, 0.0, case.eps)
            case "group_norm":
                function, arguments = functional.group_norm, (x, case.groups, weight, bias, case.eps)
            case "rms_norm":
                function, arguments = functional.rms_norm, (x, (case.shape[-1],), weight, case.eps)

        def output():
            y = function(*arguments)
            if case.layout == "channels_last":
                y = y.permute(0, 2, 3, 1)
            y = y.contiguous()
            return y.view(self.torch.int16).numpy() if y.dtype == self.torch.bfloat16 else y.numpy()

        return lambda: function(*arguments), output


def onnx_model(case, arrays):
    """The layer as a graph of one node; the parameters are constants, as in a model that has been exported."""
    from onnx import helper

    kind = ONNX_TYPES[case.datatype]
    operator, names, attributes = {
        "batch_norm": ("BatchNormalization", ["weight", "bias", "running_mean", "running_var"], {}),
        "layer_norm": ("LayerNormalization", ["weight", "bias"], {"axis": -1}),
        "instance_norm": ("InstanceNormalization", ["weight", "bias"], {}),
        "group_norm": ("GroupNormalization", ["weight", "bias"], {"num_groups": case.groups}),
        "rms_norm": ("RMSNormalization", ["weight"], {"axis": -1}),
    }[case.type]
    constants = [
        helper.make_tensor(name, kind, arrays[name].shape, arrays[name].tobytes(), raw=True) for name in names
    ]
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", *names], ["y"], epsilon=case.eps, **attributes)],
        case.type,
        [helper.make_tensor_value_info("x", kind, case.shape)],
        [helper.make_tensor_value_info("y", kind, case.shape)],
        constants,
    )
    opset = 23 if case.type == "rms_norm" else 21
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return model.SerializeToString()


class ONNXRuntime:
    def __init__(self, threads):
        import onnxruntime

        self.library = onnxruntime
        self.version = onnxruntime.__version__
        onnxruntime.set_default_logger_severity(4)
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.log_severity_level = 4

    def prepare(self, case, files):
        if case.layout == "channels_last":
            raise Unsupported("ONNX has its channels on axis 1")
        arrays = load(case, files)
        providers = ["CPUExecutionProvider"]
        session = self.library.InferenceSession(onnx_model(case, arrays), self.options, providers=providers)
        x, y = arrays["x"], np.zeros_like(arrays["x"])
        binding = session.io_binding()
        kind = ONNX_TYPES[case.datatype]
        binding.bind_input("x", "cpu", 0, kind, case.shape, x.ctypes.data)
        binding.bind_output("y", "cpu", 0, kind, case.shape, y.ctypes.data)

        def output():
            session.run_with_iobinding(binding)
            return y

        # The closure keeps x alive.
        return lambda x=x: session.run_with_iobinding(binding), output


class OpenVINO:
    def __init__(self, threads):
        import openvino

        self.library = openvino
        self.version = openvino.__version__.split("-")[0]
        self.core = openvino.Core()
        self.threads = threads

    def prepare(self, case, files):
        if case.layout == "channels_last":
            raise Unsupported("ONNX has its channels on axis 1")
        arrays = load(case, files)
        model = self.core.read_model(onnx_model(case, arrays))
        options = {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if case.datatype == "BF16" else "f32",
        }
        request = self.core.compile_model(model, "CPU", options).create_infer_request()
        types = self.library.Type
        element_type = {"FP16": types.f16, "BF16": types.bf16, "FP32": types.f32, "FP64": types.f64}[case.datatype]
        x, y = (self.library.Tensor(element_type, list(case.shape)) for _ in range(2))
        x.data.reshape(-1).view(np.uint8)[:] = arrays["x"].reshape(-1).view(np.uint8)
        request.set_input_tensor(x)
        request.set_output_tensor(y)

        def call():
            request.infer(None, share_inputs=True, share_outputs=True)

        def output():
            call()
            return y.data

        return call, output


PEERS = {"PyTorch": PyTorch, "ONNX Runtime": ONNXRuntime, "OpenVINO": OpenVINO}


def shortest_call(call, seconds):
    """As Stopwatch.swift measures, except that nothing has to be restored."""

    def time_of(calls):
        start = time.perf_counter_ns()
        for _ in itertools.repeat(None, calls):
            call()
        return time.perf_counter_ns() - start

    time_of(1)
    calls = min(32, max(1, 100_000 // max(min(time_of(1) for _ in range(3)), 1)))
    end = time.perf_counter_ns() + seconds * 1e9
    shortest = time_of(calls)
    while time.perf_counter_ns() < end:
        shortest = min(shortest, time_of(calls))
    return shortest / calls


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # What a library prints must not get among the answers.
    gc.disable()
    peer = PEERS[sys.argv[1]](int(sys.argv[2]))
    call = output = None
    print(json.dumps({"version": peer.version}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if "prepare" in request:
            call = output = None
            gc.collect()
            description = request["prepare"]
            case = Case(**description["case"] | {"shape": tuple(description["case"]["shape"])})
            try:
                call, output = peer.prepare(case, description["files"])
                call()
            except Exception as error:  # Whatever its kind: the framework cannot do it.
                answer["unsupported"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        if "write" in request:
            np.ascontiguousarray(output()).tofile(request["write"])
        if "measure" in request:
            answer["nanoseconds"] = shortest_call(call, request["measure"])
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()

"""Tensors as bytes: the datatypes of the Open Inference Protocol and the binary framing."""

import json

import numpy as np

NUMPY = {
    "FP32": np.float32, "FP64": np.float64, "FP16": np.float16,
    "UINT8": np.uint8, "INT8": np.int8, "UINT16": np.uint16, "INT16": np.int16,
    "UINT32": np.uint32, "INT32": np.int32, "UINT64": np.uint64, "INT64": np.int64, "BOOL": np.bool_,
}  # fmt: skip
FLOATING = ["FP32", "FP64", "FP16", "BF16"]
INTEGER = ["UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64", "BOOL"]

# Half the spacing of the numbers in [1, 2), and of the subnormal ones.
UNIT_ROUNDOFF = {"FP64": 2.0**-53, "FP32": 2.0**-24, "FP16": 2.0**-11, "BF16": 2.0**-8}
SUBNORMAL_ROUNDOFF = {"FP64": 0.0, "FP32": 2.0**-150, "FP16": 2.0**-25, "BF16": 2.0**-134}


def encode(values, datatype):
    """Little-endian bytes of `values`, rounded to nearest, ties to even."""
    if datatype != "BF16":
        return np.ascontiguousarray(values, NUMPY[datatype]).tobytes()
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype(np.uint16).tobytes()


def decode(content, datatype, shape):
    """FP64 values (exact, but for 64-bit integers) of little-endian bytes."""
    if datatype == "BF16":
        bits = np.frombuffer(content, np.uint16).astype(np.uint32) << 16
        return bits.view(np.float32).astype(np.float64).reshape(shape)
    return np.frombuffer(content, NUMPY[datatype]).astype(np.float64).reshape(shape)


def rounded(values, datatype):
    """`values` as the datatype holds them, in FP64."""
    return decode(encode(values, datatype), datatype, np.shape(values))


def tensor(values, datatype="FP32"):
    """A tensor object whose bytes follow the header, and those bytes."""
    content = encode(values, datatype)
    described = {
        "shape": list(np.shape(values)), "datatype": datatype, "parameters": {"binary_data_size": len(content)},
    }  # fmt: skip
    return described, content


def frame(document, *blobs):
    """The content and the fields of a request in the binary framing."""
    header = json.dumps(document).encode()
    fields = {
        "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header)),
    }  # fmt: skip
    return b"".join([header, *blobs]), fields


def unframe(response):
    """The JSON header and the output's FP64 values of a binary response."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/octet-stream"
    length = int(response.headers["Inference-Header-Content-Length"])
    header = json.loads(response.content[:length])
    output, content = header["output"], response.content[length:]
    assert output["parameters"]["binary_data_size"] == len(content)
    assert "data" not in output
    return header, decode(content, output["datatype"], output["shape"])


def normalize(server, layer, values, datatype="FP32", output=None, **members):
    """The output of a layer, all of whose parameters go as JSON, for an input that goes as bytes."""
    described, content = tensor(values, datatype)
    document = {"layer": layer, "input": described, **members}
    if output:
        document["output"] = {"datatype": output}
    body, fields = frame(document, content)
    return unframe(server.post(body, headers=fields))

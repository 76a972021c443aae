#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets and their dictionaries, from the inputs of the end-to-end tests.

    make_corpora.py             rewrites Corpora/ and Dictionaries/ beside this script

Runs in the environment of the tests (`scripts/setup-python`, then `.venv/bin/python Fuzzing/make_corpora.py`), with
OpenSSL on the path. Handshakes and keys differ from one run to the next; run it when something new is to be fuzzed.
"""
import gzip
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "Tests" / "EndToEnd"))

import http_cases
import numpy as np
from layer_parameters import PARAMETERS
from layers import LAYER_TYPES, generator, layer_of, shapes_of
from tensors import FLOATING

CASE_LIMIT = 400  # Bytes of a case of HTTP; what is longer is about limits that the targets set lower.


def seed(target, name, content):
    directory = HERE / "Corpora" / target
    directory.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    (directory / name).write_bytes(content.encode() if isinstance(content, str) else content)


def http():
    """A case of each group; chunked content without its head goes to a target of its own."""
    for group, cases in http_cases.GROUPS.items():
        short = [case for case in cases if len(case.content) <= CASE_LIMIT]
        if short:
            seed("request-head", group, short[0].content)
        chunked = [case for case in short if case.content.startswith(http_cases.chunked(b""))]
        if chunked:
            seed("chunked-body", group, chunked[-1].content.removeprefix(http_cases.chunked(b"")))
    for number, lines in enumerate(HEADER_VALUES):
        seed("header-values", f"values {number}", "\n".join(lines))


# Content-Type, Accept, Content-Encoding, the length of the JSON, Authorization, target
HEADER_VALUES = [
    ["application/json", "*/*", "identity", "", "Bearer k3y.=", "/normalize"],
    ["Application/JSON ; charset=utf-8", "application/*;q=0.5, application/octet-stream;q=0.001"],
    ["application/octet-stream", "text/html, application/json;q=0", "", "25"],
    ["", "", "gzip, deflate", "", "bearer  wrong", "/normalize?type=x"],
    ["text/plain", "application/json;q=1.000;charset=utf-8, */*;q=0.", "", "99999999999999999999", "Basic a:b", "/%6eormalize"],
    ["", "", "", "", "", "/health/live"],
]  # fmt: skip

KEYS = {
    "plain": "abc\n", "comments": "# of the staff\nQUJD==\r\n\r\n  \n#x\nA-Z.~_+/09=", "blank": "a b\n", "padding": "==\n",
}  # fmt: skip


def blob(layer, x):
    """The layer and the input with their tensors behind the JSON."""
    bytes_ = b""
    parts = {}
    for name, value in [*layer.items(), ("input", x.tolist())]:
        if isinstance(value, list) and PARAMETERS[layer["type"]].get(name, (None,))[0] not in ("integers",):
            array = np.array(value, "<f4")
            value = {"shape": array.shape, "datatype": "FP32", "parameters": {"binary_data_size": array.nbytes}}
            bytes_ += array.tobytes()
        parts[name] = value
    return {"layer": {name: parts[name] for name in layer}, "input": parts["input"]}, bytes_


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


def services():
    """A request for each layer type, as small as it can be."""
    for index, kind in enumerate(LAYER_TYPES):
        random = generator("fuzz", kind)
        shape = shapes_of(kind)[-1][:1] + tuple(min(size, 4) for size in shapes_of(kind)[-1][1:3])
        layer = {
            name: np.round(value, 1).tolist() if isinstance(value, list) and name != "normalized_shape" else value
            for name, value in layer_of(kind, shape, random).items()
        }
        x = np.round(random.standard_normal(shape), 1)
        document = {"layer": layer, "input": x.tolist()}
        if index % 2:
            datatype = FLOATING[index // 2 % len(FLOATING)]
            document["input"] = {"shape": shape, "datatype": datatype, "data": x.ravel().tolist()}
            document |= {"id": "7", "output": {"datatype": FLOATING[index // 8 % len(FLOATING)], "representation": "nested"}}
        seed("service-json", kind, compact(document))
        document, tensors = blob(layer, x)
        seed("service-binary", kind, compact(document) + b"\0" + tensors)
        seed("layers", kind, bytes([index]))


def inferences():
    """Requests of the Open Inference Protocol: JSON, then a byte 0, then the bytes of the tensor."""
    for index, datatype in enumerate(FLOATING):
        described = {"name": "input", "shape": [2, 2], "datatype": datatype}
        output = [{"name": "output", "parameters": {"binary_data": index % 2 == 0}}]
        seed("infer", f"json {datatype}", compact({"id": "7", "inputs": [described | {"data": [1, 2.5, -3, 4]}], "outputs": output}))
        size = {"parameters": {"binary_data_size": 4 * {"FP32": 4, "FP64": 8}.get(datatype, 2)}}
        document = {"inputs": [described | size], "parameters": {"binary_data_output": index % 2 == 1}}
        seed("infer", f"binary {datatype}", compact(document) + b"\0" + bytes(range(1, 9)))
    channels = {"name": "input", "shape": [1, 3, 2], "datatype": "FP64", "data": [[[1, "NaN"], [2, 3], [4, 5]]]}
    unknown = {"model_name": "bn", "more": {"a": [None]}, "parameters": {"own": 1}, "outputs": [{"name": "output", "parameters": {"classification": 1}}]}
    seed("infer", "channels", compact({"inputs": [channels]}))
    seed("infer", "unknown members", compact({"inputs": [channels | {"parameters": {"shared_memory_region": "r"}}]} | unknown))
    seed("infer", "raw", b"\0" + bytes(24))


REQUESTS = {
    "all members": '{"id":"7","layer":{"type":"lp_norm","p":"inf"},"input":{"shape":[1],"data":[1]},"output":{"datatype":"FP16","representation":"flat"}}',
    "type last": '{"input":[[1,2]],"layer":{"axes":[0,-1],"eps":1e-5,"type":"mean_variance_norm"}}',
    "registered": '{"layer":{"name":"bn1","version":"2"},"input":[1]}',
    "name": '{"layer":"bn\\u00311","input":[1]}',
    "null": '{"layer":{"type":"weight_norm","weight_g":[1],"dim":null},"input":[1]}',
    "escapes": '{"layer":{"type":"x\\ud83d\\ude00\\n"},"input":"\\/\\\\"}',
}  # fmt: skip

TENSORS = {
    "flat": '{"shape":[2,3],"datatype":"FP16","data":[1,-2.5,3e-2,4E+1,0.1,65504]}',
    "nested": "[[1, 2.25], [-0.0, 1e-40]]",
    "special": '[NaN,"Infinity",-Infinity,"NaN",1e400]',
    "integers": '{"datatype":"UINT64","data":[0,18446744073709551615,1e3,2.0]}',
    "signed": '{"datatype":"INT8","shape":[3],"data":[-128,127,-0]}',
    "booleans": '{"datatype":"BOOL","data":[[true],[false]]}',
    "bf16": '{"datatype":"BF16","data":[3.3895314e38,1e-45,0.30000001192092896]}',
    "empty": '{"shape":[2,0,3],"data":[[],[]]}',
    "long numbers": "[123456789012345678901234567890.5, 0.000000000000000000000000000001]",
}  # fmt: skip

DECIMALS = [
    "0", "-0.0e5", "0.1e-400", "1e99999999999999999999", "4.9e-324", "2.2250738585072011e-308", "1.7976931348623159e308",
    "3.4028235677973366e38", "7.0064923216240854e-46", "9007199254740993", "16777217.0000001", "65519.999999", "2.98e-8",
    "18446744073709551617", "0.000000000000000000000000000000000000000000000012345678901234567890123", '"-Infinity"',
    "1090544144181609348835077142190", "2.00000000000000011102230246251565", "1.000000059604644775390625", "8.5e22",
]  # fmt: skip


def formats():
    for name, text in TENSORS.items():
        seed("json-tensor", name, text)
    for name, text in REQUESTS.items():
        seed("normalize-request", name, text)
    for number, text in enumerate(DECIMALS):
        seed("decimals", f"decimal {number}", text)
    values = [0.1, 1e22, 5e-324, float("inf"), 2.0**60, 9007199254740993.0, 1e-5]
    for datatype in ("<f2", "<f4", "<f8"):
        with np.errstate(over="ignore"):
            seed("shortest-decimals", datatype, np.array(values).astype(datatype).tobytes())
    framing("all kinds", [("FP16", 2, b"\0\x3c\0\x40"), None, ("BOOL", 3, b"\1\0\1"), ("FP32", 1, b"\0\0\x80\x3f")])
    framing("odd places", [("UINT8", 1, b"\7"), ("FP64", 1, bytes(range(8))), ("INT16", 2, b"abcd")])
    framing("too few", [("FP32", 2, b"1234")])
    framing("none", [("FP32", 0, b""), None])
    for name, text in KEYS.items():
        seed("keys", name, text)


def entries(*tensors):
    """The header of a safetensors file of tensors of name, dtype, shape and size."""
    header, end = {}, 0
    for name, dtype, shape, size in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return header


def npy(descr, shape, fortran=False):
    return f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"


# Header, data; query, elements; query, dictionary and data. A byte 0 comes in between.
SAFETENSORS = {
    "two tensors": ({"__metadata__": {"a": "b", "\u00e9": ""}} | entries(("x", "F32", [2], 8), ("y", "U8", [3], 3)), b"abcdefghijk"),
    "types of others": (entries(("x", "F4", [2, 2], 2), ("y", "C64", [1], 8), ("z", "F8_E4M3", [1], 1)), b"abcdefghijk"),
    "empty": (entries(("x", "F64", [], 8), ("y", "BF16", [0, 4], 0), ("z", "BOOL", [2], 2)), b"abcdefgh\0\1"),
    "hole": ({"x": {"dtype": "I16", "shape": [1], "data_offsets": [2, 4]}}, b"abcd"),
}  # fmt: skip
NPY = {
    "row major": (npy("<f4", "(1, 2)"), b"abcdefgh"), "fortran": (npy(">i2", "(2, 3)", True), b"abcdefghijkl"), "scalar": (npy("|b1", "()"), b"\1"),
    "long": ("{'shape': (2L,), 'fortran_order': False, 'descr': '<V2'}\n", b"abcd"), "fields": (npy("<f8", "(0, 9)").replace("'<f8'", "[('x', '<f8')]"), b""),
}  # fmt: skip
QUERIES = {
    "layer norm": ("shape=2,2&type=layer_norm&normalized_shape=2&eps=1e-5&output_datatype=FP64", "\0\0\x80\x3f" * 4),
    "lists": ("shape=1,3&type=standardize&mean=1,2,3&std=%5B1,1,1%5D&datatype=UINT8", "abc"),
    "words": ("shape=3&datatype=FP16&type=lp_norm&p=inf&axis=-1", "abcdef"), "null": ("shape=2,1&datatype=INT8&type=weight_norm&weight_g=2&dim=null", "ab"),
    "registered": ("layer=bn1&version=2&shape=1&datatype=BOOL", "\1"),
    "npy": ("type=rms_norm&axis=-1&weight=1,2", npy("<f4", "(1, 2)") + "\0abcdefgh"), "npy fortran": ("type=instance_norm", npy("|u1", "(1, 2, 3)", True) + "\0abcdef"),
}  # fmt: skip


def files():
    for name, (header, data) in SAFETENSORS.items():
        seed("safetensors", name, compact(header) + b"\0" + data)
    for name, (text, data) in NPY.items():
        seed("npy", name, text.encode() + b"\0" + data)
    for name, (query, content) in QUERIES.items():
        seed("service-files", name, query.encode() + b"\0" + content.encode("latin1"))
    layer = {"__metadata__": {"type": "layer_norm", "axis": "-1", "eps": "1e-5", "epsilon_placement": "std", "bias": "[1,2]"}}
    seed("service-files", "safetensors", compact(layer | entries(("input", "F32", [1, 2], 8), ("weight", "F16", [2], 4))) + b"\0" + b"abcdefghijkl")
    registered = {"__metadata__": {"layer": "bn1", "version": "2", "output_datatype": "BF16"}}
    seed("service-files", "safetensors registered", compact(registered | entries(("input", "U8", [2], 2))) + b"\0ab")


def checkpoints():
    for name, (header, rules) in CHECKPOINTS.items():
        metadata = {"__metadata__": {"rules": compact({"rules": rules}).decode()}} if rules else {}
        size = max(entry["data_offsets"][1] for entry in header.values())
        seed("checkpoint", name, compact(metadata | header) + b"\0" + bytes(size))


CHECKPOINTS = {
    "batch norm": (entries(*((f"a.{leaf}", "F32", [2], 8) for leaf in ("running_mean", "running_var", "weight", "bias"))), []),
    "bert": (entries(("b.LayerNorm.gamma", "F16", [2], 4), ("b.LayerNorm.beta", "F16", [2], 4)), [{"pattern": "*", "eps": 1e-12}]),
    "llama": (entries(("model.layers.0.input_layernorm.weight", "BF16", [1], 2), ("model.layers.0.post_attention_layernorm.weight", "BF16", [1], 2), ("model.norm.weight", "BF16", [1], 2)), []),
    "convolutions": (entries(("r.conv.weight", "U8", [1, 1, 1], 1), ("r.norm1.weight", "F32", [1], 4), ("r.norm1.bias", "F32", [1], 4)), [{"pattern": "r.norm?", "type": "group_norm", "num_groups": 1}, {"pattern": "x", "skip": True}]),
}  # fmt: skip


def framing(name, tensors):
    """Tensors of data type, number of elements and bytes; `None` is one in JSON."""
    text = compact([
        tensor and {"shape": [tensor[1]], "datatype": tensor[0], "parameters": {"binary_data_size": len(tensor[2])}} or [1, 2]
        for tensor in tensors
    ])  # fmt: skip
    content = b"".join(tensor[2] for tensor in tensors if tensor)
    # The length of the JSON comes last, low byte last of all.
    seed("binary-framing", name, text + content + len(text).to_bytes(2, "big"))


def codings():
    text = compact({"layer": {"type": "layer_norm", "axis": 1}, "input": [[1, 2, 3] * 20]})
    seed("coded-content", "gzip", gzip.compress(text, mtime=0))
    seed("coded-content", "gzip of two members", gzip.compress(text, mtime=0) + gzip.compress(b"", mtime=0))
    seed("coded-content", "stored", gzip.compress(text, 0, mtime=0))
    seed("coded-content", "zlib", zlib.compress(text, 9))
    seed("coded-content", "zeros", zlib.compress(bytes(4096)))
    named = bytearray(gzip.compress(b"text", mtime=0))
    named[3] = 0b11110  # Extra field, name, comment, checksum of the header
    seed("coded-content", "all of a header", bytes(named[:10]) + b"\4\0abcdname\0comment\0\0\0" + bytes(named[10:]))


def hello(configure, **arguments):
    """The first flight of a client."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    configure(context)
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, **arguments).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def set_maximum(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def handshakes():
    plain = hello(lambda context: None, server_hostname="localhost")
    seed("tls-handshake", "tls 1.3", plain)
    seed("tls-handshake", "tls 1.2", hello(set_maximum))
    seed("tls-handshake", "alpn", hello(lambda context: context.set_alpn_protocols(["h2", "http/1.1"])))
    seed("tls-handshake", "other alpn", hello(lambda context: context.set_alpn_protocols(["h2"])))
    # RFC 8446 §5.1: a message may be spread over records.
    halves = [plain[5:100], plain[100:]]
    seed("tls-handshake", "two records", b"".join(plain[:3] + len(half).to_bytes(2, "big") + half for half in halves))
    seed("tls-handshake", "http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    seed("tls-handshake", "alert", plain + b"\x15\x03\x03\0\2\2\x28")
    seed("tls-handshake", "early data", plain + b"\x14\x03\x03\0\1\1\x17\x03\x03\0\4abcd")


def sessions():
    """What the peers do, the last byte first; numbers have their low byte first. The first byte says the version."""
    receive, send, take = bytes([6, 200, 100]), bytes([9, 2, 10, 0, 0, 64, 7, 0]), bytes([10])
    for version in range(2):
        steps = bytes([version, 0, 100, 1, 50]) + receive + send + take + bytes([2, 64, 150]) + 2 * receive + bytes([4, 0, 9])
        for name, end in {"notice": bytes([5, 0]), "cut": bytes([5, 1]), "noise": b"\3\4\x17\3\3\0\2", "close": bytes([11])}.items():
            seed("tls-records", f"{version} {name}", (steps + end + receive + take)[::-1])


def identities():
    """The key that the executable uses, a certificate of it, and others."""
    def openssl(*arguments, input=None):
        return subprocess.run(["openssl", *arguments], input=input, capture_output=True, check=True).stdout

    key = bytes.fromhex("302e020100300506032b657004220420") + bytes(range(32))
    seed("pem", "key", key)
    seed("pem", "certificate", openssl(
        "req", "-x509", "-key", "/dev/stdin", "-keyform", "DER", "-subj", "/CN=localhost", "-outform", "DER", input=key
    ))  # fmt: skip
    other = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-outform", "DER")
    seed("pem", "key of another kind", other)
    pem = openssl("x509", "-inform", "DER", input=(HERE / "Corpora" / "pem" / "certificate").read_bytes())
    seed("pem", "chain", pem + b"a comment\n" + pem)


HTTP_WORDS = [
    "\r\n", "\r\n\r\n", "\r", "\n", " ", "\t", ":", ",", ";", "\0", "GET ", "POST ", "HEAD ", "OPTIONS * ", "CONNECT ", " HTTP/1.1\r\n",
    " HTTP/1.0\r\n", "HTTP/", "http://a/", "%2f", "Host: a\r\n", "Host:", "[::1]:80", "Content-Length: 3\r\n", "Content-Length:",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding:", "chunked", "gzip", "x-gzip", "deflate", "identity", "Content-Encoding: gzip\r\n",
    "Accept-Encoding: gzip\r\n", "Content-Type: application/json\r\n", "application/json", "application/octet-stream", "application/*",
    "*/*", ";q=0.5", ";q=1.000", "charset=utf-8", "Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
    "0\r\n\r\n", "3\r\nabc\r\n", "ffffffffffffffff", "8000000000000000", "18446744073709551619", ";a=b", "\"", "Bearer ", "k3y.=", "/normalize", "?a=b",
]  # fmt: skip

JSON_WORDS = [
    "null", "true", "false", "NaN", "Infinity", "-Infinity", "[]", "{}", "[[", "]]", "},{", "\":", ",\"", "\\u0000", "\\ud800", "\\\"", "1e400", "-0",
    "1e-45", "0.1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "4294967296", "\"layer\":", "\"input\":", "\"output\":",
    "\"id\":", "\"type\":\"", "\"name\":\"", "\"version\":\"", "\"shape\":[", "\"datatype\":\"", "\"data\":[", "\"parameters\":{\"binary_data_size\":",
    "\"representation\":\"nested\"", "\"representation\":\"flat\"", "FP32", "FP64", "FP16", "BF16", "BOOL", "UINT8", "INT8", "UINT16", "INT16", "UINT32",
    "INT32", "UINT64", "INT64", "\0", "\"dtype\":\"", "\"data_offsets\":[", "\"__metadata__\":{", "F16", "U8", "F8_E4M3", "'descr': '<f4'", "'fortran_order': True",
    "'shape': (2,)", "True", "False", "&shape=2,2", "&type=", "&layer=", "&output_datatype=", "%2C", "channels_last", "channels_first", "variance", "std", "inf",
    "\"inputs\":[{\"name\":\"input\"", "\"outputs\":[{\"name\":\"output\"", "\"binary_data\":true", "\"binary_data_output\":true", "\"classification\":1",
    "\"shared_memory_region\":\"r\"",
]  # fmt: skip


def dictionary(name, words):
    def escaped(word):
        return "".join(
            f"\\x{byte:02x}" if byte in b'"\\' or not 32 <= byte < 127 else chr(byte) for byte in word.encode()
        )

    directory = HERE / "Dictionaries"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text("".join(f'"{escaped(word)}"\n' for word in words))


def main():
    for directory in ("Corpora", "Dictionaries"):
        shutil.rmtree(HERE / directory, ignore_errors=True)
    for write in (http, services, inferences, formats, files, checkpoints, codings, handshakes, sessions, identities):
        write()
    parameters = {f'"{name}":' for names in PARAMETERS.values() for name in names}
    dictionary("http", HTTP_WORDS)
    dictionary("json", JSON_WORDS + sorted(LAYER_TYPES) + sorted(parameters))


if __name__ == "__main__":
    main()

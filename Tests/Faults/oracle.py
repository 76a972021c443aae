"""Requests whose answers are known: held against the FP64 reference once, and byte for byte ever after."""

import gzip
import itertools
import json
import pathlib
import re
import sys
import time
import zlib

import numpy as np

from connection import Violation

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))
from layers import assert_close, expected_of, generator, layer_of  # noqa: E402
from tensors import FLOATING, decode, encode, rounded  # noqa: E402

TIMING = re.compile(
    rb',"timing":\{"receive_us":N,"queue_us":N,"decode_us":N,"compute_us":N,"encode_us":N,"total_us":N\}\}'
    .replace(b"N", rb"\d+\.\d")
)  # fmt: skip
# What differs from answer to answer by right; the lengths are those of the timing's digits, and checked by use.
VARIABLE = re.compile(
    rb"^((?:Date|Server-Timing|Content-Length|Inference-Header-Content-Length): )[^\r]+|^Connection: close\r\n", re.M
)
IDENTIFIER_LENGTH = 16
CODINGS = ["gzip", "deflate"]


def masked(head):
    return VARIABLE.sub(lambda match: (match[1] or b"") and match[1] + b"*", head)


def difference(actual, expected):
    """Where two byte strings part, in words."""
    if len(actual) != len(expected):
        words = f"{len(actual)} bytes instead of {len(expected)}; "
    else:
        words = ""
    at = next((i for i, (a, b) in enumerate(zip(actual, expected)) if a != b), min(len(actual), len(expected)))
    around = slice(max(0, at - 20), at + 40)
    return f"{words}from byte {at} on {bytes(actual[around])!r} instead of {bytes(expected[around])!r}"


class Case:
    """A request, and once `learn` was called, its answer."""

    is_large = False

    def __init__(self, name, method, target, fields=(), content=None, weight=1, status=200):
        self.name, self.method, self.target, self.fields, self.weight = name, method, target, list(fields), weight
        self.status, self.content, self.answers = status, content, {}
        self.size = len(content or b"")

    def pieces(self, identifier):
        """The content, without its framing."""
        return [] if self.content is None else [self.content]

    def coded(self, identifier, coding):
        """The content in a content coding."""
        content = b"".join(self.pieces(identifier))
        return [gzip.compress(content, 1) if coding == "gzip" else zlib.compress(content, 1)]

    def learn(self, coding, identifier, response):
        """Takes an answer that is known to be good as the measure of all that follow."""
        if response.status != self.status:
            raise Violation(f"{self.name}: {response.status} {response.content[:200]!r}")
        self.answers[coding] = masked(response.head), self.fixed(identifier, response)

    def check(self, coding, identifier, response):
        """Raises if the answer is not the one that was learnt."""
        # Where there is no room for coding it, an answer goes as it is.
        head, content = self.answers[coding if response[b"content-encoding"] else None]
        if (actual := masked(response.head)) != head:
            raise Violation(f"{self.name}: the head differs: {difference(actual, head)}")
        if (actual := self.fixed(identifier, response)) != content:
            pairs = zip(actual, content, strict=True)
            worst = next(difference(one, other) for one, other in pairs if one != other)
            raise Violation(f"{self.name}, {len(response.content)} bytes: {worst}")

    def fixed(self, identifier, response):
        """What of the content must be the same each time."""
        return (response.decoded(),)


class TensorCase(Case):
    """A tensor to be normalized. Each request has an identifier of its own, so that no answer passes for another's."""

    def __init__(self, kind, shape, datatype="FP32", output=None, binary=True, answer=None, weight=1):
        random = generator("faults", kind, shape)
        values = random.standard_normal(shape) if datatype in FLOATING else random.integers(0, 255, shape)
        self.values, self.datatype = rounded(values, datatype), datatype
        self.layer = layer_of(kind, shape, random)
        self.output = output or datatype
        self.is_binary_answer = binary if answer is None else answer
        described = {"shape": list(shape), "datatype": datatype}
        self.blob = encode(values, datatype) if binary else b""
        if binary:
            described["parameters"] = {"binary_data_size": len(self.blob)}
        else:
            described["data"] = [float(str(value)) for value in np.float32(self.values).ravel()]
        document = {"layer": self.layer, "input": described, "output": {"datatype": self.output}}
        self.rest = b'",' + json.dumps(document, separators=(",", ":")).encode()[1:]
        fields = [f"Content-Type: application/{'octet-stream' if binary else 'json'}"]
        if binary:
            fields.append(f"Inference-Header-Content-Length: {7 + IDENTIFIER_LENGTH + len(self.rest)}")
        if self.is_binary_answer != binary:
            fields.append(f"Accept: application/{'octet-stream' if self.is_binary_answer else 'json'}")
        size = len(self.rest) + len(self.blob)
        name = f"{kind} of {self.values.size} as {'bytes' if binary else 'JSON'}"
        super().__init__(name, "POST", "/normalize", fields, weight=weight)
        self.size, self.is_large = size, size > 300_000
        self.members = {}

    def pieces(self, identifier):
        return [b'{"id":"' + identifier, self.rest, self.blob]

    def coded(self, identifier, coding):
        if coding != "gzip":
            return super().coded(identifier, coding)
        # RFC 1952 §2.2: a file is a series of members; the one that never changes is compressed once.
        if coding not in self.members:
            self.members[coding] = gzip.compress(self.rest + self.blob, 1)
        return [gzip.compress(b'{"id":"' + identifier, 1), self.members[coding]]

    def fixed(self, identifier, response):
        content = response.decoded()
        text, blob = content, b""
        if self.is_binary_answer:
            length = int(response[b"inference-header-content-length"])
            text, blob = content[:length], content[length:]
        start = b'{"id":"' + identifier + b'",'
        if not text.startswith(start):
            raise Violation(f"{self.name}: not the answer to {identifier.decode()}: {text[:60]!r}")
        end = text.rfind(b',"timing":')
        if end < 0 or not TIMING.fullmatch(text[end:]):
            raise Violation(f"{self.name}: no timing at the end of {text[-200:]!r}")
        return text[len(start) : end], blob

    def learn(self, coding, identifier, response):
        super().learn(coding, identifier, response)
        text, blob = self.answers[coding][1]
        output = json.loads(b"{" + text + b"}")["output"]
        if self.is_binary_answer:
            actual = decode(blob, output["datatype"], output["shape"])
        else:
            actual = np.array(output["data"], np.float64).reshape(output["shape"])
        expected = expected_of(self.layer, self.values, self.datatype)
        assert_close(actual, expected, self.output, "FP64" if self.datatype == "FP64" else "FP32")


def tensor_cases():
    """From 200 bytes to 8 MiB, JSON and bytes, answers smaller and larger than their requests."""
    return [
        TensorCase("layer_norm", (1, 4), binary=False, weight=30),
        TensorCase("batch_norm", (2, 8, 5, 7), binary=False, weight=20),
        TensorCase("group_norm", (4, 32, 16), binary=False, weight=10),
        TensorCase("lp_norm", (64, 512), binary=False, weight=2),
        TensorCase("mean_variance_norm", (4, 32, 32, 32), binary=False, weight=0.5),
        TensorCase("rms_norm", (4, 4), weight=30),
        TensorCase("instance_norm", (4, 4, 8, 8), weight=20),
        TensorCase("dynamic_tanh", (16, 1024), weight=10),
        TensorCase("lp_norm", (128, 128), answer=False, weight=2),
        TensorCase("standardize", (256, 1024), "FP16", "FP32", weight=3),
        TensorCase("weight_norm", (64, 64, 64), "BF16", weight=3),
        TensorCase("batch_norm", (8, 16, 32, 32), "FP64", weight=3),
        TensorCase("layer_norm", (512, 1024), "UINT8", "FP32", weight=2),
        TensorCase("rms_norm", (1024, 1024), weight=1.5),
        TensorCase("group_norm", (8, 64, 64, 64), weight=1),
    ]


def other_cases():
    """Requests without a tensor, or for which there is none."""

    def post(name, media_type, content, status):
        return Case(name, "POST", "/normalize", [f"Content-Type: {media_type}"], content, 2, status)

    group_norm = b'{"layer": {"type": "group_norm", "num_groups": 3}, "input": [[1, 2, 3, 4]]}'
    return [
        Case("GET /health/live", "GET", "/health/live", weight=10),
        Case("HEAD /health/live", "HEAD", "/health/live", weight=3),
        Case("GET /layer-types", "GET", "/layer-types", weight=3),
        Case("GET /openapi.yaml", "GET", "/openapi.yaml", weight=2),
        Case("an unknown path", "GET", "/nowhere", weight=2, status=404),
        Case("a wrong method", "DELETE", "/normalize", weight=2, status=405),
        post("broken JSON", "application/json", b'{"layer": {', 400),
        post("an impossible layer", "application/json", group_norm, 422),
        post("an unknown type", "text/plain", b"x" * 1000, 415),
    ]


class Asked:
    """One request for a case, ready to be sent: its head, the pieces of its content, and how to judge the answer."""

    def __init__(self, case, identifier, fields, content, accept):
        self.case, self.identifier, self.accept = case, identifier, accept
        lines = [f"{case.method} {case.target} HTTP/1.1", "Host: normserve", *case.fields, *fields, "", ""]
        self.head, self.content = "\r\n".join(lines).encode(), content
        # When its first byte was sent and its last, whether the server had the connection open then, and when the
        # request before it was begun.
        self.begun_at = self.sent_at = self.quiet_since = None
        self.was_open = False

    def mark_begun(self, connection):
        self.begun_at = time.monotonic()
        self.quiet_since, connection.begun_at = connection.begun_at, self.begun_at

    def mark_sent(self, connection):
        """The last byte is with the system, which on loopback means: in the server's socket."""
        self.sent_at, self.was_open = time.monotonic(), connection.is_open()

    @property
    def to_head(self):
        return self.case.method == "HEAD"

    def raw(self):
        return b"".join([self.head, *self.content])

    def learn(self, response):
        self.case.learn(self.accept, self.identifier, response)

    def check(self, response):
        self.case.check(self.accept, self.identifier, response)


class Oracle:
    """All cases; makes requests whose answers can be judged."""

    def __init__(self, seed, key):
        self.tensors, self.others = tensor_cases(), other_cases()
        self.cases = self.tensors + self.others
        self.small = [case for case in self.cases if not case.is_large]
        self.seed, self.numbers = seed & 0xFFFF, itertools.count()
        self.fields = [f"Authorization: Bearer {key}"]

    def ask(self, case, *fields, coding=None, accept=None, chunks=None):
        """A request for `case`.

        `coding` is that of its content, `accept` what the answer may be coded in; `chunks` draws the sizes of chunks,
        if it shall be chunked.
        """
        identifier = b"%04x%012x" % (self.seed, next(self.numbers))
        content = case.coded(identifier, coding) if coding else case.pieces(identifier)
        fields = [*self.fields, *fields]
        if coding:
            fields.append(f"Content-Encoding: {coding}")
        if accept:
            fields.append(f"Accept-Encoding: {accept}")
        if chunks and content:
            fields.append("Transfer-Encoding: chunked")
            content = list(chunked(b"".join(content), chunks))
        elif content:
            fields.append(f"Content-Length: {sum(map(len, content))}")
        return Asked(case, identifier, fields, content, accept)


def chunked(content, sizes):
    """The chunked coding of `content`; `sizes` is an endless source of chunk sizes."""
    start = 0
    while start < len(content):
        size = min(next(sizes), len(content) - start)
        yield b"%x\r\n%b\r\n" % (size, content[start : start + size])
        start += size
    yield b"0\r\n\r\n"

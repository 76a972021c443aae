"""`.npy` in, `.npy` out: numpy writes the requests and reads the answers (API.md, section 3)."""

import io

import ml_dtypes
import numpy as np
import pytest

import reference
from layers import assert_close
from problems import problem
from tensors import FLOATING, NUMPY, unframe

DTYPES = NUMPY | {"BF16": ml_dtypes.bfloat16}
RANDOM = np.random.default_rng(21)
NPY = {"Content-Type": "application/x-npy"}
LAYER_NORM = {"type": "layer_norm", "axis": "-1"}


def save(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), **options)
    return file.getvalue()


def load(response):
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/x-npy"
    assert "total;dur=" in response.headers["Server-Timing"]
    file = io.BytesIO(response.content)
    array = np.load(file)
    assert not file.read(1), "bytes are left over"
    assert (len(response.content) - array.nbytes) % 64 == 0
    return array.view(ml_dtypes.bfloat16) if array.dtype == "V2" else array


def post(server, array, layer=LAYER_NORM, accept=None, **options):
    content = array if isinstance(array, bytes) else save(array, **options)
    return server.post(content, params=layer, headers=NPY | ({"Accept": accept} if accept else {}))


def values(datatype, shape):
    if datatype == "BOOL":
        return RANDOM.integers(0, 2, shape).astype(bool)
    if datatype in FLOATING:
        return RANDOM.standard_normal(shape).astype(DTYPES[datatype])
    return RANDOM.integers(0, 100, shape).astype(DTYPES[datatype])


@pytest.mark.parametrize("datatype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_every_type_and_order(server, datatype, order, endian):
    x = values(datatype, (3, 4, 5))
    stored = np.array(x, order=order)
    if datatype != "BF16":
        stored = stored.astype(stored.dtype.newbyteorder(endian), order=order)
    y = load(post(server, stored))
    output = datatype if datatype in FLOATING else "FP32"
    assert y.dtype == DTYPES[output] and y.flags.c_contiguous
    expected = reference.layer_norm(x.astype(np.float64), [5])
    assert_close(y.astype(np.float64), expected, output, "FP64" if datatype == "FP64" else "FP32")


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version(server, version):
    x = values("FP32", (2, 8))
    np.testing.assert_array_equal(load(post(server, x, version=version)), load(post(server, x)))


@pytest.mark.parametrize("shape", [(8,), (1, 8), (0, 8), (3, 0, 2), (2, 3, 1, 4), (2, 1, 3, 1, 2)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_shape(server, shape, order):
    x = values("FP32", shape)
    y = load(post(server, np.array(x, order=order)))
    assert y.shape == shape and y.dtype == np.float32
    if x.size:
        np.testing.assert_allclose(y, reference.layer_norm(x.astype(np.float64), shape[-1:]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_larger_array(server, order):
    """Larger than the tiles in which it is turned around, and than what is answered without a worker."""
    x = values("FP32", (123, 7, 341))
    y = load(post(server, np.array(x, order=order)))
    np.testing.assert_allclose(y, reference.layer_norm(x.astype(np.float64), [341]), rtol=0, atol=2e-6)


def test_the_same_bits_as_in_json(server):
    x = values("FP32", (4, 16))
    document = {"layer": {"type": "layer_norm", "axis": -1}, "input": x.tolist()}
    np.testing.assert_array_equal(load(post(server, x)), np.float32(server.normalize(document)["output"]["data"]))


@pytest.mark.parametrize("output", FLOATING)
def test_output_datatype(server, output):
    x = values("FP64", (4, 16))
    y = load(post(server, x, LAYER_NORM | {"output_datatype": output}))
    assert y.dtype == DTYPES[output]
    assert_close(y.astype(np.float64), reference.layer_norm(x, [16]), output, "FP64")


def test_tensors_in_the_query(server):
    x = values("FP32", (2, 3, 4))
    layer = {"type": "standardize", "mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225", "axis": "1"}
    expected = (x - np.reshape([0.485, 0.456, 0.406], (3, 1))) / np.reshape([0.229, 0.224, 0.225], (3, 1))
    np.testing.assert_allclose(load(post(server, x, layer)), expected, rtol=0, atol=2e-6)


def test_sigma(server):
    response = post(server, np.diag([3.0, 4.0]), {"type": "spectral_norm"})
    np.testing.assert_allclose(load(response), np.diag([0.75, 1]), atol=1e-7)
    assert float(response.headers["Normserve-Sigma"]) == pytest.approx(4)


def test_other_answers(server):
    x = values("FP32", (2, 8))
    expected = load(post(server, x))
    response = post(server, x, accept="application/json")
    assert response.headers["Content-Type"] == "application/json"
    np.testing.assert_array_equal(np.float32(response.json()["output"]["data"]).reshape(2, 8), expected)
    header, framed = unframe(post(server, x, accept="application/octet-stream"))
    assert header["layer"] == {"type": "layer_norm"}
    np.testing.assert_array_equal(np.float32(framed), expected)
    document = {"layer": {"type": "layer_norm", "axis": -1}, "input": x.tolist()}
    np.testing.assert_array_equal(load(server.post(document, headers={"Accept": "application/x-npy"})), expected)


def test_compressed(server):
    import gzip

    x = values("FP32", (2, 8))
    response = server.post(gzip.compress(save(x)), params=LAYER_NORM, headers=NPY | {"Content-Encoding": "gzip"})
    np.testing.assert_array_equal(load(response), load(post(server, x)))


def malformed():
    good = save(np.zeros((2, 3), np.float32))
    yield "empty", b"", 400, "invalid_npy"
    yield "other magic", b"PK\3\4" + good[4:], 400, "invalid_npy"
    yield "version", good[:6] + b"\4\0" + good[8:], 400, "invalid_npy"
    yield "cut header", good[:40], 400, "invalid_npy"
    yield "huge header", b"\x93NUMPY\2\0\xff\xff\xff\xff{", 400, "invalid_npy"
    yield "cut data", good[:-1], 400, "invalid_npy"
    yield "bytes left over", good + b"\0", 400, "invalid_npy"
    yield "code", good.replace(b"False", b"exit "), 400, "invalid_npy"
    yield "negative", good.replace(b"(2, 3)", b"(-2,3)"), 400, "invalid_npy"
    yield "list", good.replace(b"(2, 3)", b"[2, 3]"), 400, "invalid_npy"
    yield "huge shape", good.replace(b"(2, 3), }      ", b"(99999999999,),}"), 422, "too_many_elements"
    yield "complex", save(np.zeros(3, np.complex64)), 422, "unsupported_datatype"
    yield "text", save(np.array(["a", "b"])), 422, "unsupported_datatype"
    yield "dates", save(np.zeros(3, "M8[s]")), 422, "unsupported_datatype"
    yield "fields", save(np.zeros(3, [("x", "f4"), ("y", "f4")])), 422, "unsupported_datatype"
    yield "booleans", save(np.zeros(3, bool))[:-1] + b"\2", 422, "invalid_data"


@pytest.mark.parametrize(("content", "status", "code"), [case[1:] for case in malformed()], ids=[case[0] for case in malformed()])
def test_malformed(server, problem_codes, content, status, code):
    assert problem(post(server, content), status, problem_codes)["code"] == code
    assert server.is_healthy()


def test_objects_are_never_unpickled(server, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    file = io.BytesIO()
    np.save(file, np.array([Hostile()], object), allow_pickle=True)
    assert problem(post(server, file.getvalue()), 422)["code"] == "unsupported_datatype"
    assert not list(tmp_path.iterdir())


def test_errors_of_the_layer(server):
    document = problem(post(server, np.zeros((2, 6)), {"type": "group_norm", "num_groups": "4"}), 422)
    assert (document["code"], document["pointer"]) == ("invalid_parameter", "/layer/num_groups")

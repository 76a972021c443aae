"""The REST client of the `kserve` SDK, unmodified."""

import asyncio

import httpx
import numpy as np
import pytest
from kserve import InferInput, InferRequest, InferenceRESTClient
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from oip import API, BATCH_NORM, DATATYPES, LAYER_NORM, RANDOM, close, expected
from tensors import NUMPY

KEY = {"Authorization": f"Bearer {API}"}
X = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
ROWS = RANDOM.standard_normal((5, 8))


def run(models, body):
    async def connected():
        async with InferenceRESTClient(RESTConfig(protocol="v2", transport=httpx.AsyncHTTPTransport())) as client:
            return await body(client, models.url)

    return asyncio.run(connected())


def request(model, x, datatype="FP32", binary=True, outputs=None):
    described = InferInput("input", list(x.shape), datatype)
    described.set_data_from_numpy(x, binary_data=binary)
    return InferRequest(model, [described], request_id="7", request_outputs=outputs)


def test_health(models):
    async def body(client, url):
        assert await client.is_server_live(url) is True and await client.is_server_ready(url) is True
        assert await client.is_model_ready(url, "bn", headers=KEY) is True
        assert await client.is_model_ready(url, "nothing", headers=KEY) is False

    run(models, body)


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16"])
@pytest.mark.parametrize("outputs", [None, True, False], ids=["default", "binary", "json"])
@pytest.mark.parametrize("binary", [True, False])
def test_infer(models, binary, outputs, datatype):
    if datatype == "FP16" and not binary:
        return  # Nothing would be sent: the client refuses.
    asked = None if outputs is None else [RequestedOutput("output", {"binary_data": outputs})]

    async def body(client, url):
        sent = request(DATATYPES[datatype], ROWS.astype(NUMPY[datatype]), datatype, binary, asked)
        return await client.infer(url, sent, model_name=DATATYPES[datatype], headers=dict(KEY))

    response = run(models, body)
    assert response.id == "7" and response.model_name == DATATYPES[datatype]
    close(response.outputs[0].as_numpy(), expected(LAYER_NORM, ROWS, datatype), datatype)


def test_a_document_of_the_callers(models):
    async def body(client, url):
        document = {"inputs": [{"name": "input", "shape": [2, 3, 4], "datatype": "FP32", "data": X.tolist()}]}
        return await client.infer(url, document, model_name="bn", headers=dict(KEY))

    close(run(models, body).outputs[0].as_numpy(), expected(BATCH_NORM, X))


def test_errors(models):
    async def body(client, url):
        await client.infer(url, request("bn", X[:, :2]), model_name="bn", headers=dict(KEY))

    with pytest.raises(httpx.HTTPStatusError, match="400 Bad Request"):
        run(models, body)

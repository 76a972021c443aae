"""The peer: FastAPI, uvicorn and PyTorch, as one would write it. usage: python peer.py PORT"""

import sys

import orjson
import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from torch.nn.functional import layer_norm

app = FastAPI()
torch.set_num_threads(1)


@app.post("/binary")
async def binary(request: Request, width: int):
    x = torch.frombuffer(bytearray(await request.body()), dtype=torch.float32).view(-1, width)
    return Response(layer_norm(x, (width,)).numpy().tobytes(), media_type="application/octet-stream")


@app.post("/json")
async def json(request: Request):
    document = orjson.loads(await request.body())
    x = torch.tensor(document["data"], dtype=torch.float32).view(document["shape"])
    y = layer_norm(x, (x.shape[-1],)).flatten().numpy()
    answer = {"shape": document["shape"], "data": y}
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)

"""How the package is used with types; mypy reads this, nobody runs it."""

import numpy as np
import numpy.typing as npt

from normserve import Answer, AsyncClient, BatchNorm, Client, Layer, LayerDescription, LayerNorm, Registered, Timing


def threads(client: Client, x: npt.NDArray[np.float32]) -> None:
    y: npt.NDArray[np.float32] = client.normalize(x, LayerNorm(768, weight=[1.0, 2.0]))
    pair: tuple[npt.NDArray[np.float32], Timing] = client.normalize(x, "bn1", return_timing=True)
    answer: Answer = client.normalize_detailed(y, ("bn1", "2"), output_dtype=np.float16)
    client.normalize(answer.output, Registered("bn1"), output_dtype="BF16")
    client.layers["bn1"] = BatchNorm(pair[0], x, eps=1e-3)
    described: LayerDescription = client.layers["bn1"]
    layer: Layer = client.layers.load(described.name, described.versions[0])
    print(layer.parameters(), sorted(client.layers), client.layers.get("bn2"))


async def tasks(client: AsyncClient, x: npt.NDArray[np.float32]) -> None:
    y: npt.NDArray[np.float32] = await client.normalize(x, LayerNorm([3, 4]))
    pair: tuple[npt.NDArray[np.float32], Timing] = await client.normalize(y, "bn1", return_timing=True)
    version: str = await client.layers.put("bn1", BatchNorm(*pair[:1], running_var=[1.0]))
    async for name in client.layers:
        print(name, version, (await client.layers.get(name)).type)
    await client.normalize(x, LayerNorm(np.array([3, 4])))
    await client.normalize(x, 3)  # type: ignore[call-overload]
    LayerNorm(768, epsilon=1e-3)  # type: ignore[call-arg]

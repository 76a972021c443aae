"""normserve's client: normalization layers as a service, arrays in and arrays out.

import numpy as np
from normserve import Client, LayerNorm

with Client("http://127.0.0.1:8080") as client:
    y = client.normalize(np.random.rand(8, 768), LayerNorm(768))
"""

from ._repository import LayerDescription
from ._wire import Answer, Registered, Timing
from .async_client import AsyncClient, AsyncLayers
from .client import Client, Layers
from .errors import (
    BadRequest,
    ConnectionFailed,
    ConnectionLost,
    Forbidden,
    InvalidAnswer,
    InvalidRequest,
    NormserveError,
    NotFound,
    Overloaded,
    ProblemError,
    ServerFault,
    TimedOut,
    TooLarge,
    TransportError,
    Unauthorized,
    UnknownLayer,
)
from .layers import (
    LAYER_TYPES,
    AdaptiveInstanceNorm,
    BatchInstanceNorm,
    BatchNorm,
    BatchRenorm,
    DynamicTanh,
    FilterResponseNorm,
    GlobalResponseNorm,
    GroupNorm,
    InstanceNorm,
    Layer,
    LayerNorm,
    LocalResponseNorm,
    LpNorm,
    MeanVarianceNorm,
    RMSNorm,
    SpectralNorm,
    Standardize,
    SwitchableNorm,
    WeightNorm,
    WeightStandardization,
)
from .torch_modules import layer_of_module

__version__ = "0.1.0"

__all__ = [
    "LAYER_TYPES",
    "AdaptiveInstanceNorm",
    "Answer",
    "AsyncClient",
    "AsyncLayers",
    "BadRequest",
    "BatchInstanceNorm",
    "BatchNorm",
    "BatchRenorm",
    "Client",
    "ConnectionFailed",
    "ConnectionLost",
    "DynamicTanh",
    "FilterResponseNorm",
    "Forbidden",
    "GlobalResponseNorm",
    "GroupNorm",
    "InstanceNorm",
    "InvalidAnswer",
    "InvalidRequest",
    "Layer",
    "LayerDescription",
    "LayerNorm",
    "Layers",
    "LocalResponseNorm",
    "LpNorm",
    "MeanVarianceNorm",
    "NormserveError",
    "NotFound",
    "Overloaded",
    "ProblemError",
    "RMSNorm",
    "Registered",
    "ServerFault",
    "SpectralNorm",
    "Standardize",
    "SwitchableNorm",
    "TimedOut",
    "Timing",
    "TooLarge",
    "TransportError",
    "Unauthorized",
    "UnknownLayer",
    "WeightNorm",
    "WeightStandardization",
    "layer_of_module",
]

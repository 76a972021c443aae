"""Accept-Encoding: which coding an answer gets (RFC 9110, section 12.5.3, and API.md, section 8)."""

import json
import os
import random

import pytest

from codings import decoded
from server import ResponseReader, request
from test_response_coding import check_framing, get

SEED = int(os.environ.get("NORMSERVE_SEED", "20"))


NEGOTIATION = [
    (None, None), ("", None), ("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate", "gzip"), ("deflate, gzip", "gzip"),
    ("gzip, deflate, br, zstd", "gzip"), ("br, zstd", None), ("br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip"), ("GZIP", "gzip"), ("Deflate", "deflate"),
    # The higher q wins; at the same q gzip does.
    ("gzip;q=0.5, deflate", "deflate"), ("gzip;q=0.5, deflate;q=0.8", "deflate"), ("gzip;q=0.5, deflate;q=0.5", "gzip"),
    ("deflate;q=0.9, gzip;q=0.901", "gzip"), ("gzip;q=0.001", "gzip"), ("gzip;q=1.000", "gzip"), ("gzip;q=1", "gzip"), ("gzip;q=1.", "gzip"),
    ("gzip ; q=0.5 , deflate ; q=0.7", "deflate"), ("gzip;Q=0", None),
    # 0 is no.
    ("gzip;q=0", None), ("gzip;q=0.0", None), ("gzip;q=0.000", None), ("gzip;q=0, deflate", "deflate"), ("gzip;q=0, deflate;q=0", None),
    ("deflate;q=0, gzip", "gzip"),
    # * counts as gzip.
    ("*", "gzip"), ("*;q=0.5", "gzip"), ("br, *", "gzip"), ("deflate;q=0.5, *", "gzip"), ("deflate, *;q=0.5", "deflate"), ("gzip, *;q=0", "gzip"),
    ("deflate, *;q=0", "deflate"),
    # identity wins only where its q is higher than both.
    ("identity", None), ("identity, gzip", "gzip"), ("gzip, identity", "gzip"), ("identity;q=0.5, gzip;q=0.5", "gzip"), ("identity, gzip;q=0.5", None),
    ("identity;q=0.5, gzip;q=0.1", None), ("identity;q=0.5, gzip", "gzip"), ("identity, gzip;q=0.5, deflate", "deflate"), ("identity;q=0, gzip", "gzip"),
    ("identity;q=0, deflate;q=0.1", "deflate"), ("identity;q=0.5, *;q=0.2", None), ("identity, *", "gzip"),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "coding"), NEGOTIATION, ids=[repr(accept) for accept, _ in NEGOTIATION])
def test_negotiation(server, description, accept, coding):
    response = get(server, *([] if accept is None else [f"Accept-Encoding: {accept}"]))
    assert response.status == 200
    check_framing(response, coding)
    assert decoded(response) == description
    assert response["vary"] == "Accept-Encoding"


def test_several_lines_are_one_list(server):
    assert get(server, "Accept-Encoding: gzip;q=0", "Accept-Encoding: deflate")["content-encoding"] == "deflate"
    assert get(server, "Accept-Encoding: br", "Accept-Encoding: gzip")["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "accept", ["gzip;q=2", "gzip;q=x", "gzip;q=", "gzip;q=0.1234", "gzip;q=-1", ";;;", ",,,", "gzip deflate", "gzip;", "=", "\xff", "*;q=0", "identity;q=0", "gzip;q=0, *", "q=1", "gzip;level=9"],
    ids=repr,
)  # fmt: skip
def test_what_is_no_list_of_codings(server, description, accept):
    """Whatever is made of it: an answer that can be read, or a refusal."""
    response = get(server, f"Accept-Encoding: {accept}")
    assert response.status in (200, 400, 406)
    if response.status == 200:
        check_framing(response, response["content-encoding"])
        assert decoded(response) == description
    if accept == "gzip;q=0, *":
        assert response["content-encoding"] != "gzip"


def wanted(weights):
    """The rule in a few lines: `weights` are what the client said."""
    gzip = weights.get("gzip", weights.get("*", 0))
    deflate = weights.get("deflate", 0)
    best = "gzip" if gzip >= deflate else "deflate"
    if not max(gzip, deflate) or weights.get("identity", 0) > max(gzip, deflate):
        return None
    return best


def test_negotiation_of_random_lists(server):
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for _ in range(400):
            names = rng.sample(["gzip", "deflate", "identity", "*", "br", "x-unknown"], rng.randrange(1, 5))
            if "*" in names and "gzip" in names:
                names.remove("*")
            weights = {name: rng.choice([0, 1, 0.5, round(rng.random(), 3)]) for name in names}
            comma = rng.choice([",", ", ", " , ", ",\t"])
            accept = comma.join(name if weight == 1 and rng.random() < 0.5 else f"{name};q={weight}" for name, weight in weights.items())
            connection.sendall(request("GET", "/layer-types", b"", f"Accept-Encoding: {accept}"))
            response = reader.next()
            assert response["content-encoding"] == wanted(weights), accept
            assert json.loads(decoded(response))["layer_types"]

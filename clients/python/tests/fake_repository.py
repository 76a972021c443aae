"""The layer repository as API.md, section 6 has it, as a transport of httpx: strict in all that a client may get wrong."""

import json
import re

import httpx
from conftest import ADMIN_KEY


class FakeRepository:
    """Keeps what is PUT, and says what the real one would."""

    def __init__(self):
        self.layers = {}
        self.requests = []

    def transport(self):
        return _Transport(self.respond)

    def respond(self, request):
        content = b"".join(bytes(piece) for piece in request.stream)
        self.requests.append((request.method, request.url.raw_path.decode()))
        assert request.headers.get("host") and "transfer-encoding" not in request.headers
        assert int(request.headers.get("content-length", 0)) == len(content)
        if request.method in ("PUT", "DELETE") and request.headers.get("authorization") != f"Bearer {ADMIN_KEY}":
            return self.problem(403, "forbidden")
        path, _, query = request.url.raw_path.decode().partition("?")
        if path == "/layers" and request.method == "GET" and not query:
            return httpx.Response(200, json={"layers": [self.describe(name) for name in sorted(self.layers)]})
        found = re.fullmatch(r"/layers/((?!\.)[A-Za-z0-9._-]{1,128})(?:/versions/([0-9]+))?", path)
        if not found or query not in ("", "parameters=true"):
            return self.problem(404, "not_found")
        name, version = found.groups()
        if request.method == "PUT" and version is None:
            return self.put(name, request, content)
        versions = self.layers.get(name, {})
        if not versions or (version and version not in versions):
            return self.problem(404, "unknown_layer")
        if request.method == "DELETE":
            self.delete(name, version)
            return httpx.Response(204)
        assert request.method == "GET"
        layer = versions[version or max(versions, key=int)]
        described = self.describe(name, version)
        if query:
            described["parameters"] = {key: value for key, value in layer.items() if key not in ("type", "datatype")}
        return httpx.Response(200, json=described)

    def put(self, name, request, content):
        assert request.headers["content-type"] == "application/json"
        layer = json.loads(content, parse_constant=str)  # NaN as the real one writes it: "NaN".
        versions = self.layers.setdefault(name, {})
        version = str(max(map(int, versions), default=0) + 1)
        versions[version] = layer
        made = {"name": name, "version": version, "type": layer["type"], "datatype": layer.get("datatype", "FP32")}
        return httpx.Response(201, json=made, headers={"Location": f"/layers/{name}/versions/{version}"})

    def delete(self, name, version):
        if version:
            del self.layers[name][version]
        if not version or not self.layers[name]:
            del self.layers[name]

    def describe(self, name, version=None):
        versions = self.layers[name]
        layer = versions[version or max(versions, key=int)]
        which = {"version": version} if version else {"versions": sorted(versions, key=int)}
        return {"name": name, **which, "type": layer["type"], "datatype": layer.get("datatype", "FP32")}

    @staticmethod
    def problem(status, code):
        document = {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": "no", "error": "no"}
        return httpx.Response(status, json=document, headers={"Content-Type": "application/problem+json"})


class _Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """httpx.MockTransport, without its reading of the request."""

    def __init__(self, respond):
        self._respond = respond

    def handle_request(self, request):
        return self._respond(request)

    async def handle_async_request(self, request):
        return self._respond(request)

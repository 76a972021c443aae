"""What every refusal must look like (API.md, section 5)."""


def check_problem(status, content_type, document, codes=None):
    """Holds a problem document against the contract and returns it."""
    assert content_type == "application/problem+json"
    assert document["type"] == "about:blank"
    assert document["status"] == status
    assert document["title"] and document["code"] and document["detail"]
    assert document["error"] == document["detail"]
    assert set(document) <= {"type", "title", "status", "code", "detail", "pointer", "error"}
    assert "pointer" not in document or document["pointer"] == "" or document["pointer"].startswith("/")
    assert "0x" not in document["detail"] and "/Sources/" not in document["detail"]
    if codes is not None:
        assert document["code"] in codes
    return document


def problem(response, status=None, codes=None):
    """The problem document of a response of requests."""
    if status is not None:
        assert response.status_code == status, response.text
    return check_problem(response.status_code, response.headers["Content-Type"], response.json(), codes)

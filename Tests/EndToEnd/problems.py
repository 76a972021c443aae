"""What every refusal must look like (API.md, section 5)."""

from server import ResponseReader


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


def refusal(server, raw, status, code, **options):
    """The problem document of an answer to `raw` after which the server closes the connection, as it says."""
    with server.connect(**options) as connection:
        try:
            connection.sendall(raw)
        except ConnectionError:
            pass  # It refused before all was sent; its answer may still be there.
        reader = ResponseReader(connection)
        response = reader.final()
        assert response is not None, "closed without an answer"
        assert response.status == status, response.content
        assert response["connection"] == "close"
        assert reader.is_closed()
    document = check_problem(response.status, response["content-type"], response.json())
    assert document["code"] == code, document
    return response

"""Every case of http_cases in one piece, byte by byte, and split at every position, always with the same outcome."""

import re

import pytest

from http_cases import CASES
from http_exchange import END, LAST, check_answer, check_answers, comparable, converse, without_interim
from server import ResponseReader, Server

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def local_server(tmp_path_factory):
    """A server on a Unix socket, which takes tens of thousands of connections in less time than one on TCP."""
    path = str(tmp_path_factory.mktemp("cases") / "socket")
    with Server("--unix-socket", path, unix_socket=path) as running:
        yield running


def conversation(case, *pieces):
    """The pieces, and what shows that nothing more comes."""
    return [*pieces, LAST if case.answers else END]


@pytest.fixture(scope="module")
def in_one_piece(server):
    """What comes back when the whole case is sent at once, by the case's name."""
    received = converse(server, [conversation(case, case.content) for case in CASES])
    return {case.name: content for case, (_, content) in zip(CASES, received)}


@pytest.fixture(scope="module")
def byte_by_byte(local_server):
    """The same when each byte is a segment of its own."""
    octets = [[case.content[at : at + 1] for at in range(len(case.content))] for case in CASES]
    received = converse(local_server, [conversation(case, *pieces) for case, pieces in zip(CASES, octets)])
    return {case.name: content for case, (_, content) in zip(CASES, received)}


def test_names():
    """Each names its clause, and no other has the name."""
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert not [name for name in names if not re.match(r"(9110|9112|9113|3986) §\d[.\d]*( \(\d\))?: .", name)]


@EVERY_CASE
def test_in_one_piece(server, problem_codes, in_one_piece, case):
    check_answers(in_one_piece[case.name], case, problem_codes)
    # The same again, where no answer may wait for a further request, nor for the client to end its sending side.
    with server.connect() as connection:
        connection.sendall(case.content)
        reader = ResponseReader(connection)
        for number, answer in enumerate(case.answers):
            response = reader.final(to_head=answer.startswith("HEAD "))
            check_answer(response, answer, case.closes and number + 1 == len(case.answers))
        assert not (case.answers and case.closes) or reader.is_closed()


@EVERY_CASE
def test_byte_by_byte(in_one_piece, byte_by_byte, case):
    assert comparable(byte_by_byte[case.name]) == comparable(in_one_piece[case.name])


@EVERY_CASE
def test_split_at_every_position(local_server, in_one_piece, case):
    whole = comparable(in_one_piece[case.name])
    positions = range(1, len(case.content))
    split = [conversation(case, case.content[:position], case.content[position:]) for position in positions]
    is_refused = case.closes and case.answers
    # 9110 §5.3: nothing is answered before its whole header section is there.
    head_end = len(case.content) - len(case.content.lstrip(b"\r\n"))
    head_end = case.content.find(b"\r\n\r\n", head_end) + 4
    for position, (early, content) in zip(positions, converse(local_server, split)):
        assert comparable(content) == whole, f"split at {position}"
        if not is_refused and position < head_end:
            assert not without_interim(early), f"an answer to the first {position} bytes: {early!r}"

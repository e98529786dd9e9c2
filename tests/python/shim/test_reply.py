"""Answers: what is recognised at sight means exactly what `http.client` makes of it."""

from __future__ import annotations

from io import BytesIO

import pytest
from airflow_valet.reply import Reply, read, recognise

BODY = b'{"value": "v"}'
LENGTH = b"content-length: %d\r\n" % len(BODY)
JSON, DATE = b"content-type: application/json\r\n", b"date: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
GOOD = b"HTTP/1.1 200 OK\r\n" + JSON + LENGTH + DATE + b"\r\n" + BODY


class Memory:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self.data)


def meaning(reply: Reply | None) -> tuple[int, bytes, bool]:
    assert reply is not None
    return reply.status, reply.body, reply.last


@pytest.mark.parametrize(
    "head", [JSON + LENGTH + DATE, LENGTH, DATE + LENGTH + JSON, JSON + LENGTH.replace(b" ", b" 000")]
)
def test_what_is_recognised_is_what_http_client_reads(head: bytes) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + BODY
    assert meaning(recognise(data)) == meaning(read(Memory(data))) == (200, BODY, False)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + JSON,
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"connection: close\r\n",
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"Connection: close\r\n",
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"transfer-encoding: chunked\r\n",
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"content-encoding: gzip\r\n",
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"content-length: 3\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"content-length: 3\r\n" + LENGTH,
        b"HTTP/1.1 200 OK\r\n" + LENGTH + b"date: a\nconnection: close\r\n",
        b"HTTP/1.1 200 OK\r\n" + LENGTH.replace(b": ", b": -"),
        b"HTTP/1.1 200 OK\r\n" + LENGTH.replace(b": ", b": 9999999999"),
        b"HTTP/1.1 200 OK\r\n" + LENGTH.replace(b"\r", b""),
        b"HTTP/1.1 404 Not Found\r\n" + LENGTH,
        b"HTTP/1.0 200 OK\r\n" + LENGTH,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + LENGTH,
        b"XHTTP/1.1 200 OK\r\n" + LENGTH,
    ],
)
def test_a_head_that_says_anything_else_is_left_to_http_client(head: bytes) -> None:
    assert recognise(head + b"\r\n" + BODY) is None


def test_no_part_of_an_answer_is_taken_for_a_whole_one_and_nothing_behind_it_for_a_part() -> None:
    assert recognise(GOOD) is not None
    assert [cut for cut in range(len(GOOD)) if recognise(GOOD[:cut])] == []
    assert recognise(GOOD + b"H") is None

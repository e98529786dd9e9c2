"""`connection.exchange` for an event loop: a connection of its own per lookup, so nothing to share.

HTTP is written and read by `http.client`, over bytes that asyncio carries. The caller sets the limit
of time. Called by `client` alone.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from http.client import HTTPConnection, HTTPResponse
from io import BytesIO
from typing import cast

from airflow_valet.connection import BACKLOG_PAUSE, MAX_ANSWER, Reply, TooLarge

_CHUNK = 64 * 1024  # bytes read at once
_END_OF_HEAD = b"\r\n\r\n"


class _Recorded:
    """A socket's stand-in: keeps what `http.client` sends, gives it what was received."""

    def __init__(self, received: bytes | bytearray = b"") -> None:
        self.received = received
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def makefile(self, *_: object) -> BytesIO:
        return BytesIO(self.received)


async def exchange(path: str, target: str, body: bytes, headers: dict[str, str]) -> Reply:
    """POST ``body`` to ``target`` at the socket ``path``; raises OSError, HTTPException, ValueError."""
    request = HTTPConnection("valet")
    recorded = _Recorded()
    request.sock = cast("socket.socket", recorded)
    request.request("POST", target, body, {**headers, "connection": "close"})
    reader, writer = await asyncio.open_unix_connection(sock=await _connect(path))
    try:
        writer.write(recorded.sent)
        response = _parse(await _read(reader))
        return Reply(response.status, response.headers, response.read())
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytearray:
    """The head and as much as it announces; where it announces nothing, all until the end."""
    received, wanted = bytearray(), None
    while wanted is None or len(received) < wanted:
        chunk = await reader.read(_CHUNK)
        if not chunk:
            break
        received += chunk
        if len(received) > MAX_ANSWER:
            raise TooLarge
        head = received.find(_END_OF_HEAD)
        if wanted is None and head >= 0:
            length = _parse(received).length
            wanted = sys.maxsize if length is None else head + len(_END_OF_HEAD) + length
    return received


def _parse(received: bytearray) -> HTTPResponse:
    response = HTTPResponse(cast("socket.socket", _Recorded(received)), method="POST")
    response.begin()
    return response


async def _connect(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(path)
                return sock
            except BlockingIOError:  # a full queue; a Unix socket connects at once or not
                await asyncio.sleep(BACKLOG_PAUSE)
    except BaseException:
        sock.close()
        raise

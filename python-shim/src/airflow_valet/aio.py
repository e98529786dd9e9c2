"""`connection.exchange` for an event loop: a connection of its own per request, so nothing to share.

asyncio carries the bytes and `http.client` reads them. The caller sets the limit of time.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from http.client import HTTPResponse
from io import BytesIO
from typing import Any

from airflow_valet.connection import BACKLOG_PAUSE
from airflow_valet.reply import MAX_ANSWER, Reply, TooLarge, read

_CHUNK = 64 * 1024  # bytes read at once
_END_OF_HEAD = b"\r\n\r\n"


class _Received:
    """What `http.client` takes for a socket, to read bytes that are here already."""

    def __init__(self, received: bytearray) -> None:
        self.received = received

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self.received)


async def exchange(path: str, request: bytes) -> Reply:
    """Send ``request``, which must ask to close; raises OSError, HTTPException or ValueError."""
    reader, writer = await asyncio.open_unix_connection(sock=await _connect(path))
    try:
        writer.write(request)
        return read(_Received(await _read(reader)))
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
            length = _length(received)
            wanted = sys.maxsize if length is None else head + len(_END_OF_HEAD) + length
    return received


def _length(received: bytearray) -> int | None:
    stream: Any = _Received(received)
    with HTTPResponse(stream, method="POST") as response:
        response.begin()
        return response.length


async def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        while True:
            try:
                connection.connect(path)
                return connection
            except BlockingIOError:  # the queue is full; a Unix socket connects at once or not
                await asyncio.sleep(BACKLOG_PAUSE)
    except BaseException:
        connection.close()
        raise

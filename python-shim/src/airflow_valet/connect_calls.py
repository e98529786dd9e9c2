"""Calls by the Connect protocol: JSON over HTTP/1.1, with the standard library alone.

A call gives the fields of the answer or the broker's `Refusal`. Knows nothing of lookups.
"""

from __future__ import annotations

import json
import socket
import time
from functools import lru_cache
from typing import Any

from airflow_valet.connection import exchange
from airflow_valet.errors import Refusal
from airflow_valet.reply import Reply

_HEADSTART = 0.1  # seconds by which the broker gives up before us, since it can say what was slow


def call(
    path: str, timeout: float, target: str, message: dict[str, str], claims: tuple[tuple[str, str], ...]
) -> dict[str, Any] | Refusal:
    """Call the method ``target`` within ``timeout`` seconds; raises OSError, HTTPException or ValueError."""
    deadline = time.monotonic() + timeout
    request = _encode(target, tuple(message.items()), timeout, claims)
    return _read(exchange(path, deadline, request))


async def acall(
    path: str, timeout: float, target: str, message: dict[str, str], claims: tuple[tuple[str, str], ...]
) -> dict[str, Any] | Refusal:
    """`call` for an event loop. Takes no thread, so no slow lookup keeps another one waiting."""
    import asyncio

    from airflow_valet.aio import exchange as aexchange

    request = _encode(target, tuple(message.items()), timeout, (("connection", "close"), *claims))
    try:
        return _read(await asyncio.wait_for(aexchange(path, request), timeout))
    except asyncio.TimeoutError:  # an OSError only since Python 3.11
        raise socket.timeout from None


@lru_cache(maxsize=256)  # templates look the same connection up again and again
def _encode(
    target: str, message: tuple[tuple[str, str], ...], timeout: float, headers: tuple[tuple[str, str], ...]
) -> bytes:
    body = json.dumps(dict(message)).encode()
    limit = max(1, int((timeout - min(_HEADSTART, timeout / 10)) * 1000))
    lines = [
        f"POST {target} HTTP/1.1",
        "host: valet",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connect-protocol-version: 1",
        f"connect-timeout-ms: {limit}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read(reply: Reply) -> dict[str, Any] | Refusal:
    try:
        fields = json.loads(reply.body)
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict):
        if reply.status == 200:
            return fields
        if isinstance(fields.get("code"), str):
            said = reply.headers.get
            words = str(fields.get("message", ""))
            return Refusal(fields["code"], words, said("valet-reason", ""), said("retry-after", ""))
    return Refusal("unknown", f"HTTP {reply.status}, but no answer of a Valet", "BAD_ANSWER", "")

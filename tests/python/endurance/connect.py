"""Calls of Valet's methods with nothing of ours: JSON over HTTP/1.1, a connection each. Standard library only."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, NamedTuple

#: Longer than any lookup takes, so that whoever is slow is named.
TIMEOUT = 15.0


class Reply(NamedTuple):
    """An answer, or the reason why there is none."""

    status: int
    reason: str
    body: dict[str, Any]


class _OverUnix(HTTPConnection):
    """HTTP over a Unix socket."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.host)


def call(path: str, method: str, message: object, headers: Mapping[str, str] | None = None) -> Reply:
    """One call, of `Broker/GetConnection` say; raises `OSError` or `HTTPException` where nobody answers."""
    connection = _OverUnix(path)
    try:
        kind = {"content-type": "application/json", **(headers or {})}
        connection.request("POST", f"/valet.v1.{method}", json.dumps(message), kind)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers.get("valet-reason", ""), json.loads(reply.read()))
    finally:
        connection.close()

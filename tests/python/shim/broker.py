"""A stand-in for the broker, for the faults that a real one cannot be made to show.

It speaks raw bytes over a Unix socket, one thread a connection; to a client that begins with HTTP/2, as
a gRPC client does, it says the same by `http2`. A test gives `script`, called with each request, whose
answer is a `Say`. Requests, and the connections that brought any, are recorded.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Request:
    """One request, and which connection it came by."""

    connection: int
    target: str
    headers: dict[str, str]
    message: Any


@dataclass
class Say:
    """What to send back, what to do then, and whether to hang up in the end."""

    data: bytes = b""
    then: Callable[[Any], object] | None = None  # given the socket, or what stands for it in HTTP/2
    close: bool = False


def reply(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP/1.1 answer as bytes."""
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def answer(value: str, **fields: Any) -> Say:
    """A good answer."""
    whole = {"value": value, "source": "files", "state": "STATE_FRESH", **fields}
    return Say(reply(200, json.dumps(whole).encode()))


def fault(status: int, code: str, reason: str | None, message: str = "because", **headers: str) -> Say:
    """An error as Connect has them."""
    named = {"valet-reason": reason} if reason else {}
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    return Say(reply(status, json.dumps({"code": code, "message": message}).encode(), named))


Script = Callable[[Request], Say]


class FakeBroker:
    """Listens at ``path`` until closed; ``script`` may be exchanged at any time."""

    def __init__(self, path: Path, script: Script) -> None:
        self.path = str(path)
        self.script = script
        self.requests: list[Request] = []
        self.connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end every connection."""
        hang_up(self._listener)
        self.close_connections()

    def close_connections(self) -> None:
        """End every connection, as a broker does that has waited long enough, or was restarted."""
        for connection in self.connections:
            hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            begin = connection.recv(3, socket.MSG_PEEK)
            if not begin:  # somebody who only looked whether we are here
                return
            self.connections.append(connection)
            number = len(self.connections)
            if begin == b"PRI":
                self._serve_http2(connection, number)
            else:
                self._serve_http1(connection, number)
        except OSError:
            pass
        finally:
            hang_up(connection)

    def _serve_http1(self, connection: socket.socket, number: int) -> None:
        stream = connection.makefile("rb")
        while (request := _read(stream, number)) is not None:
            self.requests.append(request)
            if not _say(self.script(request), connection):
                break

    def _serve_http2(self, connection: socket.socket, number: int) -> None:
        from http2 import Session  # needs h2 and protobuf, which tests of HTTP/1.1 alone do without

        def serve(stream: Any, target: str, headers: dict[str, str], message: Any) -> None:
            request = Request(number, target, headers, message)
            self.requests.append(request)
            try:
                if not _say(self.script(request), stream):
                    hang_up(connection)
            except OSError:
                hang_up(connection)

        Session(connection, serve).run()


def _say(say: Say, connection: Any) -> bool:
    """Carry it out; gives whether the connection stays."""
    connection.sendall(say.data)
    if say.then is not None:
        say.then(connection)
    return not say.close


def hang_up(connection: socket.socket) -> None:
    """Shut down, then close: the peer sees the end at once, whoever else holds the descriptor."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


def _read(stream: Any, number: int) -> Request | None:
    start = stream.readline().decode()
    if not start:
        return None
    headers = {}
    while (line := stream.readline().decode().rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = stream.read(length)
    if len(body) < length:  # the other side gave up
        return None
    return Request(number, start.split()[1], headers, json.loads(body))

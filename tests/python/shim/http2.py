"""The fake broker's gRPC: what a script says for HTTP/1.1 with JSON, as an answer of gRPC over HTTP/2.

A good answer becomes a message, a Connect error trailers; anything else that is HTTP stays what it is, with
another framing, and what is no HTTP goes over the socket as it stands.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from airflow_valet import schema
from google.protobuf import json_format
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError

#: gRPC's number of each code, as Connect spells it.
CODES = {
    "canceled": 1, "unknown": 2, "invalid_argument": 3, "deadline_exceeded": 4, "not_found": 5,
    "already_exists": 6, "permission_denied": 7, "resource_exhausted": 8, "failed_precondition": 9,
    "aborted": 10, "out_of_range": 11, "unimplemented": 12, "internal": 13, "unavailable": 14,
    "data_loss": 15, "unauthenticated": 16,
}  # fmt: skip

Headers = list[tuple[str, str]]
Serve = Callable[["Stream", str, dict[str, str], Any], None]


class Session:
    """One connection: reads frames until its end, and serves each request in a thread of its own."""

    def __init__(self, connection: socket.socket, serve: Serve) -> None:
        self.socket = connection
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.changed = threading.Condition()  # guards all of it; told of windows, and of streams that end
        self.closed = False
        self._serve = serve
        self._streams: dict[int, Stream] = {}

    def run(self) -> None:
        """Serve until either side hangs up."""
        with self.changed:
            self.h2.initiate_connection()
            self.flush()
        try:
            while data := self.socket.recv(65536):
                with self.changed:
                    for event in self.h2.receive_data(data):
                        self._take(event)
                    self.flush()
                    self.changed.notify_all()
        except (OSError, ProtocolError):
            pass
        finally:
            with self.changed:
                self.closed = True
                self.changed.notify_all()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def _take(self, event: Any) -> None:
        if isinstance(event, events.RequestReceived):
            self._streams[event.stream_id] = Stream(self, event.stream_id, dict(event.headers))
        elif isinstance(event, events.DataReceived):
            self._streams[event.stream_id].body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, events.StreamReset):
            self._streams[event.stream_id].gone = True
        elif isinstance(event, events.StreamEnded):
            stream = self._streams[event.stream_id]
            target = stream.headers[":path"]
            request, _ = schema.messages(target)
            message = json_format.MessageToDict(request.FromString(bytes(stream.body[5:])))
            given = (stream, target, stream.headers, message)
            threading.Thread(target=self._serve, args=given, daemon=True).start()


class Stream:
    """One request's stream, which looks to a script like the socket it would have over HTTP/1.1."""

    def __init__(self, session: Session, number: int, headers: dict[str, str]) -> None:
        self.session = session
        self.number = number
        self.headers = headers
        self.body = bytearray()
        self.gone = False  # given up by the client

    def recv(self, _count: int, _flags: int = 0) -> bytes:
        """Nothing, once the client has given up the request or hung up."""
        with self.session.changed:
            self.session.changed.wait_for(lambda: self.gone or self.session.closed)
        return b""

    def sendall(self, data: bytes) -> None:
        """Send an answer, given as HTTP/1.1."""
        if not data:
            return
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        if not first.startswith("HTTP/1.1 "):
            self.session.socket.sendall(data)
            return
        status = first.split()[1]
        headers = [(n, v) for n, _, v in (line.partition(": ") for line in lines) if n != "content-length"]
        grpc = [(":status", "200"), ("content-type", "application/grpc")]
        own = [(name, value) for name, value in headers if name not in ("content-type", "connection")]
        try:
            fields = json.loads(body)
            if status == "200":
                _, response = schema.messages(self.headers[":path"])
                message = json_format.ParseDict(fields, response()).SerializeToString()
            else:
                words = quote(fields["message"], safe=" ")
                said = [("grpc-status", str(CODES[fields["code"]])), ("grpc-message", words)]
        except (ValueError, TypeError, LookupError, RecursionError, json_format.ParseError):
            self.send([(":status", status), *headers], body, [("x-end", "")] * (not body))
            return
        if status == "200":
            self.send(grpc + own, frame(message), [("grpc-status", "0")])
        else:
            self.send([*grpc, *said, *own], b"")

    def send(
        self, headers: Headers, body: bytes, trailers: Headers | None = None, *, end: bool = True
    ) -> None:
        """Send it; with `end` false the stream stays open."""
        with self.session.changed:
            if self.gone or self.session.closed:
                return
            h2, number = self.session.h2, self.number
            h2.send_headers(number, headers, end_stream=end and not body and not trailers)
            while body and not self.gone and not self.session.closed:
                count = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size, len(body))
                h2.send_data(number, body[:count], end_stream=end and count == len(body) and not trailers)
                body = body[count:]
                self.session.flush()
                if body and count == 0:
                    self.session.changed.wait()
            if trailers and not self.gone and not self.session.closed:
                h2.send_headers(number, trailers, end_stream=True)
            self.session.flush()


def frame(message: bytes) -> bytes:
    """A message as gRPC frames it."""
    return b"\0" + len(message).to_bytes(4, "big") + message

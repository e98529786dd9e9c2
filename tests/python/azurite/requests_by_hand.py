"""Requests as they are signed: each header and each escape of the path is sent as it stands."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPConnection, HTTPSConnection

from .signer import Signer
from .storage import Storage


@dataclass(frozen=True)
class Request:
    """What is sent, but for where and when."""

    service: str
    method: str
    #: What follows the account's name: path and query, percent-encoded.
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    version: str = "2023-11-03"

    def with_header(self, name: str, value: str) -> Request:
        """The same with one header more, or with another value."""
        others = tuple(header for header in self.headers if header[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))

    def dated(self) -> Request:
        """The same with what every request needs."""
        sized = self.with_header("Content-Length", str(len(self.body))) if self.method in {"PUT", "POST"} else self
        return sized.with_header("x-ms-version", self.version).with_header(
            "x-ms-date", format_datetime(datetime.now(UTC), usegmt=True)
        )


def sign(signer: Signer, storage: Storage, scheme: str, request: Request, key: str | None = None) -> str:
    """Its `Authorization`."""
    return signer.sign(
        f"{scheme}-{request.service}",
        account=storage.azurite.account.name,
        key=key or storage.azurite.account.keys[0],
        method=request.method,
        url=storage.azurite.endpoint(request.service) + request.path,
        headers=[list(header) for header in request.headers],
    )


def send(storage: Storage, request: Request, authorization: str) -> int:
    """The status of the answer."""
    address, port = "127.0.0.1", storage.azurite.ports[request.service]
    if storage.azurite.ca_file:
        trust = ssl.create_default_context(cafile=storage.azurite.ca_file)
        connection: HTTPConnection = HTTPSConnection(address, port, timeout=10, context=trust)
    else:
        connection = HTTPConnection(address, port, timeout=10)
    try:
        connection.putrequest(
            request.method, f"/{storage.azurite.account.name}{request.path}", skip_accept_encoding=True
        )
        for name, value in (*request.headers, ("Authorization", authorization)):
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        return connection.getresponse().status
    finally:
        connection.close()

"""HTTP/1.1 answers: the one that Valet gives is recognised, any other is read by `http.client`.

To read a head properly takes as long as all the rest of a lookup, so it is done only where the head may
say something new. Knows no sockets and nothing of lookups.
"""

from __future__ import annotations

import re
from http.client import HTTPException, HTTPResponse
from typing import Any

MAX_ANSWER = 8 * 1024 * 1024  # bytes of one answer, headers and all; Key Vault's values end at 25 KiB
#: All that Valet's head of a good answer says. What is not in here may change how the rest is to be read.
_USUAL = rb"(?:(?:content-type|date): [ -~]*\r\n)*"
_GOOD = re.compile(
    rb"HTTP/1\.1 200 OK\r\n" + _USUAL + rb"content-length: ([0-9]{1,7})\r\n" + _USUAL + rb"\r\n"
)


class TooLarge(HTTPException):
    """The answer is longer than `MAX_ANSWER`."""


class Reply:
    """An HTTP answer, its headers in lower case; ``last`` on its connection? Prints as none of it."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, *, last: bool) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.last = last


def recognise(received: bytes) -> Reply | None:
    """The reply, where ``received`` is all of an answer whose head says nothing but how long it is."""
    head = _GOOD.match(received)
    if head is None or len(received) - head.end() != int(head[1]):
        return None
    return Reply(200, {}, received[head.end() :], last=False)


def read(stream: Any) -> Reply:
    """The reply in ``stream`` (whatever has `makefile`); raises what that does, or HTTPException."""
    with HTTPResponse(stream, method="POST") as response:
        response.begin()
        if (response.length or 0) > MAX_ANSWER:
            raise TooLarge
        body = response.read()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, headers, body, last=response.will_close)

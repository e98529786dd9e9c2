"""HTTP/1.1 over a Unix socket: one exchange under one deadline, on connections that survive `fork`.

What is kept belongs to the process, not to a backend: Airflow makes up to 27 of those in one run, and
forks after it has looked things up. Knows nothing of lookups. Called by `client` alone.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections import deque
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any, NamedTuple

MAX_ANSWER = 8 * 1024 * 1024  # bytes of one answer, headers and all; Key Vault's values end at 25 KiB
MAX_IDLE = 4  # connections kept between lookups
BACKLOG_PAUSE = 0.01  # seconds between attempts while the broker's queue of new connections is full


class Reply(NamedTuple):
    """What came back, unread."""

    status: int
    headers: HTTPMessage
    body: bytes


class TooLarge(HTTPException):
    """The answer is longer than `MAX_ANSWER`."""


class _Socket(socket.socket):
    """A Unix socket whose every wait ends at `deadline` (monotonic seconds)."""

    deadline = 0.0
    received = 0  # bytes of the present answer

    def __init__(self) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        _open.add(self)

    def connect(self, address: Any) -> None:
        while True:
            self._limit_wait()
            try:
                return super().connect(address)
            except BlockingIOError:  # the queue is full; a Unix socket does not wait for room
                time.sleep(BACKLOG_PAUSE)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._limit_wait()  # for all of it, however many writes it takes
        super().sendall(data, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self._limit_wait()
        count = super().recv_into(buffer, nbytes, flags)
        self.received += count
        if self.received > MAX_ANSWER:
            raise TooLarge
        return count

    def close(self) -> None:
        _open.discard(self)
        super().close()

    def _limit_wait(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self.settimeout(left)


class _Connection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("valet")
        self.path = path
        self.wire = _Socket()

    def connect(self) -> None:
        self.sock = self.wire
        self.wire.connect(self.path)

    def exchange(self, deadline: float, target: str, body: bytes, headers: dict[str, str]) -> Reply:
        self.wire.deadline, self.wire.received = deadline, 0
        try:
            self.request("POST", target, body, headers)
            response = self.getresponse()
            if (response.length or 0) > MAX_ANSWER:
                raise TooLarge
            reply = Reply(response.status, response.headers, response.read())
        except BaseException:  # a task's time limit too: what is half read must not be used again
            self.close()
            raise
        if self.sock is not None:  # else the broker asked to close it
            _keep(self)
        return reply

    def is_quiet(self) -> bool:
        """Neither closed by the broker nor holding bytes, which would pass for the next answer."""
        poll = select.poll()
        poll.register(self.wire, select.POLLIN)
        return not poll.poll(0)


def exchange(path: str, deadline: float, target: str, body: bytes, headers: dict[str, str]) -> Reply:
    """POST ``body`` to ``target`` at the socket ``path``; raises OSError, HTTPException, ValueError."""
    idle = _take(path)
    if idle is not None:
        try:
            return idle.exchange(deadline, target, body, headers)
        except (OSError, HTTPException) as error:
            # Closed just as we sent, so that nothing came back, is the one case to try again.
            if idle.wire.received or isinstance(error, socket.timeout):
                raise
    return _Connection(path).exchange(deadline, target, body, headers)


def _take(path: str) -> _Connection | None:
    if _pid != os.getpid():  # forked behind Python's back
        _start_anew()
    while True:
        try:
            connection = _idle.pop()
        except IndexError:
            return None
        if connection.path == path and connection.is_quiet():
            return connection
        connection.close()


def _keep(connection: _Connection) -> None:
    _idle.append(connection)
    if len(_idle) > MAX_IDLE:
        with suppress(IndexError):  # taken by other threads meanwhile
            _idle.popleft().close()


def _start_anew() -> None:
    """Drop what a forked child inherited: its parent goes on using the same sockets."""
    global _pid
    _pid = os.getpid()
    _idle.clear()
    while _open:
        inherited = _open.pop().detach()
        if inherited >= 0:
            os.close(inherited)  # not shutdown(), which would end the parent's connection


# Of the process. No locks, as a child would inherit one that a thread it lacks will never release:
# each operation used on these is atomic.
_idle: deque[_Connection] = deque()
_open: set[_Socket] = set()
_pid = os.getpid()
os.register_at_fork(after_in_child=_start_anew)

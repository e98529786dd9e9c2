"""HTTP/1.1 over a Unix socket: one exchange under one deadline, on connections that survive `fork`.

What is kept belongs to the process, not to a backend: Airflow makes up to 27 of those in one run, and
forks after it has looked things up. `http.client` reads the answers. Knows nothing of lookups.
"""

from __future__ import annotations

import os
import socket
import time
from collections import defaultdict, deque
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any

MAX_ANSWER = 8 * 1024 * 1024  # bytes of one answer, headers and all; Key Vault's values end at 25 KiB
MAX_IDLE = 4  # connections to one socket that are kept between lookups
BACKLOG_PAUSE = 0.01  # seconds between attempts while the broker's queue of new connections is full


class TooLarge(HTTPException):
    """The answer is longer than `MAX_ANSWER`."""


class Reply:
    """An HTTP answer, read from ``stream`` (whatever has `makefile`) to its end. Prints as none of it."""

    def __init__(self, stream: Any) -> None:
        with HTTPResponse(stream, method="POST") as response:
            response.begin()
            if (response.length or 0) > MAX_ANSWER:
                raise TooLarge
            self.status = response.status
            self.headers = response.headers
            self.last = response.will_close
            self.body = response.read()


class _Connection(socket.socket):
    """A Unix socket whose every wait ends at the deadline of the present exchange."""

    def __init__(self, path: str) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self.path = path
        self.connected = False
        self.deadline = 0.0  # by time.monotonic()
        self.received = 0  # bytes of the present answer
        _open.add(self)

    def exchange(self, deadline: float, request: bytes) -> Reply:
        """Send ``request`` and read the reply; afterwards this is closed, or kept for the next."""
        self.deadline, self.received = deadline, 0
        try:
            self._connect()
            self._limit_wait()  # for all of the request, however many writes it takes
            self.sendall(request)
            reply = Reply(self)
        except BaseException:  # a task's time limit too: what is half read must not be used again
            self.close()
            raise
        if reply.last:
            self.close()
        else:
            _keep(self)
        return reply

    def is_quiet(self) -> bool:
        """Neither closed by the broker nor holding bytes, which would pass for the next answer."""
        try:
            self.settimeout(0)
            self.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

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

    def _connect(self) -> None:
        while not self.connected:
            self._limit_wait()
            try:
                self.connect(self.path)
                self.connected = True
            except BlockingIOError:  # the queue is full; a Unix socket does not wait for room
                time.sleep(BACKLOG_PAUSE)

    def _limit_wait(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self.settimeout(left)


def exchange(path: str, deadline: float, request: bytes) -> Reply:
    """Send ``request`` to the socket ``path``; raises OSError, HTTPException or ValueError."""
    idle = _take(path)
    if idle is not None:
        try:
            return idle.exchange(deadline, request)
        except (OSError, HTTPException):
            # Closed just as we sent, so that nothing came back, is the one case to try again. (Where
            # the deadline passed, so it has for the second attempt.)
            if idle.received:
                raise
    return _Connection(path).exchange(deadline, request)


def _take(path: str) -> _Connection | None:
    if _pid != os.getpid():  # forked behind Python's back
        _start_anew()
    while True:
        try:
            connection = _idle[path].pop()
        except IndexError:
            return None
        if connection.is_quiet():
            return connection
        connection.close()


def _keep(connection: _Connection) -> None:
    idle = _idle[connection.path]
    idle.append(connection)
    if len(idle) > MAX_IDLE:
        with suppress(IndexError):  # taken by other threads meanwhile
            idle.popleft().close()


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
_idle: defaultdict[str, deque[_Connection]] = defaultdict(deque)
_open: set[_Connection] = set()
_pid = os.getpid()
os.register_at_fork(after_in_child=_start_anew)

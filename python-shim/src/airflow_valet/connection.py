"""HTTP/1.1 over a Unix socket: one exchange under one deadline, on connections that survive `fork`.

What is kept belongs to the process, not to a backend: Airflow makes up to 27 of those in one run, and
forks after it has looked things up. Knows nothing of lookups.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections import defaultdict, deque
from contextlib import suppress
from http.client import HTTPException
from io import BufferedReader, RawIOBase
from typing import Any

from airflow_valet.reply import MAX_ANSWER, Reply, TooLarge, read, recognise

MAX_IDLE = 4  # connections to one socket that are kept between lookups
BACKLOG_PAUSE = 0.01  # seconds between attempts while the broker's queue of new connections is full
_CHUNK = 32 * 1024  # bytes received at once: nearly always the whole answer


class _Connection(socket.socket):
    """A Unix socket whose every wait ends at the deadline of the present exchange.

    It is non-blocking and waits by `poll`, which goes on for the time that is left when a signal interrupts
    it; a limit of the kernel's own (SO_RCVTIMEO) would start anew.
    """

    def __init__(self, path: str) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self.setblocking(False)
        self.path = path
        self.connected = False
        self.deadline = 0.0  # by time.monotonic()
        self.received = 0  # bytes of the present answer
        self._readable = _poll(self, select.POLLIN)
        _open.add(self)

    def exchange(self, deadline: float, request: bytes) -> Reply:
        """Send ``request`` and read the reply; afterwards this is closed, or kept for the next."""
        self.deadline, self.received = deadline, 0
        try:
            self._connect()
            self._send(request)
            first = self.receive(_CHUNK)
            reply = recognise(first) or read(_Stream(self, first))
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
        return not self._readable.poll(0)

    def receive(self, most: int) -> bytes:
        """The next bytes of the answer; none at its end."""
        self._wait(self._readable)
        data = self.recv(most)
        self.received += len(data)
        if self.received > MAX_ANSWER:
            raise TooLarge
        return data

    def close(self) -> None:
        _open.discard(self)
        super().close()

    def _connect(self) -> None:
        while not self.connected:
            try:
                self.connect(self.path)
                self.connected = True
            except BlockingIOError:  # the queue is full; a Unix socket does not wait for room
                time.sleep(min(BACKLOG_PAUSE, self._left()))

    def _send(self, request: bytes) -> None:
        sent = 0
        while sent < len(request):
            try:
                sent += self.send(memoryview(request)[sent:])
            except BlockingIOError:
                self._wait(_poll(self, select.POLLOUT))

    def _wait(self, events: select.poll) -> None:
        while not events.poll(self._left() * 1000):
            pass

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        return left


class _Stream(RawIOBase):
    """What `http.client` takes for a socket: the bytes received ``first``, then what else comes."""

    def __init__(self, connection: _Connection, first: bytes) -> None:
        self._connection = connection
        self._first = first

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first or self._connection.receive(len(buffer))
        count = min(len(data), len(buffer))
        buffer[:count], self._first = data[:count], data[count:]
        return count


def _poll(connection: _Connection, events: int) -> select.poll:
    poll = select.poll()
    poll.register(connection, events)
    return poll


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

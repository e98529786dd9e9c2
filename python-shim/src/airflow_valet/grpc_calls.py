"""Calls over gRPC, on one channel for each socket that is opened in the process which uses it.

Loaded at the first lookup, and only where `transport` is grpc: loading it loads grpcio, which costs some
50 ms. Its functions do what those of `connect_calls` do.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any
from urllib.parse import quote

import grpc

from airflow_valet import connect_calls, schema
from airflow_valet.connection import BACKLOG_PAUSE
from airflow_valet.errors import Refusal
from airflow_valet.reply import MAX_ANSWER, TooLarge

if tuple(map(int, grpc.__version__.split(".")[:2])) < (1, 74):
    # Before, the first call after a fork fails or hangs, also on a channel that is new.
    raise ImportError(f"grpcio {grpc.__version__} is installed")

_FORK_PATIENCE = 0.2  # seconds that a fork waits for calls under way; most end in a few milliseconds
_FORK_PAUSE = 0.001  # seconds between looks
_MAX_TRAILERS = 64 * 1024  # bytes; gRPC allows 8 KiB, at which it begins to refuse at random
_OPTIONS = (
    ("grpc.default_authority", "valet"),  # else it is the path, percent-encoded: no authority in HTTP
    ("grpc.use_local_subchannel_pool", 1),  # a new channel connects anew, whatever became of others
    ("grpc.max_receive_message_length", MAX_ANSWER),
    ("grpc.max_metadata_size", _MAX_TRAILERS),
    ("grpc.absolute_max_metadata_size", _MAX_TRAILERS),
)
#: Codes that gRPC makes up for itself where the broker says nothing, and so need a reason to be believed.
_LOST = ("unavailable", "cancelled")
_NEVER_MADE_UP = ("not_found", "permission_denied", "unauthenticated")


class _Channel:
    """A channel, and whether a call has used it."""

    def __init__(self, path: str) -> None:
        self.rpc = grpc.insecure_channel(f"unix:{quote(path)}", options=_OPTIONS)
        self.used = False


class _Call:
    """One lookup: its attempts, all under one deadline, and what each has come to."""

    def __init__(self, path: str, timeout: float, target: str, message: dict[str, str]) -> None:
        self.path = path
        self.deadline = time.monotonic() + timeout
        self.target = target
        self.request = schema.encode(target, message)
        self.last = False  # what this attempt comes to is final, unless nothing could connect

    def __enter__(self) -> _Call:
        if _pid != os.getpid():  # forked behind Python's back
            _start_anew()
        _under_way.add(self)
        while _forking:
            _under_way.discard(self)
            time.sleep(_FORK_PAUSE)
            _under_way.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _under_way.discard(self)

    def method(self) -> Any:
        """What to call, once."""
        self.channel = _channel(self.path)
        self.last = self.last or not self.channel.used
        self.channel.used = True
        return self.channel.rpc.unary_unary(self.target)

    def left(self) -> float:
        """Seconds until the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        return left

    def read(self, answer: bytes) -> dict[str, Any]:
        """The fields of a good answer."""
        fields = schema.decode(self.target, answer)
        if fields is None:
            raise ValueError
        return fields

    def judge(self, error: Any) -> Refusal | None:
        """What the broker says, or None for "try again"; raises what `connection.exchange` would."""
        if isinstance(error, ValueError):  # another thread has closed the channel
            return None
        code = error.code().name.lower()
        trailers = dict(error.trailing_metadata() or ())
        reason = str(trailers.get("valet-reason", ""))
        if reason or code in _NEVER_MADE_UP:
            return Refusal(code, str(error.details()), reason, str(trailers.get("retry-after", "")))
        if code == "deadline_exceeded":
            raise socket.timeout
        if code == "resource_exhausted":
            raise TooLarge
        _drop(self.path, self.channel)
        if code not in _LOST:
            raise ValueError
        if self.last and _is_open(self.path):
            raise ConnectionError("it was closed without an answer")
        # Either the broker has closed a connection that was used before, perhaps just as we asked, or so many
        # wait to connect that it took no more. Lookups change nothing, so asking twice does no harm.
        self.last = True
        return None


def call(
    path: str, timeout: float, target: str, message: dict[str, str], claims: tuple[tuple[str, str], ...]
) -> dict[str, Any] | Refusal:
    """Call the method; raises OSError, HTTPException or ValueError."""
    with _Call(path, timeout, target, message) as one:
        if _forked_amid_calls:
            return connect_calls.call(path, timeout, target, message, claims)
        return _attempt(one, claims)


def _attempt(one: _Call, claims: tuple[tuple[str, str], ...]) -> dict[str, Any] | Refusal:
    while True:
        try:
            answer = one.method()(one.request, timeout=one.left(), metadata=claims)
        except (grpc.RpcError, ValueError) as error:
            refusal = one.judge(error)
        else:
            return one.read(answer)
        if refusal:
            return refusal
        time.sleep(min(BACKLOG_PAUSE, one.left()))


async def acall(
    path: str, timeout: float, target: str, message: dict[str, str], claims: tuple[tuple[str, str], ...]
) -> dict[str, Any] | Refusal:
    """`call` for an event loop."""
    with _Call(path, timeout, target, message) as one:
        if _forked_amid_calls:
            return await connect_calls.acall(path, timeout, target, message, claims)
        return await _aattempt(one, claims)


async def _aattempt(one: _Call, claims: tuple[tuple[str, str], ...]) -> dict[str, Any] | Refusal:
    import asyncio

    while True:
        try:
            answer = await _wait(one.method().future(one.request, timeout=one.left(), metadata=claims))
        except (grpc.RpcError, ValueError) as error:
            refusal = one.judge(error)
        else:
            return one.read(answer)
        if refusal:
            return refusal
        await asyncio.sleep(min(BACKLOG_PAUSE, one.left()))


async def _wait(asked: Any) -> bytes:
    """The result of a call under way, which ends with whoever waits for it."""
    import asyncio
    from contextlib import suppress

    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
            loop.call_soon_threadsafe(done.set)

    asked.add_done_callback(wake)
    try:
        await done.wait()
        answer: bytes = asked.result()
        return answer
    finally:
        asked.cancel()


def _is_open(path: str) -> bool:
    """Whether the socket takes connections; False if its queue is full. Unlike gRPC, OSError says why not."""
    with socket.socket(socket.AF_UNIX) as knocking:
        knocking.setblocking(False)
        try:
            knocking.connect(path)
        except BlockingIOError:
            return False
        return True


def _channel(path: str) -> _Channel:
    found = _channels.get(path)
    if found is None:
        made = _Channel(path)  # connects when it is used
        found = _channels.setdefault(path, made)
        if found is not made:  # another thread was quicker
            made.rpc.close()
    return found


def _drop(path: str, channel: _Channel) -> None:
    """Close a channel that has lost its connection, lest it wait before it connects again."""
    if _channels.get(path) is channel:
        _channels.pop(path, None)
    channel.rpc.close()


def _await_quiet() -> None:
    """Before a fork: begin no more calls, and wait a while for those under way, whose locks it would copy."""
    global _forking
    _forking = True
    patience = time.monotonic() + _FORK_PATIENCE
    while _under_way and time.monotonic() < patience:
        time.sleep(_FORK_PAUSE)


def _go_on() -> None:
    global _forking
    _forking = False


def _start_anew() -> None:
    """Put away, neither used nor closed, what a forked child inherited: its parent uses the same socket.

    Where a thread was in a call as the process was forked, gRPC's locks may be held for ever in the child,
    and a call there hangs or crashes on whichever channel. The broker speaks Connect on the same socket.
    """
    global _pid, _forked_amid_calls, _forking
    _pid = os.getpid()
    _forking = False
    _forked_amid_calls = _forked_amid_calls or bool(_under_way)
    _inherited.append((dict(_channels), set(_under_way)))
    _channels.clear()
    _under_way.clear()


# Of the process, without locks: see `connection`.
_channels: dict[str, _Channel] = {}
_under_way: set[_Call] = set()
_inherited: list[tuple[dict[str, _Channel], set[_Call]]] = []
_forked_amid_calls = False
_forking = False
_pid = os.getpid()
os.register_at_fork(before=_await_quiet, after_in_parent=_go_on, after_in_child=_start_anew)

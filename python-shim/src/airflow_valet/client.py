"""Lookups at a Valet broker by the Connect protocol's unary calls, blocking and for an event loop.

Whatever comes back becomes an `Answer`, or a `ValetError` whose text holds no secret and nothing of a
body that is no Connect error. Nor does a frame that raises: some Airflows log the locals of each. Knows
no Airflow.
"""

from __future__ import annotations

import json
import os
import socket
import time
from functools import lru_cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from airflow_valet.connection import exchange
from airflow_valet.errors import ValetError, ValetNotFound, ValetUnavailable, classify
from airflow_valet.reply import Reply, TooLarge

_METHODS = {
    "connection": ("/valet.v1.Broker/GetConnection", "connId"),
    "variable": ("/valet.v1.Broker/GetVariable", "key"),
    "config": ("/valet.v1.Broker/GetConfig", "key"),
}
_CLAIMS = {
    "valet-dag-id": "AIRFLOW_CTX_DAG_ID",
    "valet-task-id": "AIRFLOW_CTX_TASK_ID",
    "valet-run-id": "AIRFLOW_CTX_DAG_RUN_ID",
    "valet-map-index": "AIRFLOW_CTX_MAP_INDEX",  # Airflow sets none, but `get_airflow_context_vars` may
    "valet-try-number": "AIRFLOW_CTX_TRY_NUMBER",
}
_MAX_NAME = 1024  # bytes; the broker's own rule, applied here too where it would not even read them
_MAX_CLAIM = 250  # characters; as long as Airflow lets an id be
_MAX_MESSAGE = 500  # characters of the broker's own words
_HEADSTART = 0.1  # seconds by which the broker gives up before us, since it can say what was slow
_RAISED = (OSError, HTTPException, ValueError)  # by an exchange
#: What an exception of an exchange means; the first that fits. Quotes none that may quote an answer.
_MEANING: tuple[tuple[type[Exception], str, str], ...] = (
    (socket.timeout, "TIMED_OUT", "no answer from {path} within {timeout:g} s"),
    (TooLarge, "TOO_LARGE", "the answer from {path} is too large"),
    (FileNotFoundError, "UNREACHABLE", "no socket at {path}: is the Valet sidecar running, and the"
     " directory of its socket mounted here? (argument `socket`, or VALET_SOCKET)"),
    (ConnectionRefusedError, "UNREACHABLE", "nobody listens at {path}: is `valet serve` running?"),
    (PermissionError, "UNREACHABLE", "uid {uid} may not open {path}: see the mode and group of its listener"),
    (OSError, "UNREACHABLE", "no connection to {path}: {error}"),
    (Exception, "BAD_ANSWER", "{path} broke off its answer, or is no Valet"),
)  # fmt: skip

T = TypeVar("T")
if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[dict[str, Any]], T | None]  # of an answer's fields; None if they are no answer


class Answer:
    """A value, what of it to hide from logs, and the whole answer as it came. Prints as none of it."""

    def __init__(self, value: str, mask: list[str], fields: dict[str, Any]) -> None:
        self.value = value
        self.mask = mask
        self.fields = fields


class Client:
    """A broker's socket, and the seconds within which it must have answered. Holds no connection."""

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self.timeout = timeout

    def get(self, kind: str, name: str, team: str | None = None) -> Answer:
        """Look up the ``connection``, ``variable`` or ``config`` option ``name``, or `ValetError`."""
        return self._call(_answer, *_lookup(kind, name, team))

    def status(self) -> dict[str, Any]:
        """The state of the broker, from a socket where it allows `admin`, or `ValetError`."""
        return self._call(dict, "status", "/valet.v1.Admin/Status", {})

    async def aget(self, kind: str, name: str, team: str | None = None) -> Answer:
        """`get` for an event loop. Takes no thread, so no slow lookup keeps another one waiting."""
        import asyncio

        from airflow_valet.aio import exchange as aexchange

        what, target, message = _lookup(kind, name, team)
        request = self._request(target, message, "connection: close")
        try:
            exchanged = asyncio.wait_for(aexchange(self.path, request), self.timeout)
            outcome = _outcome(_answer, what, await exchanged)
        except asyncio.TimeoutError:
            outcome = self._broken(what, socket.timeout())
        except _RAISED as error:
            outcome = self._broken(what, error)
        if isinstance(outcome, ValetError):
            raise outcome
        return outcome

    def _call(self, read: Reader[T], what: str, target: str, message: dict[str, str]) -> T:
        deadline = time.monotonic() + self.timeout
        request = self._request(target, message)
        try:
            outcome = _outcome(read, what, exchange(self.path, deadline, request))
        except _RAISED as error:
            outcome = self._broken(what, error)
        if isinstance(outcome, ValetError):
            raise outcome
        return outcome

    def _request(self, target: str, message: dict[str, str], *headers: str) -> bytes:
        limit = self.timeout - min(_HEADSTART, self.timeout / 10)
        return _encode(target, tuple(message.items()), max(1, int(limit * 1000)), (*headers, *_claims()))

    def _broken(self, what: str, error: Exception) -> ValetError:
        reason, text = next(row[1:] for row in _MEANING if isinstance(error, row[0]))
        words = text.format(path=self.path, timeout=self.timeout, uid=os.getuid(), error=error)
        return ValetUnavailable(f"{what}: {words} ({reason})", reason)


@lru_cache(maxsize=256)  # templates look the same connection up again and again
def _encode(target: str, message: tuple[tuple[str, str], ...], limit: int, headers: tuple[str, ...]) -> bytes:
    body = json.dumps(dict(message)).encode()
    lines = [
        f"POST {target} HTTP/1.1",
        "host: valet",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connect-protocol-version: 1",
        f"connect-timeout-ms: {limit}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _claims() -> tuple[str, ...]:
    read = os.environ.get
    # Airflow sets all of these or none, and a look at the environment costs a microsecond.
    if not read("AIRFLOW_CTX_DAG_ID"):
        return ()
    return _claim_headers(tuple(read(variable, "") for variable in _CLAIMS.values()))


@lru_cache(maxsize=16)
def _claim_headers(claims: tuple[str, ...]) -> tuple[str, ...]:
    pairs = zip(_CLAIMS, claims)
    return tuple(
        f"{header}: {quote(claim[:_MAX_CLAIM], safe='', errors='replace')}"
        for header, claim in pairs
        if claim
    )


def _lookup(kind: str, name: str, team: str | None) -> tuple[str, str, dict[str, str]]:
    what = f"{kind} {name!r:.200}"
    try:
        known = len(name.encode()) <= _MAX_NAME
    except UnicodeEncodeError:
        known = False
    if not known:
        raise ValetNotFound(f"{what}: over 1 KiB, or no Unicode (BAD_NAME)", "BAD_NAME")
    target, field = _METHODS[kind]
    return what, target, {field: name, "team": team} if team else {field: name}


def _outcome(read: Reader[T], what: str, reply: Reply) -> T | ValetError:
    """What ``read`` makes of the reply, or the error to raise where the reply is out of sight."""
    try:
        fields = json.loads(reply.body)
    except (ValueError, RecursionError):
        fields = None
    if isinstance(fields, dict) and reply.status == 200:
        answer = read(fields)
        if answer is not None:
            return answer
    elif isinstance(fields, dict) and isinstance(fields.get("code"), str):
        words = "".join(c if c.isprintable() else " " for c in str(fields.get("message", "")))
        retry = reply.headers.get("retry-after", "")
        again = f", retry in {retry} s" if retry.isdecimal() and len(retry) < 8 else ""
        kind, reason = classify(fields["code"], reply.headers.get("valet-reason", ""))
        return kind(f"{what}: {words[:_MAX_MESSAGE]} ({reason}{again})", reason)
    text = f"{what}: HTTP {reply.status}, but no answer of a Valet (BAD_ANSWER)"
    return ValetUnavailable(text, "BAD_ANSWER")


def _answer(fields: dict[str, Any]) -> Answer | None:
    # proto3 JSON leaves an empty value out; but every answer comes from somewhere.
    value: Any = fields.get("value", "" if fields.get("source") else None)
    mask = fields.get("mask", [])
    if isinstance(mask, list) and all(isinstance(text, str) for text in [value, *mask]):
        return Answer(value, mask, fields)
    return None

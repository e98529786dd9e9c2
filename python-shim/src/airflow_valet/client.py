"""Lookups at a Valet broker, blocking and for an event loop, by whichever transport carries them.

Whatever comes back becomes an `Answer`, or a `ValetError` whose text holds no secret and nothing of a
body that is no Connect error. Nor does a frame that raises: some Airflows log the locals of each. Knows
no Airflow.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from http.client import HTTPException
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from airflow_valet import connect_calls
from airflow_valet.errors import Refusal, ValetError, ValetNotFound, ValetUnavailable, classify
from airflow_valet.reply import TooLarge

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
_RAISED = (OSError, HTTPException, ValueError, ImportError)  # by a call
#: What an exception of a call means; the first that fits. Quotes none that may quote an answer.
_MEANING: tuple[tuple[type[Exception], str, str], ...] = (
    (socket.timeout, "TIMED_OUT", "no answer from {path} within {timeout:g} s"),
    (TooLarge, "TOO_LARGE", "the answer from {path} is too large"),
    (FileNotFoundError, "UNREACHABLE", "no socket at {path}: is the Valet sidecar running, and the"
     " directory of its socket mounted here? (argument `socket`, or VALET_SOCKET)"),
    (ConnectionRefusedError, "UNREACHABLE", "nobody listens at {path}: is `valet serve` running?"),
    (PermissionError, "UNREACHABLE", "uid {uid} may not open {path}: see the mode and group of its listener"),
    (ImportError, "BAD_CONFIG", "`transport: grpc` needs grpcio 1.74 and protobuf 4.25, or later ({error}):"
     " pip install 'airflow-valet[grpc]'"),
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
    """A broker's socket, how to speak to it, and the seconds within which it must have answered."""

    def __init__(self, path: str, timeout: float, transport: str = "connect") -> None:
        self.path = path
        self.timeout = timeout
        self.transport = transport

    def get(self, kind: str, name: str, team: str | None = None) -> Answer:
        """Look up the ``connection``, ``variable`` or ``config`` option ``name``, or `ValetError`."""
        return self._call(_answer, *_lookup(kind, name, team))

    def report_rejected(self, conn_id: str, team: str | None, digest: str) -> dict[str, Any]:
        """Say that a connection's value of this SHA-256 was refused ("": that of now), or `ValetError`."""
        what, _, message = _lookup("connection", conn_id, team)
        more = {"valueSha256": digest} if digest else {}
        return self._call(dict, what, "/valet.v1.Broker/ReportRejected", {**message, **more})

    def status(self) -> dict[str, Any]:
        """The state of the broker, from a socket where it allows `admin`, or `ValetError`."""
        return self._call(dict, "status", "/valet.v1.Admin/Status", {})

    async def aget(self, kind: str, name: str, team: str | None = None) -> Answer:
        """`get` for an event loop. Takes no thread, so no slow lookup keeps another one waiting."""
        what, target, message = _lookup(kind, name, team)
        try:
            asked = self._calls().acall(self.path, self.timeout, target, message, _claims())
            outcome = _outcome(_answer, what, await asked)
        except _RAISED as error:
            outcome = self._broken(what, error)
        if isinstance(outcome, ValetError):
            raise outcome
        return outcome

    def _call(self, read: Reader[T], what: str, target: str, message: dict[str, str]) -> T:
        try:
            call = self._calls().call
            outcome = _outcome(read, what, call(self.path, self.timeout, target, message, _claims()))
        except _RAISED as error:
            outcome = self._broken(what, error)
        if isinstance(outcome, ValetError):
            raise outcome
        return outcome

    def _calls(self) -> Any:
        return import_module("airflow_valet.grpc_calls") if self.transport == "grpc" else connect_calls

    def _broken(self, what: str, error: Exception) -> ValetError:
        reason, text = next(row[1:] for row in _MEANING if isinstance(error, row[0]))
        words = text.format(path=self.path, timeout=self.timeout, uid=os.getuid(), error=error)
        return ValetUnavailable(f"{what}: {words} ({reason})", reason)


def _claims() -> tuple[tuple[str, str], ...]:
    read = os.environ.get
    # Airflow sets all of these or none, and a look at the environment costs a microsecond.
    if not read("AIRFLOW_CTX_DAG_ID"):
        return ()
    return _claim_headers(tuple(read(variable, "") for variable in _CLAIMS.values()))


@lru_cache(maxsize=16)
def _claim_headers(claims: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = zip(_CLAIMS, claims)
    return tuple(
        (header, quote(claim[:_MAX_CLAIM], safe="", errors="replace")) for header, claim in pairs if claim
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


def _outcome(read: Reader[T], what: str, said: dict[str, Any] | Refusal) -> T | ValetError:
    """What ``read`` makes of the answer, or the error to raise where the answer is out of sight."""
    if not isinstance(said, Refusal):
        answer = read(said)
        if answer is not None:
            return answer
        said = Refusal("unknown", "no answer of a Valet", "BAD_ANSWER", "")
    words = "".join(c if c.isprintable() else " " for c in said.words)
    again = f", retry in {said.retry} s" if said.retry.isdecimal() and len(said.retry) < 8 else ""
    kind, reason = classify(said.code, said.reason)
    return kind(f"{what}: {words[:_MAX_MESSAGE]} ({reason}{again})", reason)


def _answer(fields: dict[str, Any]) -> Answer | None:
    # proto3 JSON leaves an empty value out; but every answer comes from somewhere.
    value: Any = fields.get("value", "" if fields.get("source") else None)
    mask = fields.get("mask", [])
    if isinstance(mask, list) and all(isinstance(text, str) for text in [value, *mask]):
        return Answer(value, mask, fields)
    return None

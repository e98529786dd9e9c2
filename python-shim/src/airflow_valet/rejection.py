"""Tells the broker that a service has refused a credential, and from a task's failure whether one has.

Remembers, for this process alone, a digest of each connection that was handed out, so that the broker can
tell a report about the value of now from one about an older. Knows no Airflow; imports no Azure SDK.
"""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from airflow_valet import options
from airflow_valet.client import Client
from airflow_valet.errors import ValetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_log = logging.getLogger("airflow_valet")
_MAX_REMEMBERED = 256  # connections; the one that was looked up longest ago is forgotten first
_MAX_REPORTS = 20  # of one failure
_MAX_CHAIN = 50  # exceptions that are looked at, of one failure
#: What services call it, beside the status 401: not that the caller may not, but that nobody knows it.
_CODES = frozenset(
    "AuthenticationFailed InvalidAuthenticationInfo InvalidAuthenticationToken NoAuthenticationInformation"
    " ExpiredAuthenticationToken".split()
)
_NAMES = frozenset("ClientAuthenticationError ServiceBusAuthenticationError AuthenticationError".split())
_NOTHING_REFUSED = frozenset(["CredentialUnavailableError"])  # no credential was found to send
_AZURE = ("azure", "msrest", "uamqp")
#: How Azure Storage begins to say so. Azurite has another code for it, that of a firewall.
_WORDS = "Server failed to authenticate the request"
_IN_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(_CODES | _NAMES))}|{_WORDS})\b")


class _Handed:
    """A connection that was handed out: by which client, and what its value was, as a digest."""

    def __init__(self, client: Client, team: str | None, digest: str) -> None:
        self.client = client
        self.team = team
        self.digest = digest


def note(client: Client, team: str | None, conn_id: str, value: str) -> None:
    """A connection was handed out in this process."""
    key = (client.path, team, conn_id)
    _handed.pop(key, None)
    _handed[key] = _Handed(client, team, sha256(value.encode("utf-8", "surrogatepass")).hexdigest())
    with suppress(RuntimeError, StopIteration):  # another thread was quicker
        while len(_handed) > _MAX_REMEMBERED:
            _handed.pop(next(iter(_handed)), None)


def use(client: Client, team: str | None) -> None:
    """Report by this client what was not looked up in this process."""
    global _latest
    _latest = (client, team)


def report_rejected(conn_id: str) -> bool:
    """Say that the credential in a connection was refused; True where it is worth looking it up again.

    The broker reads it again past its cache, and has the account's other key sign where there is one. Means
    the value that was handed out in this process last, else the one that would be now. Never raises, and
    says in the log what came of it.
    """
    return _report(conn_id, None)


def report_on_auth_failure(context: Any, conn_ids: Iterable[str] = ()) -> None:
    """An ``on_failure_callback`` and ``on_retry_callback``: `report_rejected` after an authentication error.

    Reports ``conn_ids`` (give them by `functools.partial`), else every connection that this process has
    looked up. Does nothing after any other error, and never raises.
    """
    try:
        failure = context.get("exception")
        what = authentication_error(failure)
        if what is None:
            _log.debug("%s is no authentication error; nothing is reported to Valet", type(failure).__name__)
            return
        named = [conn_ids] if isinstance(conn_ids, str) else list(conn_ids)
        ids = named or list(dict.fromkeys(conn_id for _, _, conn_id in reversed(list(_handed))))
        if not ids:
            _log.warning(
                "%s, but this process has looked up no connection through Valet: name those that"
                " the task uses, functools.partial(report_on_auth_failure, conn_ids=[...])",
                what,
            )
        deadline = time.monotonic() + _default()[0].timeout
        for conn_id in ids[:_MAX_REPORTS]:
            _log.info("%s; reporting the connection %r to Valet", what, conn_id)
            _report(conn_id, deadline)
    except Exception as error:  # whatever a context or an exception of somebody else's may do
        _log.warning("nothing was reported to Valet: %s", type(error).__name__)


def authentication_error(failure: object) -> str | None:
    """What in a failure, or in what it was caused by, says that a credential was refused; for people."""
    if isinstance(failure, str):  # all that is left of it where another process runs the callback
        found = _IN_WORDS.search(failure)
        return found and found[0]
    return next(filter(None, map(_judge, _chain(failure))), None)


def _report(conn_id: str, deadline: float | None) -> bool:
    try:
        handed = [it for (_, _, known), it in list(_handed.items()) if known == conn_id]
        if not handed:
            client, team = _default()
            handed = [_Handed(client, team, "")]
        said = [_send(it, conn_id, deadline) for it in handed[-_MAX_REPORTS:]]
    except ValetError as error:
        _log.warning("not reported to Valet: %s", error)
        return False
    except Exception as error:
        _log.warning("not reported to Valet: connection %.200r: %s", conn_id, type(error).__name__)
        return False
    return any(said)


def _send(handed: _Handed, conn_id: str, deadline: float | None) -> bool:
    client = handed.client
    if deadline is not None:  # the task is over: it shall not wait for many reports in a row
        left = max(0.1, deadline - time.monotonic())
        client = Client(client.path, min(client.timeout, left), client.transport)
    said = client.report_rejected(conn_id, handed.team, handed.digest)
    accepted, superseded = said.get("accepted") is True, said.get("superseded") is True
    if superseded:
        words = "Valet hands out another value by now: look it up again"
    elif accepted:
        words = "Valet has read it again, and hands out the same value"
    else:
        wait = said.get("retryAfter", "?")
        words = f"Valet has acted on a report a short while ago; the next one counts in {wait}"
    _log.info("reported as refused: connection %r; %s", conn_id, words)
    return accepted or superseded


def _default() -> tuple[Client, str | None]:
    if _latest is not None:
        return _latest
    known, _ = options.parse({}, os.environ)
    return Client(known.socket, known.timeout, known.transport), known.team


def _chain(failure: object) -> Iterator[BaseException]:
    """The exception, what it was caused by, and what it holds; each once."""
    waiting: list[object] = [failure]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_CHAIN:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        within = getattr(one, "exceptions", ())  # of a group
        waiting += [one.__cause__, one.__context__, *one.args]
        waiting += within if isinstance(within, (list, tuple)) else ()


def _judge(error: BaseException) -> str | None:
    kinds = [kind for kind in type(error).__mro__ if kind.__module__.partition(".")[0] in _AZURE]
    names = {kind.__name__ for kind in kinds}
    if names & _NOTHING_REFUSED:
        return None
    status, codes = _status(error), _codes(error)
    if names & _NAMES or status == 401 or (status == 403 and (codes & _CODES or _WORDS in str(error))):
        details = [str(status) if status else "", *sorted(codes & _CODES)]
        return " ".join([type(error).__name__, *filter(None, details)])
    return None


def _status(error: BaseException) -> int | None:
    """The status of HTTP, as azure.core, requests, httpx, aiohttp and urllib have it."""
    response = getattr(error, "response", None)
    for holder, name in (
        (error, "status_code"),
        (error, "status"),
        (error, "code"),
        (response, "status_code"),
    ):
        found = getattr(holder, name, None)
        if isinstance(found, int):
            return int(found)
    return None


def _codes(error: BaseException) -> set[str]:
    """The service's own words for what is wrong, where it has any."""
    inner, response = getattr(error, "error", None), getattr(error, "response", None)
    headers = getattr(response, "headers", None) or getattr(error, "headers", None)
    named = headers.get("x-ms-error-code") if headers is not None and hasattr(headers, "get") else None
    candidates = (getattr(error, "error_code", None), getattr(inner, "code", None), named)
    # Of azure.core an enumeration, whose members are texts.
    return {str(getattr(it, "value", it)) for it in candidates if isinstance(it, str)}


#: By socket, team and connection id; the newest last.
_handed: dict[tuple[str, str | None, str], _Handed] = {}
_latest: tuple[Client, str | None] | None = None
# What a parent has looked up is not what this task uses.
os.register_at_fork(after_in_child=_handed.clear)

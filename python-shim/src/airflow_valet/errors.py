"""What a lookup without a value means: the exceptions, and the one table that picks them.

Mirrors "Faults" in Valet's interface description. Knows no HTTP, and imports Airflow only when an
exception is about to be raised into it.
"""

from __future__ import annotations

from importlib import import_module

_MAX_REASON = 40  # characters
#: What a Connect code means that comes without a ``valet-reason``; any other is INTERNAL.
_REASON_OF_CODE = {
    "not_found": "NOT_FOUND",
    "permission_denied": "DENIED_BY_POLICY",
    "unauthenticated": "UNAUTHENTICATED",
    "unavailable": "SOURCE_DOWN",
    "deadline_exceeded": "TIMED_OUT",
    "resource_exhausted": "OVERLOADED",
}
#: Reasons that say "not just now"; ``on_unavailable: skip`` passes over these and no others. Two are
#: the shim's own: UNREACHABLE (no broker there) and BAD_ANSWER (what is there is no Valet).
UNAVAILABLE = frozenset("SOURCE_DOWN THROTTLED TIMED_OUT OVERLOADED UNREACHABLE BAD_ANSWER".split())


class ValetError(Exception):
    """A lookup that gave no value. ``reason`` is the broker's ``valet-reason``. Holds no secret."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        # By name: a class made by `for_airflow` cannot be imported where this is unpickled.
        return _restore, (type(self).__name__, str(self), self.reason)


class ValetNotFound(ValetError):
    """Nobody has it, or nobody can be asked for it: NOT_FOUND, SKIPPED, BAD_NAME."""


class ValetDenied(ValetError):
    """Refused by a policy or a source, or the caller is unknown; asking again will not help."""


class ValetUnavailable(ValetError):
    """It may exist but could not be had: broker or source down or slow, or the value unusable."""


class Refusal:
    """What a broker says instead of an answer: ``code`` as Connect spells it, words, and two headers."""

    def __init__(self, code: str, words: str, reason: str, retry: str) -> None:
        self.code = code
        self.words = words
        self.reason = reason
        self.retry = retry


def classify(code: str, reason: str) -> tuple[type[ValetError], str]:
    """Kind and reason of a broker's error, from its Connect ``code`` and its ``valet-reason``."""
    if not (reason.isidentifier() and len(reason) <= _MAX_REASON):
        reason = _REASON_OF_CODE.get(code, "INTERNAL")
    if code == "not_found" or reason == "BAD_NAME":
        return ValetNotFound, reason
    if code in ("permission_denied", "unauthenticated"):
        return ValetDenied, reason
    return ValetUnavailable, reason


def for_airflow(error: ValetError) -> ValetError:
    """``error`` as a kind at which Airflow 3.2 and later stop; older ones ask the next backend."""
    kind = type(error)
    try:
        stop = import_module("airflow.sdk.exceptions").AirflowSecretsBackendAccessDenied
    except (ImportError, AttributeError):
        return error
    both: type[ValetError] = type(kind.__name__, (kind, stop), {"__module__": kind.__module__})
    return both(str(error), error.reason)


def _restore(name: str, message: str, reason: str) -> ValetError:
    kinds = {kind.__name__: kind for kind in (ValetNotFound, ValetDenied, ValetUnavailable)}
    return for_airflow(kinds.get(name, ValetError)(message, reason))

"""One token of each kind that the emulator verifies, what it opens, and what lies just beside that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .signer import Signer, window
from .storage import (
    BLOB,
    CONTAINER,
    OTHER_CONTAINER,
    OTHER_QUEUE,
    OTHER_TABLE,
    QUEUE,
    TABLE,
    Attempt,
    Storage,
    peek,
    query,
    read,
)


@dataclass(frozen=True)
class Subject:
    """A kind of token."""

    kind: str
    #: The spec, but for account, key and times.
    spec: Mapping[str, object]
    #: What it allows.
    inside: Attempt
    #: What the same request is elsewhere: where it is not allowed.
    outside: Attempt
    #: A permission that it has not, in canonical order.
    wider: str
    #: The first version that the emulator has the service's layout of.
    since: str = "2015-04-05"
    #: Whether it opens a snapshot, which has another name in each emulator.
    snapshot: bool = False

    def sign(self, signer: Signer, storage: Storage, delegation_key: Mapping[str, str], **more: object) -> str:
        """A token for an hour; ``more`` is put beside or in place of what the spec says."""
        spec: dict[str, object] = {**storage.account, **self.spec, **window()}
        if self.kind == "udk-sas-blob":
            del spec["key"]
            spec["user_delegation_key"] = delegation_key
        if self.snapshot:
            spec["resource"] = {"container": CONTAINER, "blob": BLOB, "snapshot": storage.snapshot}
        return signer.sign(self.kind, **{**spec, **more})


def _blob(kind: str, permissions: str, wider: str, outside: Attempt, **resource: str) -> Subject:
    spec = {"resource": {"container": CONTAINER, **resource}, "permissions": permissions}
    return Subject(kind, spec, read(), outside, wider)


_SERVICE = {
    "container": _blob("service-sas-blob", "rl", "rwl", read(OTHER_CONTAINER)),
    "blob": _blob("service-sas-blob", "r", "rw", read(blob="in/other"), blob=BLOB),
}
# The vectors have what the emulator gets wrong: it leaves out the time of a delegated snapshot, and before 2020-12-06
# it adds the blob's name to a delegated container.
_DELEGATED = {
    "delegated container": replace(_SERVICE["container"], kind="udk-sas-blob", since="2020-12-06"),
    "delegated blob": replace(_SERVICE["blob"], kind="udk-sas-blob", since="2020-02-10"),
}
_JOBS = {"resource": {"queue": QUEUE}, "permissions": "r"}
_METRICS = {"resource": {"table": TABLE}, "permissions": "r"}
_ACCOUNT = {"services": "b", "resource_types": "co", "permissions": "rl"}

SUBJECTS = {
    **_SERVICE,
    "snapshot": Subject(
        "service-sas-blob", {"permissions": "r"}, read(snapshot=True), read(), "rd", "2018-11-09", snapshot=True
    ),
    "queue": Subject("service-sas-queue", _JOBS, peek(), peek(OTHER_QUEUE), "rp"),
    "table": Subject("service-sas-table", _METRICS, query(), query(OTHER_TABLE), "rd"),
    "account": Subject("account-sas", _ACCOUNT, read(), peek(), "rwl"),
    **_DELEGATED,
}

"""Tokens that a stored access policy completes: it decides what they may do, and takes it back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from azure.data.tables import TableAccessPolicy
from azure.storage.blob import AccessPolicy
from azure.storage.queue import AccessPolicy as QueueAccessPolicy

from .signer import HOUR, Signer
from .storage import Attempt, Storage, owner, owner_of_queues, owner_of_tables, peek, query, status


class Stored(NamedTuple):
    """A kind of resource that has policies."""

    kind: str
    create: Callable[[Storage, str], object]
    #: Gives it a policy `readers` with these permissions.
    set: Callable[[Storage, str, str], object]
    #: What is read of it, with which permission.
    read: Callable[[str], Attempt]
    reads: str
    #: A permission for something else.
    other: str


def times() -> dict[str, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {"start": now - HOUR, "expiry": now + HOUR}


def set_container(storage: Storage, name: str, letters: str) -> None:
    policy = AccessPolicy(letters, **times())
    owner(storage.azurite).get_container_client(name).set_container_access_policy({"readers": policy})


def set_queue(storage: Storage, name: str, letters: str) -> None:
    policy = QueueAccessPolicy(letters, **times())
    owner_of_queues(storage.azurite).get_queue_client(name).set_queue_access_policy({"readers": policy})


def set_table(storage: Storage, name: str, letters: str) -> None:
    policy = TableAccessPolicy(permission=letters, **times())
    owner_of_tables(storage.azurite).get_table_client(name).set_table_access_policy({"readers": policy})


def blobs(name: str) -> Attempt:
    return lambda storage, token: list(storage.blobs(token).get_container_client(name).list_blobs())


RESOURCES = {
    "container": Stored(
        "blob", lambda there, name: owner(there.azurite).create_container(name), set_container, blobs, "l", "rw"
    ),
    "queue": Stored(
        "queue", lambda there, name: owner_of_queues(there.azurite).create_queue(name), set_queue, peek, "r", "a"
    ),
    "table": Stored(
        "table", lambda there, name: owner_of_tables(there.azurite).create_table(name), set_table, query, "r", "a"
    ),
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_policy_says_what_its_tokens_may_do_for_as_long_as_it_says_so(
    signer: Signer, storage: Storage, resource: str
) -> None:
    name, stored = "p" + uuid.uuid4().hex, RESOURCES[resource]
    stored.create(storage, name)
    reader, stranger = (
        signer.sign(f"service-sas-{stored.kind}", **storage.account, resource={resource: name}, identifier=identifier)
        for identifier in ("readers", "strangers")
    )
    attempt = stored.read(name)
    stored.set(storage, name, stored.reads)
    assert (status(attempt, storage, reader), status(attempt, storage, stranger)) == (200, 403)
    stored.set(storage, name, stored.other)
    assert status(attempt, storage, reader) == 403
    stored.set(storage, name, stored.reads)
    assert status(attempt, storage, reader) == 200

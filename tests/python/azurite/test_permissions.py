"""A token with one permission allows what that permission is for, and none of the rest."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

import pytest
from azure.data.tables import TableClient
from azure.storage.blob import BlobClient
from azure.storage.queue import QueueClient

from .signer import Signer, window
from .storage import BLOB, CONTAINER, CONTENT, QUEUE, TABLE, Attempt, Storage, owner_of_queues, owner_of_tables, status


def on_blob(act: Callable[[BlobClient], object], kind: str = "BlockBlob") -> Attempt:
    """Something done to a blob that is there and is nobody else's."""
    return lambda storage, token: act(storage.blobs(token).get_blob_client(CONTAINER, storage.new_blob(kind)))


def on_nothing(act: Callable[[BlobClient], object]) -> Attempt:
    """Something done to a blob that is not there yet."""
    return lambda storage, token: act(storage.blobs(token).get_blob_client(CONTAINER, f"new/{uuid.uuid4()}"))


def on_queue(act: Callable[[QueueClient], object]) -> Attempt:
    """Something done to a queue in which there is a message."""

    def attempt(storage: Storage, token: str) -> object:
        owner_of_queues(storage.azurite).get_queue_client(QUEUE).send_message("more work")
        return act(storage.queues(token).get_queue_client(QUEUE))

    return attempt


def on_message(act: Callable[[QueueClient, str, str], object]) -> Attempt:
    """Something done to a message that somebody has taken."""

    def attempt(storage: Storage, token: str) -> object:
        queue = owner_of_queues(storage.azurite).get_queue_client(QUEUE)
        queue.send_message("more work")
        taken = queue.receive_message()
        assert taken
        assert taken.pop_receipt
        return act(storage.queues(token).get_queue_client(QUEUE), taken.id, taken.pop_receipt)

    return attempt


def on_entity(act: Callable[[TableClient, dict[str, object]], object], there: bool = True) -> Attempt:
    """Something done to an entity that is nobody else's."""

    def attempt(storage: Storage, token: str) -> object:
        entity: dict[str, object] = {"PartitionKey": "new", "RowKey": str(uuid.uuid4()), "value": 2}
        if there:
            owner_of_tables(storage.azurite).get_table_client(TABLE).create_entity(entity)
        return act(storage.tables(token).get_table_client(TABLE), entity)

    return attempt


#: What can be done, each with the permissions of which one is enough.
BLOBS: dict[str, tuple[str, Attempt]] = {
    "read": ("r", on_blob(lambda blob: blob.download_blob().readall())),
    "look": ("r", on_blob(lambda blob: blob.get_blob_properties())),
    "create": ("cw", on_nothing(lambda blob: blob.upload_blob(CONTENT))),
    "overwrite": ("w", on_blob(lambda blob: blob.upload_blob(CONTENT, overwrite=True))),
    "append": ("aw", on_blob(lambda blob: blob.append_block(CONTENT), "AppendBlob")),
    "name": ("w", on_blob(lambda blob: blob.set_blob_metadata({"key": "value"}))),
    "keep": ("cw", on_blob(lambda blob: blob.create_snapshot())),
    "delete": ("d", on_blob(lambda blob: blob.delete_blob())),
    "tag": ("t", on_blob(lambda blob: blob.set_blob_tags({"key": "value"}))),
}
IN_CONTAINER: dict[str, tuple[str, Attempt]] = {
    "list": ("l", lambda storage, token: list(storage.blobs(token).get_container_client(CONTAINER).list_blobs())),
}
QUEUES: dict[str, tuple[str, Attempt]] = {
    "look": ("r", on_queue(lambda queue: queue.peek_messages())),
    "put": ("a", on_queue(lambda queue: queue.send_message("new"))),
    "take": ("p", on_queue(lambda queue: queue.receive_message())),
    "finish": ("p", on_message(lambda queue, message, receipt: queue.delete_message(message, receipt))),
    "change": ("u", on_message(lambda queue, message, receipt: queue.update_message(message, receipt, content="x"))),
}
TABLES: dict[str, tuple[str, Attempt]] = {
    "query": ("r", on_entity(lambda table, entity: table.get_entity("new", str(entity["RowKey"])))),
    "insert": ("a", on_entity(lambda table, entity: table.create_entity(entity), there=False)),
    "merge": ("u", on_entity(lambda table, entity: table.update_entity(entity))),
    "delete": ("d", on_entity(lambda table, entity: table.delete_entity(entity))),
}


def allowed(operations: Mapping[str, tuple[str, Attempt]], storage: Storage, token: str) -> set[str]:
    """What of it a token allows; everything else is refused, and nothing goes wrong otherwise."""
    found = {name: status(attempt, storage, token) for name, (_, attempt) in operations.items()}
    assert set(found.values()) <= {200, 403}
    return {name for name, code in found.items() if code == 200}


def asked(operations: Mapping[str, tuple[str, Attempt]], letters: str) -> set[str]:
    """What permissions are for."""
    return {name for name, (enough, _) in operations.items() if set(enough) & set(letters)}


@pytest.mark.parametrize("letters", ["r", "a", "c", "w", "d", "l", "t", "rl", "racwdl"])
@pytest.mark.parametrize("kind", ["service-sas-blob", "udk-sas-blob"])
def test_of_a_container(
    signer: Signer, storage: Storage, delegation_key: Mapping[str, str], kind: str, letters: str
) -> None:
    spec = dict(storage.account) if kind == "service-sas-blob" else {"account": storage.azurite.account.name}
    more = {"user_delegation_key": delegation_key} if kind == "udk-sas-blob" else {}
    token = signer.sign(kind, **spec, **more, **window(), resource={"container": CONTAINER}, permissions=letters)
    operations = BLOBS | IN_CONTAINER
    assert allowed(operations, storage, token) == asked(operations, letters)


@pytest.mark.parametrize("letters", ["r", "w", "d", "t", "rw"])
def test_of_a_blob(signer: Signer, storage: Storage, letters: str) -> None:
    name = storage.new_blob()
    resource = {"container": CONTAINER, "blob": name}
    token = signer.sign("service-sas-blob", **storage.account, **window(), resource=resource, permissions=letters)
    same: dict[str, tuple[str, Attempt]] = {
        "read": (
            "r",
            lambda storage, token: storage.blobs(token).get_blob_client(CONTAINER, name).download_blob().readall(),
        ),
        "tag": (
            "t",
            lambda storage, token: storage.blobs(token).get_blob_client(CONTAINER, name).set_blob_tags({"a": "b"}),
        ),
        "delete": ("d", lambda storage, token: storage.blobs(token).get_blob_client(CONTAINER, name).delete_blob()),
    }
    assert allowed(same, storage, token) == asked(same, letters)
    assert allowed(BLOBS | IN_CONTAINER, storage, token) == set()


@pytest.mark.parametrize("letters", ["r", "a", "u", "p", "raup"])
def test_of_a_queue(signer: Signer, storage: Storage, letters: str) -> None:
    token = signer.sign(
        "service-sas-queue", **storage.account, **window(), resource={"queue": QUEUE}, permissions=letters
    )
    assert allowed(QUEUES, storage, token) == asked(QUEUES, letters)


@pytest.mark.parametrize("letters", ["r", "a", "u", "d", "raud"])
def test_of_a_table(signer: Signer, storage: Storage, letters: str) -> None:
    token = signer.sign(
        "service-sas-table", **storage.account, **window(), resource={"table": TABLE}, permissions=letters
    )
    assert allowed(TABLES, storage, token) == asked(TABLES, letters)


@pytest.mark.parametrize("services", ["b", "q", "t", "bqt"])
@pytest.mark.parametrize("types", ["s", "c", "o", "sco"])
def test_of_an_account(signer: Signer, storage: Storage, services: str, types: str) -> None:
    token = signer.sign(
        "account-sas", **storage.account, **window(), services=services, resource_types=types, permissions="rl"
    )
    operations: dict[str, tuple[str, Attempt]] = {
        "b s": ("", lambda storage, token: list(storage.blobs(token).list_containers())),
        "b c": ("", lambda storage, token: list(storage.blobs(token).get_container_client(CONTAINER).list_blobs())),
        "b o": (
            "",
            lambda storage, token: storage.blobs(token).get_blob_client(CONTAINER, BLOB).download_blob().readall(),
        ),
        "q s": ("", lambda storage, token: list(storage.queues(token).list_queues())),
        "q c": ("", lambda storage, token: storage.queues(token).get_queue_client(QUEUE).get_queue_properties()),
        "q o": ("", lambda storage, token: storage.queues(token).get_queue_client(QUEUE).peek_messages()),
        "t s": ("", lambda storage, token: storage.tables(token).get_service_properties()),
        "t c": ("", lambda storage, token: list(storage.tables(token).list_tables())),
        "t o": ("", lambda storage, token: storage.tables(token).get_table_client(TABLE).get_entity("p", "r")),
    }
    expected = {name for name in operations if name[0] in services and name[2] in types}
    assert allowed(operations, storage, token) == expected


@pytest.mark.parametrize("letters", ["r", "w", "d", "l", "a", "c", "t", "rwdlact"])
def test_of_an_account_s_objects(signer: Signer, storage: Storage, letters: str) -> None:
    token = signer.sign(
        "account-sas", **storage.account, **window(), services="b", resource_types="co", permissions=letters
    )
    operations = BLOBS | IN_CONTAINER
    assert allowed(operations, storage, token) == asked(operations, letters)

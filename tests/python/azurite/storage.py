"""What is stored in the emulator, and what can be tried there with a token, by Microsoft's clients."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from support.azurite import Azurite
from vault_contract.testvault import Control

CONTAINER, QUEUE, TABLE = "raw", "jobs-in", "Metrics"
OTHER_CONTAINER, OTHER_QUEUE, OTHER_TABLE = "private", "jobs-out", "Salaries"
#: With what URLs escape, and deeper than the container.
BLOB = "in/2026 ü+%.csv"
CONTENT = b"a,b\n1,2\n"
CHANGED = b"later"

Attempt = Callable[["Storage", str], object]


@dataclass(frozen=True)
class Storage:
    """An emulator with something in it."""

    azurite: Azurite
    #: Of the blob, taken before it was changed.
    snapshot: str

    @property
    def account(self) -> dict[str, str]:
        """The account of a spec, with its first key."""
        return {"account": self.azurite.account.name, "key": self.azurite.account.keys[0]}

    def blobs(self, token: str) -> BlobServiceClient:
        return BlobServiceClient(self.azurite.endpoint("blob"), AzureSasCredential(token), **patience(self.azurite))

    def queues(self, token: str) -> QueueServiceClient:
        return QueueServiceClient(self.azurite.endpoint("queue"), AzureSasCredential(token), **patience(self.azurite))

    def tables(self, token: str) -> TableServiceClient:
        credential = AzureSasCredential(token)
        return TableServiceClient(self.azurite.endpoint("table"), credential=credential, **patience(self.azurite))

    def new_blob(self, kind: str = "BlockBlob") -> str:
        """The name of a blob in the container that nobody else uses."""
        name = f"new/{uuid.uuid4()}"
        owner(self.azurite).get_blob_client(CONTAINER, name).upload_blob(CONTENT, blob_type=kind)
        return name


def status(attempt: Attempt, storage: Storage, token: str) -> int:
    """What the service answers: 200 for all that it does, 403 for what it refuses."""
    try:
        attempt(storage, token)
    except HttpResponseError as error:
        return error.status_code or 0
    return 200


def patience(azurite: Azurite) -> dict[str, Any]:
    """No client tries again, and each trusts the emulator's certificate."""
    trust = {"connection_verify": azurite.ca_file} if azurite.ca_file else {}
    return {"retry_total": 0, **trust}


def owner(azurite: Azurite) -> BlobServiceClient:
    """A client that signs by itself."""
    return BlobServiceClient(azurite.endpoint("blob"), azurite.account.keys[0], **patience(azurite))


def owner_of_queues(azurite: Azurite) -> QueueServiceClient:
    """The same, for queues."""
    return QueueServiceClient(azurite.endpoint("queue"), azurite.account.keys[0], **patience(azurite))


def owner_of_tables(azurite: Azurite) -> TableServiceClient:
    """The same, for tables."""
    credential = AzureNamedKeyCredential(azurite.account.name, azurite.account.keys[0])
    return TableServiceClient(azurite.endpoint("table"), credential=credential, **patience(azurite))


def credential_of(entra: Control) -> ClientSecretCredential:
    """The identity that Entra knows."""
    ours = entra.endpoints
    return ClientSecretCredential(
        ours.tenant_id,
        ours.client_id,
        ours.client_secret,
        authority=ours.authority_url,
        disable_instance_discovery=True,
        connection_verify=ours.ca_file,
        retry_total=0,
    )


def fill(azurite: Azurite) -> Storage:
    """Puts the same into each emulator."""
    blobs = owner(azurite)
    for container in (CONTAINER, OTHER_CONTAINER):
        blobs.create_container(container).upload_blob(BLOB, CONTENT)
    blob = blobs.get_blob_client(CONTAINER, BLOB)
    snapshot = str(blob.create_snapshot()["snapshot"])
    blob.upload_blob(CHANGED, overwrite=True)
    queues = owner_of_queues(azurite)
    for queue in (QUEUE, OTHER_QUEUE):
        queues.create_queue(queue).send_message("work")
    tables = owner_of_tables(azurite)
    for table in (TABLE, OTHER_TABLE):
        tables.create_table(table).create_entity({"PartitionKey": "p", "RowKey": "r", "value": 1})
    return Storage(azurite, snapshot)


def read(container: str = CONTAINER, blob: str = BLOB, snapshot: bool = False) -> Attempt:
    """An attempt to read a blob."""

    def attempt(storage: Storage, token: str) -> object:
        client = storage.blobs(token).get_container_client(container)
        moment = storage.snapshot if snapshot else None
        content = client.get_blob_client(blob, snapshot=moment).download_blob().readall()
        assert content == (CHANGED if (container, snapshot) == (CONTAINER, False) else CONTENT)
        return content

    return attempt


def peek(queue: str = QUEUE) -> Attempt:
    """An attempt to look at a queue's first message."""
    return lambda storage, token: storage.queues(token).get_queue_client(queue).peek_messages()


def query(table: str = TABLE) -> Attempt:
    """An attempt to read a table."""
    return lambda storage, token: list(storage.tables(token).get_table_client(table).query_entities("value eq 1"))

"""Two emulators for the session, over http and over https, each with the same in it; the command that signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient

from support.authority import Authority
from support.azurite import Account, azurite
from support.canary import register
from support.programs import program
from vault_contract.testvault import Control, running

from .signer import Hidden, Signer, signing
from .storage import Storage, credential_of, fill, patience

DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def signer() -> Iterator[Signer]:
    """The running command."""
    with signing() as signer:
        yield signer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who vouches for the emulator over https."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """An emulator over http."""
    with azurite(tmp_path_factory.mktemp("http"), Account()) as running:
        yield fill(running)


@pytest.fixture(scope="session")
def over_https(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Storage]:
    """An emulator over https, where Entra's tokens open doors too."""
    with azurite(tmp_path_factory.mktemp("https"), Account(), authority) as running:
        yield fill(running)


@pytest.fixture(params=["http", "https"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Either of them."""
    found: Storage = request.getfixturevalue(f"over_{request.param}")
    return found


@pytest.fixture(scope="session")
def entra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """The test vault, here for its Entra."""
    with running(program("VALET_TESTVAULT"), tmp_path_factory.mktemp("entra")) as control:
        yield control


@pytest.fixture(scope="session")
def delegation_key(over_https: Storage, entra: Control) -> Mapping[str, str]:
    """A user delegation key for two days around now, as specs have it."""
    client = BlobServiceClient(
        over_https.azurite.endpoint("blob"), credential_of(entra), **patience(over_https.azurite)
    )
    key = client.get_user_delegation_key(datetime.now(UTC) - DAY, datetime.now(UTC) + DAY)
    found = {
        "oid": key.signed_oid,
        "tid": key.signed_tid,
        "start": key.signed_start,
        "expiry": key.signed_expiry,
        "service": key.signed_service,
        "version": key.signed_version,
    }
    value = Hidden(register("a user delegation key", str(key.value)))
    return {name: str(text) for name, text in found.items()} | {"value": value}

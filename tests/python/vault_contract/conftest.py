"""Fixtures: one test vault for the session, at its start for each test, and Microsoft's clients on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from azure.core.credentials import TokenCredential
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets._shared import http_challenge_cache

from .testvault import Control, running

MakeClient = Callable[[TokenCredential], SecretClient]
MakeCredential = Callable[..., ClientSecretCredential]


@pytest.fixture(scope="session")
def binary() -> str:
    """The test vault's executable."""
    path = os.environ.get("VALET_TESTVAULT")
    if not path:
        pytest.fail("set VALET_TESTVAULT to the path of the executable valet-testvault")
    return path


@pytest.fixture(scope="session")
def started(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A test vault for the session."""
    with running(binary, tmp_path_factory.mktemp("testvault")) as control:
        yield control


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test vault is on this machine."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def vault(started: Control) -> Control:
    """The test vault, as it was at the start, and an SDK that has not seen its challenge."""
    started.reset()
    http_challenge_cache.clear()
    return started


@pytest.fixture
def make_credential(vault: Control) -> MakeCredential:
    """Makes service principals; what is not said is right."""

    def make(**wrong: str) -> ClientSecretCredential:
        ours = vault.endpoints
        return ClientSecretCredential(
            wrong.get("tenant_id", ours.tenant_id),
            wrong.get("client_id", ours.client_id),
            wrong.get("client_secret", ours.client_secret),
            authority=ours.authority_url,
            disable_instance_discovery=True,
            connection_verify=ours.ca_file,
            retry_total=0,
        )

    return make


@pytest.fixture
def make_client(vault: Control) -> MakeClient:
    """Makes clients that do not retry. The port is not 443, so the challenge's host is not compared."""

    def make(credential: TokenCredential) -> SecretClient:
        return SecretClient(
            vault.endpoints.vault_url,
            credential,
            verify_challenge_resource=False,
            connection_verify=vault.endpoints.ca_file,
            retry_total=0,
        )

    return make


@pytest.fixture
def client(make_client: MakeClient, make_credential: MakeCredential) -> SecretClient:
    """A client with every right."""
    return make_client(make_credential())

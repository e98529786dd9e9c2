"""At their real names and ports the clients need no option: only connections are led to the test vault."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import urllib3.util.connection
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from .testvault import Control

VAULT_URL = "https://acme-prod.vault.azure.net"


@pytest.fixture(autouse=True)
def azure(vault: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Azure whose names lead here: HTTPS to the vaults and Entra, IMDS to managed identity."""
    tls, imds = (urlsplit(url) for url in (vault.endpoints.vault_url, vault.endpoints.imds_url))
    ports = {
        ("acme-prod.vault.azure.net", 443): tls.port,
        ("login.microsoftonline.com", 443): tls.port,
        ("169.254.169.254", 80): imds.port,
    }
    connect = urllib3.util.connection.create_connection

    def connect_here(address: tuple[str, int], *more: object, **options: object) -> socket.socket:
        return connect(("127.0.0.1", ports[address]), *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect_here)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", vault.endpoints.ca_file)
    for name in [
        "AZURE_AUTHORITY_HOST",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "MSI_ENDPOINT",
    ]:
        monkeypatch.delenv(name, raising=False)
    for number in range(30):
        vault.put(f"n{number:02}", "v", vault="acme-prod")


def use(client: SecretClient) -> None:
    was = client.set_secret("db-password", "v")
    assert str(was.id).startswith(f"{VAULT_URL}/secrets/db-password/")
    assert client.get_secret("db-password").value == "v"
    assert len(list(client.list_properties_of_secrets())) == 31
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("unknown")


def test_a_service_principal_needs_no_option(vault: Control) -> None:
    ours = vault.endpoints
    use(SecretClient(VAULT_URL, ClientSecretCredential(ours.tenant_id, ours.client_id, ours.client_secret)))
    hosts = {(entry["face"], entry["host"]) for entry in vault.log()}
    assert hosts == {("vault", "acme-prod.vault.azure.net"), ("entra", "login.microsoftonline.com")}


def test_a_managed_identity_needs_no_option(vault: Control) -> None:
    use(SecretClient(VAULT_URL, ManagedIdentityCredential()))
    assert ("managed_identity", "169.254.169.254") in {
        (entry["face"], entry["host"]) for entry in vault.log()
    }

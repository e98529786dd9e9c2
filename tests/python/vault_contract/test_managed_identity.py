"""Managed identity in its two forms, and the chain that finds it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential, ManagedIdentityCredential

from .conftest import MakeClient
from .testvault import Control

VARIABLES = [
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about Azure."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture(params=["imds", "app-service"])
def machine(request: pytest.FixtureRequest, vault: Control, environment: pytest.MonkeyPatch) -> str:
    """A machine that has a managed identity."""
    form = str(request.param)
    if form == "imds":
        environment.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", vault.endpoints.imds_url)
    else:
        environment.setenv("IDENTITY_ENDPOINT", vault.endpoints.identity_endpoint)
        environment.setenv("IDENTITY_HEADER", vault.endpoints.identity_header)
    return form


def appid(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["appid"])


@pytest.mark.usefixtures("machine")
def test_the_machines_own_identity_opens_the_vault(vault: Control, make_client: MakeClient) -> None:
    vault.put("key", "v")
    assert make_client(ManagedIdentityCredential()).get_secret("key").value == "v"
    (entry,) = [entry for entry in vault.log() if entry["operation"] == "read"]
    assert entry["appid"] == vault.endpoints.system_identity_client_id
    assert vault.counters()["managed_identity_token_calls"] == 1


@pytest.mark.usefixtures("machine")
def test_an_identity_is_chosen_by_its_client_id(vault: Control) -> None:
    ours = vault.endpoints.user_identity_client_id
    token = ManagedIdentityCredential(client_id=ours).get_token("https://vault.azure.net/.default").token
    assert appid(token) == ours


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("kind", ["object_id", "resource_id"])
def test_an_identity_is_chosen_by_its_other_ids(vault: Control, kind: str) -> None:
    known = {"client_id": "c", "object_id": "o", "resource_id": "/subscriptions/s/identities/i"}
    vault.call("POST", "/identities", known)
    credential = ManagedIdentityCredential(identity_config={kind: known[kind]})
    assert appid(credential.get_token("https://vault.azure.net/.default").token) == "c"


@pytest.mark.usefixtures("machine")
def test_an_unknown_identity_is_refused() -> None:
    with pytest.raises((ClientAuthenticationError, CredentialUnavailableError)):
        ManagedIdentityCredential(client_id="unknown").get_token("https://vault.azure.net/.default")


def test_a_wrong_header_of_app_service_is_refused(vault: Control, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IDENTITY_ENDPOINT", vault.endpoints.identity_endpoint)
    environment.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises((ClientAuthenticationError, CredentialUnavailableError)):
        ManagedIdentityCredential().get_token("https://vault.azure.net/.default")


@pytest.mark.parametrize("status", [404, 410, 500])
def test_imds_is_asked_again_when_it_is_unwell(
    vault: Control, environment: pytest.MonkeyPatch, status: int
) -> None:
    environment.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", vault.endpoints.imds_url)
    vault.fault("status", face="managed_identity", status=status, times=1)
    assert ManagedIdentityCredential().get_token("https://vault.azure.net/.default").token
    assert [entry["status"] for entry in vault.log()] == [status, 200]


def default_credential(vault: Control) -> DefaultAzureCredential:
    return DefaultAzureCredential(
        connection_verify=vault.endpoints.ca_file,
        disable_instance_discovery=True,
        exclude_cli_credential=True,
        exclude_developer_cli_credential=True,
        exclude_powershell_credential=True,
    )


def test_the_default_chain_finds_the_environment(
    vault: Control, environment: pytest.MonkeyPatch, make_client: MakeClient
) -> None:
    ours = vault.endpoints
    environment.setenv("AZURE_AUTHORITY_HOST", ours.authority_url)
    environment.setenv("AZURE_TENANT_ID", ours.tenant_id)
    environment.setenv("AZURE_CLIENT_ID", ours.client_id)
    environment.setenv("AZURE_CLIENT_SECRET", ours.client_secret)
    vault.put("key", "v")
    assert make_client(default_credential(vault)).get_secret("key").value == "v"


def test_the_default_chain_finds_workload_identity(
    vault: Control, environment: pytest.MonkeyPatch, make_client: MakeClient, tmp_path: Path
) -> None:
    ours, token = vault.endpoints, tmp_path / "token"
    token.write_text("h.p.s")
    vault.call("PUT", f"/apps/{ours.client_id}", {"assertion_files": [str(token)]})
    environment.setenv("AZURE_AUTHORITY_HOST", ours.authority_url)
    environment.setenv("AZURE_TENANT_ID", ours.tenant_id)
    environment.setenv("AZURE_CLIENT_ID", ours.client_id)
    environment.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    vault.put("key", "v")
    assert make_client(default_credential(vault)).get_secret("key").value == "v"


@pytest.mark.usefixtures("machine")
def test_the_default_chain_finds_managed_identity(vault: Control, make_client: MakeClient) -> None:
    vault.put("key", "v")
    assert make_client(default_credential(vault)).get_secret("key").value == "v"


def ask_imds(vault: Control, query: str, **headers: str) -> tuple[int, dict[str, object]]:
    url = f"{vault.endpoints.imds_url}/metadata/identity/oauth2/token?{query}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("version", ["2018-02-01", "2019-08-01"])
def test_imds_writes_its_numbers_as_strings(vault: Control, version: str) -> None:
    query = f"api-version={version}&resource=https://vault.azure.net"
    status, body = ask_imds(vault, query, Metadata="true")
    assert status == 200
    token = jwt.decode(str(body.pop("access_token")), options={"verify_signature": False})
    assert body == {
        "client_id": vault.endpoints.system_identity_client_id,
        "expires_in": "3600",
        "expires_on": str(token["exp"]),
        "ext_expires_in": "3600",
        "not_before": str(token["nbf"]),
        "resource": "https://vault.azure.net",
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("query", "headers", "description"),
    [
        ("api-version=2018-02-01&resource=r", {}, "Required metadata header not specified"),
        (
            "api-version=2018-02-01&resource=r",
            {"Metadata": "true", "X-Forwarded-For": "10.0.0.1"},
            "Request contains X-Forwarded-For header",
        ),
        ("api-version=1&resource=r", {"Metadata": "true"}, "The requested version is not supported"),
        ("api-version=2018-02-01", {"Metadata": "true"}, "Required audience parameter not specified"),
        ("api-version=2018-02-01&resource=r&client_id=x", {"Metadata": "true"}, "Identity not found"),
    ],
)
def test_imds_refuses_what_it_should_not_answer(
    vault: Control, query: str, headers: dict[str, str], description: str
) -> None:
    expected = {"error": "invalid_request", "error_description": description}
    assert ask_imds(vault, query, **headers) == (400, expected)


def test_a_machine_may_have_no_identity(vault: Control, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", vault.endpoints.imds_url)
    vault.call("DELETE", "/identities")
    with pytest.raises(CredentialUnavailableError):
        ManagedIdentityCredential().get_token("https://vault.azure.net/.default")

"""Refusals as the SDK reports them: its exception, the code, the inner code, and messages with real CRLF."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from .testvault import Control


def refusal(client: SecretClient) -> tuple[int | None, str | None, object, str]:
    """Status, code, inner error and message of a read that must fail."""
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("key")
    error = caught.value.error
    assert error is not None
    assert type(caught.value) is HttpResponseError
    return caught.value.status_code, error.code, error.innererror, str(error.message)


def test_without_a_role_the_caller_action_and_resource_are_named(
    vault: Control, client: SecretClient
) -> None:
    vault.put("key", "v")
    vault.call("POST", "/grants/revoke", {"appid": vault.endpoints.client_id, "actions": ["get"]})
    status, code, inner, message = refusal(client)
    assert (status, code, inner) == (403, "Forbidden", {"code": "ForbiddenByRbac"})
    assert message.startswith("Caller is not authorized to perform action on resource.\r\n")
    assert f"\r\nCaller: appid={vault.endpoints.client_id};oid=" in message
    assert f";iss=https://sts.windows.net/{vault.endpoints.tenant_id}/\r\n" in message
    assert "\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n" in message
    assert "/providers/microsoft.keyvault/vaults/default/secrets/key'\r\n" in message
    assert message.endswith("\r\nVault: default;location=westeurope\r\n")


def test_rights_to_list_and_to_get_are_two(vault: Control, client: SecretClient) -> None:
    vault.put("key", "v")
    vault.call("POST", "/grants/revoke", {"appid": vault.endpoints.client_id, "actions": ["get"]})
    assert [secret.name for secret in client.list_properties_of_secrets()] == ["key"]
    vault.call("POST", "/grants/revoke", {"appid": vault.endpoints.client_id})
    vault.call("POST", "/grants", {"appid": vault.endpoints.client_id, "secret": "key", "actions": ["get"]})
    assert client.get_secret("key").value == "v"
    with pytest.raises(HttpResponseError, match="readMetadata"):
        list(client.list_properties_of_secrets())


def test_without_rights_an_unknown_name_looks_like_a_known_one(vault: Control, client: SecretClient) -> None:
    vault.call("POST", "/grants/revoke", {"appid": vault.endpoints.client_id})
    assert refusal(client)[2] == {"code": "ForbiddenByRbac"}


def test_without_an_access_policy_the_permission_is_named(vault: Control, client: SecretClient) -> None:
    vault.call("PUT", "/vaults/default/authorization", {"model": "policy"})
    vault.call("POST", "/grants/revoke", {"appid": vault.endpoints.client_id})
    status, code, inner, message = refusal(client)
    assert (status, code, inner) == (403, "Forbidden", {"code": "AccessDenied"})
    assert message.startswith(f"The user, group or application 'appid={vault.endpoints.client_id};oid=")
    assert "' does not have secrets get permission on key vault 'default;location=westeurope'." in message


@pytest.mark.parametrize(
    ("rule", "inner", "start"),
    [
        (
            "firewall",
            "ForbiddenByFirewall",
            "Client address is not authorized and caller is not a trusted service.\r\n",
        ),
        (
            "private",
            "ForbiddenByConnection",
            "Public network access is disabled and request is not from a trusted service",
        ),
    ],
)
def test_a_closed_network_is_forbidden(
    vault: Control, client: SecretClient, rule: str, inner: str, start: str
) -> None:
    vault.put("key", "v")
    vault.call("PUT", "/vaults/default/network", {"rule": rule})
    status, code, found, message = refusal(client)
    assert (status, code, found) == (403, "Forbidden", {"code": inner})
    assert message.startswith(start)
    assert "\r\nCaller: appid=" in message
    vault.call("PUT", "/vaults/default/network", {"rule": "open"})
    assert client.get_secret("key").value == "v"


def test_a_throttled_read_says_so_without_a_hint_when_to_come_back(
    vault: Control, client: SecretClient
) -> None:
    vault.put("key", "v")
    vault.fault("throttled", times=1)
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("key")
    assert (caught.value.status_code, caught.value.error and caught.value.error.code) == (429, "Throttled")
    assert "Retry-After" not in getattr(caught.value.response, "headers", {"Retry-After": "no answer"})
    assert client.get_secret("key").value == "v"


@pytest.mark.parametrize("version", ["7.9", "2099-01-01", ""])
def test_an_unknown_api_version_is_a_bad_parameter(client: SecretClient, version: str) -> None:
    client._client._config.api_version = version
    status, code, _, message = refusal(client)
    assert (status, code) == (400, "BadParameter")
    assert message.startswith(f"The specified version ({version}) is not recognized.")


@pytest.mark.parametrize("version", ["2016-10-01", "7.0", "7.4", "7.6", "2025-07-01", "2026-04-01"])
def test_a_known_api_version_is_served(vault: Control, client: SecretClient, version: str) -> None:
    vault.put("key", "v")
    client._client._config.api_version = version
    assert client.get_secret("key").value == "v"

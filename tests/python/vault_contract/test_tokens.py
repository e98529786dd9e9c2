"""Tokens at the vault's door: the challenge, and what is wrong with a token."""

from __future__ import annotations

import time

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from .conftest import MakeClient, MakeCredential
from .testvault import Control


class Fixed:
    """A credential that hands out one token, whatever it is asked for."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *_scopes: str, **_more: object) -> AccessToken:
        """The token, said to live an hour."""
        return AccessToken(self.token, int(time.time()) + 3600)


def test_a_client_asks_once_without_a_token_and_then_not_again(vault: Control, client: SecretClient) -> None:
    vault.put("key", "v")
    client.get_secret("key")
    client.get_secret("key")
    seen = [
        (entry["operation"], entry["token"], entry["status"])
        for entry in vault.log()
        if entry["face"] == "vault"
    ]
    assert seen == [("probe", "no", 401), ("read", "yes", 200), ("read", "yes", 200)]
    counters = vault.counters()
    assert (counters["probes"], counters["reads"], counters["token_calls"]) == (1, 2, 1)


def test_a_set_probes_without_its_value(vault: Control, client: SecretClient) -> None:
    client.set_secret("key", "v")
    seen = [(entry["method"], entry["operation"]) for entry in vault.log() if entry["face"] == "vault"]
    assert seen == [("PUT", "probe"), ("PUT", "write")]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"aud": "https://vault.azure.net/"}, "AKV10022: Invalid audience"),
        ({"aud": "https://management.azure.com"}, "AKV10022: Invalid audience"),
        ({"aud": "https://storage.azure.com"}, "AKV10022: Invalid audience"),
        ({"iss": "https://sts.windows.net/another-tenant/"}, "AKV10032: Invalid issuer"),
        ({"exp_in": -1}, "TokenExpired"),
        ({"nbf_in": 60}, "TokenExpired"),
    ],
)
def test_a_wrong_token_is_refused(
    vault: Control, make_client: MakeClient, spec: dict[str, object], words: str
) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        make_client(Fixed(vault.token(**spec))).get_secret("key")
    assert caught.value.status_code == 401
    assert caught.value.error
    assert caught.value.error.code == "Unauthorized"
    assert words in str(caught.value.error.message)
    assert vault.counters()["bad_tokens"] > 0


@pytest.mark.parametrize("end", ["header", "payload", "signature", "unsigned", "not a token"])
def test_a_token_that_was_tampered_with_is_refused(vault: Control, make_client: MakeClient, end: str) -> None:
    header, payload, signature = vault.token().split(".")
    other = vault.token(appid="someone-else").split(".")
    tampered = {
        "header": f"eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{payload}.{signature}",
        "payload": f"{header}.{other[1]}.{signature}",
        "signature": f"{header}.{payload}.{other[2]}",
        "unsigned": f"{header}.{payload}.",
        "not a token": "bm90IGEgdG9rZW4",
    }
    with pytest.raises(ClientAuthenticationError):
        make_client(Fixed(tampered[end])).get_secret("key")


def test_a_token_ends_by_the_test_vaults_clock(vault: Control, make_client: MakeClient) -> None:
    vault.put("key", "v")
    client = make_client(Fixed(vault.token()))
    vault.call("PUT", "/clock", {"offset": 3599 - 5})
    assert client.get_secret("key").value == "v"
    vault.call("PUT", "/clock", {"offset": 3601})
    with pytest.raises(ClientAuthenticationError):
        client.get_secret("key")


def test_a_port_other_than_443_does_not_match_the_challenge(
    vault: Control, make_credential: MakeCredential
) -> None:
    client = SecretClient(
        vault.endpoints.vault_url, make_credential(), connection_verify=vault.endpoints.ca_file
    )
    with pytest.raises(
        ValueError, match=r"challenge resource 'vault\.azure\.net' does not match the requested domain"
    ):
        client.get_secret("key")
    assert [entry["token"] for entry in vault.log()] == ["no"]


def test_a_challenge_of_another_cloud_gets_no_token(vault: Control, make_credential: MakeCredential) -> None:
    vault.fault("foreign_challenge", on="probe")
    client = SecretClient(
        vault.endpoints.vault_url, make_credential(), connection_verify=vault.endpoints.ca_file
    )
    with pytest.raises(
        ValueError, match=r"challenge resource 'vault\.azure\.cn' does not match the requested domain"
    ):
        client.get_secret("key")
    assert vault.counters()["token_calls"] == 0


def test_a_vault_that_says_401_forever_ends_as_an_authentication_error(
    vault: Control, client: SecretClient
) -> None:
    vault.put("key", "v")
    vault.fault("unauthorized", on="any")
    with pytest.raises(ClientAuthenticationError):
        client.get_secret("key")


def test_the_challenge_names_the_tenant(vault: Control, make_client: MakeClient) -> None:
    ours = vault.endpoints
    stranger = ClientSecretCredential(
        "7e57da7a-0000-4000-8000-00000000ffff",
        ours.client_id,
        ours.client_secret,
        authority=ours.authority_url,
        disable_instance_discovery=True,
        connection_verify=ours.ca_file,
    )
    with pytest.raises(
        ClientAuthenticationError, match="not configured to acquire tokens for tenant " + ours.tenant_id
    ):
        make_client(stranger).get_secret("key")

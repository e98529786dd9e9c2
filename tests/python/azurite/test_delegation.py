"""User delegation: Entra's token, the storage service's key, our signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from vault_contract.testvault import Control

from .signer import Refused, Signer, window
from .storage import BLOB, CONTAINER, Storage, credential_of, patience, read, status

STORAGE = "https://storage.azure.com"
DAY = timedelta(days=1)


class Fixed:
    """A credential that hands out one token, whatever it is asked for."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_token(self, *scopes: str, **more: object) -> AccessToken:
        return AccessToken(self.token, int(datetime.now(UTC).timestamp()) + 3600)


def fetch(storage: Storage, token: str) -> object:
    """Ask for a delegation key, as whoever the token is for."""
    client = BlobServiceClient(storage.azurite.endpoint("blob"), Fixed(token), **patience(storage.azurite))
    return client.get_user_delegation_key(datetime.now(UTC), datetime.now(UTC) + DAY)


def test_the_key_is_the_identitys(delegation_key: Mapping[str, str], entra: Control) -> None:
    token = credential_of(entra).get_token(f"{STORAGE}/.default").token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["iss"]) == (STORAGE, f"https://sts.windows.net/{entra.endpoints.tenant_id}/")
    assert (delegation_key["oid"], delegation_key["tid"]) == (claims["oid"], claims["tid"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://vault.azure.net"},
        {"aud": STORAGE, "exp_in": -600},
        {"aud": STORAGE, "nbf_in": 600},
        {"aud": STORAGE, "iss": "https://login.microsoftonline.com/7e57da7a-0000-4000-8000-000000000001/v2.0"},
    ],
)
def test_a_wrong_token_gets_no_key(over_https: Storage, entra: Control, wrong: dict[str, object]) -> None:
    assert fetch(over_https, entra.token(aud=STORAGE))
    with pytest.raises(HttpResponseError) as caught:
        fetch(over_https, entra.token(**wrong))
    assert caught.value.status_code in {401, 403}


def test_a_token_ends_with_its_key(signer: Signer, delegation_key: Mapping[str, str], storage: Storage) -> None:
    spec = {
        "account": storage.azurite.account.name,
        "user_delegation_key": delegation_key,
        "resource": {"container": CONTAINER, "blob": BLOB},
        "permissions": "r",
    }
    assert status(read(), storage, signer.sign("udk-sas-blob", **spec, **window())) == 200
    with pytest.raises(Refused, match="expiry"):
        signer.sign("udk-sas-blob", **spec, **window(expiry=2 * DAY))

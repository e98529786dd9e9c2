"""Secrets as the SDK sees them: values, versions, attributes, absence."""

from __future__ import annotations

import datetime

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from .testvault import Control

LONG_AGO = datetime.datetime(2001, 9, 9, 1, 46, 40, tzinfo=datetime.UTC)
FAR_AHEAD = datetime.datetime(2033, 5, 18, 3, 33, 20, tzinfo=datetime.UTC)


def test_a_secret_is_read_as_it_was_set(client: SecretClient) -> None:
    value = 'a "quoted" value, ünïcode, %41 and\nlines '
    was = client.set_secret("db-password", value, content_type="text/plain", tags={"team": "finance"})
    secret = client.get_secret("db-password")
    assert (secret.value, secret.id) == (value, was.id)
    properties = secret.properties
    assert (properties.content_type, properties.tags, properties.enabled) == (
        "text/plain",
        {"team": "finance"},
        True,
    )
    assert properties.recovery_level == "Recoverable+Purgeable"
    assert (properties.not_before, properties.expires_on) == (None, None)
    assert properties.version
    assert len(properties.version) == 32


def test_absent_fields_are_left_out(client: SecretClient) -> None:
    client.set_secret("plain", "v")
    properties = client.get_secret("plain").properties
    assert (properties.content_type, properties.tags) == (None, None)


def test_names_are_compared_without_case(client: SecretClient) -> None:
    client.set_secret("Airflow-Connections-DB", "v")
    assert client.get_secret("airflow-connections-db").value == "v"


def test_a_new_version_is_the_latest_at_once_and_the_old_one_stays(client: SecretClient) -> None:
    old = client.set_secret("key", "old")
    new = client.set_secret("key", "new")
    assert client.get_secret("key").value == "new"
    assert client.get_secret("key", old.properties.version).value == "old"
    ids = [version.id for version in client.list_properties_of_secret_versions("key")]
    assert sorted(map(str, ids)) == sorted([str(old.id), str(new.id)])


def test_versions_of_an_unknown_name_are_an_empty_list(client: SecretClient) -> None:
    assert list(client.list_properties_of_secret_versions("nobody")) == []


@pytest.mark.parametrize("name", ["unknown", "gone"])
def test_an_unknown_and_a_deleted_secret_are_both_not_found(client: SecretClient, name: str) -> None:
    client.set_secret("gone", "v")
    client.begin_delete_secret("gone").wait()
    with pytest.raises(ResourceNotFoundError) as caught:
        client.get_secret(name)
    assert caught.value.status_code == 404
    assert caught.value.error
    assert caught.value.error.code == "SecretNotFound"
    assert str(caught.value.error.message).startswith(
        f"A secret with (name/id) {name} was not found in this key vault."
    )


def test_an_unknown_version_is_not_found(client: SecretClient) -> None:
    client.set_secret("key", "v")
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("key", "0" * 32)


def test_the_name_of_a_deleted_secret_cannot_be_set(client: SecretClient) -> None:
    client.set_secret("gone", "v")
    client.begin_delete_secret("gone").wait()
    with pytest.raises(ResourceExistsError) as caught:
        client.set_secret("gone", "again")
    assert caught.value.status_code == 409
    assert caught.value.error
    assert caught.value.error.code == "Conflict"
    assert caught.value.error.innererror == {"code": "ObjectIsDeletedButRecoverable"}


def test_a_deleted_secret_is_listed_recovered_and_purged(client: SecretClient) -> None:
    client.set_secret("gone", "v")
    client.begin_delete_secret("gone").wait()
    assert [secret.name for secret in client.list_deleted_secrets()] == ["gone"]
    client.begin_recover_deleted_secret("gone").wait()
    assert client.get_secret("gone").value == "v"
    client.begin_delete_secret("gone").wait()
    client.purge_deleted_secret("gone")
    client.set_secret("gone", "new life")
    assert client.get_secret("gone").value == "new life"


def test_a_disabled_secret_is_forbidden_and_its_other_versions_are_not(client: SecretClient) -> None:
    old = client.set_secret("key", "old")
    new = client.set_secret("key", "new")
    client.update_secret_properties("key", new.properties.version, enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("key")
    assert caught.value.status_code == 403
    assert caught.value.error
    assert caught.value.error.code == "Forbidden"
    assert caught.value.error.innererror == {"code": "SecretDisabled"}
    assert caught.value.error.message == "Operation get is not allowed on a disabled secret."
    assert client.get_secret("key", old.properties.version).value == "old"


def test_expired_and_early_secrets_are_served(client: SecretClient) -> None:
    client.set_secret("expired", "v", expires_on=LONG_AGO)
    client.set_secret("early", "v", not_before=FAR_AHEAD)
    assert client.get_secret("expired").properties.expires_on == LONG_AGO
    assert client.get_secret("early").properties.not_before == FAR_AHEAD


def test_attributes_and_tags_of_a_version_change_and_its_value_does_not(client: SecretClient) -> None:
    secret = client.set_secret("key", "v")
    client.update_secret_properties(
        "key", secret.properties.version, tags={"CredentialId": "key1"}, expires_on=FAR_AHEAD
    )
    changed = client.get_secret("key")
    assert (changed.value, changed.properties.version) == ("v", secret.properties.version)
    assert (changed.properties.tags, changed.properties.expires_on) == ({"CredentialId": "key1"}, FAR_AHEAD)


@pytest.mark.parametrize("name", ["a" * 128, "under_score", "dot.ted"])
def test_a_name_that_key_vault_cannot_hold_is_a_bad_parameter(client: SecretClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret(name)
    assert caught.value.status_code == 400
    assert caught.value.error
    assert caught.value.error.code == "BadParameter"
    assert caught.value.error.message == f"The request URI contains an invalid name: {name}"


def test_a_name_of_127_characters_is_held(client: SecretClient) -> None:
    client.set_secret("a" * 127, "v")
    assert client.get_secret("a" * 127).value == "v"


def test_a_value_above_25_kb_is_a_bad_parameter(client: SecretClient) -> None:
    client.set_secret("large", "v" * 25 * 1024)
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret("larger", "v" * (25 * 1024 + 1))
    assert (caught.value.status_code, caught.value.error and caught.value.error.code) == (400, "BadParameter")


def test_vaults_are_told_apart_by_their_names(vault: Control, client: SecretClient) -> None:
    vault.put("key", "of another vault", vault="acme-prod")
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("key")

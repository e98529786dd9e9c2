"""Lists: pages of 25, an empty page in the middle, links on the host that was asked."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import SecretClient

from .testvault import Control


def fill(vault: Control, count: int) -> list[str]:
    names = [f"name-{number:03}" for number in range(count)]
    for name in names:
        vault.put(name, "v")
    return names


@pytest.mark.parametrize("count", [0, 1, 25, 26, 50, 51, 90])
def test_a_list_has_each_name_once_however_many_pages_it_takes(
    vault: Control, client: SecretClient, count: int
) -> None:
    names = fill(vault, count)
    assert [secret.name for secret in client.list_properties_of_secrets()] == names


def test_the_second_of_several_pages_is_empty(vault: Control, client: SecretClient) -> None:
    fill(vault, 60)
    pages = [len(list(page)) for page in client.list_properties_of_secrets().by_page()]
    assert pages == [25, 0, 25, 10]


def test_a_smaller_page_can_be_asked_for_and_a_larger_one_not(vault: Control, client: SecretClient) -> None:
    fill(vault, 12)
    pages = [len(list(page)) for page in client.list_properties_of_secrets(max_page_size=5).by_page()]
    assert pages == [5, 0, 5, 2]
    with pytest.raises(HttpResponseError) as caught:
        next(client.list_properties_of_secrets(max_page_size=26))
    assert (caught.value.status_code, caught.value.error and caught.value.error.code) == (400, "BadParameter")


def test_more_than_25_versions_come_in_pages_too(vault: Control, client: SecretClient) -> None:
    written = {vault.put("rotated", str(number)) for number in range(30)}
    listed = [version.version for version in client.list_properties_of_secret_versions("rotated")]
    assert (len(listed), set(listed)) == (30, written)


def test_versions_are_not_in_the_order_of_time(vault: Control, client: SecretClient) -> None:
    written = [vault.put("rotated", str(number)) for number in range(10)]
    listed = [version.version for version in client.list_properties_of_secret_versions("rotated")]
    assert listed == sorted(written) != written


def test_an_item_shows_attributes_and_tags_of_the_latest_version_and_no_version(
    vault: Control, client: SecretClient
) -> None:
    vault.put("key", "old")
    vault.put("key", "new", enabled=False, exp=1_000_000_000, tags={"CredentialId": "key2"})
    (item,) = client.list_properties_of_secrets()
    assert (item.version, item.enabled, item.tags) == (None, False, {"CredentialId": "key2"})
    assert item.expires_on
    assert item.expires_on.year == 2001
    assert str(item.id) == f"{vault.endpoints.vault_url}/secrets/key"

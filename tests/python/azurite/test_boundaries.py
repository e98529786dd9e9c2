"""Each kind of token opens what it says; what lies beside that, before it or after it stays shut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from support.azurite import account_key

from .signer import HOUR, Signer, instant, window
from .storage import Storage, status
from .subjects import SUBJECTS, Subject

Key = Mapping[str, str]

VERSIONS = "2015-04-05 2018-11-09 2020-02-10 2020-12-06 2022-11-02 2025-07-05 2026-04-06 2026-10-06".split()

of_each_kind = pytest.mark.parametrize("subject", [pytest.param(kind, id=name) for name, kind in SUBJECTS.items()])


@pytest.fixture
def token(subject: Subject, signer: Signer, storage: Storage, delegation_key: Key) -> str:
    """A good one, for an hour."""
    return subject.sign(signer, storage, delegation_key)


@of_each_kind
def test_what_it_says_is_open_and_nothing_beside_it(subject: Subject, storage: Storage, token: str) -> None:
    assert status(subject.inside, storage, token) == 200
    assert status(subject.outside, storage, token) == 403


@of_each_kind
@pytest.mark.parametrize("field", ["sig", "sp", "se", "st", "sv"])
def test_whoever_changes_it_has_nothing(subject: Subject, storage: Storage, token: str, field: str) -> None:
    fields = dict(parse_qsl(token, strict_parsing=True))
    other = "B" if fields["sig"].startswith("A") else "A"
    fields[field] = {
        "sig": other + fields["sig"][1:],
        "sp": subject.wider,
        "se": instant(2 * HOUR),
        "st": instant(-2 * HOUR),
        "sv": "2021-12-02",
    }[field]
    assert status(subject.inside, storage, urlencode(fields, quote_via=quote)) == 403


@of_each_kind
@pytest.mark.parametrize(("start", "expiry"), [(-2 * HOUR, -timedelta(seconds=1)), (HOUR, 2 * HOUR)])
def test_before_its_time_and_after_it_is_worth_nothing(
    subject: Subject, signer: Signer, storage: Storage, delegation_key: Key, start: timedelta, expiry: timedelta
) -> None:
    token = subject.sign(signer, storage, delegation_key, **window(start, expiry))
    assert status(subject.inside, storage, token) == 403


@of_each_kind
def test_https_only_means_that(subject: Subject, signer: Signer, storage: Storage, delegation_key: Key) -> None:
    token = subject.sign(signer, storage, delegation_key, protocol="https")
    allowed = storage.azurite.scheme == "https"
    assert status(subject.inside, storage, token) == (200 if allowed else 403)


@of_each_kind
def test_only_the_keys_of_the_account_open_it(
    subject: Subject, signer: Signer, storage: Storage, delegation_key: Key
) -> None:
    first, second = storage.azurite.account.keys
    stranger = account_key()
    keys: list[dict[str, object]] = [{"key": first}, {"key": second}, {"key": stranger}]
    expected = [200, 200, 403]
    if subject.kind == "udk-sas-blob":
        keys = [{}, {"user_delegation_key": {**delegation_key, "value": stranger}}]
        expected = [200, 403]
    tokens = [subject.sign(signer, storage, delegation_key, **key) for key in keys]
    assert [status(subject.inside, storage, token) for token in tokens] == expected


@pytest.mark.parametrize(
    ("subject", "version"),
    [
        pytest.param(kind, version, id=f"{name} {version}")
        for name, kind in SUBJECTS.items()
        for version in VERSIONS
        if version >= kind.since
    ],
)
def test_each_version_is_signed_as_the_service_reads_it(
    subject: Subject, signer: Signer, storage: Storage, delegation_key: Key, version: str
) -> None:
    token = subject.sign(signer, storage, delegation_key, service_version=version)
    assert status(subject.inside, storage, token) == 200

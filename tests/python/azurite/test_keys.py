"""A token dies with its key, and with no other."""

from __future__ import annotations

from pathlib import Path

from support.azurite import Account, account_key, azurite

from .signer import Signer, window
from .storage import CONTAINER, Storage, fill, read, status


def test_a_new_first_key_ends_the_first_keys_tokens_only(tmp_path: Path, signer: Signer) -> None:
    account = Account()
    first, second = account.keys
    with azurite(tmp_path, account) as running:
        storage = fill(running)
        tokens = [_token(signer, storage, key) for key in (first, second)]
        assert [status(read(), storage, token) for token in tokens] == [200, 200]
    renewed = Account(account.name, (account_key(), second))
    with azurite(tmp_path, renewed, ports=running.ports) as running:
        storage = Storage(running, storage.snapshot)
        tokens.append(_token(signer, storage, renewed.keys[0]))
        assert [status(read(), storage, token) for token in tokens] == [403, 200, 200]


def _token(signer: Signer, storage: Storage, key: str) -> str:
    account = {"account": storage.azurite.account.name, "key": key}
    return signer.sign("service-sas-blob", **account, **window(), resource={"container": CONTAINER}, permissions="r")

"""What a running Valet hands out and signs: tokens of each kind of grant, and single requests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from faces.test_connect import post
from support.canary import register
from support.programs import Valet, managed_identity, program, valet
from vault_contract.testvault import Control

from .requests_by_hand import Request, send
from .signer import Hidden, signature
from .storage import (
    CONTAINER,
    OTHER_CONTAINER,
    OTHER_QUEUE,
    OTHER_TABLE,
    QUEUE,
    TABLE,
    Attempt,
    Storage,
    peek,
    query,
    read,
    status,
)


class Granted(NamedTuple):
    """A grant, what its token opens, and what it does not."""

    spec: dict[str, str]
    inside: Attempt
    outside: Attempt


_BLOB = {"service": "blob", "container": CONTAINER, "permissions": "rl"}
GRANTS = {
    "container": Granted({"kind": "service-sas", **_BLOB}, read(), read(OTHER_CONTAINER)),
    "queue": Granted(
        {"kind": "service-sas", "service": "queue", "queue": QUEUE, "permissions": "r"}, peek(), peek(OTHER_QUEUE)
    ),
    "table": Granted(
        {"kind": "service-sas", "service": "table", "table": TABLE, "permissions": "r"}, query(), query(OTHER_TABLE)
    ),
    "account": Granted(
        {"kind": "account-sas", "services": "b", "resource_types": "o", "permissions": "r"}, read(), peek()
    ),
    "delegated": Granted({"kind": "user-delegation-sas", **_BLOB}, read(), read(OTHER_CONTAINER)),
}
SINGLE = {"account": "landing", "kind": "shared-key", "service": "blob", "container": CONTAINER, "permissions": "r"}


@pytest.fixture(scope="module")
def broker(over_https: Storage, entra: Control, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valet]:
    """A Valet that has the account's keys, and an identity for delegation."""
    azurite = over_https.azurite
    settings: dict[str, object] = {
        "sources": {"env": {"kind": "environment"}},
        "accounts": {
            "landing": {
                "kind": "storage",
                "name": azurite.account.name,
                "keys": [{"env": "LANDING_KEY"}],
                "identity": "app",
                "endpoints": {service: azurite.endpoint(service) for service in azurite.ports},
                "network": {"ca_file": azurite.ca_file},
            }
        },
        "grants": {
            **{name: {"account": "landing", **grant.spec} for name, grant in GRANTS.items()},
            "single": SINGLE,
        },
    }
    environment = {"LANDING_KEY": azurite.account.keys[1], **managed_identity(entra.endpoints)}
    # A short path: a socket's name has at most 107 bytes.
    with TemporaryDirectory(prefix="valet-") as short:
        sockets = Path(short)
        settings["listen"] = {
            "tasks": {"unix": {"path": str(sockets / "valet.sock")}, "allow": ["tokens", "signatures"]},
            "admin": {"unix": {"path": str(sockets / "admin.sock")}, "allow": ["admin"]},
        }
        with valet(tmp_path_factory.mktemp("broker"), settings, environment, sockets) as running:
            yield running


@pytest.mark.parametrize("grant", GRANTS)
def test_a_token_opens_what_is_granted(broker: Valet, over_https: Storage, grant: str) -> None:
    command = [program("VALET_BIN"), "get", "token", grant, "--socket", broker.socket]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    token = Hidden(done.stdout.strip())
    register("a signature", signature(token))
    assert status(GRANTS[grant].inside, over_https, token) == 200
    assert status(GRANTS[grant].outside, over_https, token) == 403


def test_single_requests_are_signed_within_their_grant(broker: Valet, over_https: Storage) -> None:
    wanted = Request("blob", "GET", f"/{CONTAINER}/in%2F2026%20%C3%BC%2B%25.csv").with_header(
        "x-ms-version", "2023-11-03"
    )

    def asked(request: Request) -> tuple[int, dict[str, str]]:
        reply = post(
            broker.socket,
            "SignRequest",
            {
                "grant": "single",
                "method": request.method,
                "url": over_https.azurite.endpoint("blob") + request.path,
                "headers": [{"name": name, "value": value} for name, value in request.headers],
            },
        )
        return reply.status, reply.json

    code, signed = asked(wanted)
    assert code == 200, signed
    register("a signature", signature(signed["authorization"]))
    assert send(over_https, wanted.with_header("x-ms-date", signed["xMsDate"]), signed["authorization"]) == 200
    for beyond in (
        replace(wanted, method="DELETE"),
        replace(wanted, path=wanted.path.replace(CONTAINER, OTHER_CONTAINER)),
        replace(wanted, path="/?comp=list"),
    ):
        code, refused = asked(beyond)
        assert (code, refused["code"]) == (403, "permission_denied")

"""What becomes of tokens while their account, its vault or a clock goes wrong, as RESILIENCE.md has it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from faces.test_connect import Reply, post
from support.authority import Authority
from support.azurite import Account, account_key, azurite
from support.canary import register
from support.programs import Valet, key_vault, managed_identity, program, valet
from vault_contract.testvault import Control, running

from .requests_by_hand import Request, send
from .signer import Hidden, Signer, signature, window
from .storage import CONTAINER, Storage, fill, read, status
from .test_broker import GRANTS, SINGLE

PAGE = Path(__file__).parents[3] / "RESILIENCE.md"
HEADING = "A storage account that gives no user delegation keys"
QUARTER = 15 * 60
#: How much slower than promised a busy machine may be, in seconds.
GRACE = 2.0
KEYS = ("landing-key1", "landing-key2")
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "throttled"},
    "503 `ServerBusy`": {"kind": "storage", "status": 503, "code": "ServerBusy"},
    "500": {"kind": "status", "status": 500},
    "500, `Retry-After: 20`": {"kind": "status", "status": 500, "retry_after": 20},
    "no answer": {"kind": "hold"},
    "a reset instead of an answer": {"kind": "reset"},
    "half a body": {"kind": "cut_body"},
    "truncated XML": {"kind": "truncated_json"},
    "401, whatever the token": {"kind": "unauthorized"},
    "403, the role is missing": {"kind": "storage", "status": 403, "code": "AuthorizationPermissionMismatch"},
    "403, its firewall": {"kind": "storage", "status": 403, "code": "AuthorizationFailure"},
}
LINES = {"TLS, another host's certificate": "wrong_name", "resets before TLS": None}


@pytest.fixture(scope="module")
def proxied(over_https: Storage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """A test vault whose fault proxy stands before the emulator's blobs."""
    behind = over_https.azurite
    url = f"{behind.scheme}://127.0.0.1:{behind.ports['blob']}"
    options = ("--behind", url, "--behind-ca", str(behind.ca_file))
    with running(program("VALET_TESTVAULT"), tmp_path_factory.mktemp("proxy"), *options) as control:
        yield control


@contextmanager
def broker(
    directory: Path, vault: Control, account: Mapping[str, object], grants: Mapping[str, object], **source: object
) -> Iterator[Valet]:
    """A Valet whose account has these settings."""
    with TemporaryDirectory(prefix="valet-") as short:
        sockets = Path(short)
        settings: dict[str, object] = {
            "listen": {
                "tasks": {"unix": {"path": str(sockets / "valet.sock")}, "allow": ["tokens", "signatures"]},
                "admin": {"unix": {"path": str(sockets / "admin.sock")}, "allow": ["admin"]},
            },
            "sources": {"vault": key_vault(vault.endpoints, **source)},
            "accounts": {"landing": {"kind": "storage", "identity": "app", **account}},
            "grants": {name: {"account": "landing", **grant} for name, grant in grants.items()},  # type: ignore[dict-item]
        }
        with valet(directory, settings, managed_identity(vault.endpoints), sockets) as running:
            yield running


def issue(broker: Valet, grant: str) -> Reply:
    """A token, or why there is none."""
    return post(broker.socket, "IssueToken", {"grant": grant})


def token_of(reply: Reply) -> Hidden:
    """The token of an answer."""
    assert reply.status == 200, reply.json
    token = Hidden(reply.json["token"])
    register("a signature", signature(token))
    return token


def test_a_storage_account_that_fails(over_https: Storage, proxied: Control, tmp_path: Path) -> None:
    section = PAGE.read_text().partition(f"\n## {HEADING}\n")[2].partition("\n## ")[0]
    promised = [line for line in section.splitlines() if line.startswith("| ")][2:]
    names = [*FAULTS, *LINES]
    happened = []
    for number, name in enumerate(names):
        row = next((line for line in promised if line.startswith(f"| {name} |")), "")
        happened.append(_row(name, row, over_https, proxied, tmp_path / str(number)))
    broken = [line for line in happened if line not in promised]
    assert happened == promised, "this happens instead:\n" + "\n".join(broken)


def _row(name: str, promise: str, storage: Storage, proxy: Control, directory: Path) -> str:
    """One fault in each state of what Valet holds, as the page has it."""
    assert proxy.endpoints.proxy_url
    account = storage.azurite.account
    spec = {
        "name": account.name,
        "keys": [],
        "endpoints": {"blob": f"{proxy.endpoints.proxy_url}/{account.name}"},
        "network": {"ca_file": proxy.endpoints.ca_file},
    }
    grants = {"delegated": GRANTS["delegated"].spec, "other": {**GRANTS["delegated"].spec, "permissions": "r"}}
    promises = [*promise.strip("| ").split(" | "), "", "", "", ""]
    cells, said = [], ""
    with broker(directory / "cold", proxy, spec, grants) as cold:
        with _failing(proxy, name):
            cell, reply = _ask(cold, proxy, "delegated", promises[1])
            cells.append(cell)
            said = reply.json.get("message", "")
    with broker(directory / "held", proxy, spec, grants) as held:
        first = token_of(issue(held, "delegated"))
        with _failing(proxy, name):
            for grant, promised, kind in (
                ("delegated", promises[2], "the same token"),
                ("other", promises[3], "a new token"),
            ):
                cell, reply = _ask(held, proxy, grant, promised)
                token = token_of(reply)
                assert status(read(), storage, token) == 200
                assert (token == first) is (kind == "the same token")
                cells.append(f"{kind}, {cell}")
    words = promises[4].strip('"')
    said = words if words and words in said else said
    return f'| {name} | {" | ".join(cells)} | "{said}" |'


def _ask(broker: Valet, proxy: Control, grant: str, promise: str) -> tuple[str, Reply]:
    before, start = proxy.counters()["proxied"], time.monotonic()
    reply = issue(broker, grant)
    took = time.monotonic() - start
    asked = proxy.counters()["proxied"] - before
    bound = re.search(r"≤ (\d+) s$", promise)
    when = f"≤ {bound[1]} s" if bound and took <= int(bound[1]) + GRACE else f"{took:.1f} s"
    requests = f"{asked} request{'' if asked == 1 else 's'}, {when}"
    if reply.status == 200:
        return requests, reply
    retry = f", retry after {reply.headers['retry-after']} s" if "retry-after" in reply.headers else ""
    return f"`{reply.headers['valet-reason']}` ({reply.json['code'].upper()}){retry}, {requests}", reply


@contextmanager
def _failing(proxy: Control, name: str) -> Iterator[None]:
    if name in LINES:
        proxy.call("PUT", "/line", {"site": "proxy", "leaf": LINES[name]})
    else:
        fault = dict(FAULTS[name])
        proxy.fault(fault.pop("kind"), face="proxied", **fault)
    try:
        yield
    finally:
        proxy.clear_faults()
        proxy.call("PUT", "/line", {"site": "proxy", "leaf": "trusted"})


@pytest.mark.parametrize("skew", [QUARTER, -QUARTER], ids=["ahead", "behind"])
def test_what_is_signed_while_azures_clocks_are_a_quarter_of_an_hour_off_is_accepted(
    authority: Authority, signer: Signer, tmp_path: Path, skew: int
) -> None:
    with ExitStack() as stack:
        (tmp_path / "vault").mkdir()
        vault = stack.enter_context(running(program("VALET_TESTVAULT"), tmp_path / "vault"))
        vault.call("PUT", "/clock", {"offset": skew})
        emulator = stack.enter_context(azurite(tmp_path / "azurite", Account(), authority, skew=skew))
        storage = fill(emulator)
        vault.put(KEYS[0], emulator.account.keys[0])
        spec = {
            "name": emulator.account.name,
            "keys": [{"secret": f"vault/{KEYS[0]}"}],
            "endpoints": {service: emulator.endpoint(service) for service in emulator.ports},
            "network": {"ca_file": emulator.ca_file},
        }
        # What is good for five minutes before and after now by our clock shows that theirs is another.
        minutes = timedelta(minutes=5)
        short = {**storage.account, **window(-minutes, minutes), "resource": {"container": CONTAINER}}
        assert status(read(), storage, signer.sign("service-sas-blob", **short, permissions="r")) == 403
        grants = {name: grant.spec for name, grant in GRANTS.items()}
        single = {name: value for name, value in SINGLE.items() if name != "account"}
        asked = stack.enter_context(broker(tmp_path / "valet", vault, spec, {**grants, "single": single}))
        for name, grant in GRANTS.items():
            token = token_of(issue(asked, name))
            assert (name, status(grant.inside, storage, token)) == (name, 200)
        wanted = Request("blob", "GET", f"/{CONTAINER}/in%2F2026%20%C3%BC%2B%25.csv").with_header(
            "x-ms-version", "2023-11-03"
        )
        message = {"grant": "single", "method": "GET", "url": emulator.endpoint("blob") + wanted.path}
        headers = [{"name": name, "value": value} for name, value in wanted.headers]
        signed = post(asked.socket, "SignRequest", {**message, "headers": headers}).json
        register("a signature", signature(signed["authorization"]))
        assert send(storage, wanted.with_header("x-ms-date", signed["xMsDate"]), signed["authorization"]) == 200


@pytest.mark.parametrize("state", ["cold", "warm", "stale", "stored"])
def test_a_key_that_is_regenerated_while_its_tokens_are_out(authority: Authority, tmp_path: Path, state: str) -> None:
    account, renewed = Account(), account_key()
    place = tmp_path / "azurite"
    with ExitStack() as stack:
        (tmp_path / "vault").mkdir()
        vault = stack.enter_context(running(program("VALET_TESTVAULT"), tmp_path / "vault"))
        # The newest signs.
        for name, key in reversed([*zip(KEYS, account.keys, strict=True)]):
            vault.put(name, key)
            _next_second()
        with azurite(place, account, authority) as emulator:
            storage = fill(emulator)
            spec = {"name": account.name, "keys": [{"secret": f"vault/{name}"} for name in KEYS]}
            grants = {"container": GRANTS["container"].spec}
            often = {"cache": {"fresh": "0s"}} if state != "warm" else {}
            asked = stack.enter_context(broker(tmp_path / "valet", vault, spec, grants, **often))
            if state != "cold":
                before = token_of(issue(asked, "container"))
                assert status(read(), storage, before) == 200
        with azurite(place, Account(account.name, (renewed, account.keys[1])), authority, emulator.ports) as emulator:
            storage = Storage(emulator, storage.snapshot)
            if state == "stale":
                vault.call("PUT", "/line", {"leaf": None})
            if state == "stored":
                vault.put(KEYS[0], renewed)
            token = token_of(issue(asked, "container"))
            if state == "stored":
                assert status(read(), storage, token) == 200
                return
            assert state == "cold" or token == before
            assert status(read(), storage, token) == 403
            digest = hashlib.sha256(token.encode()).hexdigest()
            report = post(asked.socket, "ReportRejected", {"grant": "container", "valueSha256": digest})
            assert (report.status, report.json.get("accepted")) == (200, True), report.json
            other = token_of(issue(asked, "container"))
            assert other != token
            assert status(read(), storage, other) == 200


def _next_second() -> None:
    """The vault knows when a secret was made by the second, so that two of one second are of one age."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.01)

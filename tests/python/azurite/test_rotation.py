"""Keys are regenerated in the order that ROTATION.md has, while tasks work; and in the wrong one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread
from typing import Any

import pytest

from faces.test_connect import post
from scheduled.airflow_home import Airflow
from scheduled.conftest import secrets_for
from support.azurite import Account, Azurite, account_key, azurite
from support.canary import register
from support.programs import AIRFLOWS, Valet, key_vault, managed_identity, program, valet, vault_with
from vault_contract.testvault import Control

from .signer import Hidden, signature
from .storage import CONTAINER, Storage, fill, owner, read, status
from .test_airflow import handed_out

#: How long a token lives, and has left at least when it is handed out, in seconds.
LIFETIME, AT_LEAST = 8, 4
#: How long something may take that is waited for, in seconds.
PATIENCE = 60.0
GRANT = {"account": "landing", "kind": "service-sas", "service": "blob", "container": CONTAINER, "permissions": "rl"}


@dataclass
class Lab:
    """A storage account, a vault that holds its keys, and a Valet that reads them there."""

    directory: Path
    vault: Control
    valet: Valet
    #: The emulator that runs now; another one after each regeneration.
    storage: Storage
    emulator: ExitStack
    #: Held while the emulator is away, which an account that regenerates a key is not.
    away: Lock = field(default_factory=Lock)

    @property
    def keys(self) -> tuple[str, str]:
        return self.storage.azurite.account.keys

    def regenerate(self, number: int) -> str:
        """Gives the account another first or second key, and answers it."""
        key = account_key()
        keys = (key, self.keys[1]) if number == 0 else (self.keys[0], key)
        with self.away:
            before = self.storage.azurite
            self.emulator.close()
            account = Account(before.account.name, keys)
            now = self.emulator.enter_context(azurite(self.directory / "azurite", account, ports=before.ports))
            self.storage = Storage(now, self.storage.snapshot)
        return key

    def status(self) -> dict[str, Any]:
        """What `valet status` says of the account."""
        command = [program("VALET_BIN"), "status", "--json", "--admin-socket", self.valet.admin_socket]
        account: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        found: dict[str, Any] = account["accounts"][0]
        return found

    def issue(self) -> tuple[Hidden, str, datetime]:
        """A token, which key signed it and when it ends."""
        reply = post(self.valet.socket, "IssueToken", {"grant": "landing"})
        assert reply.status == 200, reply.json
        token = Hidden(reply.json["token"])
        register("a signature", signature(token))
        return token, reply.json["keyFingerprint"], datetime.fromisoformat(reply.json["expiresAt"])

    def opens(self, token: str) -> int:
        """What the service says to the token."""
        return status(read(), self.storage, token)


@contextmanager
def lab(directory: Path, secrets: Callable[[Azurite], dict[str, list[tuple[str, str]]]]) -> Iterator[Lab]:
    """A Valet whose account has its keys in these secrets: the versions of each and their tags, the oldest first."""
    with ExitStack() as stack, TemporaryDirectory(prefix="valet-") as short:
        emulator = stack.enter_context(ExitStack())
        storage = fill(emulator.enter_context(azurite(directory / "azurite", Account())))
        stored = secrets(storage.azurite)
        vault = stack.enter_context(vault_with(directory / "vault", {"unused": "x"}))
        for versions in zip(*stored.values(), strict=True):
            for name, (value, tag) in zip(stored, versions, strict=True):
                store(vault, name, value, tag)
        sockets = Path(short)
        settings: dict[str, object] = {
            "listen": {
                "tasks": {"unix": {"path": str(sockets / "valet.sock")}, "allow": ["tokens"]},
                "admin": {"unix": {"path": str(sockets / "admin.sock")}, "allow": ["admin"]},
            },
            "sources": {"vault": key_vault(vault.endpoints, cache={"fresh": "1s"})},
            "accounts": {
                "landing": {
                    "kind": "storage",
                    "name": storage.azurite.account.name,
                    "keys": [{"secret": f"vault/{name}"} for name in stored],
                    "endpoints": {"blob": storage.azurite.endpoint("blob")},
                }
            },
            "grants": {"landing": {**GRANT, "lifetime": f"{LIFETIME}s", "min_remaining": f"{AT_LEAST}s"}},
        }
        environment = managed_identity(vault.endpoints)
        running = stack.enter_context(valet(directory / "valet", settings, environment, sockets))
        yield Lab(directory, vault, running, storage, emulator)


def store(vault: Control, name: str, value: str, tag: str) -> None:
    """Stores a version, in a second of its own: the vault knows no closer when it was made."""
    vault.put(name, value, tags={"CredentialId": tag})
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.01)


class Tasks:
    """Tasks that ask for a token all the time, and use each until it ends."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._over = Event()
        self._thread = Thread(target=self._work)
        self._held: dict[Hidden, datetime] = {}
        #: Which keys have signed for them.
        self.signed_by: list[str] = []
        self.requests = 0
        self.failures: list[str] = []

    def __enter__(self) -> Tasks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(0.1):
            try:
                with self._lab.away:
                    self._round()
            except Exception as error:
                self.failures.append(repr(error))
                return

    def _round(self) -> None:
        token, fingerprint, end = self._lab.issue()
        self._held[token] = end
        if fingerprint not in self.signed_by:
            self.signed_by.append(fingerprint)
        self._held = {token: end for token, end in self._held.items() if end > datetime.now(UTC)}
        for token, end in self._held.items():
            said = self._lab.opens(token)
            if datetime.now(UTC) < end:  # else it ended on the way
                self.requests += 1
                if said != 200:
                    self.failures.append(f"{said} at {datetime.now(UTC)}, {end - datetime.now(UTC)} before its end")


def wait_for(what: str, is_so: Callable[[], bool]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def wait_until_safe(key: dict[str, Any]) -> None:
    """Waits until no token of a key is out any more, as `valet status` says."""
    safe = datetime.fromisoformat(key["safe_to_regenerate_after"])
    assert not key["signs"]
    time.sleep(max(0.0, (safe - datetime.now(UTC)).total_seconds()))


def signing(lab: Lab) -> str:
    """The key that signs."""
    status = lab.status()
    [found] = [key for key in status["keys"] + status["earlierKeys"] if key["signs"]]
    return str(found["fingerprint"])


def test_two_secrets_are_rotated_and_no_token_fails(tmp_path: Path) -> None:
    names = ("landing-key1", "landing-key2")
    secrets = lambda it: {name: [(key, name)] for name, key in zip(names, it.account.keys, strict=True)}  # noqa: E731
    with lab(tmp_path, secrets) as it:
        first, _, _ = it.issue()
        with Tasks(it) as tasks:
            for _ in range(3):
                # The one that does not sign, once its last token has ended.
                number, idle = next((at, key) for at, key in enumerate(it.status()["keys"]) if not key["signs"])
                wait_until_safe(idle)
                before = signing(it)
                key = it.regenerate(number)
                store(it.vault, names[number], key, names[number])
                wait_for("the new key signs", lambda before=before: signing(it) != before)  # type: ignore[misc]
        assert tasks.failures == []
        assert len(tasks.signed_by) == 4
        assert tasks.requests > 50
        assert it.opens(first) == 403, "its key was regenerated, and it has ended"


def test_one_secret_that_holds_the_keys_in_turn_is_rotated_and_no_token_fails(tmp_path: Path) -> None:
    tags = ("key1", "key2")
    secrets = lambda it: {"landing-key": [*zip(it.account.keys, tags, strict=True)]}  # noqa: E731
    with lab(tmp_path, secrets) as it:
        with Tasks(it) as tasks:
            # This Valet has never seen the version before; one that ran before this may have signed with it.
            time.sleep(LIFETIME)
            for number in (0, 1, 0):
                for other in it.status()["earlierKeys"][:1]:
                    wait_until_safe(other)
                before = signing(it)
                key = it.regenerate(number)
                store(it.vault, "landing-key", key, tags[number])
                wait_for("the new version signs", lambda before=before: signing(it) != before)  # type: ignore[misc]
        assert tasks.failures == []
        assert len(tasks.signed_by) == 4
        assert tasks.requests > 50


def test_a_key_that_is_regenerated_while_it_signs_is_mended_by_a_report_with_one_secret_too(tmp_path: Path) -> None:
    secrets = lambda it: {"landing-key": [*zip(it.account.keys, ("key1", "key2"), strict=True)]}  # noqa: E731
    with lab(tmp_path, secrets) as it:
        token, fingerprint, _ = it.issue()
        assert it.opens(token) == 200
        it.regenerate(1)
        assert it.opens(it.issue()[0]) == 403
        report = post(it.valet.socket, "ReportRejected", {"grant": "landing"})
        assert (report.json["accepted"], report.json["superseded"]) == (True, True), report.json
        token, other, _ = it.issue()
        assert other != fingerprint
        assert it.opens(token) == 200
        said = it.status()
        assert (said["keys"][0]["signs"], said["earlierKeys"][0]["signs"]) == (False, True)
        assert said["keys"][0]["suspectUntil"]

        # Once the key of now is stored it signs, and is not suspect.
        store(it.vault, "landing-key", it.keys[1], "key2")
        wait_for("the new version signs", lambda: it.issue()[1] not in (fingerprint, other))
        assert it.opens(it.issue()[0]) == 200


@pytest.mark.parametrize("name", AIRFLOWS)
def test_a_task_whose_key_was_regenerated_reports_that_and_the_next_try_works(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "results").mkdir(parents=True)
    with ExitStack() as stack:
        emulator = stack.enter_context(ExitStack())
        before = emulator.enter_context(azurite(tmp_path / "azurite", Account()))
        owner(before).create_container(CONTAINER).upload_blob("in/read.csv", b"a,b\n")
        names = ("landing-key1", "landing-key2")
        secrets = {**secrets_for(home), **dict(zip(names, before.account.keys, strict=True))}
        vault = stack.enter_context(vault_with(tmp_path / "vault", secrets))
        settings: dict[str, object] = {
            "sources": {"vault": key_vault(vault.endpoints)},
            "accounts": {
                "landing": {
                    "kind": "storage",
                    "name": before.account.name,
                    "keys": [{"secret": f"vault/{name}"} for name in names],
                    "endpoints": {"blob": before.endpoint("blob")},
                }
            },
            "grants": {"landing": GRANT},
            "connections": {"wasb_landing": {"type": "wasb", "grant": "landing"}},
        }
        running = stack.enter_context(valet(tmp_path / "valet", settings, managed_identity(vault.endpoints)))
        airflow = Airflow(name, home, running.socket, "rejected")
        airflow.must("db", "migrate")
        emulator.close()
        # Of two that were made in one second the first one signs.
        account = Account(before.account.name, (account_key(), before.account.keys[1]))
        emulator.enter_context(azurite(tmp_path / "azurite", account, ports=before.ports))

        register("a signature", handed_out(running.socket))
        airflow.command("dags", "test", "rejected")
        printed = airflow.printed("dags", "test", "rejected")
        assert airflow.recorded() == {}, printed[-4000:]
        told = [line for line in printed.splitlines() if "reported as refused: connection 'wasb_landing'" in line]
        assert told, printed[-4000:]
        assert "another value by now" in told[0]
        running.audit_line(lambda line: (line["kind"], line["outcome"]) == ("connection-rejection", "accepted"))
        register("a signature", handed_out(running.socket))
        airflow.command("dags", "test", "rejected")
        assert airflow.recorded() == {"rejected": "a,b\n"}, airflow.printed("dags", "test", "rejected")[-4000:]

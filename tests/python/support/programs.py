"""Starts the programs under test and ends them, whatever happens to the test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vault_contract.testvault import Control, Endpoints, running

START_SECONDS = 20.0
AUDIT_SECONDS = 5.0
STOP_SECONDS = 30.0
#: Airflow versions by the name of their environment.
AIRFLOWS = {"airflow-2": "VALET_AIRFLOW_2_PYTHON", "airflow-3": "VALET_AIRFLOW_3_PYTHON"}


def program(variable: str) -> str:
    """The path that `make test` has put into the environment."""
    path = os.environ.get(variable)
    if not path:
        raise RuntimeError(f"{variable} is not set; `tests/setup/run.sh` sets it")
    return path


@contextmanager
def vault_with(directory: Path, secrets: Mapping[str, object]) -> Iterator[Control]:
    """A test vault that holds ``secrets``: name to value, to one version, or to a list of versions."""
    directory.mkdir(parents=True)
    seed = directory / "seed.json"
    seed.write_text(json.dumps({"vaults": {"default": dict(secrets)}}))
    with running(program("VALET_TESTVAULT"), directory, "--seed", str(seed)) as control:
        yield control


def managed_identity(endpoints: Endpoints) -> dict[str, str]:
    """The environment of an App Service app with a managed identity."""
    return {"IDENTITY_ENDPOINT": endpoints.identity_endpoint, "IDENTITY_HEADER": endpoints.identity_header}


def key_vault(endpoints: Endpoints, **more: object) -> dict[str, object]:
    """A `key-vault` source on the test vault."""
    return {
        "kind": "key-vault",
        "url": endpoints.vault_url,
        "identity": "app",
        "network": {"ca_file": endpoints.ca_file},
        **more,
    }


@dataclass(frozen=True)
class Valet:
    """A running `valet serve`."""

    directory: Path
    sockets: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> str:
        return str(self.sockets / "valet.sock")

    @property
    def admin_socket(self) -> str:
        return str(self.sockets / "admin.sock")

    def audit(self) -> list[dict[str, Any]]:
        """The audit lines so far."""
        return [json.loads(line) for line in (self.directory / "audit.jsonl").read_text().splitlines()]

    def audit_line(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first audit line that is ``wanted``; they are written by a thread of its own, so it may yet come."""
        deadline = time.monotonic() + AUDIT_SECONDS
        while True:
            found = next((line for line in self.audit() if wanted(line)), None)
            if found or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        assert found, "no such audit line"
        return found

    def log(self) -> str:
        """What it has written to standard error."""
        return (self.directory / "valet.log").read_text()


@contextmanager
def valet(
    directory: Path, settings: Mapping[str, object], environment: Mapping[str, str], sockets: Path | None = None
) -> Iterator[Valet]:
    """`valet serve` with ``settings`` beside what each suite wants alike; its files stay in ``directory``."""

    def text(sockets: Path) -> str:
        return json.dumps({**_settings(sockets, directory), **settings}, indent=2)  # JSON is YAML

    with serving(directory, text, environment, sockets) as running:
        yield running


@contextmanager
def serving(
    directory: Path, text: Callable[[Path], str], environment: Mapping[str, str], sockets: Path | None = None
) -> Iterator[Valet]:
    """`valet serve` on a valet.yaml whose ``text`` is made once it is known where the sockets are to be."""
    directory.mkdir(parents=True, exist_ok=True)
    # A short path: a socket's name has at most 107 bytes, and a checkout may be deep.
    with TemporaryDirectory(prefix="valet-") as short, (directory / "valet.log").open("wb") as log:
        sockets = sockets or Path(short)
        config = directory / "valet.yaml"
        config.write_text(text(sockets))
        process = subprocess.Popen(
            [program("VALET_BIN"), "serve", "--config", str(config)],
            env={"PATH": os.environ["PATH"], "VALET_LOG": "debug", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        running = Valet(directory, sockets, process)
        try:
            _wait_until_it_listens(running)
            yield running
        finally:
            stop(process)


def _settings(sockets: Path, directory: Path) -> dict[str, object]:
    kinds = ["connections", "variables", "config"]
    return {
        "listen": {
            "tasks": {"unix": {"path": str(sockets / "valet.sock")}, "allow": kinds},
            "admin": {"unix": {"path": str(sockets / "admin.sock")}, "allow": ["admin"]},
        },
        "identities": {"app": {"kind": "managed-identity"}},
        "audit": {"to": "file", "path": str(directory / "audit.jsonl")},
    }


def _wait_until_it_listens(valet: Valet) -> None:
    deadline = time.monotonic() + START_SECONDS
    for path in (valet.socket, valet.admin_socket):
        while not listens(path):
            if valet.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"valet did not start: {valet.log()[-4000:]}")
            time.sleep(0.02)


def listens(path: str) -> bool:
    """Whether somebody accepts connections at a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(path) == 0


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask it to end, then make it; its exit code."""
    process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started; it was started as the leader of a session."""
    for number, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait(5.0)

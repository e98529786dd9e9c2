"""A DAG of 500 tasks in real Airflows, whose vault serves 40 requests in 10 s: through Valet no task fails.

Beside it AzureKeyVaultBackend, on a vault that is its own. `make proof` runs it: half an hour on two cores.
`CROWD_TASKS` makes it smaller, `CROWD_AIRFLOWS=airflow-2` does one Airflow.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scheduled.airflow_home import Airflow
from support.programs import AIRFLOWS, key_vault, managed_identity, valet, vault_with
from vault_contract.testvault import Control

TASKS = int(os.environ.get("CROWD_TASKS", "500"))
NAMES = 20
LIMIT = {"requests": 40, "seconds": 10}
RUN_SECONDS = 3600.0
WANTED = os.environ.get("CROWD_AIRFLOWS", ",".join(AIRFLOWS)).split(",")
FERNET_KEY = "Y3Jvd2QtY3Jvd2QtY3Jvd2QtY3Jvd2QtY3Jvd2QtY3I="


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what it asked of the vault."""

    airflow: str
    backend: str
    states: Mapping[str, int]
    minutes: float
    requests: int
    refused: int

    def line(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"| {self.airflow} | {self.backend} | {states} | {self.minutes:.1f} | {self.requests} | {self.refused} |"


@pytest.mark.parametrize("airflow", WANTED)
def test_no_task_fails_where_the_vault_serves_few_requests(
    airflow: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = []
    for backend in ("ValetBackend", "AzureKeyVaultBackend"):
        with limited_vault(tmp_path / backend / "vault") as vault:
            outcomes.append(run(airflow, backend, vault, tmp_path / backend))
    with capsys.disabled():
        print(f"\n{TASKS} tasks, a vault that serves {LIMIT['requests']} requests in {LIMIT['seconds']} s")
        print("| Airflow | backend | tasks | minutes | requests to the vault | of these 429 |")
        print("| --- | --- | --- | --- | --- | --- |")
        for outcome in outcomes:
            print(outcome.line())
    ours, theirs = outcomes
    assert ours.states == {"success": TASKS}
    assert ours.refused == 0
    assert ours.requests < theirs.requests


def fingerprint(name: str) -> str:
    """What the vault holds under this name, and the DAG expects."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


@contextmanager
def limited_vault(directory: Path) -> Iterator[Control]:
    """A vault that holds for each name its fingerprint."""
    held: dict[str, object] = {}
    for conn_id in ("shared", *(f"own_{number}" for number in range(NAMES))):
        connection = {"conn_type": "generic", "host": fingerprint(conn_id)}
        held[f"airflow-connections-{conn_id.replace('_', '-')}"] = json.dumps(connection)
    for key in ("region", "bucket", *(f"of_own_{number}" for number in range(NAMES))):
        held[f"airflow-variables-{key.replace('_', '-')}"] = fingerprint(key)
    with vault_with(directory, held) as vault:
        vault.call("PUT", "/vaults/default/limit", LIMIT)
        yield vault


def run(name: str, backend: str, vault: Control, directory: Path) -> Outcome:
    """One run of the DAG, with this backend before this vault."""
    if backend != "ValetBackend":
        vault_url = vault.endpoints.vault_url
        arguments = json.dumps({"vault_url": vault_url, "verify_challenge_resource": False})
        azure = {
            "AIRFLOW__SECRETS__BACKEND": "airflow.providers.microsoft.azure.secrets.key_vault.AzureKeyVaultBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": arguments,
            "REQUESTS_CA_BUNDLE": vault.endpoints.ca_file,
            **managed_identity(vault.endpoints),
        }
        return scheduled(Airflow(name, home(directory), "", "crowd", {**alike(directory), **azure}), backend, vault)
    # What the vault serves is known; a fifth less, as it may be asked by others too.
    budget = {"requests": LIMIT["requests"] * 4 // 5, "per": f"{LIMIT['seconds']}s"}
    settings = {"sources": {"vault": key_vault(vault.endpoints, budget=budget)}}
    with valet(directory / "valet", settings, {**managed_identity(vault.endpoints), "VALET_LOG": "info"}) as running:
        return scheduled(Airflow(name, home(directory), running.socket, "crowd", alike(directory)), backend, vault)


def home(directory: Path) -> Path:
    """A directory for Airflow."""
    path = directory / "home"
    (path / "results").mkdir(parents=True)
    return path


def alike(directory: Path) -> dict[str, str]:
    """What both runs have: a database and keys that no backend is asked for, and so many tasks at once."""
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{directory / 'home' / 'of-valet.db'}?timeout=120",
        "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
        "AIRFLOW__API_AUTH__JWT_SECRET": FERNET_KEY,
        "AIRFLOW__CORE__PARALLELISM": "8",
        "CROWD_TASKS": str(TASKS),
        "CROWD_NAMES": str(NAMES),
    }


def scheduled(airflow: Airflow, backend: str, vault: Control) -> Outcome:
    """The outcome of the scheduled run."""
    airflow.must("db", "migrate")
    began = time.monotonic()
    with airflow.processes():
        airflow.scheduled_run("crowd", RUN_SECONDS)
    minutes = (time.monotonic() - began) / 60
    states = Counter(str(state) for state in airflow.select("task_instance", "state", dag_id="crowd"))
    asked = [request for request in vault.log() if request["face"] == "vault"]
    refused = sum(request["status"] == 429 for request in asked)
    return Outcome(airflow.name, backend, states, minutes, len(asked), refused)

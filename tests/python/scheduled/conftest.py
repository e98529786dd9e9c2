"""For each Airflow: a vault, a Valet with all kinds of sources in front of it, and an Airflow that knows only Valet."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.canary import STEM, secret
from support.programs import AIRFLOWS, Valet, key_vault, managed_identity, valet, vault_with
from vault_contract.testvault import Control

from .airflow_home import Airflow

FROM_VAULT = {
    "conn_type": "wasb",
    "host": "acct.blob.core.windows.net",
    "login": "acct",
    "password": secret("vault-password"),
    # A name that no Airflow masks by itself.
    "extra": {"account_key": secret("vault-extra")},
}
FROM_FILE = {"conn_type": "postgres", "host": "db.example.com", "login": "reader", "password": secret("file")}
#: The password of a connection that Valet has never seen.
OF_METADATA = "of-airflow-itself"


@dataclass(frozen=True)
class Lab:
    """The parts of one deployment."""

    vault: Control
    valet: Valet
    airflow: Airflow


@pytest.fixture(scope="module", params=AIRFLOWS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A deployment with its database migrated and one connection of Airflow's own."""
    directory = tmp_path_factory.mktemp(request.param)
    home = directory / "home"
    (home / "results").mkdir(parents=True)
    with vault_with(directory / "vault", secrets_for(home)) as vault:
        with valet(directory / "valet", sources(vault, directory), environment(vault)) as running:
            airflow = Airflow(request.param, home, running.socket, "lab")
            airflow.must("db", "migrate")
            options = {"type": "generic", "host": "of-metadata", "password": OF_METADATA}
            given = [part for name, value in options.items() for part in (f"--conn-{name}", value)]
            airflow.must("connections", "add", "only_in_metadata", *given)
            yield Lab(vault, running, airflow)


def secrets_for(home: Path) -> dict[str, object]:
    """What the vault holds; the place of Airflow's database is known to the vault alone."""
    key = base64.urlsafe_b64encode(f"{STEM}/fernet".ljust(32, "+").encode()).decode()
    return {
        "airflow-connections-from-vault": json.dumps(FROM_VAULT),
        "airflow-variables-top-level": secret("vault-variable"),
        "airflow-config-sql-alchemy-conn": f"sqlite:///{home / 'of-valet.db'}",
        "airflow-config-fernet-key": key,
        "airflow-config-jwt-secret": secret("vault-jwt") * 3,
    }


def sources(vault: Control, directory: Path) -> dict[str, object]:
    """Settings of a Valet with all kinds of sources."""
    file = directory / "connections.json"
    file.write_text(json.dumps({"from_file": FROM_FILE}))
    return {
        "sources": {
            "env": {"kind": "environment"},
            "files": {"kind": "file", "connections": str(file)},
            "vault": key_vault(vault.endpoints),
        }
    }


def environment(vault: Control) -> dict[str, str]:
    """Valet's environment; Airflow has none of it."""
    return {
        "AIRFLOW_CONN_FROM_ENV": json.dumps({"conn_type": "http", "host": "env.example", "password": secret("env")}),
        "AIRFLOW_VAR_FROM_ENV_TOO": "rendered",
        **managed_identity(vault.endpoints),
    }

"""One Valet for the session, on all three kinds of source, and a second listener that allows less."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.canary import secret
from support.programs import Valet, key_vault, managed_identity, valet, vault_with

from .grpc_client import Client

CONNECTION = {"conn_type": "wasb", "login": "acct", "password": secret("vault"), "extra": {"note": "grüße ✓"}}
#: As it stands in the vault: spaces, order and escapes are the owner's.
STORED = json.dumps(CONNECTION, indent=1, ensure_ascii=False)
FROM_FILE = f"postgres://u:{secret('files').replace('/', '%2F')}@db.example.com:5432/main"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valet]:
    """A Valet with an environment, a file and a Key Vault source."""
    directory = tmp_path_factory.mktemp("faces")
    (directory / "connections.json").write_text(json.dumps({"from_file": FROM_FILE}))
    secrets = {
        "airflow-connections-from-vault": STORED,
        "airflow-connections-raw": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + secret("raw"),
        "airflow-connections-off": {"value": "http://h", "enabled": False},
        "airflow-connections-slow": "http://h",
        "airflow-variables-from-vault": "",
        "airflow-config-from-vault": "option " + secret("config"),
    }
    with vault_with(directory / "vault", secrets) as vault:
        vault.fault("hold", secret="airflow-connections-slow")
        settings: dict[str, object] = {
            "sources": {
                "env": {"kind": "environment"},
                "files": {"kind": "file", "connections": str(directory / "connections.json")},
                "vault": key_vault(vault.endpoints),
            },
        }
        environment = {"AIRFLOW_VAR_FROM_ENV": secret("env"), **managed_identity(vault.endpoints)}
        with valet(directory / "valet", settings, environment) as running:
            yield running


@pytest.fixture(scope="session")
def client(served: Valet) -> Iterator[Client]:
    """A stock gRPC client that knows of the service what reflection tells."""
    with Client(served.socket) as client:
        yield client

"""Real Airflows work with blobs through a connection that Valet brokers: the account's key stays in the vault."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduled.airflow_home import Airflow
from scheduled.conftest import secrets_for
from support.canary import register
from support.programs import AIRFLOWS, key_vault, managed_identity, program, valet, vault_with

from .signer import signature
from .storage import CONTAINER, Storage, owner

#: A signature or a key, in what signs.
SIGNS = re.compile(r"(sig|AccountKey)(=|%3D)(?!REDACTED|\*\*\*)")
GRANT = {"account": "landing", "kind": "service-sas", "service": "blob", "container": CONTAINER, "permissions": "racwl"}


@pytest.fixture(params=AIRFLOWS)
def airflow(request: pytest.FixtureRequest, tmp_path: Path, over_http: Storage) -> Iterator[Airflow]:
    """An Airflow whose only source is a Valet that has the key of the account."""
    home = tmp_path / "home"
    (home / "results").mkdir(parents=True)
    account = over_http.azurite.account
    secrets = {**secrets_for(home), "landing-key": account.keys[0]}
    with vault_with(tmp_path / "vault", secrets) as vault:
        settings: dict[str, object] = {
            "sources": {"vault": key_vault(vault.endpoints)},
            "accounts": {
                "landing": {
                    "kind": "storage",
                    "name": account.name,
                    "keys": [{"secret": "vault/landing-key"}],
                    "endpoints": {"blob": over_http.azurite.endpoint("blob")},
                }
            },
            "grants": {"landing": GRANT},
            "connections": {"wasb_landing": {"type": "wasb", "grant": "landing"}},
        }
        with valet(tmp_path / "valet", settings, managed_identity(vault.endpoints)) as running:
            airflow = Airflow(request.param, home, running.socket, "storage")
            airflow.must("db", "migrate")
            # What its tasks will have, for hours to come.
            register("a signature", handed_out(running.socket))
            yield airflow


def handed_out(socket: str) -> str:
    """The signature in the connection."""
    command = [program("VALET_BIN"), "get", "connection", "wasb_landing", "--socket", socket]
    connection = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return signature(connection["extra"]["connection_string"].partition("SharedAccessSignature=")[2])


def test_tasks_upload_list_and_read_where_they_may_and_nowhere_else(airflow: Airflow, over_http: Storage) -> None:
    with airflow.processes():
        state = airflow.scheduled_run("storage")
    assert state == "success", [path.read_text()[-3000:] for path in airflow.home.glob("*.log")]
    assert airflow.recorded() == {
        "by_hook": {
            "there": True,
            "listed": ["hook/a.csv"],
            "read": "a,b\n",
            "deleted": 403,
            "written elsewhere": 403,
            "read elsewhere": 403,
        },
        "by_path": {"listed": ["b.csv"], "read": "c,d\n", "read elsewhere": 403},
    }
    container = owner(over_http.azurite).get_container_client(CONTAINER)
    for name in ("hook/a.csv", "path/b.csv"):
        assert container.download_blob(name).readall()
        container.delete_blob(name)
    if airflow.name == "airflow-3":
        drop_unmasked_copies(airflow.home / "scheduler.log")
    logs = {path: path.read_text(errors="replace") for path in airflow.home.rglob("*.log") if path.is_file()}
    # Microsoft's clients write their requests to the log, each without its signature.
    shown = {
        path.name for path, text in logs.items() if SIGNS.search(text) or over_http.azurite.account.keys[0] in text
    }
    assert shown == set()
    assert any("careless: " in text and "***" in text for path, text in logs.items() if "task_id=careless" in str(path))


def drop_unmasked_copies(log: Path) -> None:
    """Airflow 3's LocalExecutor copies the output of tasks to the scheduler's own, past every masker (`scheduled`)."""
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if "careless: " not in line))

"""Real Airflows run a real DAG whose every lookup goes through Valet to a Key Vault, a file or the environment."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from support.canary import STEM, secret
from support.programs import valet

from .airflow_home import Airflow
from .conftest import OF_METADATA, Lab, environment, sources


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def expected(airflow: str) -> dict[str, object]:
    """What each task must have seen."""
    of_vault = ["acct.blob.core.windows.net", fingerprint(secret("vault-password"))]
    ways = ["in a thread"] if airflow == "airflow-2" else ["in a thread", "async"]
    return {
        "read": {
            "top_level": fingerprint(secret("vault-variable")),
            "nowhere": None,
            "from_env": ["http", "env.example", None, fingerprint(secret("env"))],
            "from_file": ["postgres", "db.example.com", "reader", fingerprint(secret("file"))],
            "from_vault": ["wasb", of_vault[0], "acct", of_vault[1]],
            "only_in_metadata": ["generic", "of-metadata", None, fingerprint(OF_METADATA)],
        },
        "template": "acct.blob.core.windows.net reader rendered",
        "deferred": dict.fromkeys(ways, of_vault),
    }


def test_dags_test_sees_every_value(lab: Lab) -> None:
    lab.airflow.must("dags", "test", "lab")
    assert lab.airflow.recorded() == expected(lab.airflow.name)


def test_a_scheduled_run_sees_every_value(lab: Lab) -> None:
    for result in lab.airflow.results.iterdir():
        result.unlink()
    with lab.airflow.processes():
        state = lab.airflow.scheduled_run("lab")
    assert state == "success", logs(lab.airflow)
    assert lab.airflow.recorded() == expected(lab.airflow.name)
    states = lab.airflow.select("task_instance", "task_id || ' ' || state", dag_id="lab")
    assert {*states} == {"read success", "template success", "deferred success"}


def test_the_database_is_the_one_that_the_vault_names(lab: Lab) -> None:
    assert lab.airflow.database.exists()
    assert not (lab.airflow.home / "airflow.db").exists()


def test_the_audit_log_says_which_task_asked(lab: Lab) -> None:
    lookups = lab.valet.audit()
    by_task = {
        (line["claims"]["task_id"], line["kind"], line["name"]) for line in lookups if line["claims"]["dag_id"] == "lab"
    }
    assert {
        ("read", "connection", "from_vault"),
        ("read", "connection", "from_file"),
        ("read", "connection", "from_env"),
        ("read", "connection", "only_in_metadata"),
        ("read", "variable", "nowhere"),
    } <= by_task
    asked = {(line["kind"], line["name"], line["outcome"], line["source"]) for line in lookups}
    assert ("connection", "from_vault", "found", "vault") in asked
    assert ("connection", "only_in_metadata", "not_found", None) in asked
    assert ("config", "sql_alchemy_conn", "found", "vault") in asked


def test_the_vault_was_asked_for_few_of_many_lookups(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    counted = lab.vault.counters()
    lookups = len(lab.valet.audit())
    with capsys.disabled():
        print(f"\n{lab.airflow.name}: {lookups} lookups, {counted['reads']} reads of the vault", end=" ")
    # Ten names; those that are not there are asked for again after a minute, those that are after five.
    assert counted["reads"] <= 30
    assert lookups > 2 * counted["reads"]
    assert counted["token_calls"] == 1
    assert counted["lists"] == 0


def test_no_secret_is_in_any_log(lab: Lab) -> None:
    """The tasks of the scheduled run have printed what they saw. All output is searched at the end of `make test`."""
    if lab.airflow.name == "airflow-3":
        drop_unmasked_copies(lab.airflow.home / "scheduler.log")
    logs = {path: path.read_text(errors="replace") for path in lab.airflow.home.rglob("*.log") if path.is_file()}
    assert [path.name for path, text in logs.items() if STEM in text or OF_METADATA in text] == []
    by_tasks = "".join(text for path, text in logs.items() if "task_id=" in str(path))
    assert "careless: from_vault: password ***" in by_tasks
    assert "careless: from_file: password ***" in by_tasks
    assert "in the trigger: password ***" in by_tasks


def drop_unmasked_copies(log: Path) -> None:
    """Airflow 3's LocalExecutor copies the output of tasks to the scheduler's own, past every masker.

    No backend can help that: the passwords of Airflow's own database are there, too.
    """
    lines = log.read_text().splitlines(keepends=True)
    copies = [line for line in lines if "careless: " in line]
    assert any(OF_METADATA in line for line in copies), "Airflow masks its copies now: drop this exception"
    log.write_text("".join(line for line in lines if "careless: " not in line))


def test_an_outage_of_the_vault_is_told_as_one(lab: Lab, tmp_path: Path) -> None:
    lab.vault.call("POST", "/faults", {"kind": "status", "status": 503})
    try:
        with valet(tmp_path / "valet", sources(lab.vault, tmp_path), environment(lab.vault)) as running:
            home = tmp_path / "home"
            (home / "results").mkdir(parents=True)
            # Its options from the environment: without its database an Airflow does not start at all.
            database = f"sqlite:///{lab.airflow.database}"
            direct = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database, "AIRFLOW__CORE__FERNET_KEY": ""}
            airflow = Airflow(lab.airflow.name, home, running.socket, "outage", direct)
            airflow.command("dags", "test", "outage")
    finally:
        lab.vault.clear_faults()
    printed = airflow.printed("dags", "test", "outage")
    assert airflow.recorded() == {}
    told = [line for line in printed.splitlines() if "connection 'from_vault': " in line and "SOURCE_DOWN" in line]
    assert told, printed[-4000:]
    assert "503" in told[0]
    if lab.airflow.name == "airflow-3":
        assert "ValetUnavailable" in printed
    else:
        assert len([line for line in told if "ERROR" in line]) == 1


def logs(airflow: Airflow) -> str:
    """The ends of the processes' logs."""
    return "\n".join(f"=== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(airflow.home.glob("*.log")))

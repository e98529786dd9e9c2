"""`make demo`, once everything is built and installed: a vault, storage, a Valet, Airflow tasks, and a table of times.

Everything it writes is in `.demo/`; nothing that it started is left when it ends.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import dropwhile, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import landing
from screen import DIRECTORY, give_up, line, progress, row, shown, step

from support.azurite import Account, Azurite
from support.programs import listens, managed_identity, program, stop, vault_with
from vault_contract.testvault import Endpoints

HERE = Path(__file__).parent
PROCESSES = 5
ROUNDS = 30
REPORTING = {
    "conn_type": "postgres",
    "host": "reporting.postgres.database.azure.com",
    "login": "reader",
    "password": "only-for-the-demo",
    "schema": "reports",
}


def main() -> None:
    """Walk through it."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir()
    account = Account()
    # Not in .demo/ as the rest: a socket's path has at most 107 bytes, and a checkout may be deep.
    with (
        TemporaryDirectory(prefix="valet-demo-") as run,
        vault_with(landing.VAULT, secrets(account)) as vault,
        landing.filled(account) as storage,
        serving(vault.endpoints, storage, run) as socket,
    ):
        step(3, "A Key Vault stand-in, Azurite and Valet are up")
        line("vault", f"{vault.endpoints.vault_url}, with the keys of the storage account among other secrets")
        line("azurite", f"{storage.endpoint('blob')}, containers {' and '.join(landing.BLOBS)}; no cloud is involved")
        line("valet", f"reads {shown(DIRECTORY / 'valet.yaml')}, listens on {socket}")
        step(4, "An Airflow task asks for connections and variables, as every task does")
        run_dag(socket)
        print()
        row("the task asked for", "from", "and saw", bold=True)
        for kind, name, saw in seen("looked-up"):
            row(f"{kind} {name}", asked_of()[kind, name], saw)
        step(5, "Another lists and reads blobs with WasbHook: it has a token, and the key stays in the vault")
        for text in brokering():
            line("", text, dim=True)
        landing.report(storage, seen("tried"), run)
        step(6, "How long a lookup takes in a process that has loaded Airflow, medians")
        compare(socket, vault.endpoints)
    step(7, "Everything is stopped again")
    line("audit", f"who asked for what: {shown(DIRECTORY / 'audit.jsonl')}")
    line("logs", f"{shown(DIRECTORY / 'valet.log')}, {shown(DIRECTORY / 'airflow.log')}")
    line("tasks", f"{shown(HERE / 'dags' / 'demo.py')}, which know nothing of Valet")
    line("next", "README.md: switching from AzureKeyVaultBackend, Valet keys")


def secrets(account: Account) -> dict[str, object]:
    """What AzureKeyVaultBackend would find in a vault, where nothing is made for Valet; and the keys of storage."""
    found: dict[str, object] = {
        "airflow-connections-reporting-pg": json.dumps(REPORTING),
        "airflow-variables-batch-size": "500",
    }
    for backend in ("valet", "vault"):
        for process in range(PROCESSES):
            for number in range(ROUNDS):
                found[f"airflow-connections-{backend}-{process}-{number}"] = json.dumps(REPORTING)
    return found | {f"landing-key{number}": key for number, key in enumerate(account.keys, start=1)}


@contextmanager
def serving(endpoints: Endpoints, storage: Azurite, run: str) -> Iterator[str]:
    """`valet serve` with the demo's own configuration; the socket for tasks."""
    config = DIRECTORY / "valet.yaml"
    text = (HERE / "valet.yaml").read_text()
    for said, meant in {
        "url: VAULT": f"url: {endpoints.vault_url}",
        "blob: BLOB": f'blob: "{storage.endpoint("blob")}"',
        "path: RUN": f"path: {run}",
    }.items():
        text = text.replace(said, meant)
    config.write_text(text)
    (DIRECTORY / "connections.yaml").write_text("partner_sftp: sftp://acme:only-for-the-demo@sftp.partner.example:22\n")
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_VAR_REGION": "westeurope",
        **managed_identity(endpoints),
    }
    with (DIRECTORY / "valet.log").open("wb") as log:
        command = [program("VALET_BIN"), "serve", "--config", str(config)]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    socket = f"{run}/valet.sock"
    try:
        deadline = time.monotonic() + 20
        while not listens(socket):
            if process.poll() is not None or time.monotonic() > deadline:
                give_up("valet did not start", DIRECTORY / "valet.log")
            time.sleep(0.02)
        yield socket
    finally:
        stop(process)


def run_dag(socket: str) -> None:
    """`airflow dags test`: a real task runner, without a scheduler."""
    environment = {
        "PATH": f"{Path(program('VALET_AIRFLOW_3_PYTHON')).parent}:{os.environ['PATH']}",
        "HOME": str(DIRECTORY),
        "AIRFLOW_HOME": str(DIRECTORY / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__SECRETS__BACKEND": "airflow_valet.ValetBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"socket": socket}),
        "DEMO_SAW": str(DIRECTORY),
    }
    line("airflow", "[secrets] backend = airflow_valet.ValetBackend")
    for command in (["db", "migrate"], ["dags", "test", "demo"]):
        line("", f"airflow {' '.join(command)} …", dim=True)
        with (DIRECTORY / "airflow.log").open("ab") as log:
            done = subprocess.run(
                ["airflow", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        if done.returncode != 0:
            give_up(f"airflow {' '.join(command)} failed", DIRECTORY / "airflow.log")


def seen(name: str) -> Any:
    """What a task wrote down."""
    return json.loads((DIRECTORY / f"{name}.json").read_text())


def asked_of() -> dict[tuple[str, str], str]:
    """Where each value came from, by Valet's audit log."""
    audit = [json.loads(text) for text in (DIRECTORY / "audit.jsonl").read_text().splitlines()]
    return {(entry["kind"], entry["name"]): entry["source"] for entry in audit if entry["source"]}


def brokering() -> Iterator[str]:
    """The lines of valet.yaml that put a token where the key was."""
    lines = iter((DIRECTORY / "valet.yaml").read_text().splitlines())
    yield from takewhile(bool, dropwhile(lambda text: text != "accounts:", lines))


def compare(socket: str, endpoints: Endpoints) -> None:
    """The same lookups with both backends, on the same vault, in turn."""
    backends = {
        "vault": {"vault_url": endpoints.vault_url, "verify_challenge_resource": False},
        "valet": {"socket": socket},
    }
    taken: dict[str, list[dict[str, float]]] = {"vault": [], "valet": []}
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(DIRECTORY / "airflow"),
        "REQUESTS_CA_BUNDLE": endpoints.ca_file,
        **managed_identity(endpoints),
    }
    for process in range(PROCESSES):
        progress(f"fresh processes: {process + 1} of {PROCESSES} with each backend …")
        for backend, kwargs in backends.items():
            arguments = [
                backend,
                json.dumps(kwargs),
                f"{backend}_{process}",
                str(ROUNDS),
            ]
            command = [
                program("VALET_AIRFLOW_3_PYTHON"),
                str(HERE / "timings.py"),
                *arguments,
            ]
            with (DIRECTORY / "airflow.log").open("ab") as log:
                printed = subprocess.check_output(command, env=environment, stdin=subprocess.DEVNULL, stderr=log)
            taken[backend].append(json.loads(printed.splitlines()[-1]))
    progress("")
    row("", "AzureKeyVaultBackend", "Valet", bold=True)
    for what, title in {
        "first": "first in a process (import and all)",
        "new": "a name nobody has asked for yet",
        "again": "the same name again",
    }.items():
        theirs, ours = (statistics.median(run[what] for run in taken[backend]) for backend in backends)
        times = f"{theirs / ours:.0f}x less" if theirs >= 2 * ours else "Valet asks the same vault"
        row(title, f"{theirs * 1000:.1f} ms", f"{ours * 1000:.2f} ms   {times}")


if __name__ == "__main__":
    # So that what was started is stopped however the demo ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

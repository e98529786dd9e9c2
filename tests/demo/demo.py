"""`make demo`, once everything is built and installed: a vault, a Valet, an Airflow task, and a table of times.

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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from support.programs import listens, managed_identity, program, stop, vault_with
from vault_contract.testvault import Endpoints

HERE = Path(__file__).parent
DIRECTORY = HERE.parents[1] / ".demo"
PROCESSES = 5
ROUNDS = 30
COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
LANDING = {
    "conn_type": "wasb",
    "host": "acmelanding.blob.core.windows.net",
    "login": "acmelanding",
    "password": "ZGVtbyBvbmx5LCBubyByZWFsIGtleQ==",
}


def main() -> None:
    """Walk through it."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    # Not in .demo/ as the rest: a socket's path has at most 107 bytes, and a checkout may be deep.
    with (
        TemporaryDirectory(prefix="valet-demo-") as run,
        vault_with(DIRECTORY / "vault", secrets()) as vault,
        serving(vault.endpoints, run) as socket,
    ):
        step(3, "A Key Vault stand-in and Valet are up")
        line("vault", f"{vault.endpoints.vault_url}, {len(secrets())} secrets; no cloud is involved")
        line("valet", f"reads {shown(DIRECTORY / 'valet.yaml')}, listens on {socket}")
        step(4, "An Airflow task asks for connections and variables, as every task does")
        run_dag(socket)
        step(5, "How long a lookup takes in a process that has loaded Airflow, medians")
        compare(socket, vault.endpoints)
    step(6, "Everything is stopped again")
    line("audit", f"who asked for what: {shown(DIRECTORY / 'audit.jsonl')}")
    line("logs", f"{shown(DIRECTORY / 'valet.log')}, {shown(DIRECTORY / 'airflow.log')}")


def secrets() -> dict[str, object]:
    """What AzureKeyVaultBackend would find in a vault: nothing in it is made for Valet."""
    found: dict[str, object] = {
        "airflow-connections-wasb-landing": json.dumps(LANDING),
        "airflow-variables-batch-size": "500",
    }
    for backend in ("valet", "vault"):
        for process in range(PROCESSES):
            for number in range(ROUNDS):
                found[f"airflow-connections-{backend}-{process}-{number}"] = json.dumps(LANDING)
    return found


@contextmanager
def serving(endpoints: Endpoints, run: str) -> Iterator[str]:
    """`valet serve` with the demo's own configuration; the socket for tasks."""
    config = DIRECTORY / "valet.yaml"
    text = (HERE / "valet.yaml").read_text()
    config.write_text(text.replace("url: VAULT", f"url: {endpoints.vault_url}").replace("path: RUN", f"path: {run}"))
    password = "only-for-the-demo"
    (DIRECTORY / "connections.yaml").write_text(
        f"reporting_pg: postgres://reader:{password}@reporting.postgres.database.azure.com:5432/reports\n"
    )
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
    """`airflow dags test`, and what the task wrote down beside what Valet's audit log says."""
    environment = {
        "PATH": f"{Path(program('VALET_AIRFLOW_3_PYTHON')).parent}:{os.environ['PATH']}",
        "HOME": str(DIRECTORY),
        "AIRFLOW_HOME": str(DIRECTORY / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__SECRETS__BACKEND": "airflow_valet.ValetBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"socket": socket}),
        "DEMO_SAW": str(DIRECTORY / "saw.json"),
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
    audit = [json.loads(text) for text in (DIRECTORY / "audit.jsonl").read_text().splitlines()]
    sources = {(entry["kind"], entry["name"]): entry["source"] for entry in audit if entry["source"]}
    print()
    row("the task asked for", "from", "and saw", bold=True)
    for kind, name, saw in json.loads((DIRECTORY / "saw.json").read_text()):
        row(f"{kind} {name}", sources[kind, name], saw)


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


def step(number: int, title: str) -> None:
    """Announce a part."""
    print(f"\n{styled('1', f'==> [{number}/6] {title}')}", flush=True)


def line(name: str, text: str, *, dim: bool = False) -> None:
    """One remark."""
    whole = f"    {name:8}{text}"
    print(styled("2", whole) if dim else whole, flush=True)


def row(first: str, second: str, third: str, *, bold: bool = False) -> None:
    """One row of a table."""
    whole = f"    {first:38}{second:22}{third}"
    print(styled("1", whole) if bold else whole, flush=True)


def progress(text: str) -> None:
    """What is going on, in place on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K    {text}" if text else "\r\033[K", end="", flush=True)
    elif text:
        print(f"    {text}", flush=True)


def styled(code: str, text: str) -> str:
    """Text in a style, where somebody looks on."""
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def shown(path: Path) -> str:
    """A path as it is reached from the checkout."""
    return str(path.relative_to(DIRECTORY.parent))


def give_up(what: str, log: Path) -> NoReturn:
    """End, with the last words of whoever failed."""
    print("\n".join(log.read_text().splitlines()[-20:]), file=sys.stderr)
    sys.exit(f"error: {what}\nhint: more in {shown(log)}")


if __name__ == "__main__":
    # So that what was started is stopped however the demo ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

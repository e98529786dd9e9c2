"""A real Airflow in a directory of its own: its commands, its processes and their end."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.programs import AIRFLOWS, program, stop_group

HERE = Path(__file__).parent
COMMAND_SECONDS = 180.0
RUN_SECONDS = 240.0


@dataclass(frozen=True)
class Airflow:
    """An Airflow of the version ``name`` (airflow-2, airflow-3) with one DAG, and its database where Valet says."""

    name: str
    home: Path
    valet_socket: str
    dag: str
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=lambda: free_port())

    @property
    def database(self) -> Path:
        return self.home / "of-valet.db"

    @property
    def results(self) -> Path:
        return self.home / "results"

    def environment(self) -> dict[str, str]:
        """Settings as a deployment has them; secrets are not among them."""
        return {
            "PATH": f"{Path(program(AIRFLOWS[self.name])).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TZ": "UTC",
            "PYTHONPATH": str(HERE / "dags"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAB_RESULTS": str(self.results),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE / "dags" / self.dag),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__FERNET_KEY_SECRET": "fernet_key",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET": "sql_alchemy_conn",
            "AIRFLOW__SECRETS__BACKEND": "airflow_valet.ValetBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"socket": self.valet_socket}),
            # Airflow 2 alone: it would refuse SQLite with this executor, where Airflow 3 has made it work.
            "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",
            # Airflow 3 alone.
            "AIRFLOW__API_AUTH__JWT_SECRET_SECRET": "jwt_secret",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            **self.more,
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Runs ``airflow ARGUMENTS`` to its end; what it prints goes to a log."""
        path = self.home / f"{'-'.join(arguments[:3])}.log"
        with path.open("ab") as log:
            return subprocess.run(
                ["airflow", *arguments],
                env=self.environment(),
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=COMMAND_SECONDS,
                check=False,
            )

    def printed(self, *arguments: str) -> str:
        """What the command with these arguments has printed."""
        return (self.home / f"{'-'.join(arguments[:3])}.log").read_text()

    def must(self, *arguments: str) -> None:
        """`command`, which must succeed."""
        done = self.command(*arguments)
        assert done.returncode == 0, self.printed(*arguments)[-4000:]

    @contextmanager
    def processes(self) -> Iterator[None]:
        """The processes of a deployment, until the block ends."""
        with ExitStack() as stack:
            if self.name == "airflow-3":
                # First and alone: a task that finds nobody there is given up after a few seconds.
                stack.enter_context(self._process("api-server", "--host", "127.0.0.1", "--workers", "1"))
                self._wait_for_api()
                stack.enter_context(self._process("dag-processor"))
            stack.enter_context(self._process("triggerer", "--skip-serve-logs"))
            stack.enter_context(self._process("scheduler", "--skip-serve-logs"))
            yield

    @contextmanager
    def _process(self, *arguments: str) -> Iterator[None]:
        with (self.home / f"{arguments[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                ["airflow", *arguments],
                env={**self.environment(), "LAB_CARELESS": "1"},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield
        finally:
            stop_group(process)

    def _wait_for_api(self) -> None:
        deadline = time.monotonic() + COMMAND_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise RuntimeError((self.home / "api-server.log").read_text()[-4000:])

    def scheduled_run(self, dag_id: str, seconds: float = RUN_SECONDS) -> str:
        """Waits for the end of the DAG's scheduled run; its state."""
        deadline = time.monotonic() + seconds
        state = None
        while time.monotonic() < deadline:
            state = next(iter(self.select("dag_run", "state", dag_id=dag_id, run_type="scheduled")), None)
            if state in ("success", "failed"):
                return str(state)
            time.sleep(0.5)
        return f"{state} after {seconds:g} s"

    def select(self, table: str, column: str, **where: str) -> list[Any]:
        """A column of Airflow's metadata."""
        if not self.database.exists():
            return []
        conditions = " AND ".join(f"{name} = :{name}" for name in where)
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
            return [row[0] for row in database.execute(f"SELECT {column} FROM {table} WHERE {conditions}", where)]

    def recorded(self) -> dict[str, Any]:
        """What the tasks saw."""
        return {path.stem: json.loads(path.read_text()) for path in self.results.glob("*.json")}


def free_port() -> int:
    """A port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port

"""Client processes, and what they saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from support.programs import program

HERE = Path(__file__).parent
END_SECONDS = 30.0


class Plan(NamedTuple):
    """One client process: how it asks, by how many threads, and with which pauses, in milliseconds."""

    name: str
    face: str
    threads: int
    pause: int


@dataclass
class Seen:
    """What one client process saw."""

    values: int = 0
    absent: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    outages: list[float] = field(default_factory=list)


@contextmanager
def load(socket: str, directory: Path, plans: list[Plan]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Runs the clients; `end` tells what they saw. They end with this process, however that ends."""
    with ExitStack() as stack:
        started = {plan.name: _start(plan, socket, directory / plan.name) for plan in plans}
        for process in started.values():
            stack.enter_context(process)
            stack.callback(process.kill)
        yield started


def _start(plan: Plan, socket: str, home: Path) -> subprocess.Popen[str]:
    home.mkdir(parents=True)
    python = sys.executable if plan.face == "raw" else program("VALET_AIRFLOW_3_PYTHON")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CTX_DAG_ID": plan.name,
    }
    with (home / "client.log").open("w") as log:
        return subprocess.Popen(
            [python, str(HERE / "client.py"), plan.face, socket, str(plan.threads), str(plan.pause)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def end(process: subprocess.Popen[str]) -> Seen:
    """Tells a client to end, and what it saw."""
    said, _ = process.communicate(timeout=END_SECONDS)
    seen = json.loads(said)
    return Seen(seen["values"], seen["absent"], Counter(seen["faults"]), seen["wrong"], seen["outages"])

"""`kill -9` under load: no wrong answer, never "not here", and the next Valet serves all without further ado."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from support.programs import managed_identity, valet, vault_with

from .conftest import recoveries
from .load import Plan, Seen, end, load
from .stock import seed, settings

ROUNDS = 5
#: Lookups of each client that a Valet answers before it is killed.
ENOUGH = 50
PATIENCE = 60.0
CLIENTS = [
    Plan("one-process", "connect", 1, 2),
    Plan("another-process", "connect", 1, 2),
    Plan("threads", "connect", 8, 2),
    Plan("over-grpc", "grpc", 2, 2),
    Plan("by-hand", "raw", 4, 2),
]


def test_nobody_sees_a_wrong_answer_and_all_recover_by_themselves(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="valet-") as short, vault_with(tmp_path / "vault", seed()) as vault:
        # Reads take a while and are many, so that each kill meets some under way.
        vault.fault("slow_headers", millis=10)
        sockets = Path(short)
        config = settings(vault.endpoints, cache={"fresh": "50ms"})
        environment = managed_identity(vault.endpoints)
        with load(str(sockets / "valet.sock"), tmp_path / "clients", CLIENTS) as clients:
            for number in range(ROUNDS):
                place = tmp_path / f"valet-{number}"
                with valet(place, config, environment, sockets) as running:
                    _wait_until_served(place / "audit.jsonl")
                    if number < ROUNDS - 1:
                        running.process.kill()
                        assert running.process.wait() == -signal.SIGKILL
                        assert os.path.exists(running.socket), "its socket stays behind"
                        continue
                    seen = {name: end(process) for name, process in clients.items()}
    for name, client in seen.items():
        _judge(name, client)


def _wait_until_served(audit: Path) -> None:
    """Until each client was answered often enough, by the audit log of this Valet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        text = audit.read_text() if audit.exists() else ""
        served = {plan.name: text.count(f'"dag_id":"{plan.name}"') for plan in CLIENTS}
        if min(served.values()) >= ENOUGH:
            return
        assert time.monotonic() < deadline, f"not everybody is served again: {served}"
        time.sleep(0.05)


def _judge(name: str, seen: Seen) -> None:
    assert seen.wrong == [], name
    assert seen.values > ROUNDS * ENOUGH / 2, name
    # No broker, or one that went away in the middle of its answer.
    assert set(seen.faults) <= {"UNREACHABLE", "BAD_ANSWER"}, (name, seen.faults)
    assert seen.outages, f"{name} has noticed nothing"
    recoveries[name] = (seen.faults.total(), sorted(seen.outages))

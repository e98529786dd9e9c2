"""`python -m endurance.soak MINUTES DIRECTORY`: a Valet under load amid trouble, which must neither err nor grow.

Exits with 1 where it does. The report is DIRECTORY/report.txt and DIRECTORY/soak.svg.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from support.programs import Valet, managed_identity, valet, vault_with

from . import report
from .connect import call
from .load import Plan, Seen, end, load
from .samples import METRICS, sample, trends
from .stock import EXPECTED, KINDS, VALUES, seed, settings, version_of
from .trouble import Trouble

CLIENTS = [
    Plan("process", "connect", 1, 10),
    Plan("threads", "connect", 4, 10),
    Plan("over-grpc", "grpc", 2, 10),
    Plan("by-hand", "raw", 2, 10),
]
EVERY = 1.0  # seconds between samples
BAR = 30
#: Beyond what has settled by then, everything counts.
WARM_UP = 0.25
#: The share of lookups that must bring a value, whatever goes on.
SERVED = 0.2
#: Longer than any pause that Valet makes, and than its vault's budget lasts.
SETTLE_SECONDS = 120.0


def main(minutes: float, directory: Path) -> int:
    """Runs it, and says how it went."""
    directory.mkdir(parents=True, exist_ok=True)
    random_seed = int(os.environ.get("VALET_SOAK_SEED", random.randrange(2**32)))
    print(f"{minutes:g} min, VALET_SOAK_SEED={random_seed}", flush=True)
    times: list[float] = []
    samples: list[list[float]] = []
    with TemporaryDirectory(prefix="valet-") as short, vault_with(directory / "vault", seed()) as vault:
        environment = {"VALET_LOG": "error", **managed_identity(vault.endpoints)}
        # As much is written as anywhere, and half an hour of it is not kept.
        config = {**settings(vault.endpoints), "audit": {"to": "file", "path": os.devnull}}
        with valet(directory / "valet", config, environment, Path(short)) as running:
            trouble = Trouble(vault, running, random_seed)
            with load(running.socket, directory / "clients", CLIENTS) as clients:
                began = time.monotonic()
                while (now := time.monotonic() - began) < minutes * 60:
                    trouble.step()
                    times.append(now)
                    samples.append(sample(running))
                    _progress(now / 60, minutes, samples[-1])
                    time.sleep(max(0.0, began + len(samples) * EVERY - time.monotonic()))
                _progress(minutes, minutes, samples[-1], "\n")
                trouble.calm()
                seen = {name: end(process) for name, process in clients.items()}
            left = _settle(running, trouble)
    warm_up = times[-1] * WARM_UP
    found = trends(times, samples, warm_up)
    complaints = [f"{trend.metric.name} grows" for trend in found if trend.grows]
    complaints += [*_judge(seen), *left]
    lines = [
        report.table(found),
        "",
        *_summary(seen, trouble),
        "",
        *(complaints or ["no wrong answer, and nothing grows"]),
    ]
    text = "\n".join(lines)
    (directory / "report.txt").write_text(text + "\n")
    (directory / "soak.svg").write_text(report.picture(times, samples, warm_up))
    print(text)
    return 1 if complaints else 0


def _judge(seen: dict[str, Seen]) -> list[str]:
    complaints = []
    for name, client in seen.items():
        complaints += [f"{name}: {text}" for text in client.wrong]
        complaints += [f"{name}: {reason} is no error of these services" for reason in client.faults.keys() - EXPECTED]
        if client.values < SERVED * (client.values + client.faults.total()):
            complaints.append(f"{name} was served too seldom")
    return complaints


def _settle(running: Valet, trouble: Trouble) -> list[str]:
    """Waits until every name is served in its newest version, nothing is under way and nobody is connected."""
    deadline = time.monotonic() + SETTLE_SECONDS
    missing = set(VALUES)
    while missing and time.monotonic() < deadline:
        for kind, name in sorted(missing):
            method, field = KINDS[kind]
            reply = call(running.socket, f"Broker/{method}", {field: name})
            text = reply.body["value"] if reply.status == 200 else ""
            if text and version_of(kind, name, text) == trouble.versions[kind, name]:
                missing.discard((kind, name))
        time.sleep(0.2)
    at_rest = dict(zip((metric.name for metric in METRICS), sample(running), strict=True))
    while (at_rest["reads under way"] or at_rest["connections"] > 1) and time.monotonic() < deadline:
        time.sleep(0.2)
        at_rest = dict(zip((metric.name for metric in METRICS), sample(running), strict=True))
    complaints = [f"{kind} {name} is not served in its newest version" for kind, name in sorted(missing)]
    if at_rest["reads under way"]:
        complaints.append("reads are under way long after the last lookup")
    if at_rest["connections"] > 1:
        complaints.append("connections are open that nobody holds")
    return complaints


def _summary(seen: dict[str, Seen], trouble: Trouble) -> list[str]:
    lines = []
    for name, client in seen.items():
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(client.faults.items())) or "no errors"
        lines.append(f"{name:12}{client.values:9} values {client.absent:7} not here   {told}")
    done: Counter[str] = trouble.done
    lines.append(
        "around it: " + ", ".join(f"{count} x {name.replace('_', ' ')}" for name, count in sorted(done.items()))
    )
    return lines


def _progress(now: float, minutes: float, values: list[float], end: str = "") -> None:
    if not sys.stdout.isatty():
        return
    full = int(BAR * now / minutes)
    memory, descriptors = values[0], values[1]
    bar = "█" * full + "·" * (BAR - full)
    print(
        f"\r\033[K{bar} {now:5.1f} of {minutes:g} min, {memory:.1f} MiB, {descriptors:.0f} descriptors",
        end=end,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2])))

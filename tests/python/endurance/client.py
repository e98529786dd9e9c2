"""One client process: looks names up until its standard input ends, then prints what it saw as JSON.

`client.py FACE SOCKET THREADS PAUSE`, where FACE is the shim over `connect` or `grpc`, as Airflow has it, or `raw`:
HTTP by hand, one connection a lookup. Each thread pauses so many milliseconds between lookups: a steady load, not a
flood. Its name among the clients is AIRFLOW_CTX_DAG_ID, which the audit log shows.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPException

from endurance.connect import TIMEOUT, call
from endurance.stock import ABSENT, KINDS, NAMES, version_of

MOST_WRONG = 20
MOST_OUTAGES = 1000

#: The value of a name, or nothing where it is not here.
Ask = Callable[[str, str], "str | None"]


class Failed(Exception):
    """An error that has a name."""


class Tally:
    """What one thread saw."""

    def __init__(self) -> None:
        self.values = 0
        self.absent = 0
        self.faults: Counter[str] = Counter()
        self.wrong: list[str] = []
        #: Seconds from each first error to the next value.
        self.outages: list[float] = []
        self._since: float | None = None
        self._versions: dict[tuple[str, str], int] = {}

    def failed(self, reason: str) -> None:
        """Nothing was said of the name."""
        self.faults[reason] += 1
        if self._since is None:
            self._since = time.monotonic()

    def answered(self, kind: str, name: str, text: str | None) -> None:
        """Judges an answer."""
        if name in ABSENT:
            self.absent += 1
            if text is not None:
                self._object(f"{kind} {name} has a value, and there is none")
            return
        self.values += 1
        if self._since is not None:
            if len(self.outages) < MOST_OUTAGES:
                self.outages.append(time.monotonic() - self._since)
            self._since = None
        if text is None:
            self._object(f"{kind} {name} is not here")
            return
        version = version_of(kind, name, text)
        before = self._versions.get((kind, name), 0)
        if version is None:
            self._object(f"{kind} {name} has the value of another")
        elif version < before:
            self._object(f"{kind} {name} went back from version {before} to {version}")
        else:
            self._versions[kind, name] = version

    def _object(self, text: str) -> None:
        if len(self.wrong) < MOST_WRONG:
            self.wrong.append(text)


def by_the_shim(transport: str, path: str) -> Ask:
    """As Airflow asks."""
    from airflow_valet import ValetBackend

    logging.getLogger("airflow_valet").setLevel(logging.CRITICAL + 1)
    backend = ValetBackend(socket=path, timeout=TIMEOUT, transport=transport)

    def ask(kind: str, name: str) -> str | None:
        look = backend.get_conn_value if kind == "connection" else backend.get_variable
        try:
            found: str | None = look(name)
        except Exception as error:
            if reason := getattr(error, "reason", None):
                raise Failed(reason) from None
            raise
        return found

    return ask


def by_hand(path: str) -> Ask:
    """With nothing of ours, a connection for each lookup."""
    headers = {"valet-dag-id": os.environ["AIRFLOW_CTX_DAG_ID"]}

    def ask(kind: str, name: str) -> str | None:
        method, field = KINDS[kind]
        try:
            reply = call(path, f"Broker/{method}", {field: name}, headers)
        except (OSError, HTTPException):
            raise Failed("UNREACHABLE") from None
        if reply.status == 200:
            return str(reply.body["value"])
        if reply.reason == "NOT_FOUND":
            return None
        raise Failed(reply.reason or f"HTTP {reply.status}")

    return ask


def work(ask: Ask, tally: Tally, stop: threading.Event, pause: float) -> None:
    """Looks up one name after another, in any order."""
    while not stop.is_set():
        kind, name = random.choice(NAMES)
        try:
            tally.answered(kind, name, ask(kind, name))
        except Failed as error:
            tally.failed(str(error))
        except Exception as error:
            tally.wrong.append(f"{kind} {name}: {type(error).__name__}")
            return
        time.sleep(pause)


def main(face: str, path: str, threads: int, pause: float) -> None:
    ask = by_hand(path) if face == "raw" else by_the_shim(face, path)
    tallies = [Tally() for _ in range(threads)]
    stop = threading.Event()
    workers = [threading.Thread(target=work, args=(ask, tally, stop, pause)) for tally in tallies]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    stop.set()
    for worker in workers:
        worker.join()
    faults: Counter[str] = sum((tally.faults for tally in tallies), Counter())
    print(
        json.dumps(
            {
                "values": sum(tally.values for tally in tallies),
                "absent": sum(tally.absent for tally in tallies),
                "faults": dict(faults),
                "wrong": [text for tally in tallies for text in tally.wrong],
                "outages": [round(seconds, 3) for tally in tallies for seconds in tally.outages],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]) / 1000)

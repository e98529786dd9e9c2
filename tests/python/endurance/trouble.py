"""What goes on around a Valet under load: secrets rotate, services fail, configurations change, operators interfere."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from support.azurite import account_key
from support.programs import Valet
from vault_contract.testvault import Control

from .connect import call
from .stock import BROKERED, EXPECTED, KEYS, NAMES, VALUES, secret_name, value

#: How long a service fails at a time, in seconds.
SHORTEST, LONGEST = 0.5, 3.0
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "throttled"},
    {"kind": "throttled", "retry_after": 1},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "body": "html"},
    {"kind": "status", "status": 503, "face": "entra"},
    {"kind": "slow_headers", "millis": 1500},
    {"kind": "slow_body", "millis": 700},
    {"kind": "hold"},
    {"kind": "reset"},
    {"kind": "cut_body"},
    {"kind": "truncated_json"},
    {"kind": "html"},
    {"kind": "unauthorized"},
    {"kind": "forbidden", "code": "ForbiddenByRbac"},
    {"kind": "forbidden", "code": "ForbiddenByFirewall"},
)
LEAVES = (None, "wrong_name", "expired")


class Trouble:
    """Makes it, step by step; what it did is counted, and so is the newest version of each name."""

    def __init__(self, vault: Control, valet: Valet, seed: int) -> None:
        self._vault, self._valet = vault, valet
        self._random = random.Random(seed)
        self._ends: float | None = None
        self._config = Path(valet.directory / "valet.yaml")
        self._settings = json.loads(self._config.read_text())
        self.versions = dict.fromkeys(VALUES, 1)
        self.done: Counter[str] = Counter()

    def step(self) -> None:
        """One thing more."""
        if self._ends and time.monotonic() > self._ends:
            self.calm()
        deeds = {
            self._rotate: 8,
            self._fail: 2,
            self._invalidate: 4,
            self._rotate_key: 1,
            self._reload: 1,
            self._report: 1,
            self._cut: 1,
        }
        [deed] = self._random.choices(list(deeds), list(deeds.values()))
        self.done[deed.__name__.strip("_")] += 1
        deed()

    def calm(self) -> None:
        """Everything works again."""
        self._vault.clear_faults()
        self._vault.call("PUT", "/line", {"leaf": "trusted"})
        self._ends = None

    def _begin(self) -> None:
        self._ends = self._ends or time.monotonic() + self._random.uniform(SHORTEST, LONGEST)

    def _rotate(self) -> None:
        kind, name = self._random.choice(VALUES)
        self.versions[kind, name] += 1
        self._vault.put(secret_name(kind, name), value(kind, name, self.versions[kind, name]))

    def _rotate_key(self) -> None:
        self._vault.put(self._random.choice(KEYS), account_key())

    def _fail(self) -> None:
        fault = dict(self._random.choice(FAULTS))
        self._vault.fault(fault.pop("kind"), **fault)
        self._begin()

    def _cut(self) -> None:
        self._vault.call("PUT", "/line", {"leaf": self._random.choice(LEAVES)})
        self._begin()

    def _invalidate(self) -> None:
        kind, name = self._random.choice(NAMES)
        reply = call(self._valet.admin_socket, "Admin/Invalidate", {"lookup": {kind: name}})
        assert reply.status == 200, reply

    def _report(self) -> None:
        reply = call(self._valet.socket, "Broker/ReportRejected", {"connId": BROKERED})
        assert reply.status == 200 or reply.reason in EXPECTED, reply

    def _reload(self) -> None:
        """Another configuration, a bad one, or the first one again."""
        settings = dict(self._settings)
        which = self._random.choice(["first", "routes", "bad"])
        if which == "routes":
            settings["routes"] = [{"match": "db_*", "sources": ["vault"], "cache": {"fresh": "3s"}}]
        text = json.dumps(settings) if which != "bad" else "{sources: 5}"
        self._config.write_text(text)
        self._valet.process.send_signal(signal.SIGHUP)

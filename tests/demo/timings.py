"""Runs in Airflow's interpreter, times lookups: timings.py valet|vault KWARGS FRESH_PREFIX ROUNDS.

Airflow is loaded beforehand, as in a task's process; the backend is not. Prints seconds as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import airflow.models  # noqa: F401 - see above


def main(which: str, kwargs: dict[str, Any], fresh: str, rounds: int) -> dict[str, float]:
    """The first lookup of a process, the median of names asked for once, that of one name asked for again."""
    started = time.perf_counter()
    if which == "valet":
        from airflow_valet import ValetBackend

        backend: Any = ValetBackend(**kwargs)
    else:
        from airflow.providers.microsoft.azure.secrets.key_vault import AzureKeyVaultBackend

        backend = AzureKeyVaultBackend(**kwargs)
    assert backend.get_conn_value("reporting_pg")
    first = time.perf_counter() - started

    def timed(name: str) -> float:
        started = time.perf_counter()
        assert backend.get_conn_value(name)
        return time.perf_counter() - started

    new = [timed(f"{fresh}_{number}") for number in range(rounds)]
    again = [timed("reporting_pg") for _ in range(rounds * 5)]
    return {
        "first": first,
        "new": statistics.median(new),
        "again": statistics.median(again),
    }


if __name__ == "__main__":
    what, kwargs, fresh, rounds = sys.argv[1:]
    print(json.dumps(main(what, json.loads(kwargs), fresh, int(rounds))))

"""Runs in an Airflow's own interpreter, started by test_airflow.py: looks every row up, reports as JSON.

Each row is a name that the broker answers in its own way; the environment holds a second value for it,
so what comes back tells whether Airflow stopped at Valet's answer or went on to the next backend.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

rows = json.loads(os.environ["ROWS"])
for row in rows:
    os.environ[f"AIRFLOW_CONN_{row.upper()}"] = '{"conn_type": "http", "host": "environment"}'
    os.environ[f"AIRFLOW_VAR_{row.upper()}"] = "environment"

import airflow
from airflow.models.connection import Connection
from airflow.models.variable import Variable

version = tuple(int(part) for part in airflow.__version__.split(".")[:2])
records: list[logging.LogRecord] = []


class Keep(logging.Handler):
    """Every record of this process, as a log file would have it."""

    def emit(self, record: logging.LogRecord) -> None:
        records.append(record)


logging.getLogger().addHandler(Keep(logging.DEBUG))
for name in ("airflow", "airflow_valet", "airflow.secrets", "airflow.task"):
    logging.getLogger(name).addHandler(Keep(logging.DEBUG))


def outcome(look_up: Callable[[str], Any], row: str) -> dict[str, Any]:
    """What a lookup gave, and what the shim logged meanwhile."""
    records.clear()
    said: dict[str, Any] = {}
    try:
        said["from"] = look_up(row)
    except Exception as error:
        said["raised"] = [kind.__name__ for kind in type(error).__mro__]
        said["text"] = str(error)
    shims = {id(r): r for r in records if r.name == "airflow_valet"}
    said["log"] = [[record.levelname, record.getMessage()] for record in shims.values()]
    return said


def hook(row: str) -> Any:
    from airflow.hooks.base import BaseHook

    return BaseHook.get_connection(row).host


ways: dict[str, Callable[[str], Any]] = {
    "connection": lambda row: Connection.get_connection_from_secrets(row).host,
    "hook": hook,
    "variable": Variable.get_variable_from_secrets,
}
if version >= (3, 0):
    import airflow.sdk

    ways["sdk variable"] = airflow.sdk.Variable.get
if version >= (3, 1):  # first, so that it is the one which masks
    ways = {"async": lambda row: asyncio.run(airflow.sdk.Connection.async_get(row)).host, **ways}

report: dict[str, Any] = {"version": airflow.__version__, "ways": list(ways)}
report["rows"] = {row: {name: outcome(way, row) for name, way in ways.items()} for row in rows}

if version >= (3, 0):
    from airflow.sdk.execution_time import secrets_masker as masker
else:
    from airflow.utils.log import secrets_masker as masker
if version >= (3, 1):
    from airflow.sdk._shared import secrets_masker as masker
report["redacted"] = masker._secrets_masker().redact("key-to-mask and the-rest")

json.dump(report, sys.stdout)

"""Runs in an Airflow's own interpreter: asks AzureKeyVaultBackend and Valet the same, reports as JSON.

Reads ``{"akv": kwargs, "valet": kwargs, "cases": [[kind, name, team], ...]}`` from standard input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

asked = json.load(sys.stdin)
report = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # whatever Airflow prints is no part of the report

import airflow
from airflow.providers.microsoft.azure.secrets.key_vault import AzureKeyVaultBackend

from airflow_valet import ValetBackend


def outcome(look_up: Callable[[], Any]) -> dict[str, Any]:
    """A value, None, or what was raised."""
    try:
        return {"value": look_up()}
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return {"raised": kinds, "reason": getattr(error, "reason", None), "text": str(error)}


def look_up(backend: Any, kind: str, name: str, team: str | None) -> dict[str, Any]:
    """What a backend says, and what Airflow makes of a connection."""
    ways: dict[str, Callable[[], Any]] = {
        "connection": lambda: backend.get_conn_value(conn_id=name, team_name=team),
        "variable": lambda: backend.get_variable(key=name, team_name=team),
        "config": lambda: backend.get_config(key=name),
    }
    said = outcome(ways[kind])
    if kind == "connection" and said.get("value"):
        said["read"] = outcome(lambda: described(backend.deserialize_connection(name, said["value"])))
    return said


def described(connection: Any) -> dict[str, Any]:
    """A connection as a task sees it."""
    fields = ("conn_type", "host", "login", "password", "schema", "port", "extra")
    return {field: getattr(connection, field) for field in fields}


backends = {"akv": AzureKeyVaultBackend(**asked["akv"]), "valet": ValetBackend(**asked["valet"])}
answers = []
for number, case in enumerate(asked["cases"]):
    answer = {name: look_up(backend, *case) for name, backend in backends.items()}
    if "raised" in answer["valet"]:
        # Something that the vault answers: one that does nothing but fail would no longer be asked for a while.
        look_up(backends["valet"], "connection", f"nobody_asked_{os.getpid()}_{number}", None)
    answers.append(answer)
json.dump({"version": airflow.__version__, "answers": answers}, report)

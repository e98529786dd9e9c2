"""What the DAGs share, in Airflow 2 and 3: names that moved, a deferrable operator and its trigger."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

try:
    from airflow.sdk import DAG, BaseHook, BaseOperator, Connection, ObjectStoragePath, Variable, task
except ImportError:
    from airflow import DAG
    from airflow.decorators import task
    from airflow.hooks.base import BaseHook
    from airflow.io.path import ObjectStoragePath
    from airflow.models import BaseOperator, Variable

    Connection = None

__all__ = [
    "CARELESS",
    "DAG",
    "BaseHook",
    "Deferred",
    "LookUp",
    "ObjectStoragePath",
    "Variable",
    "fingerprint",
    "record",
    "task",
]

#: Whether tasks print the secrets that they see, which Airflow has to mask; in `airflow dags test` it masks nothing,
#: whatever the backend.
CARELESS = os.environ.get("LAB_CARELESS") == "1"


def fingerprint(secret: str | None) -> str | None:
    """Tells whether a task saw the right secret without writing it down."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else None


def record(name: str, saw: object) -> None:
    """Leave word for the test."""
    Path(os.environ["LAB_RESULTS"], f"{name}.json").write_text(json.dumps(saw))


class LookUp(BaseTrigger):  # type: ignore[misc]
    """Looks a connection up on the triggerer's event loop, in every way that there is."""

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "valet_lab.LookUp", {"conn_id": self.conn_id}

    async def run(self) -> AsyncIterator[Any]:
        saw = {"in a thread": await sync_to_async(BaseHook.get_connection)(self.conn_id)}
        if Connection is not None:
            saw["async"] = await Connection.async_get(self.conn_id)
        for connection in saw.values() if CARELESS else ():
            self.log.info("in the trigger: password %s, extra %s", connection.password, connection.extra)
        yield TriggerEvent({way: [seen.host, fingerprint(seen.password)] for way, seen in saw.items()})


class Deferred(BaseOperator):  # type: ignore[misc]
    """Hands its lookup to the triggerer."""

    def __init__(self, *, conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id

    def execute(self, context: Any) -> None:
        self.defer(trigger=LookUp(self.conn_id), method_name="resume")

    def resume(self, context: Any, event: Any = None) -> None:
        record("deferred", event)

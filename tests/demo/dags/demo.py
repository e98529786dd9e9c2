"""Tasks that know nothing of Valet: they ask Airflow for connections and variables, and storage for blobs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
from airflow.sdk import DAG, BaseHook, Variable, task
from azure.core.exceptions import HttpResponseError

SAW = Path(os.environ["DEMO_SAW"])
BLOB = "orders/2026-11-24.csv"


def come_of(attempt: Callable[[], object]) -> tuple[int, str]:
    """The status that storage answers, and what it says."""
    try:
        return 200, str(attempt())
    except HttpResponseError as error:
        return error.status_code or 0, str(getattr(error.error_code, "value", error.error_code))


with DAG("demo", schedule=None):

    @task
    def look_up() -> None:
        saw = []
        for conn_id in ("reporting_pg", "partner_sftp", "wasb_landing"):
            connection = BaseHook.get_connection(conn_id)
            where = f"{connection.conn_type}://{connection.login}@{connection.host}"
            secret = connection.password or connection.extra
            saw.append(["connection", conn_id, f"{where}, secret *** ({len(secret)} characters)"])
        for key in ("batch_size", "region"):
            saw.append(["variable", key, Variable.get(key)])
        (SAW / "looked-up.json").write_text(json.dumps(saw))

    @task
    def read_landing() -> None:
        hook = WasbHook("wasb_landing")
        attempts = {
            "list raw": lambda: ", ".join(hook.get_blobs_list_recursive("raw")),
            f"read raw/{BLOB}": lambda: repr(hook.read_file("raw", BLOB)),
            f"write raw/{BLOB}": lambda: hook.load_string("id,total\n", "raw", BLOB, overwrite=True),
            "list payroll": lambda: ", ".join(hook.get_blobs_list_recursive("payroll")),
        }
        tried = [(what, *come_of(attempt)) for what, attempt in attempts.items()]
        (SAW / "tried.json").write_text(json.dumps(tried))

    look_up() >> read_landing()

"""A task that knows nothing of Valet: it asks Airflow for connections and variables, as every task does."""

from __future__ import annotations

import json
import os
from pathlib import Path

from airflow.sdk import DAG, BaseHook, Variable, task

with DAG("demo", schedule=None):

    @task
    def look_up() -> None:
        saw = []
        for conn_id in ("wasb_landing", "reporting_pg"):
            connection = BaseHook.get_connection(conn_id)
            hidden = f"*** ({len(connection.password)} characters)"
            where = f"{connection.conn_type}://{connection.login}@{connection.host}"
            saw.append(["connection", conn_id, f"{where}, password {hidden}"])
        for key in ("batch_size", "region"):
            saw.append(["variable", key, Variable.get(key)])
        Path(os.environ["DEMO_SAW"]).write_text(json.dumps(saw))

    look_up()

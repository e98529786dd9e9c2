"""Looks everything up that an Airflow can look up, and writes down what it saw. The same file for Airflow 2 and 3."""

from __future__ import annotations

import datetime
import logging

from valet_lab import CARELESS, DAG, BaseHook, Deferred, Variable, fingerprint, record, task

log = logging.getLogger("airflow.task")
TOP_LEVEL = Variable.get("top_level")

with DAG(
    "lab",
    schedule="@once",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    is_paused_upon_creation=False,
):

    @task
    def read() -> dict[str, object]:
        saw: dict[str, object] = {"top_level": fingerprint(TOP_LEVEL), "nowhere": Variable.get("nowhere", None)}
        for conn_id in ("from_env", "from_file", "from_vault", "only_in_metadata"):
            connection = BaseHook.get_connection(conn_id)
            saw[conn_id] = [connection.conn_type, connection.host, connection.login, fingerprint(connection.password)]
            if CARELESS:
                log.info("careless: %s: password %s, extra %s", conn_id, connection.password, connection.extra)
                print("careless:", conn_id, connection.password, connection.extra)
        record("read", saw)
        return saw

    @task
    def template(rendered: str) -> None:
        record("template", rendered)

    read()
    template("{{ conn.from_vault.host }} {{ conn.from_file.login }} {{ var.value.from_env_too }}")
    Deferred(task_id="deferred", conn_id="from_vault")

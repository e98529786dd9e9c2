"""One lookup of an Airflow task that cannot be had."""

from __future__ import annotations

from valet_lab import DAG, BaseHook, record, task

with DAG("outage", schedule=None):

    @task
    def read() -> None:
        record("outage", BaseHook.get_connection("from_vault").host)

    read()

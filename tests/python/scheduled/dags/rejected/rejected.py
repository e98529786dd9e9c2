"""Reads a blob, and tells Valet if the service does not know the credential. For Airflow 2 and 3."""

from __future__ import annotations

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
from valet_lab import DAG, record, task

import airflow_valet

with DAG("rejected", schedule=None):

    @task(on_failure_callback=airflow_valet.report_on_auth_failure)
    def read() -> None:
        record("rejected", WasbHook(wasb_conn_id="wasb_landing").read_file("raw", "in/read.csv"))

    read()

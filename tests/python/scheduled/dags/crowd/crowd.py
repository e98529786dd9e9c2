"""Many tasks for Airflow, each of which looks up what a usual one does: two connections and three variables.

One of the variables is looked up at the top of this file, as in many a DAG.
"""

from __future__ import annotations

import datetime
import os

from valet_lab import DAG, BaseHook, Variable, fingerprint, task

#: How many tasks there are, and how many names of each kind they ask for.
TASKS, NAMES = int(os.environ["CROWD_TASKS"]), int(os.environ["CROWD_NAMES"])
REGION = Variable.get("region", "the vault did not say")

with DAG(
    "crowd",
    schedule="@once",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    is_paused_upon_creation=False,
    max_active_tasks=TASKS,
):

    @task(retries=0)
    def look_up(number: int) -> None:
        """Fails where a value is not what the vault holds: the value of each name is the fingerprint of its name."""
        own = f"own_{number % NAMES}"
        saw = {conn_id: BaseHook.get_connection(conn_id).host for conn_id in ("shared", own)}
        saw |= {key: Variable.get(key) for key in ("bucket", f"of_{own}")} | {"region": REGION}
        assert saw == {name: fingerprint(name) for name in saw}, saw

    look_up.expand(number=list(range(TASKS)))

"""Works with blobs by the hook and by paths, inside what the connection opens and outside. For Airflow 2 and 3."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
from azure.core.exceptions import HttpResponseError
from valet_lab import CARELESS, DAG, BaseHook, ObjectStoragePath, record, task

ID = "wasb_landing"


def refusal(act: Callable[[], object]) -> object:
    """The service's word: a status, wherever in the chain of errors it is."""
    try:
        act()
    except Exception as error:  # adlfs turns some into errors of its own
        link: BaseException | None = error
        while link is not None:
            if isinstance(link, HttpResponseError):
                return link.status_code
            link = link.__cause__ or link.__context__
        return type(error).__name__
    return None


with DAG(
    "storage",
    schedule="@once",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    is_paused_upon_creation=False,
):

    @task
    def by_hook() -> None:
        hook = WasbHook(wasb_conn_id=ID)
        hook.load_string("a,b\n", "raw", "hook/a.csv", overwrite=True)
        record(
            "by_hook",
            {
                "there": hook.check_for_blob("raw", "hook/a.csv"),
                "listed": hook.get_blobs_list_recursive("raw", prefix="hook/"),
                "read": hook.read_file("raw", "hook/a.csv"),
                "deleted": refusal(hook.get_conn().get_blob_client("raw", "hook/a.csv").delete_blob),
                "written elsewhere": refusal(lambda: hook.load_string("x", "private", "x")),
                "read elsewhere": refusal(lambda: hook.read_file("private", "in/a.csv")),
            },
        )

    @task
    def by_path() -> None:
        folder = ObjectStoragePath("abfs://raw/path/", conn_id=ID)
        with (folder / "b.csv").open("wb") as file:
            file.write(b"c,d\n")
        elsewhere = ObjectStoragePath("abfs://private/in/a.csv", conn_id=ID)
        record(
            "by_path",
            {
                "listed": [path.name for path in folder.iterdir()],
                "read": (folder / "b.csv").read_bytes().decode(),
                "read elsewhere": refusal(elsewhere.read_bytes),
            },
        )

    @task
    def careless() -> None:
        connection = BaseHook.get_connection(ID)
        if CARELESS:
            print("careless:", connection.extra, connection.get_uri())

    by_hook()
    by_path()
    careless()

"""Real Airflows: what a task sees of every fault, version by version.

Each interpreter has an Airflow installed: ``VALET_AIRFLOW_2_PYTHON`` and ``VALET_AIRFLOW_3_PYTHON``, set by
`make test`; more may be listed in ``VALET_AIRFLOW_PYTHONS``, separated as in PATH.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker import FakeBroker, Request, Say, answer, fault, reply
from conftest import CANARY, SHIM

Serve = Callable[..., FakeBroker]

GOOD = '{"conn_type": "http", "host": "valet", "extra": {"account_key": "key-to-mask"}}'
NEXT, NEXT_WARNED, DENIED, UNAVAILABLE, UNUSABLE = (
    "next",
    "warned",
    "ValetDenied",
    "ValetUnavailable",
    "unusable",
)

#: What the broker says, and what that is to Airflow; see "Faults" in the interface description.
ROWS: dict[str, tuple[Say, str]] = {
    "not_found": (fault(404, "not_found", "NOT_FOUND"), NEXT),
    "skipped": (fault(404, "not_found", "SKIPPED"), NEXT_WARNED),
    "bad_name": (fault(400, "invalid_argument", "BAD_NAME"), NEXT_WARNED),
    "malformed_value": (fault(400, "failed_precondition", "MALFORMED_VALUE"), UNUSABLE),
    "denied_by_policy": (fault(403, "permission_denied", "DENIED_BY_POLICY"), DENIED),
    "denied_by_source": (fault(403, "permission_denied", "DENIED_BY_SOURCE"), DENIED),
    "unauthenticated": (fault(401, "unauthenticated", "UNAUTHENTICATED"), DENIED),
    "throttled": (fault(503, "unavailable", "THROTTLED", retry_after="30"), UNAVAILABLE),
    "source_down": (fault(503, "unavailable", "SOURCE_DOWN"), UNAVAILABLE),
    "timed_out": (fault(504, "deadline_exceeded", "TIMED_OUT"), UNAVAILABLE),
    "overloaded": (fault(429, "resource_exhausted", "OVERLOADED"), UNAVAILABLE),
    "too_large": (fault(429, "resource_exhausted", "TOO_LARGE"), UNUSABLE),
    "internal": (fault(500, "internal", "INTERNAL"), UNUSABLE),
    "bad_answer": (Say(reply(500, f"<html>{CANARY}</html>".encode())), UNAVAILABLE),
    "unreachable": (Say(close=True), UNAVAILABLE),
}
INTERPRETERS = ["VALET_AIRFLOW_2_PYTHON", "VALET_AIRFLOW_3_PYTHON"]
MORE = [path for path in os.environ.get("VALET_AIRFLOW_PYTHONS", "").split(os.pathsep) if path]


@pytest.fixture(params=INTERPRETERS + MORE)
def interpreter(request: pytest.FixtureRequest) -> str:
    """An interpreter that has Airflow; its absence fails in CI, and elsewhere is said."""
    name: str = request.param
    path = name if name in MORE else os.environ.get(name)
    if not path:
        if os.environ.get("CI") == "true" or os.environ.get("VALET_REQUIRE_AIRFLOW") == "1":
            pytest.fail(f"{name} is not set; `make test` sets it")
        pytest.skip(f"{name} is not set; `make test` sets it")
    return path


def script(request: Request) -> Say:
    """Answer a lookup by its name."""
    name = request.message.get("connId") or request.message["key"]
    if name == "good":
        value = "valet" if "key" in request.message else GOOD
        return answer(value, mask=["key-to-mask"])
    return ROWS[name][0]


def run(
    interpreter: str, home: Path, code: list[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run something in an Airflow's interpreter, with Valet as its backend."""
    return subprocess.run(
        [interpreter, *code],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SHIM),
            "VALET_TRANSPORT": os.environ["VALET_TRANSPORT"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__SECRETS__BACKEND": "airflow_valet.ValetBackend",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def look_everything_up(interpreter: str, home: Path, kwargs: dict[str, str]) -> dict[str, Any]:
    """The report of in_airflow.py; also, no secret was in anything that it printed."""
    done = run(
        interpreter,
        home,
        [str(Path(__file__).with_name("in_airflow.py"))],
        AIRFLOW__SECRETS__BACKEND_KWARGS=json.dumps(kwargs),
        ROWS=json.dumps(["good", *ROWS]),
    )
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{"version"') :])
    return report


def expected(row: str, way: str, version: tuple[int, ...], *, skip: bool) -> dict[str, Any]:
    """What the interface description promises for one row."""
    meaning = ROWS[row][1]
    if meaning == NEXT:
        return {"from": "environment", "levels": []}
    if meaning == NEXT_WARNED or (skip and meaning == UNAVAILABLE):
        return {"from": "environment", "levels": ["WARNING"]}
    if version < (3, 2):  # no way to stop there; the log tells
        return {"from": "environment", "levels": ["ERROR"]}
    return {"raised": DENIED if meaning == DENIED else "ValetUnavailable", "levels": ["ERROR"]}


@pytest.mark.parametrize("on_unavailable", ["fail", "skip"])
def test_a_task_sees_of_every_fault_what_was_promised(
    serve: Serve, interpreter: str, tmp_path: Path, on_unavailable: str
) -> None:
    broker = serve(script)
    kwargs = {"socket": broker.path, "on_unavailable": on_unavailable}
    report = look_everything_up(interpreter, tmp_path, kwargs)
    version = tuple(int(part) for part in report["version"].split(".")[:2])
    assert len(report["ways"]) == (3 if version < (3, 0) else 4 if version < (3, 1) else 5)

    for way, said in report["rows"].pop("good").items():
        assert said == {"from": "valet", "log": []}, way
    for row, by_way in report["rows"].items():
        for way, said in by_way.items():
            promised = expected(row, way, version, skip=on_unavailable == "skip")
            got = {"levels": [level for level, _ in said["log"]]}
            if "raised" in said:
                assert "AirflowSecretsBackendAccessDenied" in said["raised"], (row, way, said)
                assert said["log"] == [["ERROR", said["text"]]], (row, way)
                got["raised"] = said["raised"][0]
            else:
                got["from"] = said["from"]
            assert got == promised, (report["version"], row, way, said)
            for _, message in said["log"]:
                assert row.upper() in message, (row, way)
                assert f"'{row}'" in message, (row, way)
    assert report["redacted"] == "*** and the-rest"


@pytest.mark.parametrize("kwargs_as", ["json", "raw"])
def test_arguments_reach_the_backend_in_every_form(
    serve: Serve, interpreter: str, tmp_path: Path, kwargs_as: str
) -> None:
    broker = serve(script)
    environment = (
        {"AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"socket": broker.path, "timeout": 3})}
        if kwargs_as == "json"
        else {"VALET_SOCKET": broker.path, "VALET_TIMEOUT": "3"}
    )
    code = (
        "import airflow.configuration as c; client = c.secrets_backend_list[0]._client;"
        " print(client.path, client.timeout)"
    )
    done = run(interpreter, tmp_path, ["-c", code], **environment)
    assert f"{broker.path} 3.0" in done.stdout, done.stderr


OPTION = """
import airflow.configuration
print("url:", airflow.configuration.conf.get("database", "sql_alchemy_conn"))
"""


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        (answer("sqlite:////of/valet.db"), "url: sqlite:////of/valet.db"),
        (fault(404, "not_found", "NOT_FOUND"), "url: sqlite:///{home}/airflow.db"),
        (fault(503, "unavailable", "SOURCE_DOWN", "the vault is down"), None),
        (fault(404, "not_found", "SKIPPED", "the vault is down"), None),
        (None, None),
    ],
    ids=["served", "not found", "source down", "skipped", "no broker"],
)
def test_an_option_is_served_or_airflow_does_not_start_on_a_default(
    serve: Serve, interpreter: str, tmp_path: Path, sockets: Path, said: Say | None, printed: str | None
) -> None:
    path = serve(said).path if said else str(sockets / "none.sock")
    done = run(
        interpreter,
        tmp_path,
        ["-c", OPTION],
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET="database-url",
        AIRFLOW__SECRETS__BACKEND_KWARGS=json.dumps({"socket": path, "on_unavailable": "skip"}),
    )
    if printed:
        assert printed.format(home=tmp_path) in done.stdout, done.stderr
    else:
        assert done.returncode != 0
        assert "url:" not in done.stdout
        assert "AirflowConfigException" in done.stderr
        assert "config 'database-url': " in done.stderr
        assert ("the vault is down" if said else "is the Valet sidecar running") in done.stderr

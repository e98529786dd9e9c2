"""``python -m airflow_valet``: streams and exit codes, without Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from broker import FakeBroker, Say, answer, fault, reply
from conftest import CANARY, SHIM

Serve = Callable[..., FakeBroker]


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow_valet", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SHIM),
            "VALET_TRANSPORT": os.environ.get("VALET_TRANSPORT", "connect"),
            **environment,
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("kind", ["connection", "variable", "config"])
def test_get_prints_the_value_and_nothing_else(serve: Serve, kind: str) -> None:
    broker = serve(answer("ünï 🚀"))
    assert run("get", kind, "a", "--socket", broker.path, PYTHONIOENCODING="ascii") == (0, "ünï 🚀\n", "")
    assert run("get", kind, "a", VALET_SOCKET=broker.path) == (0, "ünï 🚀\n", "")
    assert list(broker.requests[0].message.values()) == ["a"]


def test_get_json_prints_the_whole_answer(serve: Serve) -> None:
    broker = serve(answer("v", version="7", mask=["v"], ends=True))
    code, out, err = run("get", "connection", "a", "--json", "--socket", broker.path)
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "value": "v", "source": "files", "state": "STATE_FRESH", "version": "7", "mask": ["v"], "ends": True,
    }  # fmt: skip


def test_get_asks_for_a_team(serve: Serve) -> None:
    broker = serve(answer("v"))
    run("get", "connection", "a", "--team", "t", VALET_SOCKET=broker.path)
    run("get", "connection", "a", VALET_SOCKET=broker.path, VALET_TEAM="own")
    assert [request.message["team"] for request in broker.requests] == ["t", "own"]


def test_status_asks_the_admin_socket(serve: Serve) -> None:
    broker = serve(Say(reply(200, b'{"version": "1", "sources": []}')))
    for arguments, environment in (
        (["--json", "--admin-socket", broker.path], {}),
        ([], {"VALET_ADMIN_SOCKET": broker.path}),
    ):
        code, out, err = run("status", *arguments, **environment)
        assert (code, err) == (0, "")
        status = json.loads(out)
        assert (status["version"], status["sources"]) == ("1", [])
    assert {request.target for request in broker.requests} == {"/valet.v1.Admin/Status"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (fault(404, "not_found", "NOT_FOUND"), 66),
        (fault(404, "not_found", "SKIPPED"), 66),
        (fault(400, "invalid_argument", "BAD_NAME"), 64),
        (fault(400, "failed_precondition", "MALFORMED_VALUE"), 78),
        (fault(501, "unimplemented", "NOT_YET_AVAILABLE"), 64),
        (fault(403, "permission_denied", "DENIED_BY_POLICY"), 77),
        (fault(401, "unauthenticated", "UNAUTHENTICATED"), 77),
        (fault(503, "unavailable", "SOURCE_DOWN"), 69),
        (Say(reply(502, b"<html>" + CANARY.encode())), 69),
    ],
)
def test_each_fault_has_its_exit_code_and_goes_to_standard_error(serve: Serve, said: Say, code: int) -> None:
    got, out, err = run("get", "connection", "a", "--socket", serve(said).path)
    assert (got, out) == (code, "")
    assert err.startswith("connection 'a': ")
    assert err.count("\n") == 1
    assert CANARY not in err


def test_no_broker_is_unavailable(sockets: Path) -> None:
    code, out, err = run("get", "connection", "a", "--socket", str(sockets / "none"))
    assert (code, out) == (69, "")
    assert "is the Valet sidecar running" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["get"],
        ["get", "connection"],
        ["get", "secret", "a"],
        ["frobnicate"],
        ["get", "connection", "a", "--x"],
    ],
)
def test_wrong_usage_is_64(arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (64, "")
    assert "usage: python -m airflow_valet" in err


def test_a_bad_setting_is_78() -> None:
    code, out, err = run("get", "connection", "a", VALET_TIMEOUT="soon")
    assert (code, out) == (78, "")
    assert err.startswith("timeout: expected seconds")


def test_help_is_no_error() -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "status" in out

"""The shim and the real broker: ``VALET_BIN`` is a built `valet`, set by `make test`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from airflow_valet import connection
from airflow_valet.errors import ValetDenied, ValetError, ValetNotFound, ValetUnavailable
from support import programs

from conftest import CANARY, Client
from test_cli import run
from test_fork import in_child, succeeded

CONNECTION = json.dumps({"conn_type": "wasb", "login": "acct", "extra": {"account_key": f"key {CANARY}"}})
VALUES = {
    "plain": "v",
    "odd": "a\tb  ünï 🚀 %2e \\ \" '",
    "json": '{"a": [1, null]}',
    "blank": " ",
    "long": "x" * 100_000,
}
SOURCES = {"env": {"kind": "environment"}}
ENVIRONMENT = {
    "AIRFLOW_CONN_WASB_LANDING": CONNECTION,
    "AIRFLOW_CONN_URI": "postgres://u:p%40ss@h:5/s",
    "AIRFLOW_CONN_BARE_TOKEN": f"{CANARY}=",
    **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in VALUES.items()},
}


@pytest.fixture
def broker(sockets: Path) -> Iterator[programs.Valet]:
    """A running `valet serve`, whose log and audit must hold no secret."""
    if not os.environ.get("VALET_BIN"):
        if os.environ.get("CI") == "true" or os.environ.get("VALET_REQUIRE_AIRFLOW") == "1":
            pytest.fail("VALET_BIN is not set; `make test` sets it")
        pytest.skip("VALET_BIN is not set; `make test` sets it")
    with programs.valet(sockets, {"sources": SOURCES}, ENVIRONMENT) as running:
        yield running
        assert CANARY not in running.log() + json.dumps(running.audit())


def test_connections_and_variables_are_served_byte_for_byte(broker: programs.Valet) -> None:
    client = Client(broker.socket, 5)
    assert client.get("connection", "wasb_landing").value == CONNECTION
    assert client.get("connection", "uri").value == "postgres://u:p%40ss@h:5/s"
    assert {name: client.get("variable", name).value for name in VALUES} == VALUES
    assert {name: asyncio.run(client.aget("variable", name)).value for name in VALUES} == VALUES


def test_what_to_hide_comes_with_the_answer(broker: programs.Valet) -> None:
    assert f"key {CANARY}" in Client(broker.socket, 5).get("connection", "wasb_landing").mask


@pytest.mark.parametrize(
    ("kind", "name", "error", "reason"),
    [
        ("connection", "nowhere", ValetNotFound, "NOT_FOUND"),
        ("variable", "../etc/passwd", ValetNotFound, "NOT_FOUND"),
        ("variable", "x" * 1024, ValetNotFound, "NOT_FOUND"),
        ("variable", "🚀", ValetNotFound, "NOT_FOUND"),
        ("config", "nowhere", ValetNotFound, "NOT_FOUND"),
        ("connection", "", ValetNotFound, "BAD_NAME"),
        ("connection", "a\nb", ValetNotFound, "BAD_NAME"),
        ("connection", "a\0b", ValetNotFound, "BAD_NAME"),
        ("connection", "x" * 1025, ValetNotFound, "BAD_NAME"),
        ("connection", "bare_token", ValetUnavailable, "MALFORMED_VALUE"),
    ],
)
def test_what_is_not_served_is_told_apart(
    broker: programs.Valet, kind: str, name: str, error: type[ValetError], reason: str
) -> None:
    client = Client(broker.socket, 5)
    for look_up in (client.get, lambda *given: asyncio.run(client.aget(*given))):
        with pytest.raises(error) as caught:
            look_up(kind, name)
        assert (type(caught.value), caught.value.reason) == (error, reason)
        assert CANARY not in str(caught.value)


def test_a_listener_that_does_not_allow_it_refuses(broker: programs.Valet) -> None:
    with pytest.raises(ValetDenied) as caught:
        Client(broker.admin_socket, 5).get("connection", "wasb_landing")
    assert caught.value.reason == "DENIED_BY_POLICY"
    with pytest.raises(ValetDenied):
        Client(broker.socket, 5).status()
    assert Client(broker.admin_socket, 5).status()["sources"][0]["name"] == "env"


def test_the_task_is_named_in_the_audit_line(broker: programs.Valet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "größe/a b")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "🚀" * 250)
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "é" * 1000)
    monkeypatch.setenv("AIRFLOW_CTX_TRY_NUMBER", "2")
    monkeypatch.setenv("AIRFLOW_CTX_MAP_INDEX", "🚀" * 250)
    Client(broker.socket, 5).get("variable", "plain", "team_a")
    broker.process.send_signal(signal.SIGTERM)
    broker.process.wait(30)
    (line,) = broker.audit()
    text = json.dumps(line, ensure_ascii=False)
    assert '"größe/a b"' in text
    assert '"team_a"' in text
    assert f'"{"🚀" * 250}"' in text


def test_lookups_share_a_connection_and_children_get_their_own(broker: programs.Valet) -> None:
    client, admin = Client(broker.socket, 10), Client(broker.admin_socket, 10)

    def tasks() -> int:
        (listener,) = [one for one in admin.status()["listeners"] if one["name"] == "tasks"]
        return int(listener.get("connections", 0))

    for _ in range(20):
        client.get("variable", "plain")
    assert tasks() == 1
    children = [in_child(lambda: client.get("variable", "odd").value == VALUES["odd"]) for _ in range(50)]
    assert client.get("variable", "json").value == VALUES["json"]
    assert [succeeded(child) for child in children] == [True] * 50
    assert client.get("variable", "json").value == VALUES["json"]


def test_threads_forks_and_loops_at_once(broker: programs.Valet) -> None:
    client = Client(broker.socket, 20)
    stop = threading.Event()

    def look_up(_: int) -> int:
        count = 0
        while not stop.is_set() or count == 0:
            assert client.get("variable", "odd").value == VALUES["odd"]
            count += 1
        return count

    async def many() -> set[str]:
        return {
            one.value for one in await asyncio.gather(*(client.aget("variable", "odd") for _ in range(200)))
        }

    with ThreadPoolExecutor(8) as pool:
        busy = pool.map(look_up, range(8))
        children = [in_child(lambda: client.get("variable", "odd").value == VALUES["odd"]) for _ in range(50)]
        assert asyncio.run(many()) == {VALUES["odd"]}
        assert [succeeded(child) for child in children] == [True] * 50
        stop.set()
        assert min(busy) > 0
    assert len(connection._idle[broker.socket]) <= connection.MAX_IDLE


def test_a_good_answer_is_recognised_at_sight(
    broker: programs.Valet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "read", lambda _: pytest.fail("http.client read it"))
    client = Client(broker.socket, 5)
    for kind, name in (("connection", "uri"), ("variable", "odd"), ("variable", "blank")):
        assert client.get(kind, name).value


def test_a_broker_that_was_restarted_is_found_again(broker: programs.Valet) -> None:
    client = Client(broker.socket, 5)
    assert client.get("variable", "plain").value == "v"
    programs.stop(broker.process)
    with pytest.raises(ValetUnavailable) as caught:
        client.get("variable", "plain")
    assert caught.value.reason == "UNREACHABLE"
    with programs.valet(broker.directory, {"sources": SOURCES}, ENVIRONMENT, broker.sockets):
        assert client.get("variable", "plain").value == "v"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_socket_that_another_uid_may_not_open_says_so(broker: programs.Valet) -> None:
    def look_up_as_nobody() -> bool:
        os.setuid(65534)
        with pytest.raises(ValetUnavailable, match=f"uid 65534 may not open {broker.socket}: see the mode"):
            Client(broker.socket, 5).get("variable", "plain")
        return True

    assert succeeded(in_child(look_up_as_nobody))


@pytest.mark.parametrize(
    "arguments",
    [
        ["connection", "wasb_landing"],
        ["variable", "odd"],
        ["variable", "nowhere"],
        ["connection", "bare_token"],
        ["connection", "a\nb"],
        ["config", "x"],
        ["secret", "x"],
    ],
)
def test_the_command_line_prints_and_exits_as_valets_own(
    broker: programs.Valet, arguments: list[str]
) -> None:
    ours, value, _ = run("get", *arguments, "--socket", broker.socket)
    valet = subprocess.run(
        [programs.program("VALET_BIN"), "get", *arguments, "--socket", broker.socket],
        capture_output=True,
        check=False,
    )
    assert (ours, value) == (valet.returncode, valet.stdout.decode())


def test_a_backend_on_a_real_broker(
    broker: programs.Valet, make: Callable[..., Any], logged: Callable[[], list[tuple[str, str]]]
) -> None:
    backend = make(socket=broker.socket)
    assert backend.get_connection("wasb_landing")["login"] == "acct"
    assert backend.get_variable("plain") == "v"
    assert backend.get_variable("nowhere") is None
    assert backend.get_config("nowhere") is None
    assert asyncio.run(backend.aget_connection("wasb_landing"))["conn_type"] == "wasb"
    assert logged() == []
    assert backend.get_variable("a\nb") is None
    with pytest.raises(ValetUnavailable, match="bare_token"):
        backend.get_conn_value("bare_token")
    assert [level for level, _ in logged()] == ["WARNING", "ERROR"]

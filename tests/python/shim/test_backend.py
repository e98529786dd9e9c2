"""What Airflow sees of each outcome: a value, None, or an exception with one ERROR in the log."""

from __future__ import annotations

import json
import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow_valet import ValetDenied, ValetError, ValetUnavailable

from broker import FakeBroker, Say, answer, fault, reply
from conftest import CANARY

Serve = Callable[..., FakeBroker]
Make = Callable[..., Any]
Logged = Callable[[], list[tuple[str, str]]]

NOT_FOUND = fault(404, "not_found", "NOT_FOUND")
SKIPPED = fault(404, "not_found", "SKIPPED")
BAD_NAME = fault(400, "invalid_argument", "BAD_NAME")
DENIED = [
    fault(403, "permission_denied", "DENIED_BY_POLICY"),
    fault(403, "permission_denied", "DENIED_BY_SOURCE"),
    fault(401, "unauthenticated", "UNAUTHENTICATED"),
]
DOWN = [
    fault(503, "unavailable", "SOURCE_DOWN"),
    fault(503, "unavailable", "THROTTLED"),
    fault(504, "deadline_exceeded", "TIMED_OUT"),
    fault(429, "resource_exhausted", "OVERLOADED"),
    Say(reply(502, b"<html>")),
    Say(close=True),
]
UNUSABLE = [
    fault(400, "failed_precondition", "MALFORMED_VALUE"),
    fault(429, "resource_exhausted", "TOO_LARGE"),
    fault(500, "internal", "INTERNAL"),
    fault(400, "failed_precondition", "BAD_KEY"),
    fault(400, "out_of_range", "OUT_OF_RANGE"),
]
LOOKUPS = ["get_conn_value", "get_variable"]


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    """Airflow 3.2 and later: the exception at which they stop asking."""

    class AirflowSecretsBackendAccessDenied(PermissionError):
        pass

    exceptions = types.ModuleType("airflow.sdk.exceptions")
    exceptions.AirflowSecretsBackendAccessDenied = AirflowSecretsBackendAccessDenied  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow.sdk", types.ModuleType("airflow.sdk"))
    monkeypatch.setitem(sys.modules, "airflow.sdk.exceptions", exceptions)
    return AirflowSecretsBackendAccessDenied


def test_a_connection_a_variable_and_an_option_are_served(serve: Serve, make: Make) -> None:
    broker = serve(lambda request: answer(json.dumps(request.message)))
    backend = make(socket=broker.path, team="own")
    assert json.loads(backend.get_conn_value("c")) == {"connId": "c", "team": "own"}
    assert json.loads(backend.get_conn_value(conn_id="c", team_name="asked")) == {
        "connId": "c",
        "team": "asked",
    }
    assert json.loads(backend.get_variable(key="v", team_name=None)) == {"key": "v", "team": "own"}
    assert json.loads(backend.get_config("o")) == {"key": "o", "team": "own"}


def test_airflows_own_get_connection_reads_what_was_served(serve: Serve, make: Make) -> None:
    broker = serve(answer('{"conn_type": "wasb", "host": "h"}'))
    assert make(socket=broker.path).get_connection("c") == {"conn_id": "c", "conn_type": "wasb", "host": "h"}


@pytest.mark.parametrize("lookup", [*LOOKUPS, "get_config"])
def test_not_found_is_none_and_silent(serve: Serve, make: Make, logged: Logged, lookup: str) -> None:
    backend = make(socket=serve(NOT_FOUND).path)
    assert getattr(backend, lookup)("a") is None
    assert logged() == []


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize(("said", "reason"), [(SKIPPED, "SKIPPED"), (BAD_NAME, "BAD_NAME")])
def test_skipped_and_bad_names_are_none_and_a_warning(
    serve: Serve, make: Make, logged: Logged, lookup: str, said: Say, reason: str
) -> None:
    backend = make(socket=serve(said).path)
    assert getattr(backend, lookup)("a") is None
    kind = "connection" if lookup == "get_conn_value" else "variable"
    assert logged() == [("WARNING", f"{kind} 'a': because ({reason}); treated as not found")]


@pytest.mark.parametrize("on_unavailable", ["fail", "skip"])
def test_an_option_of_no_name_is_none_and_a_warning(
    serve: Serve, make: Make, logged: Logged, on_unavailable: str
) -> None:
    backend = make(socket=serve(BAD_NAME).path, on_unavailable=on_unavailable)
    assert backend.get_config("a") is None
    assert logged() == [("WARNING", "config 'a': because (BAD_NAME); treated as not found")]


@pytest.mark.parametrize("on_unavailable", ["fail", "skip"])
@pytest.mark.parametrize("said", [SKIPPED, *DENIED, *DOWN, *UNUSABLE])
def test_an_option_is_none_only_where_nobody_has_it(
    serve: Serve, make: Make, logged: Logged, said: Say, on_unavailable: str
) -> None:
    backend = make(socket=serve(said).path, on_unavailable=on_unavailable)
    with pytest.raises(ValetError):
        backend.get_config("a")
    assert [level for level, _ in logged()] == ["ERROR"]


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize(
    ("said", "kind"), [*((s, ValetDenied) for s in DENIED), *((s, ValetUnavailable) for s in DOWN + UNUSABLE)]
)
def test_everything_else_is_one_error_and_an_exception(
    serve: Serve, make: Make, logged: Logged, lookup: str, said: Say, kind: type[ValetError]
) -> None:
    backend = make(socket=serve(said).path)
    with pytest.raises(kind) as caught:
        getattr(backend, lookup)("a")
    assert type(caught.value) is kind
    assert logged() == [("ERROR", str(caught.value))]


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("said", DENIED + DOWN + UNUSABLE)
def test_where_airflow_knows_how_to_stop_it_is_made_to(
    serve: Serve, make: Make, logged: Logged, stops: type[Exception], lookup: str, said: Say
) -> None:
    backend = make(socket=serve(said).path)
    with pytest.raises(stops) as caught:
        getattr(backend, lookup)("a")
    assert isinstance(caught.value, ValetError)
    assert type(caught.value).__name__ in ("ValetDenied", "ValetUnavailable")
    assert logged() == [("ERROR", str(caught.value))]


def test_airflow_3_0_and_3_1_have_a_task_sdk_and_yet_no_way_to_stop_it(
    serve: Serve, make: Make, stops: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(sys.modules["airflow.sdk.exceptions"], stops.__name__)
    with pytest.raises(ValetDenied) as caught:
        make(socket=serve(DENIED[0]).path).get_conn_value("a")
    assert type(caught.value) is ValetDenied


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("said", DOWN)
def test_on_unavailable_skip_passes_over_what_is_down(
    serve: Serve, make: Make, logged: Logged, stops: type[Exception], lookup: str, said: Say
) -> None:
    backend = make(socket=serve(said).path, on_unavailable="skip")
    assert getattr(backend, lookup)("a") is None
    ((level, message),) = logged()
    assert level == "WARNING"
    assert message.endswith("; treated as not found")


@pytest.mark.parametrize("said", DENIED + UNUSABLE)
def test_on_unavailable_skip_passes_over_nothing_else(serve: Serve, make: Make, said: Say) -> None:
    with pytest.raises(ValetError):
        make(socket=serve(said).path, on_unavailable="skip").get_conn_value("a")


def test_a_missing_socket_is_down_too(make: Make, sockets: Path, logged: Logged) -> None:
    path = str(sockets / "none.sock")
    assert make(socket=path, on_unavailable="skip").get_variable("a") is None
    with pytest.raises(ValetUnavailable, match="is the Valet sidecar running"):
        make(socket=path).get_variable("a")
    with pytest.raises(ValetUnavailable, match="is the Valet sidecar running"):
        make(socket=path, on_unavailable="skip").get_config("a")
    assert [level for level, _ in logged()] == ["WARNING", "ERROR", "ERROR"]


def test_exceptions_survive_pickling_with_and_without_airflows_class(
    serve: Serve, make: Make, stops: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = make(socket=serve(DENIED[0]).path)
    with pytest.raises(ValetDenied) as caught:
        backend.get_conn_value("a")
    pickled = pickle.dumps(caught.value)
    for stopping in (True, False):
        if not stopping:
            monkeypatch.delitem(sys.modules, "airflow.sdk.exceptions")
        again = pickle.loads(pickled)
        assert isinstance(again, ValetDenied)
        assert isinstance(again, stops) is stopping
        assert (str(again), again.reason) == (str(caught.value), "DENIED_BY_POLICY")
        assert repr(again) == repr(caught.value)


def test_no_value_reaches_a_log_or_an_exception(serve: Serve, make: Make, logged: Logged) -> None:
    broker = serve(answer(CANARY, mask=[CANARY]))
    backend = make(socket=broker.path, client_secret=CANARY, team=CANARY)
    assert backend.get_conn_value("a") == CANARY
    broker.script = lambda _: Say(reply(500, CANARY.encode()))
    with pytest.raises(ValetUnavailable) as caught:
        backend.get_conn_value("a")
    assert CANARY not in repr(logged()) + repr(caught.value) + repr(vars(caught.value))

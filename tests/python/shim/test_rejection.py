"""Reports of refused credentials: what counts as one, what is sent, and that nothing of it fails a task."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
import types
import urllib.error
from collections.abc import Callable
from typing import Any

import airflow_valet
import pytest
from airflow_valet import rejection

from broker import FakeBroker, Request, Say, answer, fault, reply
from conftest import CANARY

Serve = Callable[..., FakeBroker]
Make = Callable[..., Any]
Logged = Callable[[], list[tuple[str, str]]]
REPORT = "/valet.v1.Broker/ReportRejected"


@pytest.fixture(autouse=True)
def nothing_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process of its own."""
    monkeypatch.setattr(rejection, "_latest", None)
    rejection._handed.clear()


def said(*, accepted: bool = False, superseded: bool = False, **more: str) -> Say:
    """What became of a report."""
    return Say(reply(200, json.dumps({"accepted": accepted, "superseded": superseded, **more}).encode()))


def heeding(report: Say) -> Callable[[Request], Say]:
    """A broker that says this to reports, and has every connection."""

    def script(request: Request) -> Say:
        name = request.message.get("connId") or request.message["key"]
        return report if request.target == REPORT else answer(f"{name}: {CANARY}")

    return script


def reports(broker: FakeBroker) -> list[dict[str, str]]:
    """What was reported."""
    return [request.message for request in broker.requests if request.target == REPORT]


def digest(conn_id: str) -> str:
    """Of what the broker hands out."""
    return hashlib.sha256(f"{conn_id}: {CANARY}".encode()).hexdigest()


def azurite() -> Any:
    """As Azurite has what Azure calls AuthenticationFailed."""
    kind = type("HttpResponseError", (Exception,), {"__module__": "azure.core.exceptions"})
    made: Any = kind(
        "Server failed to authenticate the request. Make sure the value of the Authorization header"
    )
    made.status_code, made.error_code = 403, "AuthorizationFailure"
    return made


def azure(
    name: str, status: int | None = None, code: str | None = None, module: str = "azure.core.exceptions"
) -> Any:
    """An exception as the SDK has it, without the SDK."""
    made = type(name, (Exception,), {"__module__": module})("no")
    made.status_code, made.error_code = status, code
    return made


def requests_error(status: int, **headers: str) -> Any:
    """As `requests` and httpx have it."""
    error = type("HTTPError", (OSError,), {"__module__": "requests.exceptions"})("no")
    error.response = types.SimpleNamespace(status_code=status, headers=headers)
    return error


def aiohttp_error(status: int) -> Any:
    """As aiohttp has it."""
    error = type("ClientResponseError", (Exception,), {"__module__": "aiohttp"})("no")
    error.status, error.headers = status, None
    return error


def wrapped(error: BaseException, *, cause: bool) -> BaseException:
    """As hooks do."""
    try:
        try:
            raise error
        except Exception as caught:
            if cause:
                raise RuntimeError("the hook failed") from caught
            raise RuntimeError("the hook failed")  # noqa: B904
    except RuntimeError as outer:
        return outer


STORAGE = azure("ClientAuthenticationError", 403, "AuthenticationFailed")
REFUSED = [
    STORAGE,
    azure("ClientAuthenticationError"),
    azure("HttpResponseError", 401),
    azure("HttpResponseError", 403, "AuthenticationFailed"),
    azurite(),
    azure("CosmosHttpResponseError", 401, module="azure.cosmos.exceptions"),
    azure("ServiceBusAuthenticationError", module="azure.servicebus.exceptions"),
    azure("AuthenticationError", module="azure.eventhub.exceptions"),
    requests_error(401),
    requests_error(403, **{"x-ms-error-code": "AuthenticationFailed"}),
    aiohttp_error(401),
    urllib.error.HTTPError("https://h", 401, "no", None, None),  # type: ignore[arg-type]
    wrapped(STORAGE, cause=True),
    wrapped(wrapped(STORAGE, cause=False), cause=False),
    RuntimeError(STORAGE),
    "ClientAuthenticationError: Server failed to authenticate the request",
    "... ErrorCode:AuthenticationFailed ...",
]
NOT_REFUSED = [
    None,
    "timed out",
    ValueError("AuthenticationFailed"),
    azure("HttpResponseError", 403, "AuthorizationPermissionMismatch"),
    azure("HttpResponseError", 403, "AuthorizationFailure"),
    azure("HttpResponseError", 403),
    azure("ResourceNotFoundError", 404),
    azure("ClientAuthenticationError", module="mine"),
    requests_error(403),
    requests_error(500),
    aiohttp_error(429),
    SystemExit(1),
]


@pytest.mark.parametrize("failure", REFUSED, ids=str)
def test_what_says_that_a_credential_was_refused(failure: object) -> None:
    assert rejection.authentication_error(failure)


@pytest.mark.parametrize("failure", NOT_REFUSED, ids=str)
def test_what_does_not(failure: object) -> None:
    assert rejection.authentication_error(failure) is None


def test_that_no_credential_was_found_is_no_refusal() -> None:
    base = type("ClientAuthenticationError", (Exception,), {"__module__": "azure.core.exceptions"})
    kind = type("CredentialUnavailableError", (base,), {"__module__": "azure.identity"})
    assert rejection.authentication_error(kind("no managed identity endpoint")) is None


def test_a_chain_that_bites_its_tail_or_never_ends_is_looked_at_once() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert rejection.authentication_error(first) is None
    deep: BaseException = STORAGE
    for _ in range(100):
        deep = RuntimeError(deep)
    assert rejection.authentication_error(deep) is None


def test_a_group_is_looked_into() -> None:
    group = RuntimeError("several")
    group.exceptions = (ValueError(), STORAGE)  # type: ignore[attr-defined]
    assert rejection.authentication_error(group) == "ClientAuthenticationError 403 AuthenticationFailed"


def test_the_value_that_was_handed_out_is_named_by_its_digest(
    serve: Serve, make: Make, logged: Logged
) -> None:
    broker = serve(heeding(said(accepted=True)))
    backend = make(socket=broker.path, team="red")
    assert backend.get_conn_value("c")
    assert airflow_valet.report_rejected("c")
    assert reports(broker) == [{"connId": "c", "team": "red", "valueSha256": digest("c")}]
    level, words = logged()[-1]
    assert (level, words[:44]) == ("INFO", "reported as refused: connection 'c'; Valet h")
    assert CANARY not in repr(logged())


def test_without_a_lookup_the_value_of_now_is_meant(serve: Serve, make: Make) -> None:
    broker = serve(heeding(said(superseded=True)))
    make(socket=broker.path)
    assert airflow_valet.report_rejected("c")
    assert reports(broker) == [{"connId": "c"}]


def test_without_a_backend_the_environment_says_where(
    serve: Serve, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = serve(heeding(said(retryAfter="12s")))
    monkeypatch.setenv("VALET_SOCKET", broker.path)
    monkeypatch.setenv("VALET_TEAM", "blue")
    assert not airflow_valet.report_rejected("c")
    assert reports(broker) == [{"connId": "c", "team": "blue"}]


def test_each_outcome_is_told(serve: Serve, make: Make, logged: Logged) -> None:
    broker = serve(heeding(said()))
    make(socket=broker.path)
    for report, worth, words in (
        (said(accepted=True), True, "the same value"),
        (said(accepted=True, superseded=True), True, "another value by now"),
        (said(superseded=True), True, "another value by now"),
        (said(retryAfter="12s"), False, "counts in 12s"),
    ):
        broker.script = heeding(report)
        assert airflow_valet.report_rejected("c") is worth
        assert words in logged()[-1][1]


def test_a_report_never_raises(serve: Serve, make: Make, logged: Logged) -> None:
    broker = serve(heeding(said()))
    make(socket=broker.path, timeout=0.5)
    for report, words in (
        (fault(404, "not_found", "NOT_FOUND"), "NOT_FOUND"),
        (fault(403, "permission_denied", "DENIED_BY_POLICY"), "DENIED_BY_POLICY"),
        (fault(501, "unimplemented", "NOT_YET_AVAILABLE"), "NOT_YET_AVAILABLE"),
        (Say(reply(200, f"<html>{CANARY}".encode())), "BAD_ANSWER"),
        (Say(close=True), "UNREACHABLE"),
        (Say(then=lambda conn: conn.recv(1)), "TIMED_OUT"),
    ):
        broker.script = heeding(report)
        assert airflow_valet.report_rejected("c") is False
        level, said_of_it = logged()[-1]
        assert level == "WARNING"
        assert words in said_of_it
    assert airflow_valet.report_rejected("\udcff") is False
    assert airflow_valet.report_rejected(None) is False  # type: ignore[arg-type]
    assert CANARY not in repr(logged())


def test_the_callback_reports_what_this_process_has_looked_up(
    serve: Serve, make: Make, logged: Logged
) -> None:
    broker = serve(heeding(said(accepted=True)))
    backend = make(socket=broker.path)
    for conn_id in ("a", "b", "a"):
        backend.get_conn_value(conn_id)
    assert backend.get_variable("v")
    assert backend.get_config("o")
    airflow_valet.report_on_auth_failure({"exception": wrapped(STORAGE, cause=True)})
    assert reports(broker) == [{"connId": it, "valueSha256": digest(it)} for it in ("a", "b")]
    assert (
        "INFO",
        "ClientAuthenticationError 403 AuthenticationFailed; reporting the connection 'a' to Valet",
    ) in logged()


def test_the_callback_reports_what_it_is_told_to(serve: Serve, make: Make) -> None:
    broker = serve(heeding(said(accepted=True)))
    make(socket=broker.path).get_conn_value("a")
    for conn_ids in (["b", "a"], "b"):
        functools.partial(airflow_valet.report_on_auth_failure, conn_ids=conn_ids)({"exception": STORAGE})
    of_a = {"connId": "a", "valueSha256": digest("a")}
    assert reports(broker) == [{"connId": "b"}, of_a, {"connId": "b"}]


def test_the_callback_does_nothing_after_another_error_and_never_raises(
    serve: Serve, make: Make, logged: Logged
) -> None:
    broker = serve(heeding(said(accepted=True)))
    make(socket=broker.path).get_conn_value("a")

    class Odd(Exception):
        @property
        def status_code(self) -> int:
            raise RuntimeError(CANARY)

    for context in ({}, {"exception": ValueError()}, {"exception": None}, None, {"exception": Odd()}):
        airflow_valet.report_on_auth_failure(context)
    assert reports(broker) == []
    assert CANARY not in repr(logged())


def test_the_callback_says_that_it_knows_of_no_connection(transport: str, logged: Logged) -> None:
    airflow_valet.report_on_auth_failure({"exception": STORAGE})
    [(level, words)] = [it for it in logged() if it[0] != "DEBUG"]
    assert level == "WARNING"
    assert "functools.partial" in words


def test_the_callback_does_not_wait_for_one_report_after_the_other(
    serve: Serve, make: Make, logged: Logged
) -> None:
    broker = serve(heeding(Say(then=lambda conn: conn.recv(1))))
    make(socket=broker.path, timeout=0.4)
    names = [f"c{number}" for number in range(50)]
    began = time.monotonic()
    airflow_valet.report_on_auth_failure({"exception": STORAGE}, names)
    assert time.monotonic() - began < 5
    assert len([words for _, words in logged() if "TIMED_OUT" in words]) == 20


def test_what_is_remembered_is_bounded_and_of_this_process(serve: Serve, make: Make) -> None:
    broker = serve(heeding(said(accepted=True)))
    backend = make(socket=broker.path)
    for number in range(300):
        rejection.note(backend._client, None, f"c{number}", "v")
    assert len(rejection._handed) == 256
    assert (broker.path, None, "c299") in rejection._handed
    child = os.fork()
    if child == 0:
        os._exit(len(rejection._handed))
    assert os.waitpid(child, 0)[1] == 0

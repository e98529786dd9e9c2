"""What goes over the socket, and what is made of what comes back."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_valet.errors import ValetDenied, ValetError, ValetNotFound, ValetUnavailable

from broker import FakeBroker, Say, answer, fault, reply
from conftest import CANARY, SHIM, Client

Serve = Callable[..., FakeBroker]


@pytest.mark.connect_only
@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        ("connection", "/valet.v1.Broker/GetConnection", {"connId": "a_b", "team": "t"}),
        ("variable", "/valet.v1.Broker/GetVariable", {"key": "a_b", "team": "t"}),
        ("config", "/valet.v1.Broker/GetConfig", {"key": "a_b", "team": "t"}),
    ],
)
def test_a_lookup_is_a_connect_call(serve: Serve, kind: str, target: str, message: dict[str, str]) -> None:
    """Test_grpc.py has the other."""
    broker = serve(answer("v", mask=["v"], version="7"))
    got = Client(broker.path, 4).get(kind, "a_b", "t")
    (request,) = broker.requests
    assert (got.value, got.mask, got.fields["version"]) == ("v", ["v"], "7")
    assert (request.target, request.message) == (target, message)
    assert {name: request.headers[name] for name in ("content-type", "connect-protocol-version")} == {
        "content-type": "application/json",
        "connect-protocol-version": "1",
    }
    assert request.headers["connect-timeout-ms"] == "3900"  # a little less than we wait
    assert [name for name in request.headers if name.startswith("valet-")] == []


def test_without_a_team_none_is_sent(serve: Serve) -> None:
    broker = serve(answer("v"))
    Client(broker.path, 4).get("connection", "a")
    assert broker.requests[0].message == {"connId": "a"}


def test_the_task_is_named_in_headers_percent_encoded_and_cut(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "größe/a b\r\nx-evil: 1")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "t" * 1000)
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "manual__2026-11-23T00:00:00+00:00")
    monkeypatch.setenv("AIRFLOW_CTX_TRY_NUMBER", "2")
    monkeypatch.setenv("AIRFLOW_CTX_MAP_INDEX", "0")
    broker = serve(answer("v"))
    Client(broker.path, 4).get("connection", "a")
    claims = {name: value for name, value in broker.requests[0].headers.items() if name.startswith("valet-")}
    assert claims == {
        "valet-dag-id": "gr%C3%B6%C3%9Fe%2Fa%20b%0D%0Ax-evil%3A%201",
        "valet-task-id": "t" * 250,
        "valet-run-id": "manual__2026-11-23T00%3A00%3A00%2B00%3A00",
        "valet-map-index": "0",
        "valet-try-number": "2",
    }
    assert "x-evil" not in broker.requests[0].headers


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "?q=1", "%2e%2e", "a\0b", "a\r\nhost: evil", "x" * 1024, "🚀", "", " "]
)
def test_any_name_travels_unchanged(serve: Serve, name: str) -> None:
    broker = serve(answer("v"))
    Client(broker.path, 4).get("variable", name)
    assert broker.requests[0].message.get("key", "") == name  # protobuf leaves an empty one out
    assert broker.requests[0].target == "/valet.v1.Broker/GetVariable"


@pytest.mark.parametrize("name", ["a\ud800", "x" * 1025, "é" * 513, "x" * 10_000_000])
def test_a_name_that_is_no_text_or_over_a_kibibyte_is_bad_without_asking(serve: Serve, name: str) -> None:
    broker = serve(answer("v"))
    with pytest.raises(ValetNotFound) as caught:
        Client(broker.path, 4).get("variable", name)
    assert (caught.value.reason, broker.requests) == ("BAD_NAME", [])


@pytest.mark.parametrize(
    "value", ["", " ", "ünï 🚀", '{"a": "\\u0000"}', "x" * 1_000_000, "a\r\nb\0c", "null"]
)
def test_a_value_comes_back_byte_for_byte(serve: Serve, value: str) -> None:
    assert Client(serve(answer(value)).path, 4).get("variable", "a").value == value


def test_a_value_left_out_by_proto3_json_is_empty(serve: Serve) -> None:
    broker = serve(Say(reply(200, b'{"source": "files"}')))
    assert Client(broker.path, 4).get("variable", "a").value == ""


@pytest.mark.parametrize(
    ("status", "code", "reason", "kind", "as_reason"),
    [
        (404, "not_found", "NOT_FOUND", ValetNotFound, "NOT_FOUND"),
        (404, "not_found", "SKIPPED", ValetNotFound, "SKIPPED"),
        (400, "invalid_argument", "BAD_NAME", ValetNotFound, "BAD_NAME"),
        (400, "failed_precondition", "MALFORMED_VALUE", ValetUnavailable, "MALFORMED_VALUE"),
        (403, "permission_denied", "DENIED_BY_POLICY", ValetDenied, "DENIED_BY_POLICY"),
        (403, "permission_denied", "DENIED_BY_SOURCE", ValetDenied, "DENIED_BY_SOURCE"),
        (401, "unauthenticated", "UNAUTHENTICATED", ValetDenied, "UNAUTHENTICATED"),
        (503, "unavailable", "THROTTLED", ValetUnavailable, "THROTTLED"),
        (503, "unavailable", "SOURCE_DOWN", ValetUnavailable, "SOURCE_DOWN"),
        (504, "deadline_exceeded", "TIMED_OUT", ValetUnavailable, "TIMED_OUT"),
        (429, "resource_exhausted", "OVERLOADED", ValetUnavailable, "OVERLOADED"),
        (429, "resource_exhausted", "TOO_LARGE", ValetUnavailable, "TOO_LARGE"),
        (500, "internal", "INTERNAL", ValetUnavailable, "INTERNAL"),
        (400, "failed_precondition", "BAD_KEY", ValetUnavailable, "BAD_KEY"),
        (400, "out_of_range", "OUT_OF_RANGE", ValetUnavailable, "OUT_OF_RANGE"),
        # from something between that knows no reasons, or a newer Valet
        (404, "not_found", None, ValetNotFound, "NOT_FOUND"),
        (403, "permission_denied", None, ValetDenied, "DENIED_BY_POLICY"),
        (503, "unavailable", "NEW_REASON", ValetUnavailable, "NEW_REASON"),
        (503, "unavailable", "<b>no reason</b>", ValetUnavailable, "SOURCE_DOWN"),
    ],
)
def test_an_error_becomes_its_kind(
    serve: Serve, status: int, code: str, reason: str | None, kind: type, as_reason: str
) -> None:
    broker = serve(fault(status, code, reason, "the vault\nsays no", retry_after="30"))
    with pytest.raises(ValetError) as caught:
        Client(broker.path, 4).get("connection", "a")
    assert (type(caught.value), caught.value.reason) == (kind, as_reason)
    assert str(caught.value) == f"connection 'a': the vault says no ({as_reason}, retry in 30 s)"


@pytest.mark.connect_only
@pytest.mark.parametrize(
    ("code", "as_reason"),
    [("unavailable", "SOURCE_DOWN"), ("unimplemented", "INTERNAL"), ("invalid_argument", "INTERNAL")],
)
def test_a_connect_error_without_a_reason_is_believed(serve: Serve, code: str, as_reason: str) -> None:
    """In gRPC such a code may be grpcio's own, which test_grpc.py is about."""
    with pytest.raises(ValetUnavailable) as caught:
        Client(serve(fault(500, code, None)).path, 4).get("connection", "a")
    assert caught.value.reason == as_reason


#: Of both transports; what comes in one framing only is in `FRAMING`, and in test_grpc.py.
GARBAGE = {
    "html": Say(reply(502, f"<html>{CANARY}</html>".encode(), {"content-type": "text/html"})),
    "html 200": Say(reply(200, f"<html>{CANARY}</html>".encode(), {"content-type": "text/html"})),
    "empty body": Say(reply(200, b"")),
    "not found without json": Say(reply(404, b"no such page")),
    "redirect": Say(reply(302, b"", {"location": "http://evil.example"})),
    "no object": Say(reply(200, f'["{CANARY}"]'.encode())),
    "no value": Say(reply(200, f'{{"other": "{CANARY}"}}'.encode())),
    "value of another type": Say(reply(200, b'{"value": 5, "source": "x"}')),
    "mask of another type": Say(reply(200, f'{{"value": "{CANARY}", "mask": "{CANARY}"}}'.encode())),
    "code of another type": Say(reply(500, f'{{"code": 5, "message": "{CANARY}"}}'.encode())),
    "truncated json": Say(reply(200, f'{{"value": "{CANARY}'.encode())),
    "deep json": Say(reply(200, b"[" * 100_000)),
    "not utf-8": Say(reply(200, b'{"value": "\xff\xfe"}')),
    "not http": Say(f"SSH-2.0-{CANARY}\r\n".encode(), close=True),
    "closed without a byte": Say(close=True),
    "another good status": Say(reply(202, f'{{"value": "{CANARY}", "source": "s"}}'.encode())),
}
FRAMING = {
    "half a body": Say(reply(200, f'{{"value": "{CANARY}"'.encode(), {"content-length": "999"}), close=True),
    "endless header": Say(b"HTTP/1.1 200 OK\r\nx: " + CANARY.encode() * 10_000 + b"\r\n\r\n", close=True),
    "bad length": Say(b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\n" + CANARY.encode(), close=True),
    "bad chunk": Say(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n" + CANARY.encode(), close=True
    ),
    "huge length": Say(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n{", close=True),
    "huge": Say(b"HTTP/1.1 200 OK\r\n\r\n" + CANARY.encode() * 1_000_000, close=True),
}
#: What is not BAD_ANSWER. gRPC takes a gateway's 502 for a lost connection.
REASON = {
    "connect": {"closed without a byte": "UNREACHABLE", "huge": "TOO_LARGE", "huge length": "TOO_LARGE"},
    "grpc": {"closed without a byte": "UNREACHABLE", "html": "UNREACHABLE"},
}


def everything_said(error: BaseException) -> str:
    """All text that an exception and whatever hangs on it could show in a log, locals included."""
    seen: list[str] = []
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None:
            seen += [repr(one), str(one), repr(vars(one)), repr(one.args)]
            frames = [frame for frame, _ in traceback.walk_tb(one.__traceback__)]
            seen += [repr(f.f_locals) for f in frames if f.f_code.co_filename.startswith(str(SHIM))]
            pending += [one.__context__, one.__cause__]
    return "\n".join(seen)


@pytest.mark.parametrize("case", GARBAGE)
def test_what_is_no_answer_is_a_fault_that_quotes_nothing(serve: Serve, case: str, transport: str) -> None:
    is_a_fault(serve(GARBAGE[case]), REASON[transport].get(case, "BAD_ANSWER"))


@pytest.mark.connect_only
@pytest.mark.parametrize("case", FRAMING)
def test_nor_is_what_is_badly_framed(serve: Serve, case: str) -> None:
    """As HTTP/1.1."""
    is_a_fault(serve(FRAMING[case]), REASON["connect"].get(case, "BAD_ANSWER"))


def is_a_fault(broker: FakeBroker, reason: str) -> None:
    """What the broker says is one that quotes nothing, and nothing of it lingers."""
    with pytest.raises(ValetUnavailable) as caught:
        Client(broker.path, 4).get("connection", "a")
    assert caught.value.reason == reason
    assert CANARY not in everything_said(caught.value)
    assert "evil" not in everything_said(caught.value)
    broker.script = lambda _: answer("v")
    assert Client(broker.path, 4).get("connection", "a").value == "v"


def test_a_long_message_of_the_broker_is_cut(serve: Serve) -> None:
    broker = serve(fault(503, "unavailable", "SOURCE_DOWN", "m" * 10_000))
    with pytest.raises(ValetError) as caught:
        Client(broker.path, 4).get("connection", "n" * 1000)
    assert str(caught.value) == f"connection '{'n' * 199}: {'m' * 500} (SOURCE_DOWN)"


@pytest.mark.connect_only
def test_a_chunked_answer_is_read(serve: Serve) -> None:
    """Of HTTP/1.1; in HTTP/2 there is no such thing."""
    body = json.dumps({"value": "v", "source": "s"}).encode()
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        len(body),
        body,
    )
    assert Client(serve(Say(chunked)).path, 4).get("connection", "a").value == "v"


def test_a_missing_socket_fails_at_once_and_says_what_to_do(sockets: Path) -> None:
    with pytest.raises(ValetUnavailable) as caught:
        Client(str(sockets / "none.sock"), 60).get("connection", "a")
    assert caught.value.reason == "UNREACHABLE"
    assert "none.sock: is the Valet sidecar running, and the directory of its socket mounted" in str(
        caught.value
    )


def test_a_socket_that_nobody_serves_is_told_from_a_missing_one(serve: Serve) -> None:
    broker = serve(answer("v"))
    broker.close()
    with pytest.raises(ValetUnavailable, match=r"nobody listens at .*: is `valet serve` running"):
        Client(broker.path, 60).get("connection", "a")


@pytest.mark.parametrize("path", ["/" + "x" * 200, "a\0b", "/dev/null", "\ud800", "."])
def test_a_path_that_can_be_no_socket_is_a_fault(path: str) -> None:
    with pytest.raises(ValetUnavailable):
        Client(path, 5).get("connection", "a")

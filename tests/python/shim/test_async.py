"""Lookups on an event loop: none holds up the loop, or another lookup."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow_valet.errors import ValetDenied, ValetError, ValetNotFound

from broker import FakeBroker, Request, Say, answer, fault
from conftest import CANARY, Client
from test_connections import DEADLINE, GRACE, drip, full_listener, never
from test_wire import GARBAGE, REASON, everything_said

Serve = Callable[..., FakeBroker]
Make = Callable[..., Any]


def test_a_connection_is_read_as_airflow_reads_it(serve: Serve, make: Make) -> None:
    broker = serve(answer('{"conn_type": "wasb"}'))
    got = asyncio.run(make(socket=broker.path, team="t").aget_connection("c"))
    assert got == {"conn_id": "c", "conn_type": "wasb"}
    assert broker.requests[0].message == {"connId": "c", "team": "t"}


@pytest.mark.connect_only
def test_a_connection_of_its_own_is_closed_by_the_broker(serve: Serve) -> None:
    """Of HTTP/1.1, where concurrent lookups need a connection each."""
    broker = serve(answer("v"))
    asyncio.run(Client(broker.path, 10).aget("variable", "a"))
    assert broker.requests[0].headers["connection"] == "close"
    assert broker.requests[0].headers["connect-timeout-ms"] == "9900"


def test_a_variable_is_served(serve: Serve, make: Make) -> None:
    assert asyncio.run(make(socket=serve(answer("v")).path).aget_variable("a")) == "v"


@pytest.mark.parametrize("said", [fault(404, "not_found", "NOT_FOUND"), answer("")])
def test_what_is_not_there_is_none(serve: Serve, make: Make, said: Say) -> None:
    assert asyncio.run(make(socket=serve(said).path).aget_connection("a")) is None


def test_a_fault_is_one_error_and_an_exception(
    serve: Serve, make: Make, logged: Callable[[], list[tuple[str, str]]]
) -> None:
    backend = make(socket=serve(fault(403, "permission_denied", "DENIED_BY_POLICY")).path)
    with pytest.raises(ValetDenied) as caught:
        asyncio.run(backend.aget_connection("a"))
    assert logged() == [("ERROR", str(caught.value))]


def test_slow_lookups_hold_up_neither_the_loop_nor_a_quick_one(serve: Serve, make: Make) -> None:
    go_on = threading.Event()

    def script(request: Request) -> Say:
        if request.message["connId"] == "slow":
            return Say(then=lambda conn: (go_on.wait(20), conn.sendall(answer("{}").data)))
        return answer('{"host": "quick"}')

    backend = make(socket=serve(script).path)

    async def trigger() -> dict[str, str]:
        slow = [asyncio.ensure_future(backend.aget_connection("slow")) for _ in range(100)]
        quick: dict[str, str] = await backend.aget_connection("quick")
        assert not any(task.done() for task in slow)
        go_on.set()
        await asyncio.gather(*slow)
        return quick

    before = threading.active_count()
    assert asyncio.run(trigger()) == {"conn_id": "quick", "host": "quick"}
    assert threading.active_count() - before < 150  # the fake's own threads, and none of the shim's


def test_a_cancelled_lookup_lets_go_of_its_connection(serve: Serve) -> None:
    asked, ended = threading.Event(), threading.Event()

    def until_the_end(conn: socket.socket) -> None:
        asked.set()
        if conn.recv(1) == b"":
            ended.set()

    broker = serve(Say(then=until_the_end))

    async def cancel() -> None:
        task = asyncio.ensure_future(Client(broker.path, 20).aget("connection", "a"))
        assert await asyncio.get_running_loop().run_in_executor(None, asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.get_running_loop().run_in_executor(None, ended.wait, 10)

    asyncio.run(cancel())


def test_one_deadline_covers_it_all(serve: Serve) -> None:
    timed_out(serve(Say(then=never)))


@pytest.mark.connect_only
def test_it_covers_an_answer_that_has_begun(serve: Serve) -> None:
    """Framed as in HTTP/1.1; test_grpc.py has the other."""
    timed_out(serve(Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", then=drip(b" "))))


def timed_out(broker: FakeBroker) -> None:
    """A lookup ends at its deadline."""
    started = time.monotonic()
    with pytest.raises(ValetError) as caught:
        asyncio.run(Client(broker.path, DEADLINE).aget("connection", "a"))
    assert DEADLINE * 0.9 <= time.monotonic() - started < DEADLINE + GRACE
    assert caught.value.reason == "TIMED_OUT"


def test_a_full_queue_of_new_connections_is_waited_for_until_the_deadline(sockets: Path) -> None:
    path = sockets / "full.sock"
    with full_listener(path), socket.socket(socket.AF_UNIX) as first:
        first.connect(str(path))
        with pytest.raises(ValetError) as caught:
            asyncio.run(Client(str(path), DEADLINE).aget("connection", "a"))
        assert caught.value.reason == "TIMED_OUT"


@pytest.mark.parametrize("case", GARBAGE)
def test_what_is_no_answer_is_a_fault_that_quotes_nothing(serve: Serve, case: str, transport: str) -> None:
    with pytest.raises(ValetError) as caught:
        asyncio.run(Client(serve(GARBAGE[case]).path, 4).aget("connection", "a"))
    assert caught.value.reason == REASON[transport].get(case, "BAD_ANSWER")
    assert CANARY not in everything_said(caught.value)


@pytest.mark.parametrize("value", ["", "ünï 🚀", "x" * 1_000_000])
def test_a_value_comes_back_byte_for_byte(serve: Serve, value: str) -> None:
    assert asyncio.run(Client(serve(answer(value)).path, 4).aget("variable", "a")).value == value


BODY = b'{"value": "v", "source": "s"}'
CHUNKED = b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.connect_only
@pytest.mark.parametrize(
    "rest", [CHUNKED, b"\r\n" + BODY, b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)]
)
def test_an_answer_is_read_to_its_end_however_it_is_framed_and_cut(serve: Serve, rest: bytes) -> None:
    """Of HTTP/1.1, whose answers end in three ways; grpcio reads its own frames."""
    for cut in (1, rest.index(b"{"), len(rest) - 1):
        said = Say(b"HTTP/1.1 200 OK\r\n" + rest[:cut], then=later(rest[cut:]), close=True)
        broker = serve(said, f"{cut}.sock")
        assert asyncio.run(Client(broker.path, 4).aget("variable", "a")).value == "v"


def later(data: bytes) -> Callable[[socket.socket], None]:
    def send(conn: socket.socket) -> None:
        time.sleep(0.01)  # so that the loop reads what came before by itself
        conn.sendall(data)

    return send


def test_a_name_that_is_no_text_is_bad_without_asking(serve: Serve) -> None:
    with pytest.raises(ValetNotFound):
        asyncio.run(Client(serve(answer("v")).path, 4).aget("variable", "a\ud800"))


def test_a_missing_socket_fails_at_once(sockets: Path) -> None:
    with pytest.raises(ValetError, match="is the Valet sidecar running"):
        asyncio.run(Client(str(sockets / "none.sock"), 60).aget("connection", "a"))

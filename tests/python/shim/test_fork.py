"""Forks: Airflow looks things up, forks, and looks things up again on both sides."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from airflow_valet import connection, grpc_calls

from broker import FakeBroker, Request, Say, answer
from conftest import Client

Serve = Callable[..., FakeBroker]


def in_child(work: Callable[[], bool]) -> int:
    """Fork, do ``work`` in the child, and leave as Airflow's task processes do. Gives the child's pid."""
    pid = os.fork()
    if pid == 0:
        good = False
        with suppress(BaseException):
            good = work()
        os._exit(0 if good else 1)
    return pid


def succeeded(pid: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def echo(request: Request) -> Say:
    return answer(request.message["key"])


def test_fifty_children_and_their_parent_look_up_before_and_after_the_fork(serve: Serve) -> None:
    broker = serve(echo)
    client = Client(broker.path, 20)

    def look_up(name: str) -> bool:
        return all(client.get("variable", f"{name} {i}").value == f"{name} {i}" for i in range(5))

    assert look_up("before")
    children = [in_child(lambda i=i: look_up(f"child {i}")) for i in range(50)]
    assert look_up("after")
    assert [succeeded(child) for child in children] == [True] * 50
    by_connection: dict[int, set[str]] = {}
    for request in broker.requests:
        by_connection.setdefault(request.connection, set()).add(request.message["key"][:-2])
    assert by_connection.pop(1) == {"before", "after"}  # the parent's, which no child used or shut down
    assert sorted(by_connection.values(), key=str) == sorted([{f"child {i}"} for i in range(50)], key=str)


def test_a_child_of_a_child_connects_anew(serve: Serve) -> None:
    broker = serve(echo)
    client = Client(broker.path, 20)

    def look_up(name: str) -> bool:
        return client.get("variable", name).value == name

    assert look_up("parent")
    assert succeeded(
        in_child(lambda: look_up("child") and succeeded(in_child(lambda: look_up("grandchild"))))
    )
    assert look_up("parent again")
    assert [request.connection for request in broker.requests] == [1, 2, 3, 1]


def test_a_fork_while_threads_are_mid_lookup_harms_neither_side(serve: Serve) -> None:
    held, go_on = threading.Semaphore(0), threading.Event()

    def script(request: Request) -> Say:
        if request.message["key"] == "slow":
            held.release()
            return Say(then=lambda conn: (go_on.wait(20), conn.sendall(answer("slow").data)))
        return echo(request)

    broker = serve(script)
    client = Client(broker.path, 20)
    values: list[str] = []
    threads = [
        threading.Thread(target=lambda: values.append(client.get("variable", "slow").value)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert held.acquire(timeout=10)
    children = [in_child(lambda: client.get("variable", "child").value == "child") for _ in range(10)]
    assert [succeeded(child) for child in children] == [True] * 10
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert values == ["slow"] * 3


@pytest.mark.connect_only
def test_a_child_holds_none_of_its_parents_sockets(serve: Serve) -> None:
    """Of our own connections; what a child inherits of gRPC it must not so much as close."""
    broker = serve(echo)
    client = Client(broker.path, 20)
    client.get("variable", "a")
    (inherited,) = [kept.fileno() for kept in connection._open]

    def closed() -> bool:
        try:
            os.fstat(inherited)
        except OSError:
            return not connection._idle and not connection._open
        return False

    assert succeeded(in_child(closed))
    assert client.get("variable", "b").value == "b"
    assert {request.connection for request in broker.requests} == {1}


def test_a_fork_that_python_does_not_know_of_is_noticed_by_the_pid(
    serve: Serve, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_process = grpc_calls if transport == "grpc" else connection
    broker = serve(echo)
    client = Client(broker.path, 20)
    client.get("variable", "a")
    monkeypatch.setattr(of_the_process, "_pid", -1)
    client.get("variable", "b")
    assert [request.connection for request in broker.requests] == [1, 2]
    assert of_the_process._pid == os.getpid()


def test_the_peer_sees_the_end_of_a_connection_only_when_the_parent_ends_it(
    serve: Serve, transport: str
) -> None:
    ended = threading.Event()

    def watch(conn: socket.socket) -> None:
        if conn.recv(1, socket.MSG_PEEK) == b"":
            ended.set()

    broker = serve(Say(answer("v").data, then=watch))
    Client(broker.path, 20).get("variable", "a")
    assert succeeded(in_child(lambda: True))
    assert not ended.wait(0.05)
    if transport == "grpc":
        grpc_calls._drop(broker.path, grpc_calls._channels[broker.path])
    else:
        connection._open.copy().pop().close()
    assert ended.wait(10)


def test_no_state_is_kept_by_the_backend_itself(serve: Serve, make: Callable[..., Any]) -> None:
    broker = serve(echo)
    for i in range(27):
        assert make(socket=broker.path).get_variable(f"{i}") == f"{i}"
    assert {request.connection for request in broker.requests} == {1}

"""Connections: reused, bounded, tried once more in one case, and never outlasting the deadline."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from airflow_valet import connection
from airflow_valet.errors import ValetError

from broker import FakeBroker, Request, Say, answer, reply
from conftest import Client

Serve = Callable[..., FakeBroker]

#: Seconds; a lookup's deadline in these tests, and how much later it may at most have ended.
DEADLINE, GRACE = 0.15, 1.0


def test_lookups_one_after_another_share_a_connection(serve: Serve) -> None:
    broker = serve(answer("v"))
    for _ in range(20):
        assert Client(broker.path, 4).get("connection", "a").value == "v"
    assert {request.connection for request in broker.requests} == {1}


def test_a_connection_that_the_broker_closed_while_idle_is_replaced_unnoticed(serve: Serve) -> None:
    broker = serve(answer("v"))
    client = Client(broker.path, 4)
    for _ in range(3):
        assert client.get("connection", "a").value == "v"
        broker.close_connections()
    assert [request.connection for request in broker.requests] == [1, 2, 3]


@pytest.mark.connect_only
def test_a_broker_that_says_close_is_taken_at_its_word(serve: Serve) -> None:
    """By a header of HTTP/1.1; the GOAWAY of HTTP/2 is grpcio's business."""
    broker = serve(Say(reply(200, b'{"value": "v", "source": "s"}', {"connection": "close"})))
    for _ in range(2):
        Client(broker.path, 4).get("connection", "a")
    assert [request.connection for request in broker.requests] == [1, 2]


def closing_at_second_request(data: bytes) -> Callable[[Request], Say]:
    seen: set[int] = set()

    def script(request: Request) -> Say:
        if request.connection in seen and request.connection == 1:
            return Say(data, close=True)
        seen.add(request.connection)
        return answer("v")

    return script


def test_a_reused_connection_that_gives_no_byte_is_tried_once_more_on_a_new_one(serve: Serve) -> None:
    broker = serve(closing_at_second_request(b""))
    client = Client(broker.path, 4)
    assert [client.get("connection", "a").value for _ in range(2)] == ["v", "v"]
    assert [request.connection for request in broker.requests] == [1, 1, 2]


@pytest.mark.connect_only
def test_a_reused_connection_that_gave_a_byte_is_not_tried_again(serve: Serve) -> None:
    """Of HTTP/1.1: grpcio does not say what came before a connection was lost."""
    broker = serve(closing_at_second_request(b"H"))
    client = Client(broker.path, 4)
    client.get("connection", "a")
    with pytest.raises(ValetError):
        client.get("connection", "a")
    assert [request.connection for request in broker.requests] == [1, 1]


def test_a_new_connection_is_not_tried_again(serve: Serve) -> None:
    broker = serve(Say(close=True))
    with pytest.raises(ValetError):
        Client(broker.path, 4).get("connection", "a")
    assert len(broker.requests) == 1


def test_it_is_tried_once_more_and_not_twice(serve: Serve) -> None:
    broker = serve(answer("v"))
    client = Client(broker.path, 4)
    client.get("connection", "a")
    broker.script = lambda _: Say(close=True)
    with pytest.raises(ValetError):
        client.get("connection", "a")
    assert [request.connection for request in broker.requests] == [1, 1, 2]


@pytest.mark.connect_only
def test_bytes_that_nobody_asked_for_never_become_an_answer(serve: Serve) -> None:
    """Of HTTP/1.1; in HTTP/2 an answer names the request that it is for."""
    answered, sent = threading.Event(), threading.Event()

    def unasked(conn: socket.socket) -> None:
        answered.wait(5)
        conn.sendall(reply(200, b'{"value": "of another", "source": "s"}'))
        sent.set()

    broker = serve(Say(answer("first").data, then=unasked))
    client = Client(broker.path, 4)
    assert client.get("connection", "a").value == "first"
    answered.set()
    assert sent.wait(5)
    broker.script = lambda _: answer("second")
    assert client.get("connection", "b").value == "second"
    assert [request.connection for request in broker.requests] == [1, 2]


def test_many_threads_get_their_own_answers_and_few_connections_are_kept(
    serve: Serve, transport: str
) -> None:
    together = threading.Barrier(16)

    def script(request: Request) -> Say:
        if request.message["key"].startswith("first"):
            together.wait(10)
        return answer(request.message["key"])

    broker = serve(script)
    client = Client(broker.path, 10)

    def look_up(thread: int) -> list[str]:
        return [client.get("variable", f"{stage} {thread}").value for stage in ("first", *range(50))]

    with ThreadPoolExecutor(16) as pool:
        for thread, values in enumerate(pool.map(look_up, range(16))):
            assert values == [f"{stage} {thread}" for stage in ("first", *range(50))]
    if transport == "grpc":
        assert len(broker.connections) == 1
    else:
        assert 0 < len(connection._idle[broker.path]) <= connection.MAX_IDLE
        assert set(connection._open) == set(connection._idle[broker.path])


def test_a_failed_lookup_leaves_no_connection_behind(serve: Serve) -> None:
    broker = serve(Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", close=True))
    for _ in range(5):
        with pytest.raises(ValetError):
            Client(broker.path, 4).get("connection", "a")
    assert not connection._open


def test_another_socket_gets_a_connection_of_its_own(serve: Serve) -> None:
    one, other = serve(answer("one"), "one.sock"), serve(answer("other"), "other.sock")
    for _ in range(2):
        assert Client(one.path, 4).get("variable", "a").value == "one"
        assert Client(other.path, 4).get("variable", "a").value == "other"
    assert len(one.connections) == len(other.connections) == 1


def never(conn: socket.socket) -> None:
    conn.recv(1)  # nothing comes: until the other side gives up


def drip(data: bytes) -> Callable[[socket.socket], None]:
    def send(conn: socket.socket) -> None:
        while True:
            conn.sendall(data)
            time.sleep(DEADLINE / 20)

    return send


def test_one_deadline_covers_it_all(serve: Serve) -> None:
    timed_out(serve(Say(then=never)))


@pytest.mark.connect_only
@pytest.mark.parametrize(
    "said",
    [
        Say(b"HTTP/1.1 200 OK\r\n", then=never),
        Say(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"value": ', then=never),
        Say(b"HTTP/1.1 200 OK\r\nx: ", then=drip(b"x")),
        Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", then=drip(b" ")),
        Say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", then=drip(b"1\r\n \r\n")),
        Say(b"", then=drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
    ],
    ids=["head", "half a body", "slow head", "slow body", "slow chunks", "continues"],
)
def test_it_covers_an_answer_that_has_begun(serve: Serve, said: Say) -> None:
    """Framed as in HTTP/1.1; test_grpc.py has the other."""
    timed_out(serve(said))


def timed_out(broker: FakeBroker) -> None:
    """A lookup ends at its deadline, and says so."""
    started = time.monotonic()
    with pytest.raises(ValetError) as caught:
        Client(broker.path, DEADLINE).get("connection", "a")
    assert DEADLINE * 0.9 <= time.monotonic() - started < DEADLINE + GRACE
    assert caught.value.reason == "TIMED_OUT"
    assert str(caught.value).startswith(f"connection 'a': no answer from {broker.path} within 0.15 s")
    assert len(broker.requests) == 1


@contextmanager
def many_signals() -> Iterator[list[int]]:
    """A signal every hundredth of the deadline, as sampling profilers send them; gives those that came."""
    came: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: came.append(number))
    signal.setitimer(signal.ITIMER_REAL, DEADLINE / 100, DEADLINE / 100)
    try:
        yield came
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("team", [None, "x" * 10_000_000], ids=["receiving", "sending"])
def test_signals_do_not_put_the_deadline_off(sockets: Path, team: str | None, transport: str) -> None:
    path = sockets / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener, many_signals() as came:
        listener.bind(str(path))
        listener.listen(1)
        started = time.monotonic()
        with pytest.raises(ValetError) as caught:
            Client(str(path), DEADLINE).get("connection", "a", team)
        assert DEADLINE * 0.9 <= time.monotonic() - started < DEADLINE + GRACE
    assert caught.value.reason == "TIMED_OUT"
    assert len(came) > 1 or transport == "grpc"  # grpcio lets handlers run every 0.2 s


def test_a_lookup_that_signals_interrupt_goes_on(serve: Serve) -> None:
    with many_signals() as came:

        def once_some_have_come(conn: socket.socket) -> None:
            while len(came) < 5:
                time.sleep(DEADLINE / 100)
            conn.sendall(answer("v").data)

        broker = serve(Say(then=once_some_have_come))
        assert Client(broker.path, 20).get("connection", "a", "x" * 1_000_000).value == "v"
    assert len(broker.requests) == 1


@pytest.mark.connect_only
@pytest.mark.parametrize("cut", [1, 20, 60, 90])
def test_an_answer_that_comes_in_pieces_is_read_whole_and_its_connection_kept(serve: Serve, cut: int) -> None:
    """Of HTTP/1.1, which is cut anywhere; grpcio puts its own frames together."""
    data = answer("v" * 100).data

    def rest(conn: socket.socket) -> None:
        time.sleep(0.01)  # so that what came before is received by itself
        conn.sendall(data[cut:])

    broker = serve(Say(data[:cut], then=rest))
    for _ in range(2):
        assert Client(broker.path, 20).get("connection", "a").value == "v" * 100
    assert {request.connection for request in broker.requests} == {1}


def test_a_late_answer_is_never_given_to_the_next_lookup(serve: Serve) -> None:
    go_on = threading.Event()
    broker = serve(Say(then=lambda conn: (go_on.wait(5), conn.sendall(answer("late").data))))
    client = Client(broker.path, DEADLINE)
    with pytest.raises(ValetError):
        client.get("connection", "a")
    go_on.set()
    broker.script = lambda _: answer("own")
    assert client.get("connection", "b").value == "own"


def full_listener(path: Path) -> socket.socket:
    """A listener whose queue of one is taken, so that the next to connect must wait."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(0)
    return listener


def test_a_full_queue_of_new_connections_is_waited_for_until_the_deadline(sockets: Path) -> None:
    path = sockets / "full.sock"
    with full_listener(path), socket.socket(socket.AF_UNIX) as first:
        first.connect(str(path))
        started = time.monotonic()
        with pytest.raises(ValetError) as caught:
            Client(str(path), DEADLINE).get("connection", "a")
        assert DEADLINE * 0.9 <= time.monotonic() - started < DEADLINE + GRACE
        assert caught.value.reason == "TIMED_OUT"


def test_a_body_too_large_to_send_at_once_is_under_the_deadline_too(sockets: Path) -> None:
    path = sockets / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)
        started = time.monotonic()
        with pytest.raises(ValetError) as caught:
            Client(str(path), DEADLINE).get("connection", "a", "x" * 10_000_000)
        assert time.monotonic() - started < DEADLINE + GRACE
        assert caught.value.reason == "TIMED_OUT"


def test_so_it_is_on_a_connection_that_an_earlier_more_patient_lookup_used(serve: Serve) -> None:
    go_on = threading.Event()
    broker = serve(Say(answer("v").data, then=lambda _: go_on.wait(20)))
    Client(broker.path, 20).get("connection", "a")
    started = time.monotonic()
    with pytest.raises(ValetError) as caught:
        Client(broker.path, DEADLINE).get("connection", "a", "x" * 10_000_000)
    assert time.monotonic() - started < DEADLINE + GRACE
    assert caught.value.reason == "TIMED_OUT"
    go_on.set()


def test_an_interrupted_lookup_leaves_nothing_to_be_read_by_the_next(serve: Serve) -> None:
    class TaskTimeout(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise TaskTimeout

    go_on = threading.Event()

    def late(conn: socket.socket) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)  # now that it is asked for
        go_on.wait(10)
        conn.sendall(answer("first").data)

    broker = serve(Say(then=late))
    client = Client(broker.path, 20)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(TaskTimeout):
            client.get("connection", "a")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not connection._open
    broker.script = lambda _: answer("second")
    go_on.set()
    assert client.get("connection", "b").value == "second"

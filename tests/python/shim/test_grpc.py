"""What is gRPC's own: framing, messages made at run time, what is installed, and forks amid calls."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow_valet import grpc_calls
from airflow_valet.errors import ValetError, ValetUnavailable
from airflow_valet.reply import MAX_ANSWER
from google.protobuf import descriptor_pb2

from broker import FakeBroker, Request, Say, answer, fault
from conftest import SHIM, Client
from http2 import Stream, frame
from test_async import timed_out as atimed_out
from test_connections import never, timed_out
from test_fork import echo, in_child, succeeded
from test_import import python, write
from test_wire import is_a_fault

Serve = Callable[..., FakeBroker]
Make = Callable[..., Any]
ROOT = SHIM.parents[1]
OK = [(":status", "200"), ("content-type", "application/grpc")]
DONE = [("grpc-status", "0")]
SDK = {"airflow/__init__.py": "", "airflow/secrets/__init__.py": "BaseSecretsBackend = object\n"}
LOOK_UP = (
    "import sys, airflow_valet\n"
    "backend = airflow_valet.ValetBackend(socket='/nowhere', transport='TRANSPORT', on_unavailable='skip')\n"
    "assert not {'grpc', 'google'} & sys.modules.keys()\n"
    "try:\n"
    "    print(backend.get_variable('a'))\n"
    "except airflow_valet.ValetUnavailable as error:\n"
    "    print(error)\n"
    "print('grpc' in sys.modules)\n"
)
pytestmark = pytest.mark.grpc_only


@pytest.mark.parametrize(
    ("kind", "target", "message"),
    [
        ("connection", "/valet.v1.Broker/GetConnection", {"connId": "a_b", "team": "t"}),
        ("variable", "/valet.v1.Broker/GetVariable", {"key": "a_b", "team": "t"}),
        ("config", "/valet.v1.Broker/GetConfig", {"key": "a_b", "team": "t"}),
    ],
)
def test_a_lookup_is_a_grpc_call(serve: Serve, kind: str, target: str, message: dict[str, str]) -> None:
    broker = serve(answer("v", mask=["v"], version="7"))
    got = Client(broker.path, 4).get(kind, "a_b", "t")
    (request,) = broker.requests
    assert (got.value, got.mask, got.fields["version"]) == ("v", ["v"], "7")
    assert (request.target, request.message) == (target, message)
    assert (request.headers["content-type"], request.headers[":authority"]) == ("application/grpc", "valet")
    unit = {"m": 1, "S": 1000}[request.headers["grpc-timeout"][-1]]
    assert 3000 < int(request.headers["grpc-timeout"][:-1]) * unit < 4100  # it is rounded up


def test_the_messages_are_those_that_proto_compiles_to(tmp_path: Path) -> None:
    """Where they are not: run this command with python-shim/src/airflow_valet/schema.binpb as its output."""
    output = tmp_path / "schema.binpb"
    protoc = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        "--include_imports",
        f"--descriptor_set_out={output}",
    ]
    files = ["valet/v1/broker.proto", "valet/v1/admin.proto"]
    subprocess.run([*protoc, "-I", str(ROOT / "proto"), *files], check=True)
    compiled, shipped = (
        descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
        for path in (output, SHIM / "airflow_valet" / "schema.binpb")
    )
    assert shipped == compiled


@pytest.mark.parametrize("transport_asked_for", ["connect", "grpc"])
def test_grpc_is_loaded_by_the_first_lookup_that_wants_it(tmp_path: Path, transport_asked_for: str) -> None:
    installed = [Path(path) for path in sys.path if path.endswith("site-packages")]
    printed = python(LOOK_UP.replace("TRANSPORT", transport_asked_for), write(tmp_path, SDK), *installed)
    assert printed.splitlines() == ["None", str(transport_asked_for == "grpc")]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "No module named 'grpc'"),
        ({"grpc/__init__.py": "__version__ = '1.73.1'"}, "grpcio 1.73.1 is installed"),
        ({"grpc/__init__.py": "__version__ = '1.74.0'"}, "No module named 'google'"),
        (
            {
                "grpc/__init__.py": "__version__ = '1.74.0'",
                "google/protobuf/__init__.py": "descriptor_pb2 = descriptor_pool = json_format = None",
                "google/protobuf/message_factory.py": "",
            },
            "cannot import name 'GetMessageClass'",
        ),
    ],
    ids=["no grpcio", "old grpcio", "no protobuf", "old protobuf"],
)
def test_what_is_not_installed_is_named_at_the_first_lookup(
    tmp_path: Path, files: dict[str, str], why: str
) -> None:
    only_these = "import sys; sys.path = [path for path in sys.path if 'site-packages' not in path]\n"
    only_these *= why.startswith("No module")
    quiet = "import logging; logging.disable()\n"
    printed = python(
        only_these + quiet + LOOK_UP.replace("TRANSPORT", "grpc"),
        write(tmp_path, {**SDK, **files}),
    )
    assert "variable 'a': `transport: grpc` needs grpcio 1.74 and protobuf 4.25, or later" in printed
    assert why in printed
    assert "pip install 'airflow-valet[grpc]' (BAD_CONFIG)" in printed


def begun(stream: Stream) -> None:
    """Send the head and a part of a message, and no more."""
    stream.send(OK, frame(b"x" * 99)[:50], end=False)
    never(stream)


def test_the_deadline_covers_an_answer_that_has_begun(serve: Serve) -> None:
    broker = serve(Say(then=begun))
    timed_out(broker)
    broker.requests.clear()
    atimed_out(broker)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\xff\xff\xff", "BAD_ANSWER"),
        (b"\x0a\x02\xff\xfe", "BAD_ANSWER"),
        (b"x" * (MAX_ANSWER + 1), "TOO_LARGE"),
    ],
    ids=["no message", "not utf-8", "huge"],
)
def test_a_message_that_is_no_answer_is_a_fault(serve: Serve, message: bytes, reason: str) -> None:
    is_a_fault(serve(Say(then=lambda stream: stream.send(OK, frame(message), DONE))), reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("unavailable", "UNREACHABLE"),
        ("deadline_exceeded", "TIMED_OUT"),
        ("resource_exhausted", "TOO_LARGE"),
        ("unimplemented", "BAD_ANSWER"),
        ("internal", "BAD_ANSWER"),
    ],
)
def test_a_code_that_grpc_makes_up_too_is_not_taken_for_the_brokers_word(
    serve: Serve, code: str, reason: str
) -> None:
    is_a_fault(serve(fault(500, code, None)), reason)


@pytest.mark.parametrize("name", ["a b.sock", "%20.sock", "a?b#c.sock", "ünï.sock", "a:b.sock"])
def test_a_socket_may_have_any_name(serve: Serve, name: str) -> None:
    assert Client(serve(answer("v"), name).path, 4).get("variable", "a").value == "v"


def test_no_proxy_is_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "grpc_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Client(serve(answer("v")).path, 4).get("variable", "a").value == "v"


@contextmanager
def amid_a_slow_lookup(serve: Serve) -> Iterator[tuple[FakeBroker, Client]]:
    """A client whose lookup of ``slow`` is under way until the block ends."""
    asked, go_on = threading.Event(), threading.Event()

    def script(request: Request) -> Say:
        if request.message["key"] == "slow":
            asked.set()
            go_on.wait(10)
        return echo(request)

    broker = serve(script)
    client = Client(broker.path, 20)
    slow = threading.Thread(target=client.get, args=("variable", "slow"))
    slow.start()
    assert asked.wait(10)
    try:
        yield broker, client
    finally:
        go_on.set()
        slow.join(10)


def test_slow_lookups_share_a_connection_with_quick_ones(serve: Serve) -> None:
    with amid_a_slow_lookup(serve) as (broker, client):
        assert client.get("variable", "quick").value == "quick"
    assert {request.connection for request in broker.requests} == {1}


def test_a_child_of_a_quiet_process_speaks_grpc_on_a_channel_of_its_own(serve: Serve) -> None:
    broker = serve(echo)
    client = Client(broker.path, 20)
    client.get("variable", "parent")
    kept = grpc_calls._channels[broker.path]
    assert succeeded(in_child(lambda: client.get("variable", "child").value == "child"))
    assert client.get("variable", "parent").value == "parent"
    assert grpc_calls._channels[broker.path] is kept
    assert [request.connection for request in broker.requests] == [1, 2, 1]
    assert {request.headers["content-type"] for request in broker.requests} == {"application/grpc"}


def test_a_child_forked_amid_a_call_speaks_connect_as_do_its_own(serve: Serve) -> None:
    with amid_a_slow_lookup(serve) as (broker, client):

        def look_up(name: str) -> bool:
            return client.get("variable", name).value == name

        child = in_child(lambda: look_up("child") and succeeded(in_child(lambda: look_up("grandchild"))))
        assert succeeded(child)
    assert look_up("parent")
    spoken = {request.message["key"]: request.headers["content-type"] for request in broker.requests}
    assert spoken == {
        "slow": "application/grpc",
        "child": "application/json",
        "grandchild": "application/json",
        "parent": "application/grpc",
    }


def test_a_lookup_that_fails_leaves_nothing_open(sockets: Path, serve: Serve) -> None:
    broker = serve(Say(close=True))
    for _ in range(3):
        with pytest.raises(ValetError):
            Client(broker.path, 4).get("variable", "a")
    before = len(os.listdir("/proc/self/fd"))
    for path in (broker.path, str(sockets / "none.sock")):
        for _ in range(20):
            with pytest.raises(ValetUnavailable):
                Client(path, 4).get("variable", "a")
    assert not grpc_calls._channels
    assert not grpc_calls._under_way
    assert len(os.listdir("/proc/self/fd")) < before + 10

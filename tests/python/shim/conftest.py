"""What the shim's tests share: a broker to talk to, and a backend on a stand-in for Airflow.

Each test that talks to a broker, or makes a backend, runs over both transports; one marked `connect_only`
or `grpc_only` is about the framing itself, and says so.

With ``VALET_BIN`` set to a built `valet`, the tests that use `served` talk to that instead of the fake.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker import FakeBroker, Request, Say

SHIM = Path(__file__).resolve().parents[3] / "python-shim" / "src"
sys.path.insert(0, str(SHIM))

from airflow_valet import client  # noqa: E402 - from where it was just said to be

TRANSPORTS = ["connect", "grpc"]

#: In every value that the tests serve; must be in no log and in no exception.
CANARY = "canary-7f3a9c51"

#: The Pythons that test_pythons.py ran on.
pythons: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Let nothing pass that only warns: an unclosed socket, an exception in a thread."""
    config.addinivalue_line("filterwarnings", "error")
    for transport in TRANSPORTS:
        config.addinivalue_line("markers", f"{transport}_only: is about the framing of this transport")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what has to do with a transport over each."""
    if "transport" in metafunc.fixturenames:
        marked = [t for t in TRANSPORTS if metafunc.definition.get_closest_marker(f"{t}_only")]
        metafunc.parametrize("transport", marked or TRANSPORTS, indirect=True)


def Client(path: str, timeout: float) -> client.Client:  # noqa: N802 - it stands for the class
    """A client by the transport that the test is run over."""
    return client.Client(path, timeout, os.environ.get("VALET_TRANSPORT", "connect"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what "every Python" meant here."""
    if pythons:
        terminalreporter.write_line(f"the shim ran on Python {', '.join(pythons)}")


@pytest.fixture
def transport(fresh_process: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The transport that this test is run over, also by what it starts."""
    monkeypatch.setenv("VALET_TRANSPORT", request.param)
    return str(request.param)


@pytest.fixture
def sockets(transport: str) -> Iterator[Path]:
    """A directory with a short name, since the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="shim-") as directory:
        yield Path(directory)


@pytest.fixture
def serve(sockets: Path) -> Iterator[Callable[..., FakeBroker]]:
    """Start fake brokers; the script may be a function of the request, or one answer to all."""
    brokers: list[FakeBroker] = []

    def start(script: Callable[[Request], Say] | Say, name: str = "valet.sock") -> FakeBroker:
        scripted = script if callable(script) else lambda _: script
        brokers.append(FakeBroker(sockets / name, scripted))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.close()


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what earlier tests left in the shim's process-wide state, and in the environment."""
    from airflow_valet import connection, grpc_calls, masking

    connection._start_anew()
    for path, channel in dict(grpc_calls._channels).items():
        grpc_calls._drop(path, channel)
    masking._masked.clear()
    for name in list(os.environ):
        if name.startswith(("VALET_SOCKET", "VALET_T", "VALET_ON", "AIRFLOW_CTX_")):
            monkeypatch.delenv(name)


@pytest.fixture
def airflow_base(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Airflow's base class as it has been in every version: None falls through, the rest is parsed."""
    airflow, secrets = types.ModuleType("airflow"), types.ModuleType("airflow.secrets")

    class BaseSecretsBackend:
        def get_connection(self, conn_id: str) -> Any:
            value = self.get_conn_value(conn_id=conn_id)  # type: ignore[attr-defined]
            return self.deserialize_connection(conn_id=conn_id, value=value) if value else None

        def deserialize_connection(self, conn_id: str, value: str) -> Any:
            return {"conn_id": conn_id, **json.loads(value)}

    secrets.BaseSecretsBackend = BaseSecretsBackend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", airflow)
    monkeypatch.setitem(sys.modules, "airflow.secrets", secrets)
    monkeypatch.delitem(sys.modules, "airflow_valet.backend", raising=False)
    yield
    sys.modules.pop("airflow_valet.backend", None)


@pytest.fixture
def make(airflow_base: None, transport: str) -> Callable[..., Any]:
    """Make a backend with the given arguments."""
    return importlib.import_module("airflow_valet").ValetBackend


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """The shim's log so far, as (level, message)."""
    caplog.set_level(logging.DEBUG, logger="airflow_valet")
    return lambda: [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "airflow_valet"]

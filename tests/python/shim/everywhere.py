"""What the shim does, in one go: test_pythons.py runs it on every Python, with the standard library alone.

With ``VALET_TRANSPORT=grpc`` it needs grpcio, protobuf and, for the fake broker, h2.

Prints the version it ran on; any failure ends it with a traceback.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import platform
import subprocess
import sys
import tempfile
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[3] / "python-shim" / "src")]

import airflow_valet

from broker import FakeBroker, Request, Say, answer, fault


def script(request: Request) -> Say:
    """Answer by the name that is asked for."""
    name = next(iter(request.message.values()))
    said = {
        "denied": fault(403, "permission_denied", "DENIED_BY_POLICY"),
        "missing": fault(404, "not_found", "NOT_FOUND"),
        "silent": Say(close=True),
        "slow": Say(then=lambda conn: conn.recv(1)),
        "odd": Say(b"SSH-2.0\r\n", close=True),
    }
    return said.get(name) or answer(f"value of {name}")


def main(path: Path) -> None:
    """Every kind of lookup, on both sides of a fork, in threads, on a loop and from the command line."""
    base = types.ModuleType("airflow.secrets")
    base.BaseSecretsBackend = object  # type: ignore[attr-defined]
    assert not any(name.partition(".")[0] == "airflow" for name in sys.modules)
    sys.modules.update({"airflow": types.ModuleType("airflow"), "airflow.secrets": base})
    broker = FakeBroker(path, script)
    backend = airflow_valet.ValetBackend(socket=str(path), timeout="5", nonsense=1)

    assert backend.get_conn_value("a", team_name=None) == "value of a"
    assert backend.get_variable(key="b") == "value of b"
    assert backend.get_config("c") == "value of c"
    assert backend.get_conn_value("missing") is None
    assert asyncio.run(backend.aget_variable("d")) == "value of d"
    assert asyncio.run(backend.aget_variable("missing")) is None
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(backend.get_variable, "efghijkl" * 9)) == [
            f"value of {c}" for c in "efghijkl" * 9
        ]
    impatient = airflow_valet.ValetBackend(socket=str(path), timeout=0.05)
    for name, kind, reason in (
        ("denied", airflow_valet.ValetDenied, "DENIED_BY_POLICY"),
        ("silent", airflow_valet.ValetUnavailable, "UNREACHABLE"),
        ("slow", airflow_valet.ValetUnavailable, "TIMED_OUT"),
        ("odd", airflow_valet.ValetUnavailable, "BAD_ANSWER"),
    ):
        for look_up in (impatient.get_variable, lambda name: asyncio.run(impatient.aget_variable(name))):
            try:
                look_up(name)
            except kind as error:
                assert error.reason == reason, error
                assert pickle.loads(pickle.dumps(error)).args == error.args
            else:
                raise AssertionError(name)

    failure = type("ClientAuthenticationError", (Exception,), {"__module__": "azure.core.exceptions"})()
    airflow_valet.report_on_auth_failure({"exception": failure})
    reported = [request.message for request in broker.requests if request.target.endswith("/ReportRejected")]
    assert [(message["connId"], len(message["valueSha256"])) for message in reported] == [("a", 64)]
    assert airflow_valet.report_rejected("silent") is False

    backend.get_variable("before")
    children = []
    for _ in range(5):
        children.append(os.fork())
        if children[-1] == 0:
            os._exit(0 if backend.get_variable("after") == "value of after" else 1)
    assert backend.get_variable("meanwhile") == "value of meanwhile"
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5

    command = [sys.executable, "-m", "airflow_valet", "get", "variable", "x", "--socket", str(path)]
    source = {**os.environ, "PYTHONPATH": str(Path(airflow_valet.__file__).parents[1])}
    assert subprocess.run(command, env=source, capture_output=True, check=True).stdout == b"value of x\n"
    broker.close()


with tempfile.TemporaryDirectory() as directory:
    main(Path(directory, "valet.sock"))
print(platform.python_version())

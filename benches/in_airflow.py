"""Measures the backends inside a process that has loaded Airflow; prints one line of JSON. `benches/run.py` starts it.

in_airflow.py repeat VALET_SOCKET BARE_SOCKET CONNECTION_ID ROUNDS
in_airflow.py first valet|vault KWARGS CONNECTION_ID
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time

BLOCK = 50
"""Calls in a row to one server before it is the other's turn: short, so that both see the same noise."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("valet")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def _exchange(connection: _UnixConnection, body: bytes) -> bytes:
    """The least that `http.client` can do: one request, one answer, one connection."""
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/valet.v1.Broker/GetConnection", body=body, headers=headers)
    return connection.getresponse().read()


def repeat(valet: str, bare: str, name: str, rounds: int) -> dict[str, object]:
    """Nanoseconds of the shim's repeated lookup, and of a minimal exchange with the bare server, in turn."""
    from airflow_valet import ValetBackend

    backend = ValetBackend(socket=valet)
    connection = _UnixConnection(bare)
    body = json.dumps({"connId": name}).encode()
    shim_ns: list[int] = []
    bare_ns: list[int] = []
    for _ in range(rounds // BLOCK):
        for _ in range(BLOCK):
            start = time.perf_counter_ns()
            value = backend.get_conn_value(name)
            shim_ns.append(time.perf_counter_ns() - start)
            assert value
        for _ in range(BLOCK):
            start = time.perf_counter_ns()
            answer = _exchange(connection, body)
            bare_ns.append(time.perf_counter_ns() - start)
            assert answer
    return {"shim_ns": shim_ns[2 * BLOCK :], "bare_ns": bare_ns[2 * BLOCK :]}


def first(which: str, kwargs: dict[str, object], name: str) -> dict[str, object]:
    """Milliseconds from before the backend is imported until its first lookup has answered."""
    import airflow.models  # noqa: F401 - what a task process has loaded before it looks anything up

    start = time.perf_counter_ns()
    if which == "valet":
        from airflow_valet import ValetBackend as Backend
    else:
        from airflow.providers.microsoft.azure.secrets.key_vault import AzureKeyVaultBackend as Backend
    value = Backend(**kwargs).get_conn_value(name)
    taken = time.perf_counter_ns() - start
    assert value
    return {"ms": taken / 1e6}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "repeat":
        print(json.dumps(repeat(rest[0], rest[1], rest[2], int(rest[3]))))
    else:
        print(json.dumps(first(rest[0], json.loads(rest[1]), rest[2])))

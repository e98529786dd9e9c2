"""Runs the benches and prints their table: each figure beside what it is measured against, in the same run.

`make bench` calls it, with the paths of the release build and of an Airflow 3 in the environment. The figures go to
`target/bench/results.json` too. Nothing here fails for being slow: the machines are noisy.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support.programs import Valet, key_vault, managed_identity, program, valet, vault_with

HERE = Path(__file__).parent
NAME = "bench"
BROKERED = "brokered"
STORED = "stored"
VALUE = "postgres://airflow:not-a-real-password@reporting.postgres.database.azure.com:5432/reports?sslmode=require"
ROUNDS = 20_000
PYTHON_ROUNDS = 5_000
INTERPRETERS = 9
FEW, MANY = 10, 100_000
#: Names in one call of BatchGet, at most.
BATCH = 100


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    against: str
    ratio: str
    target: str
    met: bool


@contextmanager
def bare_server(directory: Path, answer: bytes) -> Iterator[str]:
    """The yardstick: a bare hyper server that answers with ``answer``; its socket."""
    body, socket = directory / "body.json", directory / "bare.sock"
    body.write_bytes(answer)
    process = subprocess.Popen([program("VALET_BENCH"), "--bare", str(socket), str(body)])
    try:
        deadline = time.monotonic() + 10
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield str(socket)
    finally:
        process.kill()
        process.wait()


@contextmanager
def on_one_core(broker: Valet) -> Iterator[None]:
    """Clients and servers on one core: which of two a wake-up takes is chance, and costs more than what is measured."""
    allowed = os.sched_getaffinity(0)
    threads = [int(thread.name) for thread in Path(f"/proc/{broker.process.pid}/task").iterdir()]

    def pin(cores: set[int]) -> None:
        for thread in (0, *threads):
            os.sched_setaffinity(thread, cores)

    pin({min(allowed)})
    try:
        yield
    finally:
        pin(allowed)


def answer_of(broker: Valet, name: str = NAME) -> bytes:
    """The very bytes that Valet answers with."""
    command = ["curl", "-sf", "--unix-socket", broker.socket, "--json", json.dumps({"connId": name})]
    return subprocess.check_output([*command, "http://valet/valet.v1.Broker/GetConnection"])


def warm_hit(broker: Valet, bare: str) -> Row:
    ours, theirs = _measured((broker.socket, NAME), (bare, NAME))
    what = "warm hit, Connect face, one client, p50"
    return _row(what, f"{ours:.0f} µs", f"{theirs:.0f} µs, a bare hyper server", ours / theirs, 2.0)


def brokered(broker: Valet) -> Row:
    ours, theirs = _measured((broker.socket, BROKERED), (broker.socket, STORED))
    what = "a brokered storage connection, warm, p50"
    return _row(what, f"{ours:.0f} µs", f"{theirs:.0f} µs, the same text stored in the vault", ours / theirs, 1.2)


def signing() -> Row:
    figures = json.loads(subprocess.check_output([program("VALET_SIGN_BENCH"), "--ratio"]))
    ours, theirs = figures["sas_ns"] / 1000, figures["hmac_ns"] / 1000
    return _row("signing a service SAS", f"{ours:.2f} µs", f"{theirs:.2f} µs, its HMAC-SHA256", ours / theirs, 2.0)


def shim_repeat(broker: Valet, bare: str) -> Row:
    figures = _in_airflow({}, "repeat", broker.socket, bare, NAME, str(PYTHON_ROUNDS))
    ours, theirs = (statistics.median(figures[key]) / 1000 for key in ("shim_ns", "bare_ns"))
    what = "the shim's repeated get_conn_value, p50"
    return _row(
        what, f"{ours:.0f} µs", f"{theirs:.0f} µs, minimal http.client with the bare server", ours / theirs, 1.25
    )


def herd() -> list[Row]:
    """What the cache does alone, in a process of its own."""
    figures = json.loads(subprocess.check_output([program("VALET_HERD_BENCH")]))
    slowest, grown = figures["herd_p99"], figures["resident_mb"]
    return [
        _row("1,000 callers of one cold name, p99", f"{slowest:.2f} s", "1.00 s, the fetch they share", slowest, 1.1),
        Row("10,000 cached connections of 500 bytes, more resident", f"{grown:.1f} MB", "", "", "≤ 30 MB", grown <= 30),
    ]


def many_names(directory: Path) -> Row:
    """A warm hit, scattered over all names that are cached, where these are many and where they are few."""
    held = {f"airflow-connections-many{number}": VALUE for number in range(MANY)}
    with vault_with(directory / "vault", held) as control, ExitStack() as stack:
        environment = {**managed_identity(control.endpoints), "VALET_LOG": "warn"}
        settings = {
            "sources": {"prod": key_vault(control.endpoints, budget={"requests": 100_000, "per": "1s"})},
            "cache": {"fresh": "1h", "max_bytes": "256MiB"},
            "audit": {"to": "off"},
        }
        sockets = []
        for count in (MANY, FEW):
            broker = stack.enter_context(valet(directory / f"valet-{count}", settings, environment))
            fill(broker, count)
            sockets.append((broker.socket, f"many*{count}"))
            stack.enter_context(on_one_core(broker))
        many, few = _measured(*sockets)
    what = f"warm hit among {MANY:,} cached names, Connect face, p50"
    return _row(what, f"{many:.0f} µs", f"{few:.0f} µs, among {FEW}", many / few, 1.3)


def fill(broker: Valet, count: int) -> None:
    """Has the first ``count`` names looked up once, so that they are cached."""
    for start in range(0, count, BATCH):
        _progress(f"cached names {start:,}/{count:,}")
        wanted = [{"connection": f"many{number}"} for number in range(start, min(start + BATCH, count))]
        command = ["curl", "-sf", "--unix-socket", broker.socket, "--json", json.dumps({"lookups": wanted})]
        results = json.loads(subprocess.check_output([*command, "http://valet/valet.v1.Broker/BatchGet"]))["results"]
        assert all("answer" in result for result in results), "every name is there"


def first_lookups(broker: Valet, vault: dict[str, object], environment: dict[str, str]) -> list[Row]:
    shim, azure = [], []
    for number in range(INTERPRETERS):
        _progress(f"fresh interpreters {number + 1}/{INTERPRETERS}")
        ours = json.dumps({"socket": broker.socket})
        shim.append(_in_airflow({}, "first", "valet", ours, NAME)["ms"])
        azure.append(_in_airflow(environment, "first", "vault", json.dumps(vault), NAME)["ms"])
    ours_ms, theirs_ms = statistics.median(shim), statistics.median(azure)
    what = "import and first lookup in a process with Airflow, median"
    beside = f"{theirs_ms:.0f} ms, AzureKeyVaultBackend on the same vault"
    times = theirs_ms / ours_ms
    return [
        Row(what, f"{ours_ms:.1f} ms", "", "", "≤ 5 ms", ours_ms <= 5),
        Row("the same", f"{ours_ms:.1f} ms", beside, f"{times:.0f}x less", "≥ 40x less", times >= 40),
    ]


def resident(broker: Valet, started: float) -> Row:
    time.sleep(max(0.0, started + 10 - time.monotonic()))
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found, "the kernel says how much is resident"
    megabytes = int(found[1]) / 1024
    return Row("VmRSS 10 s after start, one Key Vault source", f"{megabytes:.1f} MB", "", "", "< 14 MB", megabytes < 14)


def _measured(one: tuple[str, str], other: tuple[str, str]) -> tuple[float, float]:
    """The medians, in microseconds, of two subjects that are asked in turn: each a socket and a connection."""
    figures = json.loads(subprocess.check_output([program("VALET_BENCH"), "--measure", *one, *other, str(ROUNDS)]))
    return figures["one"]["p50_ns"] / 1000, figures["other"]["p50_ns"] / 1000


def _row(what: str, ours: str, theirs: str, ratio: float, most: float) -> Row:
    return Row(what, ours, theirs, f"{ratio:.2f}x", f"≤ {most:g}x", ratio <= most)


def _in_airflow(environment: dict[str, str], *args: str) -> dict[str, Any]:
    with TemporaryDirectory() as home:
        env = {
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            **environment,
        }
        command = [program("VALET_AIRFLOW_3_PYTHON"), str(HERE / "in_airflow.py"), *args]
        lines = subprocess.check_output(command, env=env, stderr=subprocess.DEVNULL, text=True).splitlines()
        figures: dict[str, Any] = json.loads(lines[-1])
        return figures


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    results = Path(program("VALET_BENCH_RESULTS"))
    with TemporaryDirectory(prefix="valet-bench-") as temporary:
        directory = Path(temporary)
        key = base64.b64encode(secrets.token_bytes(64)).decode()
        held = {f"airflow-connections-{NAME}": VALUE, "landing-key": key}
        with vault_with(directory / "vault", held) as control:
            endpoints = control.endpoints
            environment = managed_identity(endpoints)
            settings = {
                "sources": {"prod": key_vault(endpoints)},
                "audit": {"to": "file", "path": str(directory / "audit")},
                "accounts": {
                    "landing": {"kind": "storage", "name": "acmelanding", "keys": [{"secret": "prod/landing-key"}]}
                },
                "grants": {
                    "read": {
                        "account": "landing",
                        "kind": "service-sas",
                        "service": "blob",
                        "container": "raw",
                        "permissions": "rl",
                    }
                },
                "connections": {BROKERED: {"type": "wasb", "grant": "read"}},
            }
            started = time.monotonic()
            with valet(directory / "valet", settings, {**environment, "VALET_LOG": "info"}) as broker:
                rows = [resident(broker, started)]
                answer = answer_of(broker)
                with on_one_core(broker), bare_server(directory, answer) as bare:
                    _progress("a warm hit beside a bare server")
                    rows.append(warm_hit(broker, bare))
                    _progress("the shim beside http.client")
                    rows.append(shim_repeat(broker, bare))
                _progress("a brokered connection beside a stored one")
                composed = json.loads(answer_of(broker, BROKERED))["value"]
                control.put(f"airflow-connections-{STORED}", composed)
                rows.append(brokered(broker))
                rows.append(signing())
                backend = {"vault_url": endpoints.vault_url, "verify_challenge_resource": False}
                python = {**environment, "REQUESTS_CA_BUNDLE": endpoints.ca_file}
                rows.extend(first_lookups(broker, backend, python))
        _progress("a thousand callers of one name")
        rows.extend(herd())
        rows.append(many_names(directory / "many"))
    _progress("")
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps([asdict(row) for row in rows], indent=2))
    print("| what | measured | against | ratio | target | met |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        met = "yes" if row.met else "NO"
        print(f"| {row.what} | {row.measured} | {row.against} | {row.ratio} | {row.target} | {met} |")


if __name__ == "__main__":
    main()

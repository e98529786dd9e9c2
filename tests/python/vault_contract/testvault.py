"""A test vault process and its control API, for tests in Python. Standard library only."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 20.0


@dataclass(frozen=True)
class Endpoints:
    """What the test vault writes to `endpoints.json`."""

    vault_url: str
    authority_url: str
    imds_url: str
    identity_endpoint: str
    identity_header: str
    control_url: str
    foreign_url: str
    proxy_url: str | None
    ca_file: str
    tenant_id: str
    client_id: str
    client_secret: str
    system_identity_client_id: str
    user_identity_client_id: str
    resource: str


class Control:
    """The control API: a test's hand on secrets, rights, time and faults."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Sends one request; raises `ValueError` with what the test vault says is wrong."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoints.control_url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from None

    def put(self, name: str, value: str, vault: str = "default", **more: object) -> str:
        """Adds a version of a secret; returns its id."""
        answer = self.call("PUT", f"/vaults/{vault}/secrets/{name}", {"value": value, **more})
        return str(answer["version"])

    def fault(self, kind: str, **more: object) -> None:
        """Switches a fault on."""
        self.call("POST", "/faults", {"kind": kind, **more})

    def clear_faults(self) -> None:
        """Switches all faults off."""
        self.call("DELETE", "/faults")

    def token(self, **spec: object) -> str:
        """A token signed as asked, good or bad."""
        return str(self.call("POST", "/tokens", spec)["token"])

    def log(self) -> list[dict[str, Any]]:
        """The requests since the last reset."""
        requests: list[dict[str, Any]] = self.call("GET", "/log")["requests"]
        return requests

    def counters(self) -> dict[str, int]:
        """How many requests of each kind came."""
        counters: dict[str, int] = self.call("GET", "/counters")
        return counters

    def reset(self) -> None:
        """Back to the seed, without faults, with an empty log."""
        self.call("POST", "/reset")


@contextmanager
def running(binary: str, directory: Path, *arguments: str) -> Iterator[Control]:
    """Runs a test vault until the block ends; its standard input is a pipe of ours, so it ends when we do."""
    command = [binary, "--dir", str(directory), "--exit-with-stdin", *arguments]
    with (directory / "testvault.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
    try:
        yield Control(_wait(process, directory))
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(process: subprocess.Popen[bytes], directory: Path) -> Endpoints:
    ready, deadline = directory / "endpoints.json", time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the test vault did not start: {(directory / 'testvault.log').read_text()}")
        time.sleep(0.02)
    return Endpoints(**json.loads(ready.read_text()))

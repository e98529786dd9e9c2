"""Azurite, Microsoft's storage emulator, for as long as a test needs it: three services, over http or https."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .authority import Authority
from .canary import register
from .programs import program, stop

START_SECONDS = 60.0
SKEW = Path(__file__).with_name("skew.cjs")
SERVICES = ("blob", "queue", "table")
LISTENS = re.compile(r"Azurite (\w+) service is successfully listening at (https?)://[^:]+:(\d+)")


def account_key() -> str:
    """A key as Azure makes them: base64 of 64 bytes. No output may hold it."""
    return register("an account key", base64.b64encode(secrets.token_bytes(64)).decode())


@dataclass(frozen=True)
class Account:
    """A storage account and its two keys."""

    name: str = "acmelanding"
    keys: tuple[str, str] = field(default_factory=lambda: (account_key(), account_key()), repr=False)


@dataclass(frozen=True)
class Azurite:
    """A running Azurite that holds one account."""

    account: Account
    scheme: str
    ports: Mapping[str, int]
    #: The certificate that vouches for it, over https.
    ca_file: str | None

    def endpoint(self, service: str) -> str:
        """Where a service of the account is. An address: Airflow takes a name without a dot for an account's."""
        return f"{self.scheme}://127.0.0.1:{self.ports[service]}/{self.account.name}"


@contextmanager
def azurite(
    directory: Path,
    account: Account,
    authority: Authority | None = None,
    ports: Mapping[str, int] | None = None,
    skew: int = 0,
) -> Iterator[Azurite]:
    """Runs Azurite, over https and with Entra tokens if an ``authority`` vouches for it, ``skew`` seconds ahead.

    What is stored stays in ``directory``: started there again, on the same ``ports``, an account may have another key.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Without --silent it would write each request, and with that each signature, into its log.
    command = [
        "node",
        "--require",
        str(SKEW),
        program("VALET_AZURITE"),
        "--silent",
        "--skipApiVersionCheck",
        "--loose",
        "--disableTelemetry",
    ]
    command += ["--location", str(directory / "data")]
    for service in SERVICES:
        port = ports[service] if ports else 0
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    if authority:
        certificate, key = authority.issue(directory)
        command += ["--cert", str(certificate), "--key", str(key), "--oauth", "basic"]
    environment = {
        "PATH": os.environ["PATH"],
        "SKEW_SECONDS": str(skew),
        "AZURITE_ACCOUNTS": ":".join([account.name, *account.keys]),
    }
    log = directory / "azurite.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=directory
        )
    try:
        scheme, found = _wait(process, log)
        yield Azurite(account, scheme, found, str(authority.file) if authority else None)
    finally:
        stop(process)


def _wait(process: subprocess.Popen[bytes], log: Path) -> tuple[str, dict[str, int]]:
    deadline = time.monotonic() + START_SECONDS
    while True:
        found = LISTENS.findall(log.read_text())
        if len(found) == len(SERVICES):
            return found[0][1], {service.lower(): int(port) for service, _, port in found}
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Azurite did not start: {log.read_text()[-4000:]}")
        time.sleep(0.05)

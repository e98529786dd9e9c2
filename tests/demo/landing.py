"""The storage account that the demo's task reads, and what must hold afterwards: it did what it may, without a key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from azure.storage.blob import BlobServiceClient
from canary import disguises
from screen import DIRECTORY, line, row, shown

from support.azurite import Account, Azurite, azurite
from support.programs import program

GRANTED, OTHER = "raw", "payroll"
BLOBS = {
    GRANTED: {"orders/2026-11-23.csv": b"id,total\n1,40\n", "orders/2026-11-24.csv": b"id,total\n2,2\n"},
    OTHER: {"2026-11.csv": b"name,salary\n"},
}
#: What the storage account must have said to each thing that the task tries.
EXPECTED = [
    ("list raw", 200),
    ("read raw/orders/2026-11-24.csv", 200),
    ("write raw/orders/2026-11-24.csv", 403),
    ("list payroll", 403),
]
VAULT = DIRECTORY / "vault"


@contextmanager
def filled(account: Account) -> Iterator[Azurite]:
    """An Azurite with two containers, of which one is granted."""
    with azurite(DIRECTORY / "azurite", account) as running:
        for container, blobs in BLOBS.items():
            client = _owner(running).create_container(container)
            for name, content in blobs.items():
                client.upload_blob(name, content)
        yield running


def report(running: Azurite, attempts: list[tuple[str, int, str]], sockets: str) -> None:
    """What the task tried and what came of it; who signed, until when; where keys and signatures are not."""
    print()
    row("the task tried to", "storage said", "", bold=True)
    for what, code, detail in attempts:
        row(what, f"{code} {'allowed' if code == 200 else 'refused'}", detail)
    _must([(what, code) for what, code, _ in attempts] == EXPECTED, "the task could do other than what is granted")
    _must(_stored(running) == BLOBS, "what is stored was changed")

    connection = json.loads(_valet("get", "connection", "wasb_landing", "--json", "--socket", f"{sockets}/valet.sock"))
    status = json.loads(_valet("status", "--json", "--admin-socket", f"{sockets}/admin.sock"))
    signing = [key for key in status["accounts"][0]["keys"] if key.get("signs")]
    signed, ends = status["counters"]["tokens_signed"], connection["expiresAt"]
    keys = running.account.keys
    _must(signed == "1" and len(signing) == 1, "not one key has signed one token for all who ask")
    _must(_when(signing[0]["safe_to_regenerate_after"]) >= _when(ends), "a key may go before its token has ended")
    _must(not any(key in connection["value"] for key in keys), "the connection has a key in it")
    print()
    line("token", f"{signed} was signed, for all who ask; it ends at {ends}")
    for text in _valet("status", "--admin-socket", f"{sockets}/admin.sock").splitlines():
        if text.startswith("account"):
            line("status", text.removeprefix("account").strip())
    line("search", _search([*keys, *connection["mask"]]))


def _search(secrets: Iterable[str]) -> str:
    """Looks for them in everything that was written, as they are and in the encodings that logs may hold."""
    wanted = [text for secret in secrets for text in disguises(secret).values()]
    # The vault's own content is where the keys belong.
    files = [path for path in DIRECTORY.rglob("*") if path.is_file() and path != VAULT / "seed.json"]
    leaks = [path for path in sorted(files) if any(text in path.read_bytes() for text in wanted)]
    _must(not leaks, f"a key or a signature is in {', '.join(map(shown, leaks))}")
    size = sum(path.stat().st_size for path in files) / 1e6
    return f"no key, token or signature in any log, nor elsewhere outside the vault ({len(files)} files, {size:.1f} MB)"


def _owner(running: Azurite) -> BlobServiceClient:
    """A client with the key, to set things up and to look at what became of them."""
    return BlobServiceClient(running.endpoint("blob"), running.account.keys[0])


def _stored(running: Azurite) -> dict[str, dict[str, bytes]]:
    found = {}
    for container in BLOBS:
        client = _owner(running).get_container_client(container)
        found[container] = {name: client.download_blob(name).readall() for name in client.list_blob_names()}
    return found


def _valet(*arguments: str) -> str:
    return subprocess.check_output([program("VALET_BIN"), *arguments], stdin=subprocess.DEVNULL, text=True)


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"error: {otherwise}\nhint: what was written is in {shown(DIRECTORY)}/")

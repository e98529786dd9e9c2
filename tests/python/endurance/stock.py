"""What the vault holds under load: each value says whose it is and which version, so that any wrong answer is seen.

And one connection that is put together, with a token that one of two keys signs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from support.canary import secret

if TYPE_CHECKING:
    from vault_contract.testvault import Endpoints

COUNT = 20
BROKERED = "wasb_landing"
VALUES = (
    *(("connection", f"db_{number}") for number in range(COUNT)),
    *(("variable", f"var_{number}") for number in range(COUNT)),
)
ABSENT = tuple(f"absent_{number}" for number in range(5))
NAMES = (*VALUES, ("connection", BROKERED), *(("variable", name) for name in ABSENT))
KEYS = ("landing-key1", "landing-key2")
#: What may be told to a task whose value is not cached while a service fails.
EXPECTED = {"SOURCE_DOWN", "THROTTLED", "TIMED_OUT", "DENIED_BY_SOURCE", "BAD_KEY"}
#: The method and the field of a lookup.
KINDS = {"connection": ("GetConnection", "connId"), "variable": ("GetVariable", "key")}


def secret_name(kind: str, name: str) -> str:
    """As AzureKeyVaultBackend builds it."""
    return f"airflow-{kind}s-{name}".replace("_", "-")


def value(kind: str, name: str, version: int) -> str:
    """A version of what is stored under a name."""
    password = secret("endurance").replace("/", "%2F")
    return f"http://user:{password}@{kind}.{name.replace('_', '-')}.test/v{version}"


def version_of(kind: str, name: str, text: str) -> int | None:
    """The version that a value of this name is of; nothing where it is none."""
    if name == BROKERED:
        return 1 if _is_brokered(text) else None
    version = text.rpartition("/v")[2]
    if not version.isdecimal() or text != value(kind, name, int(version)):
        return None
    return int(version)


def _is_brokered(text: str) -> bool:
    """Whether it is the connection with a token that has not ended."""
    fields = json.loads(text)
    token = fields["extra"]["connection_string"].partition("SharedAccessSignature=")[2]
    end = datetime.fromisoformat(parse_qs(token, strict_parsing=True)["se"][0])
    return fields["conn_type"] == "wasb" and end > datetime.now(UTC)


def seed() -> dict[str, object]:
    """The first version of everything."""
    from support.azurite import account_key

    stored = {secret_name(kind, name): value(kind, name, 1) for kind, name in VALUES}
    return {**stored, **{key: account_key() for key in KEYS}}


def settings(endpoints: Endpoints, **source: object) -> dict[str, object]:
    """A valet.yaml on that vault, which is read again after a second or two; ``source`` may say otherwise."""
    from support.programs import key_vault

    often = {"budget": {"requests": 100_000, "per": "1s"}, "cache": {"fresh": "2s", "not_found": "2s"}, **source}
    return {
        "sources": {"vault": key_vault(endpoints, **often)},
        "accounts": {
            "landing": {"kind": "storage", "name": "acmelanding", "keys": [{"secret": f"vault/{key}"} for key in KEYS]}
        },
        "grants": {
            "landing_read": {
                "account": "landing",
                "kind": "service-sas",
                "service": "blob",
                "container": "raw",
                "permissions": "r",
                "lifetime": "1h",
            }
        },
        "connections": {BROKERED: {"type": "wasb", "grant": "landing_read"}},
    }

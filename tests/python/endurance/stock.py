"""What the vault holds under load: each value says whose it is and which version, so that any wrong answer is seen."""

from __future__ import annotations

from support.canary import secret

COUNT = 20
CONNECTIONS = tuple(f"db_{number}" for number in range(COUNT))
VARIABLES = tuple(f"var_{number}" for number in range(COUNT))
ABSENT = tuple(f"absent_{number}" for number in range(5))
NAMES = (
    *(("connection", name) for name in CONNECTIONS),
    *(("variable", name) for name in VARIABLES),
    *(("variable", name) for name in ABSENT),
)


def secret_name(kind: str, name: str) -> str:
    """As AzureKeyVaultBackend builds it."""
    return f"airflow-{kind}s-{name}".replace("_", "-")


def value(kind: str, name: str, version: int) -> str:
    """A version of what is stored under a name."""
    password = secret("endurance").replace("/", "%2F")
    return f"http://user:{password}@{kind}.{name.replace('_', '-')}.test/v{version}"


def version_of(kind: str, name: str, text: str) -> int | None:
    """The version that a value of this name is of; nothing where it is none."""
    version = text.rpartition("/v")[2]
    if not version.isdecimal() or text != value(kind, name, int(version)):
        return None
    return int(version)


def seed() -> dict[str, object]:
    """The first version of everything."""
    return {secret_name(kind, name): value(kind, name, 1) for kind, name in NAMES if name not in ABSENT}

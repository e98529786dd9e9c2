"""The backend's keyword arguments and their environment twins, parsed into `Options`.

Total: anything gives options and a list of problems, never an exception, because Airflow makes the
backend while Airflow itself is imported. Problems name arguments, never values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_MAX_TIMEOUT = 600.0  # seconds; ten times what the broker grants
_MAX_NAMES = 20  # unknown arguments named in a warning, each by 100 characters at most
_LATER = ("target", "ca_file", "cert_file", "key_file", "token_file", "server_uid", "autostart")
_AZURE_KEY_VAULT_BACKEND = frozenset(
    "connections_prefix variables_prefix config_prefix vault_url sep tenant_id client_id client_secret"
    " managed_identity_client_id workload_identity_tenant_id".split()
)
#: What each option must be, in words and as a test (one that fails may also raise).
_OPTIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "socket": ("a path", lambda given: isinstance(given, str)),
    "timeout": (
        f"seconds, above 0 and at most {_MAX_TIMEOUT:g}",
        lambda given: given is not True and 0 < float(given) <= _MAX_TIMEOUT,
    ),
    "on_unavailable": ("fail or skip", lambda given: given in ("fail", "skip")),
    "team": ("the name of a team", lambda given: isinstance(given, str)),
    "transport": ("connect or grpc", lambda given: given in ("connect", "grpc")),
}


class Options:
    """Where the broker listens, how long a lookup may take (seconds), and what to do without it."""

    socket: str = "/run/valet/valet.sock"
    timeout: float = 10.0
    on_unavailable: str = "fail"
    team: str | None = None
    transport: str = "connect"


def parse(kwargs: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Options, list[str]]:
    """Options from ``kwargs``, else from ``VALET_<NAME>``, else defaults; and what was wrong."""

    def given(name: str) -> Any:
        candidates = (kwargs.get(name), environ.get(f"VALET_{name.upper()}"))
        return next((value for value in candidates if value not in (None, "")), None)

    options, problems = Options(), []
    for name, (expected, test) in _OPTIONS.items():
        value = given(name)
        if value is None:
            continue
        if _passes(test, value):
            setattr(options, name, float(value) if name == "timeout" else value)
        else:
            problems.append(f"{name}: expected {expected}; using {getattr(options, name)!r}")
    problems += [f"{name}: not yet available, ignored" for name in _LATER if given(name)]
    unknown = sorted(str(name)[:100] for name in kwargs.keys() - _OPTIONS.keys() - set(_LATER))
    if unknown:
        problems.append(f"unknown arguments, ignored: {', '.join(unknown[:_MAX_NAMES])}")
    if _AZURE_KEY_VAULT_BACKEND.intersection(unknown):
        problems[-1] += (
            "; what AzureKeyVaultBackend took as arguments is the broker's configuration now:"
            " `valet init --from-airflow-cfg airflow.cfg` writes it"
        )
    return options, problems


def _passes(test: Callable[[Any], bool], value: Any) -> bool:
    try:
        return test(value)
    except (TypeError, ValueError, OverflowError):
        return False

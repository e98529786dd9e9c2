"""Airflow secrets backend that asks a Valet broker: ``[secrets] backend = airflow_valet.ValetBackend``.

Importing this package imports no Airflow; only asking for ``ValetBackend`` does.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from airflow_valet.errors import ValetDenied, ValetError, ValetUnavailable

if TYPE_CHECKING:
    from airflow_valet.backend import ValetBackend
    from airflow_valet.rejection import report_on_auth_failure, report_rejected

__all__ = [
    "ValetBackend",
    "ValetDenied",
    "ValetError",
    "ValetUnavailable",
    "report_on_auth_failure",
    "report_rejected",
]


def __getattr__(name: str) -> object:
    if name.startswith("report_") and name in __all__:
        return getattr(import_module("airflow_valet.rejection"), name)
    if name != "ValetBackend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Airflow first: while it is imported it makes the backend it is configured with, and if that is
    # this one, asks for this attribute a second time before the first asker has got it.
    with suppress(ImportError):
        import_module("airflow.secrets")
    return import_module("airflow_valet.backend").ValetBackend

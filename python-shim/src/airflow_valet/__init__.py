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

__all__ = ["ValetBackend", "ValetDenied", "ValetError", "ValetUnavailable"]


def __getattr__(name: str) -> object:
    if name != "ValetBackend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Airflow first: while it is imported it makes the backend it is configured with, and if that is
    # this one, asks for this attribute a second time before the first asker has got it.
    with suppress(ImportError):
        import_module("airflow.secrets")
    return import_module("airflow_valet.backend").ValetBackend

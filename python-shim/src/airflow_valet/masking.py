"""Hides from Airflow's logs what a broker's answer says to hide, each text once in each process.

Airflow masks passwords and keys whose names it knows; an account key under another name, or a token's
signature, it does not. Its masks never go away and each new one costs more than the last, hence once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

_MAX_REMEMBERED = 4096  # masked texts, as hashes; when full they are forgotten, and masked again
_SDK = ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker")  # 3.1 and later; 3.0
_CORE = ("airflow._shared.secrets_masker", "airflow.utils.log.secrets_masker")  # 3.1 and later; 2.x

_masked: set[tuple[int, str, int]] = set()


def mask(texts: list[str]) -> None:
    """Mask ``texts`` in every masker of this process. Calls Airflow: hold no lock, be on no loop."""
    for key, mask_secret, text in _fresh(texts):
        try:
            mask_secret(text)
        except Exception as error:  # no masker is configured here, so no task log is written here
            logging.getLogger("airflow_valet").debug("not masked: %s", type(error).__name__)
        else:
            if len(_masked) >= _MAX_REMEMBERED:
                _masked.clear()
            _masked.add(key)


async def amask(texts: list[str]) -> None:
    """`mask` in a thread of Airflow's bridge, which lets a masker reach back to the event loop."""
    if _fresh(texts):
        from asgiref.sync import sync_to_async

        await sync_to_async(mask, thread_sensitive=False)(texts)


def _fresh(texts: list[str]) -> list[tuple[tuple[int, str, int], Callable[[str], None], str]]:
    maskers = _maskers()
    keyed = [
        ((os.getpid(), name, hash(text)), mask_secret, text)
        for text in texts
        if text
        for name, mask_secret in maskers
    ]
    return [entry for entry in keyed if entry[0] not in _masked]


def _maskers() -> list[tuple[str, Callable[[str], None]]]:
    # Only what Airflow has loaded: a masker that is not there masks nothing, and loading it is slow.
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    supervised = getattr(runner, "SUPERVISOR_COMMS", None) is not None
    found = []
    for name in _SDK if supervised else _SDK + _CORE:
        masker = vars(sys.modules[name]).get("mask_secret") if name in sys.modules else None
        if masker is not None:  # `vars`, since 3.1 leaves a deprecated alias at the place of 3.0
            found.append((name, masker))
    return found

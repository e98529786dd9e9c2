"""Hides from Airflow's logs what a broker's answer says to hide, each text once in each process.

Airflow masks passwords and keys whose names it knows; an account key under another name, or a token's
signature, it does not. Its masks never go away and each new one costs more than the last, hence once.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_MAX_REMEMBERED = 4096  # masked texts, as hashes; when full they are forgotten, and masked again
_SDK = ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker")  # 3.1 and later; 3.0
_CORE = ("airflow._shared.secrets_masker", "airflow.utils.log.secrets_masker")  # 3.1 and later; 2.x

_masked: set[tuple[int, str, int]] = set()  # process, masker, hash of the text
_threads: dict[int, ThreadPoolExecutor] = {}  # of this process


def mask(texts: list[str]) -> None:
    """Mask ``texts`` in every masker of this process. Calls Airflow: hold no lock, be on no loop."""
    for masker, text in _missing(texts):
        try:
            for form in _forms(text):
                masker["mask_secret"](form)
        except Exception as error:  # none is configured here, so no task's log is written here
            logging.getLogger("airflow_valet").debug("not masked: %s", type(error).__name__)
        else:
            _remember(masker, text)


async def amask(texts: list[str]) -> None:
    """`mask` on an event loop: by Airflow's own coroutine (3.3 and later), else in a thread."""
    for masker, text in _missing(texts):
        if "amask_secret" in masker:
            with suppress(Exception):
                for form in _forms(text):
                    await masker["amask_secret"](form)
                _remember(masker, text)
    if _missing(texts):
        from concurrent.futures import ThreadPoolExecutor

        from asgiref.sync import sync_to_async  # lets a masker in 3.1 find its way back to the loop

        # A thread of its own: those of the loop may all be waiting for Airflow to answer, and Airflow
        # needs one to do so; asgiref's one thread is shared by all triggers, whatever they do in it.
        thread = _threads.get(os.getpid()) or ThreadPoolExecutor(1, "airflow_valet")
        _threads[os.getpid()] = thread
        await sync_to_async(mask, thread_sensitive=False, executor=thread)(texts)


def _forms(text: str) -> list[str]:
    """As it stands, and as ``Connection.get_uri`` has it, which Airflow masks of passwords alone."""
    from urllib.parse import quote

    encoded = quote(text, safe="")
    return [text] if encoded == text else [text, encoded]


def _missing(texts: list[str]) -> list[tuple[dict[str, Any], str]]:
    maskers = _maskers()
    return [(m, t) for t in texts if t for m in maskers if _key(m, t) not in _masked]


def _maskers() -> list[dict[str, Any]]:
    # Only what Airflow has loaded: a masker that is not there masks nothing, and loading it is slow.
    # Where a supervisor writes the logs, the Task SDK's tells it, and the core's is of no use.
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    supervised = getattr(runner, "SUPERVISOR_COMMS", None) is not None
    modules = map(sys.modules.get, _SDK if supervised else _SDK + _CORE)
    # By their own names only: at the place of 3.0's, later ones have an alias that warns.
    return [vars(module) for module in modules if module and "mask_secret" in vars(module)]


def _key(masker: dict[str, Any], text: str) -> tuple[int, str, int]:
    return os.getpid(), masker["__name__"], hash(text)


def _remember(masker: dict[str, Any], text: str) -> None:
    if len(_masked) >= _MAX_REMEMBERED:
        _masked.clear()
    _masked.add(_key(masker, text))

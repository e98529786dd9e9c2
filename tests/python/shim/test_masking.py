"""Masking: what the answer names, in each masker Airflow has loaded, once, and never in its way."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import types
from collections.abc import Callable
from typing import Any

import pytest
from airflow_valet import masking

from broker import FakeBroker, answer

Serve = Callable[..., FakeBroker]
Make = Callable[..., Any]
Masker = Callable[..., list[str]]


@pytest.fixture
def masker(monkeypatch: pytest.MonkeyPatch) -> Masker:
    """Pretend that Airflow has loaded a masker under this name; gives the list of what it masks."""

    def load(name: str, fail: Exception | None = None) -> list[str]:
        masked: list[str] = []

        def mask_secret(secret: str) -> None:
            if fail:
                raise fail
            masked.append(secret)

        module = types.ModuleType(name)
        module.mask_secret = mask_secret  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
        return masked

    return load


@pytest.mark.parametrize(
    "name",
    [
        "airflow.utils.log.secrets_masker",  # 2.x
        "airflow.sdk.execution_time.secrets_masker",  # 3.0
        "airflow.sdk.log",  # 3.1 and later
        "airflow._shared.secrets_masker",  # and its core
    ],
)
def test_what_the_answer_names_is_masked_once(serve: Serve, make: Make, masker: Masker, name: str) -> None:
    masked = masker(name)
    backend = make(socket=serve(answer("key=k1;sig=s1", mask=["k1", "s1", ""])).path)
    for _ in range(3):
        assert backend.get_conn_value("a") == "key=k1;sig=s1"
        assert backend.get_variable("a") == "key=k1;sig=s1"
    assert masked == ["k1", "s1"]


def test_both_maskers_of_a_server_are_told_and_a_task_tells_only_the_one_that_counts(
    masker: Masker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk, core = masker("airflow.sdk.log"), masker("airflow._shared.secrets_masker")
    masking.mask(["a"])
    runner = types.ModuleType("airflow.sdk.execution_time.task_runner")
    runner.SUPERVISOR_COMMS = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, runner.__name__, runner)
    masking.mask(["b"])
    assert (sdk, core) == (["a", "b"], ["a"])


def test_the_deprecated_alias_of_the_sdks_masker_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    alias = types.ModuleType("airflow.sdk.execution_time.secrets_masker")
    alias.__getattr__ = lambda name: pytest.fail(f"asked for {name}")  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, alias.__name__, alias)
    masking.mask(["a"])


def test_nothing_is_masked_while_an_option_is_read(serve: Serve, make: Make, masker: Masker) -> None:
    masked = masker("airflow.sdk.log")
    assert make(socket=serve(answer("v", mask=["v"])).path).get_config("a") == "v"
    assert masked == []


def test_making_a_backend_calls_no_masker(make: Make, masker: Masker) -> None:
    masked = masker("airflow.sdk.log", RuntimeError("not configured yet"))
    make(timeout="x")
    assert masked == []


def test_without_a_masker_or_with_a_broken_one_the_value_is_served(
    serve: Serve, make: Make, masker: Masker
) -> None:
    backend = make(socket=serve(answer("v", mask=["v"])).path)
    assert backend.get_conn_value("a") == "v"
    masker("airflow.utils.log.secrets_masker", RuntimeError("Logging Configuration Error!"))
    assert backend.get_conn_value("a") == "v"
    masked = masker("airflow.utils.log.secrets_masker")
    assert backend.get_conn_value("a") == "v"
    assert masked == ["v"]  # what could not be masked was not taken for done


def test_a_part_is_masked_as_a_uri_spells_it_too(masker: Masker) -> None:
    masked = masker("airflow.sdk.log")
    masking.mask(["sig=a/b+c==", "plain"])
    assert masked == ["sig=a/b+c==", "sig%3Da%2Fb%2Bc%3D%3D", "plain"]


def test_what_is_remembered_is_bounded_and_holds_no_text(masker: Masker) -> None:
    masked = masker("airflow.sdk.log")
    masking.mask([f"secret-{i}" for i in range(2 * masking._MAX_REMEMBERED + 10)])
    assert len(masked) == 2 * masking._MAX_REMEMBERED + 10
    assert 0 < len(masking._masked) <= masking._MAX_REMEMBERED
    assert "secret" not in repr(masking._masked)


def test_a_child_masks_for_itself(masker: Masker) -> None:
    masked = masker("airflow.sdk.log")
    masking.mask(["a"])
    child = os.fork()
    if child == 0:
        masking.mask(["a"])
        os._exit(0 if masked == ["a", "a"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used of asgiref."""
    sync = types.ModuleType("asgiref.sync")

    def sync_to_async(
        work: Callable[..., Any], *, thread_sensitive: bool, executor: Any
    ) -> Callable[..., Any]:
        assert not thread_sensitive  # that thread is the one which all triggers share
        assert executor is not None  # that of the loop is needed by Airflow to answer a masker
        return lambda *given: asyncio.get_running_loop().run_in_executor(executor, work, *given)

    sync.sync_to_async = sync_to_async  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "asgiref", types.ModuleType("asgiref"))
    monkeypatch.setitem(sys.modules, "asgiref.sync", sync)


def look_up_twice(backend: Any) -> list[Any]:
    """Two lookups on a loop."""

    async def twice() -> list[Any]:
        return [await backend.aget_variable("a"), await backend.aget_variable("a")]

    return asyncio.run(twice())


def test_on_a_loop_a_masker_that_blocks_runs_in_a_thread_of_ours(
    serve: Serve, make: Make, masker: Masker, bridge: None
) -> None:
    threads: list[str] = []
    masked = masker("airflow.sdk.log")
    module = sys.modules["airflow.sdk.log"]
    inner = module.mask_secret
    module.mask_secret = lambda text: (threads.append(threading.current_thread().name), inner(text))  # type: ignore[attr-defined]
    backend = make(socket=serve(answer("v", mask=["m", "n"])).path)
    assert look_up_twice(backend) == ["v", "v"]
    assert masked == ["m", "n"]
    assert [name.partition("_0")[0] for name in threads] == ["airflow_valet"] * 2


def test_on_a_loop_a_masker_that_has_a_coroutine_is_awaited(serve: Serve, make: Make, masker: Masker) -> None:
    masked, awaited = masker("airflow.sdk.log"), []

    async def amask_secret(text: str) -> None:
        awaited.append((text, threading.current_thread() is threading.main_thread()))

    sys.modules["airflow.sdk.log"].amask_secret = amask_secret  # type: ignore[attr-defined]
    backend = make(socket=serve(answer("v", mask=["m"])).path)
    assert look_up_twice(backend) == ["v", "v"]
    assert backend.get_variable("a") == "v"
    assert (masked, awaited) == ([], [("m", True)])


def test_on_a_loop_a_broken_masker_is_in_nobodys_way(
    serve: Serve, make: Make, masker: Masker, bridge: None
) -> None:
    masked = masker("airflow.sdk.log", RuntimeError("not configured"))

    async def amask_secret(text: str) -> None:
        raise RuntimeError("nor this")

    sys.modules["airflow.sdk.log"].amask_secret = amask_secret  # type: ignore[attr-defined]
    assert look_up_twice(make(socket=serve(answer("v", mask=["m"])).path)) == ["v", "v"]
    assert masked == []

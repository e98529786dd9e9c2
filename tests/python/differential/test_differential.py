"""AzureKeyVaultBackend of the real provider and Valet, side by side on the same vault, in real Airflows.

Valet has the settings that `valet init` makes of an airflow.cfg with AzureKeyVaultBackend.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from support.programs import AIRFLOWS, Valet, managed_identity, program, serving, vault_with
from vault_contract.testvault import Control, Endpoints

from .cases import BACKENDS, Backend, Case, Expect, cases

SEED = int(os.environ.get("VALET_DIFFERENTIAL_SEED", "20261123"))
COMPARE = Path(__file__).with_name("compare.py")
#: How many cases of each outcome there are, whatever the seed, so that none can vanish unnoticed.
COUNTS = {
    Expect.VALUE: 1093,
    Expect.ABSENT: 548,
    Expect.REFUSED: 105,
    Expect.MISREAD: 51,
    Expect.UNREADABLE: 25,
    Expect.NO_NAME: 3,
}


@cache
def cases_of(name: str) -> list[Case]:
    return cases(name, SEED)


@dataclass(frozen=True)
class Pair:
    """A vault and a Valet in front of it."""

    vault: Control
    valet: Valet


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pair]]:
    """A vault and a Valet for each way to configure the backend."""
    directory = tmp_path_factory.mktemp("differential")
    with ExitStack() as stack:
        yield {name: stack.enter_context(pair(name, directory / name.replace(" ", "-"))) for name in BACKENDS}


@contextmanager
def pair(name: str, directory: Path) -> Iterator[Pair]:
    """A vault that holds what the cases say, and a Valet with the settings of the backend ``name``."""
    secrets: dict[str, object] = {}
    owners: dict[str, str] = {}
    for case in cases_of(name):
        for secret in case.secrets:
            assert owners.setdefault(secret, case.label) == case.label, f"two kinds of cases share {secret}"
        secrets |= case.secrets
    with vault_with(directory / "vault", secrets) as vault:
        for case in cases_of(name):
            for secret in case.secrets:
                if case.fault:
                    vault.call("POST", "/faults", {**case.fault, "secret": secret})
                if case.deleted:
                    vault.call("DELETE", f"/vaults/default/secrets/{secret}")
        text = partial(taken_over, BACKENDS[name], vault.endpoints, directory)
        with serving(directory / "valet", text, managed_identity(vault.endpoints)) as running:
            yield Pair(vault, running)


def taken_over(backend: Backend, endpoints: Endpoints, directory: Path, sockets: Path) -> str:
    """The valet.yaml that `valet init` makes of a backend's arguments, on this machine's paths and CA."""
    cfg = directory / "airflow.cfg"
    kwargs = json.dumps(arguments(backend, endpoints))
    cfg.write_text(
        f"[core]\nmulti_team = {backend.multi_team}\n"
        "[secrets]\nbackend = airflow.providers.microsoft.azure.secrets.key_vault.AzureKeyVaultBackend\n"
        f"backend_kwargs = {kwargs}\n"
    )
    command = [program("VALET_BIN"), "init", "--from-airflow-cfg", str(cfg)]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={}).stdout
    vaults = f"    url: {endpoints.vault_url}\n"
    assert made.count(vaults) == made.count("  tasks: {unix: {path: /run/valet/") == 1
    # The budget would slow down so many names in a row, and a list would answer for the vault.
    more = f"    network: {{ca_file: {endpoints.ca_file}}}\n    budget: {{requests: 100000}}\n    list: null\n"
    made = made.replace(vaults, vaults + more)
    return made.replace("/run/valet/", f"{sockets}/") + "\naudit: {to: file, path: audit.jsonl}\n"


def arguments(backend: Backend, endpoints: Endpoints) -> dict[str, object]:
    """AzureKeyVaultBackend's arguments for the test vault."""
    return {
        **backend.kwargs,
        "vault_url": endpoints.vault_url,
        "verify_challenge_resource": False,  # the test vault is no subdomain of vault.azure.net
        "retry_total": 0,  # no waiting for faults that will not end
    }


#: All of them in one Airflow; in the other those in which the Airflow can matter: its connections, its option.
RUNS = [*(("airflow-3", name) for name in BACKENDS), ("airflow-2", "default"), ("airflow-2", "multi team")]


@pytest.mark.parametrize(("airflow", "name"), RUNS)
def test_both_answer_alike(pairs: dict[str, Pair], tmp_path: Path, airflow: str, name: str) -> None:
    answers = _ask_both(pairs[name], name, airflow, tmp_path)
    wrong = [
        (case.label, case.expect.value, case.kind, case.name[:80], case.team, problem)
        for case, answer in zip(cases_of(name), answers, strict=True)
        if (problem := _judge(case, answer["akv"], answer["valet"]))
    ]
    assert wrong == []


def test_no_name_that_a_vault_cannot_hold_reached_it(pairs: dict[str, Pair]) -> None:
    for name, pair in pairs.items():
        asked = [entry["path"] for entry in pair.vault.log() if entry["face"] == "vault"]
        assert asked or name == "off", "runs after the comparison"
        for path in asked:
            assert re.fullmatch(r"/secrets/[0-9a-zA-Z-]{1,127}/?", path), (name, path)


def test_every_class_of_cases_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    every = [case for name in BACKENDS for case in cases_of(name)]
    by_outcome = Counter(case.expect for case in every)
    with capsys.disabled():
        compared = sum(len(cases_of(name)) for _, name in RUNS)
        print(f"\n{len(every)} cases by {len(BACKENDS)} backends, {compared} comparisons in two Airflows:")
        for expect, count in by_outcome.most_common():
            print(f"  {count:5d}  {expect.value}")
    assert dict(by_outcome) == COUNTS


def _ask_both(pair: Pair, name: str, airflow: str, home: Path) -> list[dict[str, Any]]:
    backend = BACKENDS[name]
    asked = {
        "akv": arguments(backend, pair.vault.endpoints),
        "valet": {"socket": pair.valet.socket},
        "cases": [[case.kind, case.name, case.team] for case in cases_of(name)],
    }
    with (home / "airflow.log").open("wb") as log:
        done = subprocess.run(
            [program(AIRFLOWS[airflow]), str(COMPARE)],
            env={
                "PATH": os.environ["PATH"],
                "AIRFLOW_HOME": str(home),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__MULTI_TEAM": str(backend.multi_team),
                "REQUESTS_CA_BUNDLE": pair.vault.endpoints.ca_file,
                **managed_identity(pair.vault.endpoints),
            },
            input=json.dumps(asked).encode(),
            stdout=subprocess.PIPE,
            stderr=log,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, (home / "airflow.log").read_text()[-4000:]
    report = json.loads(done.stdout)
    assert report["version"].startswith(airflow.removeprefix("airflow-"))
    answers: list[dict[str, Any]] = report["answers"]
    return answers


def _judge(case: Case, akv: dict[str, Any], ours: dict[str, Any]) -> str | None:
    """What is wrong, in words without a value; None where nothing is."""
    if case.expect is Expect.REFUSED:
        return None if "raised" in akv and "raised" in ours else f"{_say(akv)}, but Valet {_say(ours)}"
    if case.expect is Expect.MISREAD:
        read = akv["read"].get("value")
        if not read:
            return "Airflow does not read it silently"
        named = next(iter(case.secrets)) in ours.get("text", "")
        right = ours.get("reason") == "MALFORMED_VALUE" and named
        return None if right else f"Valet {_say(ours)}"
    if case.expect is Expect.ABSENT:
        return None if akv == ours == {"value": None} else f"{_say(akv)}, but Valet {_say(ours)}"
    if case.expect is Expect.NO_NAME:
        return None if akv.get("value") and ours == {"value": None} else f"{_say(akv)}, but Valet {_say(ours)}"
    if not isinstance(akv.get("value"), str) or akv != ours:
        return f"{_say(akv)}, but Valet {_say(ours)}"
    raised = "raised" in akv.get("read", {})
    return None if raised is (case.expect is Expect.UNREADABLE) else f"Airflow raises: {raised}"


def _say(answer: dict[str, Any]) -> str:
    if "raised" in answer:
        return f"raised {answer['raised'][0]} ({answer['reason']})"
    value = answer["value"]
    return "said None" if value is None else f"gave {len(value)} characters"

"""Arguments: what is taken, what is only warned about, and that nothing can make it fail."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from airflow_valet import options

from conftest import CANARY

DEFAULTS = ("/run/valet/valet.sock", 10.0, "fail", None, "connect")


def parse(kwargs: dict[str, Any], environ: dict[str, str]) -> tuple[tuple[Any, ...], list[str]]:
    """Parse, with the options as a tuple."""
    got, problems = options.parse(kwargs, environ)
    return (got.socket, got.timeout, got.on_unavailable, got.team, got.transport), problems


ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), 10**400, "", " ", "0", "-1", "nan", "1e999",
    "abc", "\0", "\ud800", "x" * 100_000, [], [1], {}, {"a": 1}, b"5", object(), 3 + 4j,
]  # fmt: skip
NAMES = [
    "socket",
    "timeout",
    "on_unavailable",
    "team",
    "transport",
    "target",
    "server_uid",
    "vault_url",
    "self",
]


def test_without_arguments_the_defaults_hold() -> None:
    assert parse({}, {}) == (DEFAULTS, [])


def test_arguments_may_be_typed_or_raw_strings() -> None:
    raw = {"socket": "/s", "timeout": "2.5", "on_unavailable": "skip", "team": "t", "transport": "connect"}
    assert parse(raw, {}) == (("/s", 2.5, "skip", "t", "connect"), [])
    assert parse({**raw, "timeout": 2.5}, {}) == parse(raw, {})


def test_the_environment_stands_in_for_each_argument_and_an_argument_wins() -> None:
    environ = {
        "VALET_SOCKET": "/env",
        "VALET_TIMEOUT": "3",
        "VALET_ON_UNAVAILABLE": "skip",
        "VALET_TEAM": "env",
        "VALET_TRANSPORT": "connect",
    }
    assert parse({}, environ) == (("/env", 3.0, "skip", "env", "connect"), [])
    assert parse({"socket": "/arg", "team": None, "timeout": ""}, environ)[0] == (
        "/arg",
        3.0,
        "skip",
        "env",
        "connect",
    )


@pytest.mark.parametrize("timeout", [0, -1, "abc", "nan", "inf", 601, True, [], 10**400])
def test_a_timeout_that_makes_no_sense_is_a_warning_and_the_default(timeout: Any) -> None:
    got, problems = parse({"timeout": timeout}, {})
    assert got == DEFAULTS
    assert problems == ["timeout: expected seconds, above 0 and at most 600; using 10.0"]


@pytest.mark.parametrize(
    ("argument", "value"), [("socket", 5), ("on_unavailable", "maybe"), ("team", 1), ("transport", "http")]
)
def test_a_wrong_value_is_a_warning_that_names_the_argument(argument: str, value: Any) -> None:
    got, (problem,) = parse({argument: value}, {})
    assert got == DEFAULTS
    assert problem.startswith(f"{argument}: expected ")


@pytest.mark.parametrize("named", ["connect", "grpc"])
def test_both_transports_are_taken_from_either_place(named: str) -> None:
    expected = ((*DEFAULTS[:4], named), [])
    assert parse({"transport": named}, {}) == parse({}, {"VALET_TRANSPORT": named}) == expected


@pytest.mark.parametrize(
    "name", ["target", "ca_file", "cert_file", "key_file", "token_file", "server_uid", "autostart"]
)
def test_what_comes_later_is_rejected_aloud_from_either_place(name: str) -> None:
    expected = [f"{name}: not yet available, ignored"]
    assert parse({name: "x"}, {})[1] == expected
    assert parse({}, {f"VALET_{name.upper()}": "x"})[1] == expected


def test_unknown_arguments_are_named_and_their_values_are_not() -> None:
    assert parse({"b": CANARY, "a": CANARY}, {})[1] == ["unknown arguments, ignored: a, b"]


def test_arguments_of_the_key_vault_backend_lead_to_valet_init() -> None:
    (problem,) = parse({"vault_url": "https://v", "client_secret": CANARY, "connections_prefix": None}, {})[1]
    assert "client_secret, connections_prefix, vault_url" in problem
    assert "`valet init --from-airflow-cfg airflow.cfg`" in problem
    assert CANARY not in problem


def test_no_argument_can_make_the_constructor_raise(make: Callable[..., Any]) -> None:
    for name, value in itertools.product(NAMES, ODD):
        backend = make(**{name: value})
        assert 0 < backend._options.timeout <= 600
        assert backend._options.on_unavailable in ("fail", "skip")
    make(**dict(zip(NAMES, ODD)))
    make(**{f"name-{i}": i for i in range(1000)})


def test_the_environment_cannot_make_the_constructor_raise(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in itertools.product(NAMES, ODD):
        if isinstance(value, str) and "\0" not in value and value != "\ud800":
            monkeypatch.setenv(f"VALET_{name.upper()}", value)
            make()


def test_a_problem_is_logged_once_however_many_backends_are_made(
    make: Callable[..., Any], logged: Callable[[], list[tuple[str, str]]]
) -> None:
    for _ in range(27):
        make(vault_url="https://once", timeout="often")
    assert [level for level, _ in logged()] == ["WARNING", "WARNING"]

"""The cases: backends as teams configure them; what is asked, what the vault holds and what must come of it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from . import values
from .values import Make


class Expect(Enum):
    """What both sides must do."""

    VALUE = "the same value, which Airflow reads alike"
    UNREADABLE = "the same value, at which Airflow raises"
    ABSENT = "None on both sides"
    REFUSED = "an error on both sides"
    MISREAD = "what Airflow would silently misread: from Valet a fault that names the secret"
    NO_NAME = "a value from AzureKeyVaultBackend alone: to Valet an empty name is no name"


@dataclass(frozen=True)
class Case:
    """One lookup. ``secrets`` is what the vault holds for it, ``fault`` what the vault does instead."""

    label: str
    expect: Expect
    kind: str
    name: str
    team: str | None = None
    secrets: dict[str, object] = field(default_factory=dict)
    fault: dict[str, object] | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Backend:
    """AzureKeyVaultBackend's arguments; Valet's settings are made of them by `valet init`."""

    kwargs: dict[str, str | None] = field(default_factory=dict)
    multi_team: bool = False

    @property
    def separator(self) -> str:
        return self.kwargs.get("sep") or ("" if "sep" in self.kwargs else "-")

    def prefix(self, kind: str) -> str | None:
        plural = {"connection": "connections", "variable": "variables", "config": "config"}[kind]
        return self.kwargs.get(f"{plural}_prefix", f"airflow-{plural}")

    def secret(self, kind: str, name: str, team: str | None = None) -> str:
        """The secret's name, where the kind is on."""
        prefix = (self.prefix(kind) or "").rstrip(self.separator)
        whole = f"{team.replace('_', self.separator)}--{name}" if team else name
        return (f"{prefix}{self.separator}{whole}" if prefix else whole).replace("_", self.separator)


KINDS = {"connection": "connections", "variable": "variables", "config": "config"}

BACKENDS = {
    "default": Backend(),
    "prefixes": Backend({"connections_prefix": "conn", "variables_prefix": "Team7-vars", "config_prefix": "c"}),
    "trailing": Backend({"connections_prefix": "conns---", "variables_prefix": "vars-", "config_prefix": "cfg-"}),
    "underscores": Backend({"connections_prefix": "my_conns_", "variables_prefix": "_vars", "config_prefix": "c_f_g"}),
    "no prefix": Backend({"connections_prefix": "", "variables_prefix": "", "config_prefix": ""}),
    "off": Backend({"connections_prefix": None, "variables_prefix": None, "config_prefix": None}),
    "long separator": Backend({"sep": "--"}),
    "separator of letters": Backend({"sep": "x0", "connections_prefix": "proxx0", "variables_prefix": "x0"}),
    "no separator": Backend({"sep": "", "connections_prefix": "conn_"}),
    "multi team": Backend(multi_team=True),
}

#: Values of connections: how many of each, and what becomes of them.
CONNECTIONS: dict[str, tuple[int, Expect, Make]] = {
    "uri": (20, Expect.VALUE, values.uri),
    "uri with query": (15, Expect.VALUE, values.uri_with_query),
    "uri with __extra__": (10, Expect.VALUE, values.uri_with_extra),
    "uri with raw letters": (8, Expect.VALUE, values.uri_with_raw_letters),
    "uri in uri": (5, Expect.VALUE, values.uri_in_uri),
    "uri without anything": (5, Expect.VALUE, values.uri_without_anything),
    "uri in blanks": (12, Expect.VALUE, values.with_blanks(values.uri)),
    "uri over lines": (8, Expect.VALUE, values.uri_broken_over_lines),
    "json": (20, Expect.VALUE, values.json_all_keys),
    "json, extra as text": (8, Expect.VALUE, values.json_extra_as_text),
    "json, small": (5, Expect.VALUE, values.json_small),
    "json, large": (2, Expect.VALUE, values.json_large),
    "json in blanks": (12, Expect.VALUE, values.with_blanks(values.json_all_keys)),
    "empty": (2, Expect.VALUE, lambda _: ""),
    "json, unknown key": (6, Expect.UNREADABLE, values.json_unknown_key),
    "json, broken": (6, Expect.UNREADABLE, values.json_broken),
    "uri thrice": (4, Expect.UNREADABLE, values.uri_thrice),
    "uri, bad port": (4, Expect.UNREADABLE, values.uri_bad_port),
    "blanks": (5, Expect.UNREADABLE, values.blanks),
    "storage connection string": (8, Expect.MISREAD, values.storage_connection_string),
    "blob connection string": (5, Expect.MISREAD, values.blob_connection_string),
    "service bus connection string": (5, Expect.MISREAD, values.service_bus_connection_string),
    "sas": (8, Expect.MISREAD, values.sas),
    "bare token": (8, Expect.MISREAD, values.bare_token),
    "json, no object": (8, Expect.MISREAD, values.json_no_object),
    "no authority": (6, Expect.MISREAD, values.no_authority),
    "byte order mark": (3, Expect.MISREAD, values.byte_order_mark),
}
#: Values of variables and options, served whatever they are.
TEXTS: dict[str, tuple[int, Make]] = {
    "text": (8, values.text),
    "lines": (4, values.text_lines),
    "escapes": (4, values.text_escapes),
    "large": (2, values.text_large),
    "blanks": (3, values.blanks),
    "empty": (2, lambda _: ""),
    "json": (4, values.json_all_keys),
    "broken json": (2, values.json_broken),
    "connection string": (3, values.storage_connection_string),
}
#: Names that no Key Vault can hold, without a control character.
ODD = [
    "a/b", "/a", "..", "../secrets/x", "a?b", "?",
    "a#b", "%2e%2e", "%2e", "a%00b", "a b", " a", "a ", "🚀", "grüße", "a.b",
    "a:b", "a@b", "a;b", "a\\b", "a'b", 'a"b', "a+b", "a=b", "{a}", "a\u2028b", "\u0660", "\uff21", "\ud800", "\u212a",
]  # fmt: skip
CONTROL = ["a\nb", "a\n", "\n", "a\0b", "\0", "a\tb", "a\rb", "a\x7fb", "\x1b[31m", "a\x85b"]


def cases(name: str, seed: int) -> list[Case]:
    """The cases of the backend ``name``, in an order that mixes them."""
    rng = random.Random(f"{seed}/{name}")
    backend = BACKENDS[name]
    parts = [_names(backend, rng), _teams(backend, rng)]
    if name == "default":
        parts += [_values(backend, rng), _attributes(backend, rng), _odd_names(backend, rng)]
    found = [case for part in parts for case in part]
    rng.shuffle(found)
    return found


def _values(backend: Backend, rng: random.Random) -> Iterator[Case]:
    for label, (count, expect, make) in CONNECTIONS.items():
        for number in range(count):
            name = f"{_slug(label)}_{number}"
            yield Case(label, expect, "connection", name, None, {backend.secret("connection", name): make(rng)})
    for kind in ("variable", "config"):
        for label, (count, text) in TEXTS.items():
            for number in range(count):
                name = f"{_slug(label)}_{number}"
                held: dict[str, object] = {backend.secret(kind, name): text(rng)}
                yield Case(f"{kind}: {label}", Expect.VALUE, kind, name, None, held)


def _attributes(backend: Backend, rng: random.Random) -> Iterator[Case]:
    """What a vault knows of a secret beside its value."""
    states: dict[str, tuple[Expect, list[dict[str, object]]]] = {
        "expired": (Expect.VALUE, [{"exp": 1_000_000_000}]),
        "not yet valid": (Expect.VALUE, [{"nbf": 2_000_000_000}]),
        "tagged": (Expect.VALUE, [{"tags": {"file-encoding": "base64"}, "contentType": "application/json"}]),
        "disabled": (Expect.REFUSED, [{"enabled": False}]),
        "two versions": (Expect.VALUE, [{}, {}]),
        "old one disabled": (Expect.VALUE, [{"enabled": False}, {}]),
        "latest disabled": (Expect.REFUSED, [{}, {"enabled": False}]),
    }
    faults: dict[str, dict[str, object]] = {
        "no role": {"kind": "forbidden", "code": "ForbiddenByRbac"},
        "firewall": {"kind": "forbidden", "code": "ForbiddenByFirewall"},
        "throttled": {"kind": "throttled", "retry_after": 1},
        "failing": {"kind": "status", "status": 500},
        "away": {"kind": "status", "status": 503},
    }
    for kind in KINDS:
        for number in range(3):
            for label, (expect, versions) in states.items():
                name = f"{_slug(label)}_{number}"
                spelt = [{"value": values.uri(rng), **version} for version in versions]
                yield Case(label, expect, kind, name, None, {backend.secret(kind, name): spelt})
            name = f"deleted_{number}"
            held: dict[str, object] = {backend.secret(kind, name): values.uri(rng)}
            yield Case("deleted", Expect.ABSENT, kind, name, None, held, deleted=True)
        for label, fault in faults.items():
            name = f"fault_{_slug(label)}"
            held = {backend.secret(kind, name): values.uri(rng)}
            yield Case(label, Expect.REFUSED, kind, name, None, held, fault=fault)


def _names(backend: Backend, rng: random.Random) -> Iterator[Case]:
    """Names that a Key Vault can hold, as the backend spells them."""
    for kind in KINDS:
        off = backend.prefix(kind) is None
        spellings = {
            "plain": ["orders", "o", "7", "orders-2"],
            "underscores": ["my_orders", "_o", "o_", "_"],
            "upper case": ["Orders", "ORDERS_DB", "oRDERs2"],
            "hyphens": ["a-b", "-x", "y-", "-"],
        }
        # In multi-team mode these name another team's secret, so nobody gets them; see `_teams`.
        if not backend.multi_team and backend.separator != "--":
            spellings["separators in a row"] = ["a--b", "a__c", "a_-d", "---", "a___e"]
        for label, names in spellings.items():
            for name in names:
                unlike = {"upper case": str.swapcase}.get(label, str)
                name += label[0] + kind[0]  # of its own also where kinds share their names
                held: dict[str, object] = {unlike(backend.secret(kind, name)): values.uri(rng)}
                expect = Expect.ABSENT if off else Expect.VALUE
                yield Case(label, expect, kind, name, None, {} if off else held)
        for number in range(4):
            yield Case("absent", Expect.ABSENT, kind, f"nobody_{number}")
        room = 127 - len(backend.secret(kind, ""))
        for number in range(2):
            longest = f"{kind[0] * (room - 2)}_{number}"
            if backend.separator == "-":
                expect = Expect.ABSENT if off else Expect.VALUE
                held = {backend.secret(kind, longest): values.uri(rng)}
                yield Case("127 characters", expect, kind, longest, None, {} if off else held)
            yield Case("128 characters", Expect.ABSENT, kind, f"{'m' * room}{number}")


def _odd_names(backend: Backend, rng: random.Random) -> Iterator[Case]:
    for kind in KINDS:
        for name in ODD:
            yield Case("odd name", Expect.ABSENT, kind, name)
        for name in CONTROL:
            yield Case("control character", Expect.ABSENT, kind, name)
        for size in (1024, 1025, 10_000):
            yield Case("long name", Expect.ABSENT, kind, "n" * size)
        held: dict[str, object] = {backend.secret(kind, ""): values.uri(rng)}
        yield Case("no name", Expect.NO_NAME, kind, "", None, held)


def _teams(backend: Backend, rng: random.Random) -> Iterator[Case]:
    """Teams: their own secret first, then that of all."""

    def held(kind: str, name: str, *teams: str | None, **more: object) -> dict[str, object]:
        return {backend.secret(kind, name, team): {"value": values.uri(rng), **more} for team in teams}

    for kind in ("connection", "variable"):
        if backend.prefix(kind) is None:
            continue
        for number, team in enumerate(["sales", "Sales_EU", "a-b", "t7"]):
            for label, expect, teams in [
                ("team's own", Expect.VALUE, (team, None)),
                ("team's alone", Expect.VALUE, (team,)),
                ("team: that of all", Expect.VALUE, (None,)),
                ("team: another's", Expect.ABSENT, ("other",)),
                ("team: nobody's", Expect.ABSENT, ()),
            ]:
                name = f"{_slug(label)}_{kind[0]}{number}"
                yield Case(label, expect, kind, name, team, held(kind, name, *teams))
            name = f"off_{kind[0]}{number}"
            secrets = {**held(kind, name, None), **held(kind, name, team, enabled=False)}
            yield Case("team's own is disabled", Expect.REFUSED, kind, name, team, secrets)
        for number, team in enumerate(["a b", "a/b", "grüße", "x" * 130, "%2e"]):
            name = f"odd_team_{kind[0]}{number}"
            yield Case("odd team", Expect.VALUE, kind, name, team, held(kind, name, None))
        if backend.multi_team:
            for name in ("sales--orders", "sales__orders", "a_-b", "--", "x--"):
                for team_or_none in (None, "sales"):
                    yield Case(
                        "another team's namespace", Expect.ABSENT, kind, name, team_or_none, held(kind, name, None)
                    )


def _slug(label: str) -> str:
    return "_".join(re.findall("[a-z0-9]+", label.lower()))

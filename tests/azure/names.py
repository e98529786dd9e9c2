"""Write names.json: the secrets that Airflow's own AzureKeyVaultBackend asks for, in order, for many settings and ids.

Run it where apache-airflow and apache-airflow-providers-microsoft-azure are installed: python tests/azure/names.py
"""

import itertools
import json
import pathlib
import sys
from unittest import mock

from airflow.providers.microsoft.azure.secrets import key_vault
from azure.core.exceptions import ResourceNotFoundError

IDS = ["db", "DB_Main", "a__b", "a--b", "a_-b", "-a", "_", "--"]
ODD = ["a.b", "a b", "a/b", "..", "a?b", "%2e", "é", "😀", "x" * 107, "x" * 108, "x" * 127, "x" * 128, "_" * 107]
SETTINGS = [
    {},
    {"prefix": ""},
    {"prefix": None},
    {"prefix": "team_a"},
    {"prefix": "airflow-connections-"},
    {"prefix": "airflow---"},
    {"prefix": "-"},
    {"prefix": "a.b"},
    {"prefix": "a_", "sep": "_"},
    {"prefix": "abcab", "sep": "ab"},
    {"prefix": "airflow-connections", "sep": ""},
    {"prefix": "airflow-connections", "sep": "--"},
    {"prefix": "airflow", "sep": "x_"},
    {"prefix": "airflow", "sep": "."},
]
DEFAULTS = {
    kind: getattr(key_vault.AzureKeyVaultBackend(), f"{kind}_prefix") for kind in ["connections", "variables", "config"]
}
TEAMS = [None, "red", "red_1", "a--b", "r d", "t" * 100]


class Asked:
    """A vault that holds nothing and notes what it is asked for."""

    def __init__(self):
        self.names = []

    def get_secret(self, name):
        self.names.append(name)
        raise ResourceNotFoundError


def asked(setting, kind, name, team, multi_team):
    settings = {f"{kind}_prefix": setting["prefix"], "sep": setting["sep"]}
    backend = key_vault.AzureKeyVaultBackend(**settings)
    backend.client = vault = Asked()
    with mock.patch.object(key_vault.conf, "getboolean", return_value=multi_team):
        if kind == "config":
            found = backend.get_config(name)
        else:
            found = {"connections": backend.get_conn_value, "variables": backend.get_variable}[kind](
                name, team_name=team
            )
    assert found is None
    return vault.names


def main():
    cases = []
    for setting, name in itertools.product(SETTINGS, IDS + ODD):
        is_default = setting == {}
        if name in ODD and "sep" in setting:
            continue
        kinds = ["connections", "variables", "config"] if is_default and name in IDS else ["connections"]
        teams = TEAMS if is_default and name in IDS[:4] else [None] if name in ODD else [None, "red_1"]
        for kind, team, multi_team in itertools.product(
            kinds, teams, [False, True] if is_default and name in IDS else [False]
        ):
            full = {"prefix": DEFAULTS[kind], "sep": "-"} | setting
            case = {**full, "kind": kind, "id": name, "team": team, "multi_team": multi_team}
            cases.append({**case, "asked": asked(full, kind, name, team, multi_team)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    pathlib.Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    sys.stderr.write(f"{len(cases)} cases\n")


main()

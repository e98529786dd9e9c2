"""The distribution: its version is the broker's, and nothing comes along with it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def field(file: str, name: str) -> str:
    """The first ``name = …`` of a TOML file."""
    found = re.search(rf"^{name} = (.*)$", (ROOT / file).read_text(), re.MULTILINE)
    assert found, (file, name)
    return found[1]


def test_the_versions_of_the_shim_and_of_the_broker_are_one() -> None:
    assert field("python-shim/pyproject.toml", "version") == field("Cargo.toml", "version")


def test_nothing_but_python_is_needed() -> None:
    assert field("python-shim/pyproject.toml", "dependencies") == "[]"
    assert field("python-shim/pyproject.toml", "requires-python") == '">=3.9"'
    extra = '{ grpc = ["grpcio>=1.74", "protobuf>=4.25"] }'
    assert field("python-shim/pyproject.toml", "optional-dependencies") == extra


def test_its_types_are_there_for_those_who_check_theirs() -> None:
    assert (ROOT / "python-shim/src/airflow_valet/py.typed").is_file()

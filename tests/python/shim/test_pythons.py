"""Every Python that is supported and installed here; which ones those were is said at the end of the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import conftest

SUPPORTED = ["3.9", "3.10", "3.11", "3.12", "3.13"]


def version_of(python: str) -> str | None:
    """Ask, since a shim of pyenv is there for versions that it then refuses to run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def find(version: str) -> str | None:
    """Look on PATH, then where pyenv keeps them."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    here = [sys.executable, shutil.which(f"python{version}")]
    for python in (*here, *(str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python")))):
        if python and version_of(python) == version:
            return python
    return None


FOUND = {version: python for version in SUPPORTED if (python := find(version))}


def test_some_python_that_is_supported_is_here() -> None:
    assert FOUND


@pytest.mark.parametrize("version", FOUND)
def test_it_works_on(version: str) -> None:
    said = run_everything(FOUND[version], "connect")
    assert said.startswith(f"{version}.")
    conftest.pythons.append(said)


@pytest.mark.parametrize("versions", ["newest", "oldest"])
def test_it_works_over_grpc_with_the(versions: str) -> None:
    oldest = os.environ.get("VALET_GRPC_OLDEST_PYTHON")
    if versions == "oldest" and not oldest:
        if os.environ.get("CI") == "true" or os.environ.get("VALET_REQUIRE_AIRFLOW") == "1":
            pytest.fail("VALET_GRPC_OLDEST_PYTHON is not set; `make test` sets it")
        pytest.skip("VALET_GRPC_OLDEST_PYTHON is not set; `make test` sets it")
    assert run_everything(oldest if versions == "oldest" else sys.executable, "grpc").startswith("3.")


def run_everything(python: str, transport: str) -> str:
    """What everywhere.py prints: the version that it ran on."""
    script = Path(__file__).with_name("everywhere.py")
    done = subprocess.run(
        [python, "-W", "error", "-W", "ignore::DeprecationWarning", str(script)],
        env={**os.environ, "VALET_TRANSPORT": transport},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

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
    script = Path(__file__).with_name("everywhere.py")
    done = subprocess.run(
        [FOUND[version], "-W", "error", "-W", "ignore::DeprecationWarning", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{version}.")
    conftest.pythons.append(done.stdout.strip())

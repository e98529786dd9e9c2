"""Importing: no Airflow, nothing heavy, no I/O; and Airflow's class only when it is asked for."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SHIM

#: What the shim may import; all of it is loaded in any process of Airflow before the first lookup.
STANDARD = set(
    "__future__ argparse asyncio collections concurrent contextlib functools hashlib http importlib io json"
    " logging inspect os pkgutil re select socket sys time typing urllib".split()
)
FAKE_AIRFLOW = {
    # Like the real one: making the configured backend is part of importing it.
    "airflow/__init__.py": "import airflow.configuration\n",
    "airflow/configuration.py": (
        "import importlib, os\n"
        "module, name = os.environ['BACKEND'].rsplit('.', 1)\n"
        "backend = getattr(importlib.import_module(module), name)(timeout='bad', vault_url='x')\n"
    ),
    "airflow/secrets/__init__.py": (
        "import airflow.configuration\nclass BaseSecretsBackend:\n    where = 'core'\n"
    ),
}
FAKE_SDK = {
    "airflow/sdk/bases/secrets_backend.py": "class BaseSecretsBackend:\n    where = 'sdk'\n",
}


def python(code: str, *paths: Path, **environment: str) -> str:
    """Run ``code`` in a fresh interpreter; gives its standard output, and fails if it fails."""
    path = os.pathsep.join(map(str, [*paths, SHIM]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PATH": "", "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_importing_the_package_imports_no_airflow(tmp_path: Path) -> None:
    fake = write(tmp_path, {"airflow/__init__.py": "raise SystemExit('airflow was imported')"})
    code = (
        "import sys, airflow_valet; print('airflow' in sys.modules, 'airflow_valet.backend' in sys.modules)"
    )
    assert python(code, fake) == "False False"
    assert python("from airflow_valet import ValetDenied, ValetError, ValetUnavailable", fake) == ""


def test_what_is_not_there_is_an_attribute_error() -> None:
    assert python("import airflow_valet; print(hasattr(airflow_valet, 'Other'))") == "False"


@pytest.mark.parametrize(
    "first",
    [
        "import airflow",
        "import airflow.secrets",
        "from airflow_valet import ValetBackend",
        "import airflow_valet; airflow_valet.ValetBackend",
        "import airflow_valet; airflow_valet.ValetBackend(); import airflow",
    ],
)
def test_airflow_may_be_configured_with_the_backend_whoever_is_imported_first(
    tmp_path: Path, first: str
) -> None:
    fake = write(tmp_path, FAKE_AIRFLOW)
    code = (
        f"{first}\nimport airflow.configuration, airflow_valet\n"
        "made, named = type(airflow.configuration.backend), airflow_valet.ValetBackend\n"
        "print(made is named, named.where)"
    )
    assert python(code, fake, BACKEND="airflow_valet.ValetBackend") == "True core"


def test_a_worker_that_has_only_the_task_sdk_gets_its_base_class(tmp_path: Path) -> None:
    fake = write(tmp_path, FAKE_SDK)
    assert python("import airflow_valet; print(airflow_valet.ValetBackend.where)", fake) == "sdk"


def test_making_a_backend_neither_connects_nor_looks(tmp_path: Path) -> None:
    fake = write(tmp_path, {"airflow/__init__.py": "", **FAKE_SDK})
    code = (
        "import airflow_valet; backend = airflow_valet.ValetBackend\n"
        "import sys, socket\n"
        "def hook(event, arguments):\n"
        "    if event.startswith(('socket.', 'open', 'os.')): raise SystemExit(event)\n"
        "sys.addaudithook(hook)\n"
        "backend(socket='/nowhere', timeout='3')\n"
        "print('made')"
    )
    assert python(code, fake) == "made"


def test_only_the_standard_library_is_imported_and_only_what_airflow_has_loaded_anyway() -> None:
    # The two files of gRPC are loaded where it is asked for; see test_grpc.py.
    for path in SHIM.glob("airflow_valet/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                top = name.split(".")[0]
                assert top in STANDARD | {"airflow_valet"} or (path.name, top) in {
                    ("backend.py", "airflow"),
                    ("masking.py", "asgiref"),
                    ("grpc_calls.py", "grpc"),
                    ("schema.py", "google"),
                }, f"{path.name} imports {name}"

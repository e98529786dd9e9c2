#!/usr/bin/env bash
# Types of the Python sources
source "$(dirname "$0")/../lib.sh"

venv tools
venv suites
mypy=("$tools/tools/bin/mypy" --strict --cache-dir "$root/target/mypy" --python-executable "$tools/suites/bin/python")
(cd python-shim && "${mypy[@]}")
# The suites one by one: each has a `conftest` of its own. What runs inside an Airflow is checked by running it.
cd tests/python
for suite in support vault_contract azurite faces differential scheduled endurance crowd; do
    "${mypy[@]}" --config-file mypy.ini --package "$suite"
done
MYPYPATH=$root/tests/python:$setup "${mypy[@]}" --config-file mypy.ini ../demo/demo.py ../demo/timings.py

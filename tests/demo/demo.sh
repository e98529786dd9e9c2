#!/usr/bin/env bash
# `make demo`: Airflow tasks fetch connections, variables and tokens for storage through Valet, on this machine alone. DEMO_PROFILE=dev builds faster.
source "$(dirname "$0")/../setup/lib.sh"

began=$SECONDS
profile=${DEMO_PROFILE:-release}
printf '%s==> [1/7] Building valet and the Key Vault stand-in (%s; some minutes, the first time)%s\n' "$bold" "$profile" "$plain"
bash "$setup/steps/machine.sh" >/dev/null
cargo build --locked --profile "$profile" --package valet --package valet-testvault
printf '\n%s==> [2/7] Airflow 3 with the Azure provider and airflow-valet, and Azurite%s\n' "$bold" "$plain"
venv suites
venv airflow-3 "$root/python-shim"
azurite
note "$("$tools/airflow-3/bin/python" -c 'from importlib.metadata import version as v; print("apache-airflow", v("apache-airflow"))')"

programs=$(dirname "$built")/${profile/#dev/debug}
VALET_BIN=$programs/valet VALET_TESTVAULT=$programs/valet-testvault VALET_AIRFLOW_3_PYTHON=$tools/airflow-3/bin/python \
    VALET_AZURITE=$tools/azurite/node_modules/azurite/dist/src/azurite.js PYTHONPATH=$root/tests/python:$setup "$tools/suites/bin/python" tests/demo/demo.py </dev/null
note "all: $((SECONDS - began)) s"

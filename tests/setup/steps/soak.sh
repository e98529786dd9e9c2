#!/usr/bin/env bash
# Valet under load amid rotations and faults, for 2 minutes or MINUTES: no wrong answer, nothing grows
source "$(dirname "$0")/../lib.sh"

venv suites
venv airflow-3 "$root/python-shim"
[[ -x $built/valet && -x $built/valet-testvault ]] ||
    fail "valet or valet-testvault is not built" "cargo build --workspace --bins"
place=$output/soak
rm -rf "$place" "$place.canaries"
mkdir -p "$output"
VALET_BIN=$built/valet VALET_TESTVAULT=$built/valet-testvault VALET_AIRFLOW_3_PYTHON=$tools/airflow-3/bin/python \
    VALET_CANARIES=$place.canaries PYTHONPATH=$root/tests/python \
    "$tools/suites/bin/python" -m endurance.soak "${MINUTES:-2}" "$place" ||
    fail "the soak has found something" "its report and picture are in ${place#"$root"/}"
note "the report is ${place#"$root"/}/report.txt, the picture soak.svg beside it"

#!/usr/bin/env bash
# Latency and memory of the release build, each figure beside its yardstick
source "$(dirname "$0")/../lib.sh"

need curl "apt-get install curl"
venv suites
venv airflow-3 "$root/python-shim"
note "building the release; some minutes the first time"
cargo build --quiet --release --workspace --bins
yardstick=$(cargo bench --quiet --no-run --bench lookup --message-format=json |
    "$tools/suites/bin/python" -c 'import json, sys; print(*(e for e in (json.loads(l).get("executable") for l in sys.stdin) if e))')
release=${CARGO_TARGET_DIR:-$root/target}/release
PYTHONPATH=$root/tests/python VALET_BIN=$release/valet VALET_TESTVAULT=$release/valet-testvault VALET_BENCH=$yardstick \
    VALET_BENCH_RESULTS=$root/target/bench/results.json VALET_AIRFLOW_3_PYTHON=$tools/airflow-3/bin/python \
    "$tools/suites/bin/python" benches/run.py

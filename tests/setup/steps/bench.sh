#!/usr/bin/env bash
# Latency and memory of the release build, each figure beside its yardstick
source "$(dirname "$0")/../lib.sh"

need curl "apt-get install curl"
venv suites
venv airflow-3 "$root/python-shim"
note "building the release; some minutes the first time"
cargo build --quiet --release --workspace --bins
# The program of one bench, among all that cargo says it has built.
bench() {
    cargo bench --quiet --no-run --bench "$1" --message-format=json | "$tools/suites/bin/python" -c '
import json, sys
built = [json.loads(line) for line in sys.stdin]
print(*(it["executable"] for it in built if it.get("executable") and "bench" in it["target"]["kind"]))'
}
yardstick=$(bench lookup)
signing=$(bench sign)
herd=$(bench herd)
release=${CARGO_TARGET_DIR:-$root/target}/release
PYTHONPATH=$root/tests/python VALET_BIN=$release/valet VALET_TESTVAULT=$release/valet-testvault VALET_BENCH=$yardstick \
    VALET_SIGN_BENCH=$signing VALET_HERD_BENCH=$herd \
    VALET_BENCH_RESULTS=$root/target/bench/results.json VALET_AIRFLOW_3_PYTHON=$tools/airflow-3/bin/python \
    "$tools/suites/bin/python" benches/run.py

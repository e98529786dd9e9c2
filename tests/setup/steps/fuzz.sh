#!/usr/bin/env bash
# Fuzzing of everything that reads what others wrote, FUZZ_SECONDS a target
source "$(dirname "$0")/../lib.sh"

venv tools
seconds=${FUZZ_SECONDS:-30}
place=$root/target/fuzz
cargo build --locked --package valet-fuzz --bin seeds
"$built/seeds" "$place/seeds"
export PATH=$tools/tools/bin:$PATH
# Without a sanitizer: there is no unsafe code here to watch, and it runs on the stable compiler. Not as the release is built, which takes long.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_STRIP=none
fuzz=(cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none --features libfuzzer --target-dir "$place/build")
for target in "$place"/seeds/*/; do
    target=$(basename "$target")
    note "$target, $seconds s"
    mkdir -p "$place/corpus/$target"
    # New inputs are kept in the first folder; one that breaks something is written to tests/fuzz/artifacts, and shows how to run it again.
    "${fuzz[@]}" "$target" "$place/corpus/$target" "$place/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -max_len=16384 -verbosity=0 -print_final_stats=1
done

#!/usr/bin/env bash
# Tests of the crates
source "$(dirname "$0")/../lib.sh"

# All targets in one build: so `valet` and `valet-testvault`, which the suites run, come of the same dependencies as the tests.
cargo build --locked --workspace --all-targets
cargo test --locked --workspace

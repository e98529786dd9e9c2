#!/usr/bin/env bash
# Formatting of the Rust sources
source "$(dirname "$0")/../lib.sh"

cargo fmt --all --check || fail "the Rust sources are not formatted" "make fmt"

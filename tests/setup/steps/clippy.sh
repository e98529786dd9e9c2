#!/usr/bin/env bash
# Lints of the Rust sources
source "$(dirname "$0")/../lib.sh"

cargo clippy --locked --workspace --all-targets -- --deny warnings

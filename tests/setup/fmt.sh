#!/usr/bin/env bash
# `make fmt`: formats the Rust and Python sources.
source "$(dirname "$0")/lib.sh"

venv tools
cargo fmt --all
"$tools/tools/bin/ruff" check --no-cache --fix --quiet python-shim tests benches || true
"$tools/tools/bin/ruff" format --no-cache --quiet python-shim tests benches

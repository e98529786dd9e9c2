#!/usr/bin/env bash
# Lints and formatting of the Python sources
source "$(dirname "$0")/../lib.sh"

venv tools
"$tools/tools/bin/ruff" check --no-cache python-shim tests benches
"$tools/tools/bin/ruff" format --no-cache --check python-shim tests benches ||
    fail "the Python sources are not formatted" "make fmt"

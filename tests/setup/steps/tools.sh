#!/usr/bin/env bash
# Tools for what is not Rust
source "$(dirname "$0")/../lib.sh"

venv tools

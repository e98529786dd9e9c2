#!/usr/bin/env bash
# `make test`: everything that must hold before a change lands, what fails fastest first. STEPS="faces canary" runs only those.
source "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2206 # STEPS is a list of words
steps=(${STEPS:-machine fmt tools shellcheck ruff deny clippy rust environments mypy shim contract azurite faces differential scheduled restarts soak canary})
exec "$setup/run.sh" "${steps[@]}"

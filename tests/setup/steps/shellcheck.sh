#!/usr/bin/env bash
# Lints of the shell scripts
source "$(dirname "$0")/../lib.sh"

venv tools
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)
"$tools/tools/bin/shellcheck" --external-sources --source-path=SCRIPTDIR "${scripts[@]}"

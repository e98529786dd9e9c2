#!/usr/bin/env bash
# Freezes tests/setup/requirements/*.in into *.txt: versions as of today, with the hashes of their files.
source "$(dirname "$0")/lib.sh"

[[ -f $setup/requirements/uv.txt ]] || fail "uv.txt is missing" "restore it: git checkout tests/setup/requirements/uv.txt"
for wanted in "$setup"/requirements/*.in; do
    say "freezing ${wanted##*/}"
    uv pip compile --quiet --no-header --no-annotate --generate-hashes --upgrade --python-version 3.11 \
        --exclude-newer "$(date --utc +%Y-%m-%d)" --output-file "${wanted%.in}.txt" "$wanted"
done

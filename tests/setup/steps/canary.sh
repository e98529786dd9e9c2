#!/usr/bin/env bash
# No secret in any output of the suites
source "$(dirname "$0")/../lib.sh"

venv suites
search=("$tools/suites/bin/python" tests/setup/canary.py)

# A search that finds nothing proves something only if it finds what is there.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
printf 'a key\tmade+by/suite==\n' >"$planted/suite.canaries"
for disguise in 'x canary-7f3a9c51/env' "$(printf 'ab canary-7f3a9c51/env' | base64)" 'canary%2D7f3a9c51%2Fenv' \
    "$(printf 'canary-7f3a9c51' | od -An -v -tx1 | tr -d ' \n')" \
    'sig=made%2bby%2fsuite%3d%3d' 'made+by/suite==' "$(printf 'made+by/suite==' | base64)"; do
    printf '%s\n' "$disguise" >"$planted/planted.log"
    ! "${search[@]}" "$planted" >/dev/null || fail "the search does not find a planted canary" "see tests/setup/canary.py"
done

"${search[@]}" "$output"

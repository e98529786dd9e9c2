#!/usr/bin/env bash
# Runs steps (tests/setup/steps/NAME.sh) one after the other, says how long each took and how many tests passed: run.sh STEP...
source "$(dirname "$0")/lib.sh"

[[ $# -gt 0 ]] || fail "no step was named" "one or more of: $(find "$setup/steps" -name '*.sh' -printf '%f ' | sed 's/\.sh//g')"
mkdir -p "$output"
summary=()
passed=0 failed=0 skipped=0
all=$# number=0 began=$SECONDS

# Says every half minute that a step which prints nothing is still at work.
heartbeat() {
    local name=$1 since=$SECONDS pulse
    while sleep 30 & pulse=$!; do
        # The sleep ends with us, or `make` would wait for it.
        trap 'kill "$pulse" 2>/dev/null; exit 0' TERM
        wait "$pulse"
        note "… $name, $((SECONDS - since)) s"
    done
}

# count LOG: adds what the test runners' closing lines in a log say.
count() {
    local sums
    sums=$(sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        /^test result: / || / in [0-9.]+s/ && / (passed|failed|error|errors)/ {
            gsub(/[;,.=]/, " ")
            for (i = 2; i <= NF; i++) {
                if ($i == "passed") p += $(i - 1)
                if ($i == "failed" || $i ~ /^errors?$/) f += $(i - 1)
                if ($i == "skipped" || $i == "ignored") s += $(i - 1)
            }
        }
        END { printf "%d %d %d", p, f, s }')
    read -r p f s <<<"$sums"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

finish() {
    local line
    printf '\n%s==> summary%s\n' "$bold" "$plain"
    for line in "${summary[@]}"; do printf '    %s\n' "$line"; done
    note "all: $((SECONDS - began)) s"
    say "tests: $passed passed, $failed failed, $skipped skipped"
}

for name in "$@"; do
    number=$((number + 1))
    script=$setup/steps/$name.sh log=$output/$name.log
    [[ -f $script ]] || fail "there is no step $name"
    title=$(sed -n '2s/^# //p' "$script")
    printf '\n%s==> [%d/%d] %s%s\n' "$bold" "$number" "$all" "$title" "$plain"
    started=$SECONDS
    heartbeat "$name" &
    pulse=$!
    # Also when interrupted: what runs in the background does not hear of that.
    trap 'kill "$pulse" 2>/dev/null || true' EXIT
    status=0
    bash "$script" </dev/null 2>&1 | tee "$log" || status=$?
    kill "$pulse" 2>/dev/null || true
    wait "$pulse" 2>/dev/null || true
    before=$passed
    count "$log"
    took=$((SECONDS - started)) tests=$((passed - before))
    summary+=("$(printf '%-14s %5d s   %s' "$name" "$took" "$([[ $tests -eq 0 ]] || say "$tests passed")")")
    if [[ $status -ne 0 ]]; then
        [[ $failed -gt 0 ]] || failed=1
        summary[-1]+=" ${red}failed${plain}"
        finish
        fail "the step $name failed; its output is in ${log#"$root"/}" "once it is mended: tests/setup/run.sh $name"
    fi
done
finish

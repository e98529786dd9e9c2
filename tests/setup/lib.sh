# What the scripts here share: where things are, how to announce a step, how to make a virtual environment. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
setup=$root/tests/setup
tools=$root/target/tools             # virtual environments, each stamped with what it was made from
output=$root/target/test-output      # what the suites print and write; searched for canaries at the end
built=${CARGO_TARGET_DIR:-$root/target}/debug
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Colours where somebody looks on, also through `tee`.
# shellcheck disable=SC2034 # some are for the scripts that source this
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
    export CARGO_TERM_COLOR=always FORCE_COLOR=1
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s    %s%s\n' "$dim" "$*" "$plain"; }

# fail WHAT HINT: says what is wrong and what to do about it, and ends the script.
fail() {
    printf '%serror: %s%s\n' "$red" "$1" "$plain" >&2
    [[ -z ${2:-} ]] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

# need COMMAND HINT: a tool that a fresh machine has.
need() { command -v "$1" >/dev/null || fail "$1 is not installed" "$2"; }

# python311: prints the path of a Python 3.11, the version that the frozen requirements are for.
python311() {
    local candidate
    for candidate in "${UV_PYTHON:-}" python3.11 python3 /usr/bin/python3.11 /usr/local/bin/python3.11 \
        "$HOME"/.pyenv/versions/3.11.*/bin/python; do
        # Asked, not only found: a pyenv shim is there for versions that it then refuses to run.
        if [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "Python 3.11 was not found" "install it (Debian 12: apt-get install python3.11 python3.11-venv), or set UV_PYTHON to its path"
}

# fingerprint FILE...: one hash of the files' content, those below directories included.
fingerprint() {
    find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# uv: in a place of its own, so that nothing of the machine's Python is touched.
uv() {
    local place=$tools/uv lock=$setup/requirements/uv.txt python stamp
    stamp=$(fingerprint "$lock")
    if [[ $(cat "$place/.stamp" 2>/dev/null) != "$stamp" ]]; then
        python=$(python311)
        note "installing uv"
        rm -rf "$place"
        "$python" -m pip --version >/dev/null 2>&1 || "$python" -c 'import ensurepip' 2>/dev/null ||
            fail "$python has neither pip nor ensurepip" "Debian 12: apt-get install python3.11-venv"
        if "$python" -c 'import ensurepip' 2>/dev/null; then
            "$python" -m venv "$place"
            "$place/bin/pip" install --quiet --no-input --require-hashes --requirement "$lock"
        else
            "$python" -m pip install --quiet --no-input --require-hashes --target "$place" --requirement "$lock"
        fi
        printf '%s' "$stamp" >"$place/.stamp"
    fi >&2
    "$place/bin/uv" "$@"
}

# venv NAME [PACKAGE_DIR]: makes target/tools/NAME from requirements/NAME.txt, and installs the package into it. Instant when it is there.
venv() {
    local name=$1 package=${2:-} place=$tools/$1 lock=$setup/requirements/$1.txt stamp python started=$SECONDS
    [[ -f $lock ]] || fail "there is no $lock"
    stamp=$(fingerprint "$lock" ${package:+"$package/src" "$package/pyproject.toml"})
    [[ $(cat "$place/.stamp" 2>/dev/null) != "$stamp" ]] || return 0
    python=$(python311)
    note "installing $name ($(grep -c '==' "$lock") packages)"
    mkdir -p "$tools"
    [[ -x $place/bin/python ]] || uv venv --quiet --clear --no-project --python "$python" "$place"
    uv pip sync --quiet --require-hashes --python "$place/bin/python" "$lock" ||
        fail "the packages of $name could not be installed" "is the package registry reachable? See what uv says above, then run this again"
    if [[ -n $package ]]; then
        uv pip install --quiet --no-deps --no-build-isolation --reinstall --compile-bytecode --python "$place/bin/python" "$package"
    fi
    printf '%s' "$stamp" >"$place/.stamp"
    note "$name is installed, $((SECONDS - started)) s"
}

# azurite: Microsoft's storage emulator, as tests/setup/azurite/package-lock.json names it, into target/tools/azurite. Instant when it is
# there. For another version: change package.json, then `npm install --package-lock-only` beside it.
azurite() {
    local place=$tools/azurite from=$setup/azurite stamp started=$SECONDS
    stamp=$(fingerprint "$from")
    [[ $(cat "$place/.stamp" 2>/dev/null) != "$stamp" ]] || return 0
    need npm "install Node 20 or later, with npm"
    note "installing Azurite"
    mkdir -p "$place"
    cp "$from/package.json" "$from/package-lock.json" "$place"
    npm --prefix "$place" ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
        fail "Azurite could not be installed" "is the package registry reachable? See what npm says above, then run this again"
    printf '%s' "$stamp" >"$place/.stamp"
    note "Azurite is installed, $((SECONDS - started)) s"
}

# suite NAME [ARGUMENT...]: runs tests/python/NAME against the built programs and the real Airflows. What it writes stays for the search
# for canaries.
suite() {
    local name=$1
    shift
    venv suites
    venv airflow-2 "$root/python-shim"
    venv airflow-3 "$root/python-shim"
    [[ -x $built/valet && -x $built/valet-testvault ]] ||
        fail "valet or valet-testvault is not built" "tests/setup/run.sh rust, or cargo build --workspace --all-targets"
    mkdir -p "$output"
    rm -rf "${output:?}/$name" "$output/$name.canaries"
    VALET_BIN=$built/valet VALET_TESTVAULT=$built/valet-testvault \
        VALET_AIRFLOW_2_PYTHON=$tools/airflow-2/bin/python VALET_AIRFLOW_3_PYTHON=$tools/airflow-3/bin/python \
        VALET_REQUIRE_AIRFLOW=1 VALET_AZURITE=$tools/azurite/node_modules/azurite/dist/src/azurite.js \
        VALET_CANARIES=$output/$name.canaries \
        "$tools/suites/bin/python" -m pytest -c "$root/tests/python/pytest.ini" --rootdir "$root/tests/python" \
        --basetemp "$output/$name" "tests/python/$name" "$@"
}

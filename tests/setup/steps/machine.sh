#!/usr/bin/env bash
# What must be here already
source "$(dirname "$0")/../lib.sh"

need cargo "install Rust $(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)"
need cc "install a C compiler (Debian: apt-get install gcc libc6-dev); the TLS library is built with it"
need curl "install it (Debian: apt-get install curl); the Connect face is tested with it"
need node "install Node 20 or later; Azurite, the storage emulator, runs on it"
need npm "install npm, which comes with Node; Azurite is installed with it"
cargo --version
cargo clippy --version || fail "clippy is not installed" "rustup component add clippy rustfmt"
python=$(python311)
"$python" --version
printf 'Node %s\n' "$(node --version)"

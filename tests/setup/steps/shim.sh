#!/usr/bin/env bash
# The shim, also in real Airflows
source "$(dirname "$0")/../lib.sh"

suite shim

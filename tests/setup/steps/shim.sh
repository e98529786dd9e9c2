#!/usr/bin/env bash
# The shim, also in real Airflows
source "$(dirname "$0")/../lib.sh"

venv grpc-oldest
VALET_GRPC_OLDEST_PYTHON=$tools/grpc-oldest/bin/python suite shim

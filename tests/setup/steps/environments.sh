#!/usr/bin/env bash
# Python environments of the suites: pytest, gRPC, Azure, two Airflows
source "$(dirname "$0")/../lib.sh"

venv suites
venv airflow-2 "$root/python-shim"
venv airflow-3 "$root/python-shim"

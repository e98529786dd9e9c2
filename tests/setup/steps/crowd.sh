#!/usr/bin/env bash
# A DAG of 500 tasks against a vault that serves 40 requests in 10 s
source "$(dirname "$0")/../lib.sh"

suite crowd

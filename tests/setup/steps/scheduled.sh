#!/usr/bin/env bash
# Scheduled runs of real Airflows
source "$(dirname "$0")/../lib.sh"

suite scheduled

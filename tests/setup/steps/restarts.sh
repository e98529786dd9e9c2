#!/usr/bin/env bash
# Valet killed again and again under load
source "$(dirname "$0")/../lib.sh"

suite endurance

#!/usr/bin/env bash
# The test vault, by Microsoft's own client
source "$(dirname "$0")/../lib.sh"

suite vault_contract

#!/usr/bin/env bash
# AzureKeyVaultBackend and Valet on the same vault
source "$(dirname "$0")/../lib.sh"

suite differential

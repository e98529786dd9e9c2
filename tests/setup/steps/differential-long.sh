#!/usr/bin/env bash
# AzureKeyVaultBackend and Valet on the same vault, five times with other values
source "$(dirname "$0")/../lib.sh"

# One after the other: Airflow keeps every secret it has masked, and each one more makes the next slower.
for ((round = 1; round <= 5; round++)); do
    export VALET_DIFFERENTIAL_SEED=$RANDOM
    note "round $round, VALET_DIFFERENTIAL_SEED=$VALET_DIFFERENTIAL_SEED"
    suite differential
done

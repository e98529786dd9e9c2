#!/usr/bin/env bash
# AzureKeyVaultBackend and Valet on the same vault, with many more values
source "$(dirname "$0")/../lib.sh"

export VALET_DIFFERENTIAL_FACTOR=10 VALET_DIFFERENTIAL_SEED=${VALET_DIFFERENTIAL_SEED:-$RANDOM}
note "seed $VALET_DIFFERENTIAL_SEED (VALET_DIFFERENTIAL_SEED sets it)"
suite differential

#!/usr/bin/env bash
# A stock gRPC client, and curl
source "$(dirname "$0")/../lib.sh"

suite faces

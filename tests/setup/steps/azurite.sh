#!/usr/bin/env bash
# What Valet signs, by Azurite and Microsoft's own clients
source "$(dirname "$0")/../lib.sh"

need node "install Node 20 or later"
azurite
suite azurite

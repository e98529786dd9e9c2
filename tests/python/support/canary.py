"""What no output may hold (tests/setup/canary.py): a secret in every source, and what is made while a suite runs."""

from __future__ import annotations

import os

STEM = "canary-7f3a9c51"


def secret(source: str) -> str:
    """A password as an account key looks: with characters that URLs, JSON and base64 treat in their own ways."""
    return f"{STEM}/{source}+k3y=="


def register(what: str, value: str) -> str:
    """Have the search look for ``value`` too, and give it back; ``make test`` says in which file it is told."""
    if path := os.environ.get("VALET_CANARIES"):
        with open(path, "a", encoding="utf-8") as canaries:
            canaries.write(f"{what}\t{value}\n")
    return value

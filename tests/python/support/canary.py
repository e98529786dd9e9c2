"""The secret that every source holds in these suites, and that no output may hold (tests/setup/canary.py)."""

from __future__ import annotations

STEM = "canary-7f3a9c51"


def secret(source: str) -> str:
    """A password as an account key looks: with characters that URLs, JSON and base64 treat in their own ways."""
    return f"{STEM}/{source}+k3y=="

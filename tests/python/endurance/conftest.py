"""Says what the restarts cost."""

from __future__ import annotations

from statistics import median

import pytest

#: Errors of each client, and the seconds of each of its outages: from the first error to the next value.
recoveries: dict[str, tuple[int, list[float]]] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a client."""
    for name, (errors, outages) in recoveries.items():
        times = f"half of them over within {median(outages):.2f} s, all within {outages[-1]:.2f} s"
        terminalreporter.write_line(f"{name}: {errors} errors, {len(outages)} outages, {times}")

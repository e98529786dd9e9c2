"""How the demo looks: numbered steps, remarks and tables, in colour where somebody looks on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

STEPS = 7
#: Where everything goes that the demo writes.
DIRECTORY = Path(__file__).parents[2] / ".demo"
COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def step(number: int, title: str) -> None:
    """Announce a part."""
    print(f"\n{styled('1', f'==> [{number}/{STEPS}] {title}')}", flush=True)


def line(name: str, text: str, *, dim: bool = False) -> None:
    """One remark."""
    whole = f"    {name:8}{text}"
    print(styled("2", whole) if dim else whole, flush=True)


def row(first: str, second: str, third: str, *, bold: bool = False) -> None:
    """One row of a table."""
    whole = f"    {first:38}{second:22}{third}"
    print(styled("1", whole) if bold else whole, flush=True)


def progress(text: str) -> None:
    """What is going on, in place on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K    {text}" if text else "\r\033[K", end="", flush=True)
    elif text:
        print(f"    {text}", flush=True)


def styled(code: str, text: str) -> str:
    """Text in a style, where somebody looks on."""
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def shown(path: Path) -> str:
    """A path as it is reached from the checkout."""
    return str(path.relative_to(DIRECTORY.parent))


def give_up(what: str, log: Path) -> NoReturn:
    """End, with the last words of whoever failed."""
    print("\n".join(log.read_text().splitlines()[-20:]), file=sys.stderr)
    sys.exit(f"error: {what}\nhint: more in {shown(log)}")

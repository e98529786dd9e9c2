"""Searches the output of the suites for what must never be in it: canary.py DIRECTORY.

Each value that a suite puts into a source holds a canary, and keys and signatures that are made while it runs
are canaries too: it writes them to a file `SUITE.canaries`, one a line, as NAME, a tab, VALUE. Logs, audit lines,
what programs and test runners printed: none of it may hold one, neither as it is, nor in base64, nor as
hexadecimal digits, nor percent-encoded.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

#: In the values of the Python suites, and in the bodies that the test vault sends with its errors.
CANARIES = {"a source's canary": "canary-7f3a9c51", "the canary of an upstream body": "upstream-body-canary"}
#: What is output. The rest is what the suites write for the programs to read: seeds, values, databases.
OUTPUT = {".log", ".jsonl", ".out", ".err", ".txt"}


def disguises(canary: str) -> dict[str, bytes]:
    """How a canary looks in the encodings that logs may hold."""
    text = canary.encode()
    found = {
        "as it is": text,
        "percent-encoded": quote(canary, safe="").replace("-", "%2D").encode(),
        "percent-encoded in small letters": re.sub(
            "%..", lambda escape: escape[0].lower(), quote(canary, safe="")
        ).encode(),
        "in hexadecimal": text.hex().encode(),
    }
    # Base64 looks different at each of three offsets; characters in which a neighbour has a share are cut.
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + text + bytes(2))
        found[f"in base64, offset {offset}"] = encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]
    return found


def canaries(directory: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each, known or made while a suite ran."""
    yield from CANARIES.items()
    for path in sorted(directory.glob("*.canaries")):
        for line in path.read_text().splitlines():
            name, _, text = line.partition("\t")
            yield f"{name} of {path.stem}", text


def main(directory: Path) -> int:
    """Name each file with a canary; the exit code says whether there is one."""
    wanted = [(name, how, text) for name, canary in canaries(directory) for how, text in disguises(canary).items()]
    files = [path for path in sorted(directory.rglob("*")) if path.suffix in OUTPUT and path.is_file()]
    leaks = 0
    for path in files:
        content = path.read_bytes()
        for name, how, text in wanted:
            if (at := content.find(text)) >= 0:
                line = content.count(b"\n", 0, at) + 1
                print(f"{path.relative_to(directory)}:{line}: {name}, {how}")
                leaks += 1
    size = sum(path.stat().st_size for path in files)
    print(f"searched {len(files)} files, {size / 1e6:.1f} MB, for {len(wanted)} texts: {leaks} found")
    if not files:
        print("there is nothing to search: run the suites first")
    return 1 if leaks or not files else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""`valet sign --spec -`: one process signs whatever the suite wants signed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO
from urllib.parse import parse_qs

from support.canary import register
from support.programs import program

HOUR = timedelta(hours=1)


class Refused(Exception):
    """Why a spec is not signed."""


class Hidden(str):
    """A secret, which the runner shall not show when a test fails."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(hidden)"


class Signer:
    """Asks the process, line by line; what it signs is registered as a canary."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions = questions
        self._answers = answers

    def sign(self, kind: str, **spec: object) -> Hidden:
        """The token, or the value of the `Authorization` header."""
        self._questions.write(json.dumps({"kind": kind, "input": spec}) + "\n")
        self._questions.flush()
        answer = self._answers.readline().rstrip("\n")
        if answer.startswith("valet: "):
            raise Refused(answer)
        register("a signature", signature(answer))
        return Hidden(answer)


@contextmanager
def signing() -> Iterator[Signer]:
    """Runs the command."""
    # Both streams as one: each spec gets one line, on one of them.
    process = subprocess.Popen(
        [program("VALET_BIN"), "sign", "--spec", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        yield Signer(process.stdin, process.stdout)


def signature(signed: str) -> str:
    """The base64 in a token or in an `Authorization` value."""
    if signed.startswith("SharedKey"):
        return signed.rpartition(":")[2]
    return parse_qs(signed, strict_parsing=True)["sig"][0]


def instant(offset: timedelta) -> str:
    """A time so far from now, as specs have it."""
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def window(start: timedelta = -HOUR, expiry: timedelta = HOUR) -> dict[str, str]:
    """The times of a spec."""
    return {"start": instant(start), "expiry": instant(expiry)}

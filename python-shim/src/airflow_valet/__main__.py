"""``python -m airflow_valet``: one lookup, for images without a ``valet`` binary. Needs no Airflow."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import NoReturn

from airflow_valet.client import Client
from airflow_valet.errors import ValetDenied, ValetError, ValetNotFound
from airflow_valet.options import parse

# Exit codes, the same as those of `valet`.
USAGE, NOT_FOUND, UNAVAILABLE, REFUSED, CONFIGURATION = 64, 66, 69, 77, 78
_BY_REASON = dict.fromkeys(("BAD_NAME", "BAD_REQUEST", "OUT_OF_RANGE", "NOT_YET_AVAILABLE"), USAGE)
_BY_REASON.update(dict.fromkeys(("MALFORMED_VALUE", "BAD_KEY", "BAD_CONFIG"), CONFIGURATION))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.format_usage()}{self.prog}: {message}\n")


def main() -> int:
    """Run one command and give its exit code; the answer goes to stdout, all else to stderr."""
    asked = _parser().parse_args()
    options, problems = parse({"socket": asked.socket}, os.environ)
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return CONFIGURATION
    client = Client(options.socket, options.timeout, options.transport)
    try:
        if asked.command == "status":
            text = json.dumps(client.status(), indent=2)
        else:
            answer = client.get(asked.kind, asked.name, asked.team or options.team)
            text = json.dumps(answer.fields, indent=2) if asked.json else answer.value
    except ValetError as error:
        print(error, file=sys.stderr)
        kind = {ValetNotFound: NOT_FOUND, ValetDenied: REFUSED}.get(type(error), UNAVAILABLE)
        return _BY_REASON.get(error.reason, kind)
    sys.stdout.buffer.write(text.encode() + b"\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m airflow_valet", description="Ask a running Valet.")
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("get", help="print a connection, variable or configuration option")
    get.add_argument("kind", choices=("connection", "variable", "config"))
    get.add_argument("name")
    get.add_argument("--team", help="the Airflow team that asks (or VALET_TEAM)")
    get.add_argument("--socket", help="where Valet listens for tasks (or VALET_SOCKET)")
    get.add_argument("--json", action="store_true", help="print the whole answer")
    status = commands.add_parser("status", help="print the state of the broker, as JSON")
    admin = os.environ.get("VALET_ADMIN_SOCKET", "/run/valet/admin.sock")
    status.add_argument("--json", action="store_true", help="as it does anyway")
    status.add_argument("--admin-socket", dest="socket", default=admin, help="(or VALET_ADMIN_SOCKET)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

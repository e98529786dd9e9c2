"""The secrets backend: Airflow's methods on one side, `client` on the other.

Decides what Airflow sees of a fault. Loading it loads Airflow's base class, so `__init__` does so late.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from airflow_valet import masking, options, rejection
from airflow_valet.client import Client
from airflow_valet.errors import UNAVAILABLE, ValetError, ValetNotFound, for_airflow

if TYPE_CHECKING:

    class BaseSecretsBackend:
        """What is used of Airflow's class; of many versions, none of them needed to check this."""

        def deserialize_connection(self, conn_id: str, value: str) -> Any:
            """Parse JSON or URI into the Connection class of this process."""

else:
    try:
        from airflow.secrets import BaseSecretsBackend
    except ImportError:  # a worker that has the Task SDK and no core
        from airflow.sdk.bases.secrets_backend import BaseSecretsBackend

_log = logging.getLogger("airflow_valet")
_warned: set[str] = set()


class ValetBackend(BaseSecretsBackend):
    """Connections, variables and configuration options from the Valet broker beside this process.

    Made once or many times in each process, also while Airflow itself is imported, so making it does
    nothing but read arguments, and cannot fail. See the README for the arguments.
    """

    def __init__(self, /, **kwargs: Any) -> None:
        super().__init__()
        self._options, problems = options.parse(kwargs, os.environ)
        self._client = Client(self._options.socket, self._options.timeout, self._options.transport)
        rejection.use(self._client, self._options.team)
        for problem in problems:
            if problem not in _warned:
                _warned.add(problem)
                _log.warning("airflow_valet.ValetBackend: %s", problem)

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        """The connection as JSON or URI; None where Airflow is to ask the next backend."""
        return self._get("connection", conn_id, team_name)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        """The variable; None where Airflow is to ask the next backend."""
        return self._get("variable", key, team_name)

    def get_config(self, key: str) -> str | None:
        """The option; None only where nobody has it, since Airflow then silently takes a default."""
        try:  # not masked here: Airflow does, once it has a masker
            return self._client.get("config", key, self._options.team).value
        except ValetError as error:
            if error.reason not in ("NOT_FOUND", "BAD_NAME"):  # not for SKIPPED: somebody may have it
                _log.error("%s", error)
                raise
            self._settle(error)
            return None

    async def aget_connection(self, conn_id: str) -> Any:
        """The connection, without holding up the event loop. Airflow 3.1 and later, in triggers."""
        value = await self._aget("connection", conn_id)
        return self.deserialize_connection(conn_id, value) if value else None

    async def aget_variable(self, key: str) -> str | None:
        """`get_variable`, without holding up the event loop."""
        return await self._aget("variable", key)

    def _get(self, kind: str, name: str, team: str | None) -> str | None:
        team = team or self._options.team
        try:
            answer = self._client.get(kind, name, team)
        except ValetError as error:
            self._settle(error)
            return None
        if kind == "connection":
            rejection.note(self._client, team, name, answer.value)
        masking.mask(answer.mask)
        return answer.value

    async def _aget(self, kind: str, name: str) -> str | None:
        try:
            answer = await self._client.aget(kind, name, self._options.team)
        except ValetError as error:
            self._settle(error)
            return None
        if kind == "connection":
            rejection.note(self._client, self._options.team, name, answer.value)
        await masking.amask(answer.mask)
        return answer.value

    def _settle(self, error: ValetError) -> None:
        """Return for "ask the next backend", else raise what stops Airflow where that is possible."""
        skipped = self._options.on_unavailable == "skip" and error.reason in UNAVAILABLE
        if skipped or isinstance(error, ValetNotFound):
            if error.reason != "NOT_FOUND":
                _log.warning("%s; treated as not found", error)
            return
        _log.error("%s", error)  # Airflow 3.1 and later hide what a backend raises at DEBUG
        raise for_airflow(error) from None

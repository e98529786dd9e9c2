"""What curl gets, as the interface description shows it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf import json_format

from support.canary import secret
from support.programs import Valet

from .conftest import STORED
from .grpc_client import Client

BROKER = "http://valet/valet.v1.Broker/"


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def curl(socket: str, *arguments: str, stdin: bytes = b"") -> Reply:
    """One request; names of headers in lower case."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--include", "--max-time", "10", "--unix-socket", socket, *arguments],
        input=stdin,
        capture_output=True,
        check=True,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(status.split()[1]), headers, body)


def post(socket: str, method: str, message: object, *more: str) -> Reply:
    """What ``curl --json`` sends, spelt out: Debian 11's curl has no ``--json``."""
    kind = ("--header", "content-type: application/json")
    return curl(socket, *kind, "--data-binary", "@-", *more, BROKER + method, stdin=json.dumps(message).encode())


@pytest.mark.parametrize("field", ["connId", "conn_id"])
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_a_connection_over_json(served: Valet, field: str, version: str) -> None:
    reply = post(served.socket, "GetConnection", {field: "from_vault", "unknown": [1, {}]}, version)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (reply.json["value"], reply.json["source"], reply.json["state"]) == (STORED, "vault", "STATE_FRESH")
    assert secret("vault") in reply.json["mask"]
    assert reply.json["age"].endswith("s")


def test_the_documented_command_works(served: Valet) -> None:
    url = "http://valet/valet.v1.Broker/GetConnection"
    reply = curl(served.socket, "--json", '{"connId":"from_vault"}', url)
    assert reply.json["value"] == STORED


def test_the_same_over_protobuf(served: Valet, client: Client, tmp_path: Path) -> None:
    request, response = client.messages("valet.v1.Broker/GetConnection")
    reply = curl(
        served.socket,
        *("--header", "content-type: application/proto"),
        *("--data-binary", "@-"),
        BROKER + "GetConnection",
        stdin=request(conn_id="from_vault").SerializeToString(),
    )
    assert (reply.status, reply.headers["content-type"]) == (200, "application/proto")
    assert json_format.MessageToDict(response.FromString(reply.body))["value"] == STORED


@pytest.mark.parametrize(
    ("method", "message", "status", "code", "reason"),
    [
        ("GetConnection", {"connId": "nobody"}, 404, "not_found", "NOT_FOUND"),
        ("GetConnection", {"connId": "nul\0"}, 400, "invalid_argument", "BAD_NAME"),
        ("GetVariable", {"key": ""}, 400, "invalid_argument", "BAD_NAME"),
        ("GetConnection", {"connId": "off"}, 403, "permission_denied", "DENIED_BY_SOURCE"),
        ("GetConnection", {"connId": "raw"}, 400, "failed_precondition", "MALFORMED_VALUE"),
        ("../valet.v1.Admin/Status", {}, 403, "permission_denied", "DENIED_BY_POLICY"),
    ],
)
def test_an_error_is_connects(served: Valet, method: str, message: object, status: int, code: str, reason: str) -> None:
    reply = post(served.socket, method, message)
    assert (reply.status, reply.json["code"], reply.headers["valet-reason"]) == (status, code, reason)
    assert reply.json["message"]
    assert secret("raw") not in reply.body.decode()


def test_what_is_no_call_is_refused(served: Valet) -> None:
    url = BROKER + "GetConnection"
    assert curl(served.socket, url).status == 405
    text = curl(served.socket, "--header", "content-type: text/plain", "--data", "{}", url)
    assert text.status == 415
    broken = curl(served.socket, "--header", "content-type: application/json", "--data", "{broken", url)
    assert (broken.status, broken.json["code"]) == (400, "invalid_argument")
    unknown = post(served.socket, "GetNothing", {})
    assert unknown.status in (404, 501)


def test_the_callers_limit_of_time_is_kept(served: Valet) -> None:
    reply = post(served.socket, "GetConnection", {"connId": "slow"}, "--header", "connect-timeout-ms: 300")
    assert (reply.status, reply.json["code"], reply.headers["valet-reason"]) == (504, "deadline_exceeded", "TIMED_OUT")


def test_both_faces_give_the_same_batch(served: Valet, client: Client) -> None:
    lookups = [{"connection": name} for name in ("from_vault", "from_file", "nobody", "off", "raw", "bad\tname")]
    message: dict[str, object] = {"lookups": [*lookups, {"variable": "from_env"}, {"config": "from_vault"}]}

    def steady(result: dict[str, Any]) -> dict[str, Any]:
        answer = result.get("answer", {})
        return {**result, "answer": {key: answer[key] for key in answer if key not in ("age", "freshUntil")}}

    over_json = post(served.socket, "BatchGet", message).json["results"]
    over_grpc = client.call("valet.v1.Broker/BatchGet", message)["results"]
    assert [steady(result) for result in over_json] == [steady(result) for result in over_grpc]
    reasons = [result["fault"]["reason"] if "fault" in result else None for result in over_json]
    assert reasons == [None, None, "NOT_FOUND", "DENIED_BY_SOURCE", "MALFORMED_VALUE", "BAD_NAME", None, None]


def test_status_is_for_the_admin_listener(served: Valet) -> None:
    url = "http://valet/valet.v1.Admin/Status"
    reply = curl(served.admin_socket, "--json", "{}", url)
    assert reply.status == 200
    assert [source["name"] for source in reply.json["sources"]] == ["env", "files", "vault"]
    assert "canary" not in reply.body.decode()

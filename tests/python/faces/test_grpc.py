"""What a stock gRPC client gets."""

from __future__ import annotations

import json
from hashlib import sha256

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.canary import secret
from support.programs import Valet

from .conftest import FROM_FILE, STORED
from .grpc_client import SECONDS, Client

GET_CONNECTION = "valet.v1.Broker/GetConnection"


def trailers(error: grpc.RpcError) -> dict[str, str]:
    return {key: value for key, value in error.trailing_metadata() if key.startswith(("valet-", "retry"))}


def test_reflection_lists_the_services(client: Client) -> None:
    assert {
        "valet.v1.Broker",
        "valet.v1.Admin",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    } <= set(client.services())


def test_it_is_healthy(client: Client) -> None:
    stub = health_pb2_grpc.HealthStub(client.channel)
    for service in ("", "valet.v1.Broker"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_connection_comes_byte_for_byte_with_what_to_mask(client: Client) -> None:
    answer = client.call(GET_CONNECTION, {"connId": "from_vault"})
    assert (answer["value"], answer["source"], answer["state"]) == (STORED, "vault", "STATE_FRESH")
    assert secret("vault") in answer["mask"]
    assert len(answer["version"]) == 32
    assert answer["freshUntil"]
    assert client.call(GET_CONNECTION, {"connId": "from_file"})["value"] == FROM_FILE


def test_each_kind_has_its_method(client: Client) -> None:
    variable = client.call("valet.v1.Broker/GetVariable", {"key": "from_env"})
    assert (variable["value"], variable["source"]) == (secret("env"), "env")
    empty = client.call("valet.v1.Broker/GetVariable", {"key": "from_vault"})
    assert (empty.get("value", ""), empty["source"]) == ("", "vault")
    option = client.call("valet.v1.Broker/GetConfig", {"key": "from_vault"})
    assert option["value"] == "option " + secret("config")


@pytest.mark.parametrize(
    ("method", "message", "code", "reason"),
    [
        (GET_CONNECTION, {"connId": "nobody"}, "NOT_FOUND", "NOT_FOUND"),
        (GET_CONNECTION, {"connId": "../nobody?x=%2e"}, "NOT_FOUND", "NOT_FOUND"),
        (GET_CONNECTION, {"connId": "new\nline"}, "INVALID_ARGUMENT", "BAD_NAME"),
        (GET_CONNECTION, {}, "INVALID_ARGUMENT", "BAD_NAME"),
        (GET_CONNECTION, {"connId": "x" * 10_000}, "INVALID_ARGUMENT", "BAD_NAME"),
        (GET_CONNECTION, {"connId": "off"}, "PERMISSION_DENIED", "DENIED_BY_SOURCE"),
        (GET_CONNECTION, {"connId": "raw"}, "FAILED_PRECONDITION", "MALFORMED_VALUE"),
        ("valet.v1.Admin/Status", {}, "PERMISSION_DENIED", "DENIED_BY_POLICY"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_error_has_its_code_and_its_reason(
    client: Client, method: str, message: dict[str, object], code: str, reason: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.call(method, message)
    assert (caught.value.code().name, trailers(caught.value)) == (code, {"valet-reason": reason})
    assert caught.value.details()


def test_a_deadline_ends_the_call_and_not_the_server(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.call(GET_CONNECTION, {"connId": "slow"}, timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert client.call(GET_CONNECTION, {"connId": "from_vault"})["value"] == STORED


def test_a_refused_credential_is_reported(client: Client) -> None:
    report: dict[str, object] = {"connId": "from_vault"}
    said = client.call("valet.v1.Broker/ReportRejected", report)
    assert (said["accepted"], said.get("retryAfter"), said["superseded"]) == (True, None, False)
    said = client.call("valet.v1.Broker/ReportRejected", report)
    assert (said["accepted"], said["superseded"]) == (False, False)
    assert 20 < float(said["retryAfter"].rstrip("s")) <= 30
    said = client.call("valet.v1.Broker/ReportRejected", {**report, "valueSha256": sha256(b"older").hexdigest()})
    assert (said["accepted"], said["superseded"]) == (False, True)


def test_a_batch_answers_in_order_each_on_its_own(client: Client) -> None:
    lookups = [{"connection": "from_vault"}, {"variable": "nobody"}, {"config": "from_vault"}, {"connection": "off"}]
    results = client.call("valet.v1.Broker/BatchGet", {"lookups": lookups})["results"]
    assert results[0]["answer"]["value"] == STORED
    assert (results[1]["fault"]["code"], results[1]["fault"]["reason"]) == ("not_found", "NOT_FOUND")
    assert results[2]["answer"]["source"] == "vault"
    assert (results[3]["fault"]["code"], results[3]["fault"]["reason"]) == ("permission_denied", "DENIED_BY_SOURCE")


def test_claims_are_audited_and_values_are_not(client: Client, served: Valet) -> None:
    claims = [("valet-dag-id", "t%C3%A4gliche%20Last"), ("valet-task-id", "t1"), ("valet-map-index", "3")]
    client.call(GET_CONNECTION, {"connId": "from_vault"}, metadata=claims)
    line = served.audit_line(lambda line: line["claims"]["task_id"] == "t1")
    assert line["claims"]["dag_id"] == "tägliche Last"
    assert (line["kind"], line["name"], line["source"], line["state"]) == (
        "connection",
        "from_vault",
        "vault",
        "fresh",
    )
    assert secret("vault") not in json.dumps(served.audit())

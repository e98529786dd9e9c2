"""`Authorization` values: a request that is signed is served, and none that differs from it."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from support.azurite import account_key

from .requests_by_hand import Request, send, sign
from .signer import Signer
from .storage import BLOB, CONTAINER, QUEUE, TABLE, Storage

BODY = b"c,d\n3,4\n"
MESSAGE = b"<QueueMessage><MessageText>d29yaw==</MessageText></QueueMessage>"
ENTITY = b'{"PartitionKey":"p","RowKey":"%s","value":3}'
JSON = (("Accept", "application/json;odata=nometadata"), ("Content-Type", "application/json"))
#: The service compares names of headers without their hyphens first, and puts "_" before digits before letters.
ODD_ORDER = (("x-ms-meta-ab", "3"), ("x-ms-meta-a1", "2"), ("x-ms-meta-a_b", " 1  and more "), ("X-Ms-Meta-B", ""))


def name() -> str:
    return "n" + uuid.uuid4().hex


def put_blob() -> Request:
    headers = (
        ("x-ms-blob-type", "BlockBlob"),
        ("Content-Type", "text/csv; charset=utf-8"),
        ("Content-MD5", base64.b64encode(hashlib.md5(BODY).digest()).decode()),
        ("Content-Encoding", "identity"),
        ("Content-Language", "de"),
        ("If-None-Match", "*"),
        *ODD_ORDER,
    )
    return Request("blob", "PUT", f"/{CONTAINER}/new%2F{name()}", headers, BODY)


def insert_entity() -> Request:
    return Request("table", "POST", f"/{TABLE}", JSON, ENTITY % name().encode(), "2019-02-02")


def create_table() -> Request:
    return Request("table", "POST", "/Tables", JSON, b'{"TableName":"%s"}' % name().encode(), "2019-02-02")


def table(method: str, path: str) -> Callable[[], Request]:
    return lambda: Request("table", method, path, JSON[:1], version="2019-02-02")


def blob(method: str, path: str, *headers: tuple[str, str]) -> Callable[[], Request]:
    return lambda: Request("blob", method, path, headers)


def queue(method: str, path: str, body: bytes = b"") -> Callable[[], Request]:
    return lambda: Request("queue", method, path, ODD_ORDER if path.endswith("=metadata") else (), body)


PATH = f"/{CONTAINER}/{quote(BLOB)}"
BLOBS: dict[str, Callable[[], Request]] = {
    "list containers": blob("GET", "/?comp=list&prefix=a%20b"),
    "create a container": lambda: Request("blob", "PUT", f"/{name()}?restype=container", ODD_ORDER),
    "list blobs": blob("GET", f"/{CONTAINER}?restype=container&comp=list&prefix=in%2F&include=snapshots%2Cmetadata"),
    "put a blob": put_blob,
    "get a blob": blob("GET", PATH),
    "get a part of it": blob("GET", PATH, ("Range", "bytes=0-2")),
    "get it if it has changed": blob(
        "GET", PATH, ("If-Modified-Since", "Wed, 02 Jan 2019 03:04:05 GMT"), ("If-Match", "*")
    ),
    "look at it": blob("HEAD", PATH),
    "name it": blob("PUT", f"{PATH}?comp=metadata", *ODD_ORDER),
}
QUEUES = {
    "list queues": queue("GET", "/?comp=list&include=metadata"),
    "create a queue": lambda: Request("queue", "PUT", f"/{name()}"),
    "put a message": queue("POST", f"/{QUEUE}/messages?messagettl=60", MESSAGE),
    "look at messages": queue("GET", f"/{QUEUE}/messages?peekonly=true&numofmessages=2"),
    "name it": queue("PUT", f"/{QUEUE}?comp=metadata"),
}
TABLES = {
    "list tables": table("GET", "/Tables?$top=5"),
    "create a table": create_table,
    "insert an entity": insert_entity,
    "query": table("GET", f"/{TABLE}()?$top=5&$filter=PartitionKey%20eq%20%27p%27"),
    "get an entity": table("GET", f"/{TABLE}(PartitionKey='p',RowKey='r')"),
}
#: Over https the emulator takes Entra's tokens too, and says of a signature that is wrong that it is no such token.
REFUSED = {"http": 403, "https": 400}
#: The emulator knows no Shared Key Lite for blobs.
CASES = {
    **{f"blob: {case}": ("shared-key", make) for case, make in BLOBS.items()},
    **{f"queue: {case}": ("shared-key", make) for case, make in QUEUES.items()},
    **{f"table: {case}": ("shared-key", make) for case, make in TABLES.items()},
    **{f"queue, lite: {case}": ("shared-key-lite", make) for case, make in QUEUES.items()},
    **{f"table, lite: {case}": ("shared-key-lite", make) for case, make in TABLES.items()},
}


@pytest.mark.parametrize(("scheme", "make"), [pytest.param(*case, id=name) for name, case in CASES.items()])
def test_what_is_signed_is_served_and_nothing_else(
    signer: Signer, storage: Storage, scheme: str, make: Callable[[], Request]
) -> None:
    request = make().dated()
    authorization = sign(signer, storage, scheme, request)
    others = {"another time": request.with_header("x-ms-date", "Wed, 02 Jan 2030 03:04:05 GMT")}
    resource = not request.path.startswith("/?")
    if resource:
        others["another path"] = replace(request, path=request.path.replace("/", "/x", 1))
    if request.service != "table":  # of a table's headers only the type is signed
        others["another header"] = request.with_header("x-ms-meta-more", "1")
    if resource and request.service != "table":
        others["another method"] = replace(request, method="DELETE")
    refused = {other: send(storage, changed, authorization) for other, changed in others.items()}
    stranger = sign(signer, storage, scheme, request, account_key())
    refused["another key"] = send(storage, request, stranger)
    assert refused == dict.fromkeys(refused, REFUSED[storage.azurite.scheme])
    assert send(storage, request, sign(signer, storage, scheme, request, storage.azurite.account.keys[1])) in range(
        200, 300
    )
    again = make().dated()
    assert send(storage, again, sign(signer, storage, scheme, again)) in range(200, 300)

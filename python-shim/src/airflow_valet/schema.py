"""Valet's messages as classes, made at run time: generated code runs with few versions of protobuf's runtime.

They come from `schema.binpb`, which is `proto/valet/v1` as protoc compiles it, and live in a pool of
their own, so that they meet no others of the same name. Needs protobuf; knows no gRPC.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf.message_factory import GetMessageClass

#: What makes `MessageToDict` spell out empty fields, as the broker does in JSON; renamed in protobuf 5.26.
_EMPTY_TOO = {
    name: True
    for name in ("always_print_fields_with_no_presence", "including_default_value_fields")
    if name in inspect.signature(json_format.MessageToDict).parameters
}


def encode(target: str, message: dict[str, str]) -> bytes:
    """The request of the method ``/service/name``, from its JSON form."""
    request, _ = messages(target)
    encoded: bytes = json_format.ParseDict(message, request()).SerializeToString()
    return encoded


def decode(target: str, answer: bytes) -> dict[str, Any] | None:
    """The JSON form of the method's answer; None if the bytes are none."""
    _, response = messages(target)
    try:
        fields: dict[str, Any] = json_format.MessageToDict(response.FromString(answer), **_EMPTY_TOO)
    except Exception:  # of each runtime's own kind
        return None
    return fields


@cache  # the methods of two services
def messages(target: str) -> tuple[Any, Any]:
    """The classes of a method's request and answer."""
    _, service, method = target.split("/")
    found = _pool().FindServiceByName(service).methods_by_name[method]
    return GetMessageClass(found.input_type), GetMessageClass(found.output_type)


@cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    compiled = descriptor_pb2.FileDescriptorSet.FromString(pkgutil.get_data(__package__, "schema.binpb"))
    for file in compiled.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool

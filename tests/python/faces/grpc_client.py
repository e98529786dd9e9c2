"""A stock grpcio client that has no generated code of Valet's: reflection tells it everything."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import reflection_pb2

#: v1 has the messages of v1alpha under another name; grpcio-reflection brings only those.
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
SECONDS = 10.0


class Client:
    """Calls any unary method by name, with dictionaries in and out."""

    def __init__(self, socket: str) -> None:
        # Without this option grpcio sends the percent-encoded path as `:authority`, which is no authority in HTTP.
        options = [("grpc.default_authority", "valet")]
        self.channel = grpc.insecure_channel(f"unix:{socket}", options=options)
        self._pool = descriptor_pool.DescriptorPool()
        self._loaded: set[str] = set()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def services(self) -> list[str]:
        """The services that reflection lists."""
        answer = self._reflect(reflection_pb2.ServerReflectionRequest(list_services=""))
        return [service.name for service in answer.list_services_response.service]

    def call(self, method: str, message: dict[str, object], **how: Any) -> dict[str, Any]:
        """The answer of ``valet.v1.Broker/GetConnection`` and so on; raises `grpc.RpcError`."""
        request, response = self.messages(method)
        unary = self.channel.unary_unary(
            f"/{method}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )
        answer = unary(json_format.ParseDict(message, request()), timeout=how.pop("timeout", SECONDS), **how)
        fields: dict[str, Any] = json_format.MessageToDict(answer, always_print_fields_with_no_presence=True)
        return fields

    def messages(self, method: str) -> tuple[Any, Any]:
        """The classes of a method's request and response."""
        service, _, name = method.partition("/")
        self._load(reflection_pb2.ServerReflectionRequest(file_containing_symbol=service))
        found = self._pool.FindServiceByName(service).methods_by_name[name]
        return (
            message_factory.GetMessageClass(found.input_type),
            message_factory.GetMessageClass(found.output_type),
        )

    def _load(self, request: Any) -> None:
        answer = self._reflect(request)
        for encoded in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(encoded)
            if file.name in self._loaded:
                continue
            self._loaded.add(file.name)
            for name in file.dependency:
                if name not in self._loaded:
                    self._load(reflection_pb2.ServerReflectionRequest(file_by_filename=name))
            self._pool.Add(file)

    def _reflect(self, request: Any) -> Any:
        stream = self.channel.stream_stream(
            REFLECTION,
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        answer = next(stream(iter([request]), timeout=SECONDS))
        if answer.HasField("error_response"):
            raise LookupError(answer.error_response.error_message)
        return answer

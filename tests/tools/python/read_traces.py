"""Decodes exported traces with the message types that OpenTelemetry publishes.

Reads one ExportTraceServiceRequest a line, in hexadecimal digits, on standard input and prints a JSON list of spans. A
field that the types do not have is an error, at any depth.
"""

import json
import sys
import typing

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def refuse_unknown(message: Message) -> None:
    unknown = UnknownFieldSet(message)
    if len(unknown) > 0:
        sys.exit(f"{message.DESCRIPTOR.full_name} has no field {unknown[0].field_number}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                refuse_unknown(item)


def plain(value: AnyValue) -> typing.Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind)


def attributes(pairs: typing.Iterable[KeyValue]) -> dict[str, typing.Any]:
    return {pair.key: plain(pair.value) for pair in pairs}


def read(span: Span, resource: dict[str, typing.Any]) -> dict[str, typing.Any]:
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        "began_at": span.start_time_unix_nano,
        "ended_at": span.end_time_unix_nano,
        "is_error": span.status.code == Status.STATUS_CODE_ERROR,
        "attributes": attributes(span.attributes),
        "resource": resource,
    }


def main() -> None:
    spans = []
    for line in sys.stdin:
        request = ExportTraceServiceRequest.FromString(bytes.fromhex(line.strip()))
        refuse_unknown(request)
        for of_resource in request.resource_spans:
            resource = attributes(of_resource.resource.attributes)
            spans += [read(span, resource) for of_scope in of_resource.scope_spans for span in of_scope.spans]
    json.dump(spans, sys.stdout)


main()

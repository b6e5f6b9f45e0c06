"""Checks request bodies against the types of the official client libraries of OpenAI, Anthropic and Google.

Reads JSON lines of {"wire", "case", "body"} on standard input and prints a JSON list of {"case", "errors"}. An unknown
field, a missing one and a value of another type are errors, at any depth. The libraries send what their types say and
nothing checks it at run time, so this walks the types itself.
"""

import collections.abc
import json
import sys
import types as builtin_types
import typing

import pydantic
import typing_extensions
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.genai import types as google
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming


class GenerateContentRequest(typing.TypedDict, total=False):
    """The library has no type for the whole body; the test compares these names with what its client sends."""

    contents: typing_extensions.Required[list[google.Content]]
    systemInstruction: google.Content
    generationConfig: google.GenerationConfig


BODIES = {
    "OpenAi": CompletionCreateParamsNonStreaming,
    "Anthropic": MessageCreateParamsNonStreaming,
    "Gemini": GenerateContentRequest,
}


def hints(kind: type) -> dict[str, typing.Any]:
    return typing_extensions.get_type_hints(kind, include_extras=True)


def is_required(kind: typing.Any, name: str, hint: typing.Any) -> bool:
    # Python does not see a Required in the postponed annotations of the OpenAI and Anthropic libraries.
    return name in kind.__required_keys__ or typing_extensions.get_origin(hint) is typing_extensions.Required


def unwrap(kind: typing.Any) -> typing.Any:
    """The type inside Required, Annotated and aliases."""
    while True:
        origin = typing_extensions.get_origin(kind)
        if origin in (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.Annotated):
            kind = typing_extensions.get_args(kind)[0]
        elif isinstance(kind, typing_extensions.TypeAliasType):
            kind = kind.__value__
        else:
            return kind


def check_fields(value: typing.Any, kind: typing.Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    fields = hints(kind)
    errors = [f"{path}/{name}: no such field" for name in value if name not in fields]
    errors += [f"{path}/{name}: missing" for name, hint in fields.items() if is_required(kind, name, hint) and name not in value]
    for name, inner in value.items():
        if name in fields:
            errors += check(inner, fields[name], f"{path}/{name}")
    return errors


def check_pydantic(value: typing.Any, kind: type[pydantic.BaseModel], path: str) -> list[str]:
    try:
        kind.model_validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError as error:
        return [f"{path}/{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return []


def check(value: typing.Any, kind: typing.Any, path: str) -> list[str]:
    """What is wrong with this value as one of this type; the fewest complaints where there is a choice."""
    kind = unwrap(kind)
    origin, inner = typing_extensions.get_origin(kind), typing_extensions.get_args(kind)
    if kind in (object, typing.Any):
        return []
    if origin in (typing.Union, builtin_types.UnionType):
        return min((check(value, option, path) for option in inner), key=len)
    if origin in (typing.Literal, typing_extensions.Literal):
        return [] if any(value == one and type(value) is type(one) for one in inner) else [f"{path}: not one of {inner}"]
    if typing_extensions.is_typeddict(kind):
        return check_fields(value, kind, path)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return check_pydantic(value, kind, path)
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            return [f"{path}: not an object"]
        return [error for name, one in value.items() for error in check(one, inner[1], f"{path}/{name}")]
    # Iterable, list and the libraries' own "sequence, but no string".
    if origin is not None and (origin is list or issubclass(origin, collections.abc.Iterable) or "Sequence" in str(origin)):
        if not isinstance(value, list):
            return [f"{path}: not an array"]
        return [error for n, one in enumerate(value) for error in check(one, inner[0], f"{path}/{n}")]
    if kind is float:
        return [] if type(value) in (int, float) else [f"{path}: not a number"]
    if kind in (str, int, bool, type(None)):
        return [] if type(value) is (type(None) if kind is type(None) else kind) else [f"{path}: not {kind.__name__}"]
    return [f"{path}: this check does not know the type {kind!r}"]


cases = [json.loads(line) for line in sys.stdin]
print(json.dumps([{"case": c["case"], "errors": check(c["body"], BODIES[c["wire"]], "")} for c in cases]))

"""Calls the service through OpenAI's client library, and prints what a program that uses it sees.

Arguments: the address, a key, and a key that is good for one request. tests/tools/node/openai_client.cjs does the same and prints
the same.
"""

import json
import sys
import time
from typing import Literal

import openai
import pydantic
from openai.types.chat import ChatCompletion, ChatCompletionChunk

ADDRESS, KEY, SPENT_KEY = sys.argv[1:]


class Ticket(pydantic.BaseModel):
    intent: Literal["refund", "other"]
    count: int


def client(key: str = KEY, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=ADDRESS, api_key=key, **options)


def request(text: str, **options) -> dict:
    return {"model": "stub", "messages": [{"role": "user", "content": text}], "response_format": Ticket, **options}


def raw_request(text: str, **options) -> dict:
    schema = {**Ticket.model_json_schema(), "additionalProperties": False}
    response_format = {"type": "json_schema", "json_schema": {"name": "Ticket", "strict": True, "schema": schema}}
    return request(text, response_format=response_format, **options)


def error(call) -> list:
    """The class of what is raised, and what it says."""
    try:
        call()
    except openai.APIStatusError as raised:
        return [type(raised).__name__, raised.code, raised.param, raised.request_id is not None]
    except openai.OpenAIError as raised:
        return [type(raised).__name__]
    return []


def create() -> list:
    raw = client().chat.completions.with_raw_response.create(**raw_request("Hello"))
    # The library itself does not check what it is sent.
    answer = ChatCompletion.model_validate_json(raw.text, strict=True)
    facts = answer.model_extra["structured_prompt"]
    return [answer.choices[0].message.content, answer.choices[0].finish_reason, facts["provider"]]


def streamed() -> list:
    chunks = list(client().chat.completions.create(**raw_request("Hello"), stream=True, stream_options={"include_usage": True}))
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    text = "".join(choice.delta.content or "" for choice in choices)
    return [text, choices[-1].finish_reason, chunks[-1].usage.total_tokens]


def streamed_and_parsed() -> str:
    with client().chat.completions.stream(**request("Hello")) as stream:
        return stream.get_final_completion().choices[0].message.parsed.intent


def refused() -> list:
    message = client().chat.completions.parse(**request("refuse this")).choices[0].message
    return [message.parsed, isinstance(message.refusal, str)]


def retried() -> list:
    began = time.monotonic()
    options = {"extra_body": {"options": {"timeout": "2s"}}}
    answer = client(max_retries=5).chat.completions.parse(**request("busy, as Python sees it", **options))
    return [answer.choices[0].message.parsed.intent, time.monotonic() - began > 2.5]


def replayed() -> list:
    create = client().chat.completions.with_raw_response.create
    once = {"extra_headers": {"Idempotency-Key": "python"}}
    return [create(**raw_request("Hello", **once)).headers.get("idempotency-replayed") for _ in range(2)]


def listed() -> list:
    ids = [model.id for model in client().models.list()]
    return ["stub" in ids, "schema/invoice@1.0.0" in ids, client().models.retrieve("template/invoice").id]


completions = client(max_retries=0).chat.completions
report = {
    "create": create(),
    "parse": client().chat.completions.parse(**request("Hello")).choices[0].message.parsed.intent,
    "stream": streamed(),
    "stream and parse": streamed_and_parsed(),
    "refusal": refused(),
    "cut": error(lambda: completions.parse(**request("cut this"))),
    "models": listed(),
    "replayed": replayed(),
    "retried": retried(),
    "wrong key": error(lambda: client("sk_wrong").models.list()),
    "spent key": error(lambda: [client(SPENT_KEY, max_retries=0).models.list() for _ in range(2)]),
    "unknown model": error(lambda: completions.parse(**request("x", model="gpt-5"))),
    "two answers": error(lambda: completions.parse(**request("x", n=2))),
    "invalid answer": error(lambda: completions.parse(**request("answer anything else"))),
    "too slow": error(lambda: completions.parse(**request("be slow", extra_body={"options": {"timeout": "100ms"}}))),
}
print(json.dumps(report))

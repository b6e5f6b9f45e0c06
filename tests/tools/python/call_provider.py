"""Calls a provider through its official client library and prints what the library made of the answer.

Arguments: the wire format, the address, and the schema as JSON. Whatever the provider answers must be what the library's
own response types say; they are checked strictly, as the clients themselves do not.
"""

import json
import sys

import anthropic
import openai
from anthropic.types import Message
from google import genai
from google.genai import types as google
from openai.types.chat import ChatCompletion

KEY, MODEL, SYSTEM, PROMPT = "sk-canary-0123456789", "model-1", "Extract the intent.", "My canary-prompt will not print."


def call_openai(address: str, schema: dict) -> tuple[str, str, int]:
    raw = openai.OpenAI(api_key=KEY, base_url=f"{address}/v1").chat.completions.with_raw_response.create(
        model=MODEL,
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}],
        response_format={"type": "json_schema", "json_schema": {"name": "i", "strict": True, "schema": schema}},
        max_completion_tokens=256,
        temperature=0.5,
        logprobs=True,
    )
    answer = ChatCompletion.model_validate_json(raw.text, strict=True)
    return answer.choices[0].message.content, answer.choices[0].finish_reason, answer.usage.prompt_tokens


def call_anthropic(address: str, schema: dict) -> tuple[str, str, int]:
    raw = anthropic.Anthropic(api_key=KEY, base_url=address).messages.with_raw_response.create(
        model=MODEL,
        system=SYSTEM,
        messages=[{"role": "user", "content": PROMPT}],
        output_config={"format": {"type": "json_schema", "schema": schema}},
        max_tokens=256,
        # The models of 2026 take no temperature, so the library has no such field; others, and gateways, still do.
        extra_body={"temperature": 0.5},
    )
    answer = Message.model_validate_json(raw.text(), strict=True)
    return answer.content[0].text, answer.stop_reason, answer.usage.input_tokens


def call_gemini(address: str, schema: dict) -> tuple[str, str, int]:
    client = genai.Client(api_key=KEY, http_options=google.HttpOptions(base_url=address, api_version="v1beta"))
    config = google.GenerateContentConfig(
        system_instruction=SYSTEM,
        response_mime_type="application/json",
        response_json_schema=schema,
        max_output_tokens=256,
        temperature=0.5,
        response_logprobs=True,
    )
    answer = client.models.generate_content(model=MODEL, contents=PROMPT, config=config)
    return answer.text, answer.candidates[0].finish_reason.value, answer.usage_metadata.prompt_token_count


wire, address, schema = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
text, finish, tokens = {"OpenAi": call_openai, "Anthropic": call_anthropic, "Gemini": call_gemini}[wire](address, schema)
print(json.dumps({"text": text, "finish": finish, "input_tokens": tokens}))

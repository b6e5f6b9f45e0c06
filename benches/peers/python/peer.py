"""The job of the benchmark as it is written by hand: the official clients, batch by batch, at-least-once.

Arguments: brokers, base URL of the provider, group, source, sink, dead letters, calls in flight, schema file.
"""

import asyncio
import json
import signal
import sys
import uuid

import httpx2
from confluent_kafka import Consumer, Producer
from jsonschema import Draft202012Validator, ValidationError
from openai import AsyncOpenAI, OpenAIError

BROKERS, BASE_URL, GROUP, SOURCE, SINK, DEAD_LETTERS, IN_FLIGHT, SCHEMA_FILE = sys.argv[1:]

with open(SCHEMA_FILE, encoding="utf-8") as file:
    SCHEMA = json.load(file)
VALIDATOR = Draft202012Validator(SCHEMA)
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "support-intent", "schema": SCHEMA}}


async def ask(client: AsyncOpenAI, slots: asyncio.Semaphore, body: str) -> dict:
    async with slots:
        completion = await client.chat.completions.create(
            model="stub-1",
            messages=[
                {"role": "system", "content": "Answer with one JSON object that fits the schema."},
                {"role": "user", "content": f"Sort this: {body}"},
            ],
            response_format=RESPONSE_FORMAT,
        )
    answer = json.loads(completion.choices[0].message.content)
    VALIDATOR.validate(answer)
    return answer


async def handle(client: AsyncOpenAI, slots: asyncio.Semaphore, producer: Producer, message) -> None:
    headers = dict(message.headers() or [])
    try:
        answer = await ask(client, slots, json.loads(message.value())["body"])
    except (OpenAIError, ValidationError, ValueError, KeyError) as error:
        headers["problem"] = str(error)
        producer.produce(DEAD_LETTERS, key=message.key(), value=message.value(), headers=list(headers.items()))
        return
    cause = headers["ce_id"]
    result_headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid5(uuid.NAMESPACE_URL, cause.decode())),
        "ce_source": "/peer",
        "ce_type": "com.example.result.v1",
        "ce_causationid": cause,
        "content-type": "application/json",
    }
    producer.produce(SINK, key=message.key(), value=json.dumps(answer), headers=list(result_headers.items()))


async def main() -> None:
    in_flight = int(IN_FLIGHT)
    consumer = Consumer(
        {
            "bootstrap.servers": BROKERS,
            "group.id": GROUP,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {"bootstrap.servers": BROKERS, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"}
    )
    consumer.subscribe([SOURCE])
    # The client's own limit is 1,000 connections.
    limits = httpx2.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    http_client = httpx2.AsyncClient(limits=limits, timeout=60)
    client = AsyncOpenAI(base_url=BASE_URL, api_key="none", max_retries=0, http_client=http_client)
    slots = asyncio.Semaphore(in_flight)
    while True:
        batch = consumer.consume(max(in_flight, 1000), timeout=0.1)
        messages = [message for message in batch if message.error() is None]
        if not messages:
            continue
        await asyncio.gather(*(handle(client, slots, producer, message) for message in messages))
        # Outcomes first, offsets afterwards: a crash in between repeats records and loses none.
        producer.flush()
        consumer.commit(asynchronous=False)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
asyncio.run(main())

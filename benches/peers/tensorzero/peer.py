"""Asks TensorZero's embedded gateway at a constant rate, and prints how long each answer took from the moment at which it was due.

It has no HTTP server in its package, so this measures from inside of the program that it is embedded in.

Arguments: base URL of the provider, requests a second, seconds, directory for its configuration, schema file, text of a prompt.
"""

import asyncio
import json
import pathlib
import shutil
import sys
import time

from tensorzero import AsyncTensorZeroGateway

BASE_URL, RATE, SECONDS, DIRECTORY, SCHEMA_FILE, TEXT = sys.argv[1:]
WARM_UP = 200

CONFIGURATION = f"""
[gateway]
observability.enabled = false

[models.stub]
routing = ["provider"]

[models.stub.providers.provider]
type = "openai"
model_name = "stub-1"
api_base = "{BASE_URL}/"
api_key_location = "none"

[functions.sort]
type = "json"
output_schema = "schema.json"

[functions.sort.variants.plain]
type = "chat_completion"
model = "stub"
json_mode = "strict"
"""


async def ask(gateway: AsyncTensorZeroGateway, number: int) -> None:
    content = f"Ticket {number}: {TEXT}"
    answer = await gateway.inference(function_name="sort", input={"messages": [{"role": "user", "content": content}]})
    if answer.output.parsed["intent"] != "delivery_problem":
        raise ValueError(answer)


async def main() -> None:
    directory = pathlib.Path(DIRECTORY)
    shutil.copy(SCHEMA_FILE, directory / "schema.json")
    (directory / "tensorzero.toml").write_text(CONFIGURATION)
    gateway = await AsyncTensorZeroGateway.build_embedded(config_file=str(directory / "tensorzero.toml"))
    for number in range(WARM_UP):
        await ask(gateway, number)
    latencies, errors, tasks = [], [], set()

    async def measured(number: int, due: float) -> None:
        try:
            await ask(gateway, number)
            latencies.append(time.perf_counter() - due)
        except Exception as error:  # whatever it is, the run does not count
            errors.append(repr(error))

    rate = int(RATE)
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(rate * int(SECONDS)):
        due = began + number / rate
        # At least once, so that answers are read.
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(measured(number, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    report = {"nanoseconds": [int(latency * 1e9) for latency in latencies], "errors": errors[:1], "seconds": took, "cpu_seconds": cpu}
    print(json.dumps(report))


asyncio.run(main())

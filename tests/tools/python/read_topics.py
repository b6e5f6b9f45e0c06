"""Reads what the connector left in Kafka, as a client that shares no code with it, and prints it as one JSON object.

The events are parsed by the official CloudEvents package, so a result that only our own reader understands shows up
under "unparsable". Topics are read from their beginning to the end they had when reading began, committed records only.

    read_topics.py --brokers HOST:PORT --results TOPIC --dead-letters TOPIC [--inputs TOPIC] [--group GROUP]
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, from_structured_event
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

PATIENCE_SECONDS = 30.0


def main() -> None:
    arguments = parse_arguments()
    consumer = Consumer(
        {
            "bootstrap.servers": arguments.brokers,
            # Never joined: partitions are assigned by hand. It only names whose committed offsets are asked for.
            "group.id": arguments.group or "read-topics",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        report = read_results(consumer, arguments.results)
        report |= read_dead_letters(consumer, arguments.dead_letters)
        if arguments.inputs:
            report["inputs"] = sum(1 for _ in read(consumer, arguments.inputs))
        if arguments.group and arguments.inputs:
            report["group"] = progress(consumer, arguments.inputs)
    finally:
        consumer.close()
    print(json.dumps(report, indent=1, sort_keys=True))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True, help="host:port of one or more brokers")
    parser.add_argument("--results", required=True, help="topic of the results")
    parser.add_argument("--dead-letters", required=True, help="topic of the dead letters")
    parser.add_argument("--inputs", help="topic that the connector reads; its records are counted")
    parser.add_argument("--group", help="group whose committed offsets in --inputs are reported")
    arguments = parser.parse_args()
    if arguments.group and not arguments.inputs:
        parser.error("--group needs --inputs, the topic whose offsets the group commits")
    return arguments


def partitions(consumer: Consumer, topic: str) -> list[int]:
    metadata = consumer.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic]
    if metadata.error is not None:
        raise SystemExit(f"topic {topic} cannot be read: {metadata.error.str()}")
    return sorted(metadata.partitions)


def ends(consumer: Consumer, topic: str) -> dict[int, int]:
    """The offset after the last record of each partition."""
    return {
        partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_SECONDS)[1]
        for partition in partitions(consumer, topic)
    }


def read(consumer: Consumer, topic: str) -> Iterator[Message]:
    """Yields each committed record of a topic up to the ends that its partitions have now."""
    end = ends(consumer, topic)
    unread = {partition for partition, offset in end.items() if offset > 0}
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in unread])
    while unread:
        message = consumer.poll(PATIENCE_SECONDS)
        if message is None:
            raise SystemExit(f"topic {topic}: nothing came for {PATIENCE_SECONDS:.0f} s, partitions {unread} unfinished")
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        # Reaching the end is an event of its own: the last offsets may be transaction markers or aborted records,
        # which never arrive as messages.
        if message.offset() >= end[message.partition()]:
            unread.discard(message.partition())
        elif error is None:
            yield message
    consumer.unassign()


def read_results(consumer: Consumer, topic: str) -> dict:
    causes: Counter[str] = Counter()
    unparsable = []
    count = 0
    for message in read(consumer, topic):
        count += 1
        try:
            causes[cause(message)] += 1
        except Exception as reason:  # Whatever the package raises, the record is one that a subscriber cannot use.
            unparsable.append({"record": position(message), "reason": f"{type(reason).__name__}: {reason}"})
    return {"results": count, "result_causes": causes, "unparsable": unparsable}


def cause(message: Message) -> str:
    """The source and id of the event that a result answers, a line feed between them."""
    headers = cloudevents_headers(message)
    record = KafkaMessage(headers=headers, key=None, value=message.value() or b"")
    structured = headers.get("content-type", b"").lower().startswith(b"application/cloudevents")
    # The package checks the required attributes and the names of the others.
    event = from_structured_event(record) if structured else from_binary_event(record)
    data = event.get_data()
    if not isinstance(data, dict):
        raise ValueError(f"data is not a JSON object but {type(data).__name__}")
    source, id = (event.get_extension(name) for name in ("causationsource", "causationid"))
    if not source or not id:
        raise ValueError("causationsource or causationid is missing")
    return f"{source}\n{id}"


def cloudevents_headers(message: Message) -> dict[str, bytes]:
    """The headers of the Kafka binding; others may be null or no UTF-8, which the package does not expect."""
    headers: dict[str, bytes] = {}
    for name, value in message.headers() or []:
        name = name.lower()
        if not name.startswith("ce_") and name != "content-type":
            continue
        if name in headers:
            raise ValueError(f"header {name} appears twice")
        headers[name] = value
    return headers


def read_dead_letters(consumer: Consumer, topic: str) -> dict:
    origins = []
    codes: Counter[str] = Counter()
    unmarked = []
    for message in read(consumer, topic):
        headers = {name: (value or b"").decode(errors="replace") for name, value in message.headers() or []}
        origin = [headers.get(f"__connect.errors.{part}") for part in ("topic", "partition", "offset")]
        if all(origin):
            origins.append("/".join(origin))
        else:
            unmarked.append(position(message))
        codes[headers.get("sp-error-code", "none")] += 1
    return {"dead_letters": origins, "dead_letter_codes": codes, "dead_letters_without_origin": unmarked}


def progress(consumer: Consumer, topic: str) -> dict:
    """The committed and the end offset of each partition; null where the group has committed nothing."""
    end = ends(consumer, topic)
    committed = consumer.committed([TopicPartition(topic, partition) for partition in end], timeout=PATIENCE_SECONDS)
    return {
        "committed": {str(entry.partition): entry.offset if entry.offset >= 0 else None for entry in committed},
        "end": {str(partition): offset for partition, offset in end.items()},
    }


def position(message: Message) -> str:
    return f"{message.topic()}/{message.partition()}/{message.offset()}"


if __name__ == "__main__":
    main()

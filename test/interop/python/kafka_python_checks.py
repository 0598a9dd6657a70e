"""kafka-python (pure Python), with assigned partitions and no group."""
import time

from checks import (BOOTSTRAP, CODECS, T0, blob, check, compare, expect, numbered, refused, variety,
                    wait_for)
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic, OffsetSpec

admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP, request_timeout_ms=20_000)


def create(topic, partitions=1, **configs):
    config = {key.replace("_", "."): value for key, value in configs.items()}
    admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)], wait_for_metadata=True)


def produce(topic, records, partition=0, **settings):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, max_block_ms=15_000, **settings)
    try:
        futures = [
            producer.send(topic, value, key, headers, partition, timestamp)
            for key, value, headers, timestamp in records
        ]
        producer.flush(20)
        return [future.get(20).offset for future in futures]
    finally:
        producer.close(5)


def read(topic, count, partition=0, **settings):
    consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP, enable_auto_commit=False, **settings)
    assigned = TopicPartition(topic, partition)
    consumer.assign([assigned])
    consumer.seek_to_beginning(assigned)
    records, deadline = [], time.monotonic() + 15
    while len(records) < count and time.monotonic() < deadline:
        for batch in consumer.poll(500).values():
            records += [(m.key, m.value, list(m.headers), m.timestamp, m.offset) for m in batch]
    consumer.close()
    return records


def config_of(kind, name, key):
    described = admin.describe_configs([ConfigResource(kind, name)], config_filter="all")
    return described[kind.name.lower()][name][key]

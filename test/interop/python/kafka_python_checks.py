"""kafka-python (pure Python), with assigned partitions and no group. It refuses to send a record that
has neither key nor value and a header without a value, so these shapes are left out."""
import time

from checks import (BOOTSTRAP, CODECS, T0, blob, check, compare, expect, numbered, refused, variety,
                    wait_for)
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, OffsetSpec

admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP, request_timeout_ms=20_000)


def create(topic, partitions=1, **configs):
    config = {key.replace("_", "."): value for key, value in configs.items()}
    wanted = {topic: {"num_partitions": partitions, "configs": config}}
    admin.create_topics(wanted, wait_for_metadata=True)


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


def alter(configs, **options):
    answer = admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "configured", configs)], **options)
    expect(answer == {"topic": {"configured": "OK"}}, f"{answer}")


def topic_config(key):
    return config_of(ConfigResourceType.TOPIC, "configured", key)["value"]


@check("describe-cluster")
def _():
    cluster = admin.describe_cluster()
    expect(len(cluster["brokers"]) == 1 and cluster["cluster_id"], f"{cluster}")


@check("create-topics")
def _():
    create("plain", 3)
    create("configured", 1, retention_ms="3600000")
    admin.create_topics(["defaults"], wait_for_metadata=True)
    listed = admin.list_topics()
    expect({"plain", "configured", "defaults"} <= set(listed), f"{listed}")


@check("create-topic-twice-refused")
def _():
    refused(lambda: create("plain"), "TopicAlreadyExists")


@check("describe-topics")
def _():
    plain = admin.describe_topics(["plain"])[0]
    expect(len(plain["partitions"]) == 3 and plain["error_code"] == 0, f"{plain}")


@check("describe-topic-partitions")
def _():
    plain = admin.describe_topic_partitions(["plain"])["topics"][0]
    expect(len(plain["partitions"]) == 3, f"{plain}")


@check("describe-unknown-topic-refused")
def _():
    nowhere = admin.describe_topics(["nowhere"])[0]
    expect(nowhere["error_code"] == 3, f"{nowhere}")


@check("describe-log-dirs")
def _():
    described = admin.describe_log_dirs()
    expect(described[0]["log_dirs"][0]["error_code"] == 0, f"{described}")


def codec_check(codec):
    @check(f"codec-{codec}")
    def _():
        topic = f"codec-{codec}"
        create(topic, 2)
        compression = None if codec == "none" else codec
        sent = [variety(p, nulls=False) for p in range(2)]
        for p in range(2):
            produce(topic, sent[p], p, compression_type=compression, linger_ms=20)
        for p in range(2):
            compare(sent[p], read(topic, len(sent[p]), p))


def acks_check(acks):
    @check(f"acks-{acks}")
    def _():
        create(f"acks-{acks}")
        produce(f"acks-{acks}", numbered(100), acks=acks, enable_idempotence=False)
        compare(numbered(100), read(f"acks-{acks}", 100))


for codec in CODECS:
    codec_check(codec)
for acks in [0, 1, "all"]:
    acks_check(acks)


@check("idempotent")
def _():
    create("idempotent")
    offsets = produce("idempotent", numbered(2000), enable_idempotence=True, batch_size=500)
    expect(offsets == list(range(2000)), "offsets out of order")
    compare(numbered(2000), read("idempotent", 2000))


@check("auto-create-on-produce")
def _():
    produce("auto-created", numbered(10))
    compare(numbered(10), read("auto-created", 10))


@check("record-of-almost-1-MiB")
def _():
    create("large")
    sent = [blob(1_048_400), blob(1_000_000)]
    produce("large", sent, max_request_size=2_000_000)
    compare(sent, read("large", 2))


@check("record-of-8-MiB-where-allowed")
def _():
    create("larger", max_message_bytes="10000000")
    sent = [blob(8 << 20), blob(8 << 20)]
    produce("larger", sent, max_request_size=20_000_000)
    compare(sent, read("larger", 2))


@check("too-large-refused")
def _():
    create("smaller", max_message_bytes="1000")
    refused(lambda: produce("smaller", [blob(5000)]), "MessageSizeTooLarge", "MessageTooLarge")


@check("offsets-by-time")
def _():
    create("timed")
    produce("timed", numbered(100))

    def offset(spec):
        partition = TopicPartition("timed", 0)
        return admin.list_partition_offsets({partition: spec})[partition].offset

    expect(offset(OffsetSpec.EARLIEST) == 0, "earliest")
    expect(offset(OffsetSpec.LATEST) == 100, "latest")
    expect(offset(OffsetSpec.MAX_TIMESTAMP) == 99, "max timestamp")
    expect(offset(T0 + 41_500) == 42, "middle")


@check("consumer-offsets-by-time")
def _():
    partition = TopicPartition("timed", 0)
    consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP)
    found = consumer.offsets_for_times({partition: T0 + 10_000})[partition]
    first, last = consumer.beginning_offsets([partition]), consumer.end_offsets([partition])
    consumer.close()
    expect(found.offset == 10, f"{found}")
    expect(first[partition] == 0 and last[partition] == 100, f"{first} {last}")


@check("consumer-read-committed")
def _():
    compare(numbered(100), read("timed", 100, isolation_level="read_committed"))


@check("delete-records")
def _():
    deleted = admin.delete_records({TopicPartition("timed", 0): 30})
    expect(deleted[TopicPartition("timed", 0)]["low_watermark"] == 30, f"{deleted}")
    compare(numbered(100)[30:], read("timed", 70))


@check("delete-records-beyond-end-refused")
def _():
    refused(lambda: admin.delete_records({TopicPartition("timed", 0): 101}), "OffsetOutOfRange")


@check("describe-topic-configs")
def _():
    expect(topic_config("retention.ms") == "3600000", "retention.ms")
    policy = config_of(ConfigResourceType.TOPIC, "configured", "cleanup.policy")
    expect(policy["value"] == "delete" and policy["config_source"] == "DEFAULT_CONFIG", f"{policy}")


@check("describe-broker-configs")
def _():
    node = admin.describe_cluster()["controller_id"]
    limit = config_of(ConfigResourceType.BROKER, str(node), "message.max.bytes")
    expect(limit["value"] == "1048588", f"{limit}")


@check("list-config-resources")
def _():
    listed = admin.list_config_resources(["TOPIC"])
    expect("configured" in listed["topic"], f"{listed}")


@check("incremental-alter-configs")
def _():
    alter({"retention.ms": "7200000", "cleanup.policy": (AlterConfigOp.APPEND, "compact")})
    wait_for("retention.ms", lambda: topic_config("retention.ms") == "7200000")
    wait_for("cleanup.policy", lambda: topic_config("cleanup.policy") == "delete,compact")
    alter({
        "retention.ms": (AlterConfigOp.DELETE, None),
        "cleanup.policy": (AlterConfigOp.SUBTRACT, "compact"),
    })
    wait_for("retention.ms", lambda: topic_config("retention.ms") == "604800000")
    wait_for("cleanup.policy", lambda: topic_config("cleanup.policy") == "delete")


@check("legacy-alter-configs")
def _():
    alter({"segment.bytes": "2097152"}, incremental=False)
    wait_for("segment.bytes", lambda: topic_config("segment.bytes") == "2097152")


@check("invalid-config-refused")
def _():
    refused(lambda: alter({"retention.ms": "soon"}), "InvalidConfig")


@check("create-partitions")
def _():
    admin.create_partitions({"plain": 5})
    wait_for("5 partitions", lambda: len(admin.describe_topics(["plain"])[0]["partitions"]) == 5)
    produce("plain", numbered(1), 4)
    compare(numbered(1), read("plain", 1, 4))


@check("delete-topics")
def _():
    admin.delete_topics(["plain", "defaults"])
    wait_for("gone", lambda: not {"plain", "defaults"} & set(admin.list_topics()))


@check("delete-unknown-topic-refused")
def _():
    refused(lambda: admin.delete_topics(["nowhere"]), "UnknownTopicOrPartition")


admin.close()

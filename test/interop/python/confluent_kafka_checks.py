"""confluent-kafka-python (librdkafka). Consumers get a group id, since librdkafka insists on one,
but only assigned partitions with explicit offsets, so no group coordinator takes part."""
import time

from checks import (BOOTSTRAP, CODECS, T0, blob, check, compare, expect, numbered, refused, variety,
                    wait_for)
from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   NewPartitions, NewTopic, OffsetSpec, ResourceType)

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def done(futures):
    """Waits for every future of a dict and answers their results."""
    return {key: future.result(20) for key, future in futures.items()}


def create(topic, partitions=1, **configs):
    config = {key.replace("_", "."): value for key, value in configs.items()}
    done(admin.create_topics([NewTopic(topic, partitions, 1, config=config)]))


def produce(topic, records, partition=0, **settings):
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "delivery.timeout.ms": 20_000} | settings)
    offsets, errors = [], []

    def delivered(error, message):
        errors.append(error) if error else offsets.append(message.offset())

    for key, value, headers, timestamp in records:
        producer.produce(topic, value, key, partition, on_delivery=delivered, timestamp=timestamp, headers=headers)
    left = producer.flush(25)
    expect(left == 0, f"{left} records not delivered")
    if errors:
        raise KafkaException(errors[0])
    return offsets


def read(topic, count, partition=0, offset=0, **settings):
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest"} | settings)
    consumer.assign([TopicPartition(topic, partition, offset)])
    records, deadline = [], time.monotonic() + 15
    while len(records) < count and time.monotonic() < deadline:
        for m in consumer.consume(count - len(records), timeout=0.5):
            if m.error():
                raise KafkaException(m.error())
            records.append((m.key(), m.value(), m.headers() or [], m.timestamp()[1], m.offset()))
    consumer.close()
    return records


def config_of(resource, name):
    return done(admin.describe_configs([resource]))[resource][name]


@check("describe-cluster")
def _():
    cluster = admin.describe_cluster().result(20)
    expect(len(cluster.nodes) == 1 and cluster.cluster_id and cluster.controller, f"{cluster.nodes}")


@check("create-topics")
def _():
    create("plain", 3)
    create("configured", 1, retention_ms="3600000")
    wait_for("topics", lambda: {"plain", "configured"} <= set(admin.list_topics(timeout=10).topics))


@check("create-topic-twice-refused")
def _():
    refused(lambda: create("plain"), "TOPIC_ALREADY_EXISTS")


@check("describe-topics")
def _():
    plain = done(admin.describe_topics(TopicCollection(["plain"])))["plain"]
    expect(len(plain.partitions) == 3 and len(plain.partitions[2].isr) == 1, f"{plain.partitions}")
    expect(str(plain.topic_id) and plain.partitions[0].leader, "no id or leader")


@check("describe-unknown-topic-refused")
def _():
    refused(lambda: done(admin.describe_topics(TopicCollection(["nowhere"]))), "UNKNOWN_TOPIC_OR_PART")


def codec_check(codec):
    @check(f"codec-{codec}")
    def _():
        topic = f"codec-{codec}"
        create(topic, 2)
        for p in range(2):
            # One request at a time, for a retry must not change the order.
            produce(topic, variety(p), p, compression_type=codec, linger_ms=20, max_in_flight=1)
        for p in range(2):
            compare(variety(p), read(topic, len(variety(p)), p))


def acks_check(acks):
    @check(f"acks-{acks}")
    def _():
        create(f"acks-{acks}")
        produce(f"acks-{acks}", numbered(100), acks=acks)
        compare(numbered(100), read(f"acks-{acks}", 100))


for codec in CODECS:
    codec_check(codec)
for acks in ["0", "1", "all"]:
    acks_check(acks)


@check("idempotent")
def _():
    create("idempotent")
    offsets = produce("idempotent", numbered(2000), enable_idempotence=True, batch_num_messages=10)
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
    produce("large", sent, message_max_bytes=2_000_000)
    compare(sent, read("large", 2))


@check("record-of-8-MiB-where-allowed")
def _():
    create("larger", max_message_bytes="10000000")
    sent = [blob(8 << 20), blob(8 << 20)]
    produce("larger", sent, message_max_bytes=20_000_000)
    compare(sent, read("larger", 2))


@check("too-large-refused")
def _():
    create("smaller", max_message_bytes="1000")
    refused(lambda: produce("smaller", [blob(5000)]), "MSG_SIZE_TOO_LARGE")


@check("offsets-by-time")
def _():
    create("timed")
    produce("timed", numbered(100))
    partition = TopicPartition("timed", 0)

    def offset(spec, **options):
        return admin.list_offsets({partition: spec}, **options)[partition].result(20).offset

    expect(offset(OffsetSpec.earliest()) == 0, "earliest")
    expect(offset(OffsetSpec.latest()) == 100, "latest")
    expect(offset(OffsetSpec.latest(), isolation_level=IsolationLevel.READ_COMMITTED) == 100, "committed")
    expect(offset(OffsetSpec.max_timestamp()) == 99, "max timestamp")
    expect(offset(OffsetSpec.for_timestamp(T0 + 41_500)) == 42, "middle")
    expect(offset(OffsetSpec.for_timestamp(T0 + 99_001)) == -1, "after")


@check("consumer-offsets-by-time")
def _():
    consumer = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "unused"})
    found = consumer.offsets_for_times([TopicPartition("timed", 0, T0 + 10_000)], 10)
    watermarks = consumer.get_watermark_offsets(TopicPartition("timed", 0), 10)
    consumer.close()
    expect(found[0].offset == 10, f"{found}")
    expect(watermarks == (0, 100), f"{watermarks}")


@check("consumer-read-uncommitted")
def _():
    compare(numbered(100), read("timed", 100, isolation_level="read_uncommitted"))


@check("delete-records")
def _():
    done(admin.delete_records([TopicPartition("timed", 0, 30)]))
    compare(numbered(100)[30:], read("timed", 70))


@check("delete-records-beyond-end-refused")
def _():
    refused(lambda: done(admin.delete_records([TopicPartition("timed", 0, 101)])), "OFFSET_OUT_OF_RANGE")


configured = ConfigResource(ResourceType.TOPIC, "configured")


@check("describe-topic-configs")
def _():
    configs = done(admin.describe_configs([configured]))[configured]
    expect(configs["retention.ms"].value == "3600000" and not configs["retention.ms"].is_default, "retention.ms")
    expect(configs["cleanup.policy"].value == "delete" and configs["cleanup.policy"].is_default, "cleanup.policy")
    expect(len(configs) > 20, f"{len(configs)} configs")


@check("describe-broker-configs")
def _():
    node = admin.describe_cluster().result(20).controller.id
    broker = ConfigResource(ResourceType.BROKER, str(node))
    expect(config_of(broker, "message.max.bytes").value == "1048588", "message.max.bytes")


@check("incremental-alter-configs")
def _():
    def alter(name, value, operation):
        entry = ConfigEntry(name, value, incremental_operation=operation)
        done(admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, "configured", incremental_configs=[entry])]))

    alter("retention.ms", "7200000", AlterConfigOpType.SET)
    alter("cleanup.policy", "compact", AlterConfigOpType.APPEND)
    wait_for("retention.ms", lambda: config_of(configured, "retention.ms").value == "7200000")
    wait_for("cleanup.policy", lambda: config_of(configured, "cleanup.policy").value == "delete,compact")
    alter("cleanup.policy", "compact", AlterConfigOpType.SUBTRACT)
    alter("retention.ms", None, AlterConfigOpType.DELETE)
    wait_for("retention.ms", lambda: config_of(configured, "retention.ms").value == "604800000")
    wait_for("cleanup.policy", lambda: config_of(configured, "cleanup.policy").value == "delete")


@check("legacy-alter-configs")
def _():
    done(admin.alter_configs([ConfigResource(ResourceType.TOPIC, "configured", {"segment.bytes": "2097152"})]))
    wait_for("segment.bytes", lambda: config_of(configured, "segment.bytes").value == "2097152")


@check("invalid-config-refused")
def _():
    entry = ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "configured", incremental_configs=[entry])
    refused(lambda: done(admin.incremental_alter_configs([resource])), "INVALID_CONFIG")


@check("create-partitions")
def _():
    done(admin.create_partitions([NewPartitions("plain", 5)]))
    wait_for("5 partitions", lambda: len(admin.list_topics("plain", 10).topics["plain"].partitions) == 5)
    produce("plain", numbered(1), 4)
    compare(numbered(1), read("plain", 1, 4))


@check("delete-topics")
def _():
    done(admin.delete_topics(["plain"]))
    wait_for("gone", lambda: "plain" not in admin.list_topics(timeout=10).topics)


@check("delete-unknown-topic-refused")
def _():
    refused(lambda: done(admin.delete_topics(["nowhere"])), "UNKNOWN_TOPIC_OR_PART")


@check("transactions")
def _():
    done(admin.create_topics([NewTopic("transacted", 2, 1)]))
    settings = {"bootstrap.servers": BOOTSTRAP}
    producer = Producer({**settings, "transactional.id": "confluent"})
    producer.init_transactions(20)
    consumer = Consumer({**settings, "group.id": "transacted", "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed", "enable.auto.commit": False})
    # Not as a member: the offsets that the group is given below are not what was read.
    consumer.assign([TopicPartition("transacted", partition, 0) for partition in (0, 1)])
    for i in range(20):
        producer.begin_transaction()
        for partition in (0, 1):
            producer.produce("transacted", f"{i}-{partition}", partition=partition)
        offset = TopicPartition("transacted", 0, i)
        producer.send_offsets_to_transaction([offset], consumer.consumer_group_metadata(), 20)
        if i % 4 == 3:
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)
    wanted = {f"{i}-{p}" for i in range(20) if i % 4 != 3 for p in (0, 1)}
    seen = []
    deadline = time.time() + 20
    while len(seen) < len(wanted) and time.time() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            seen.append(message.value().decode())
    committed = consumer.committed([TopicPartition("transacted", 0)], 20)[0].offset
    consumer.close()
    expect(sorted(seen) == sorted(wanted), f"read {len(seen)} of {len(wanted)}")
    expect(committed == 18, f"committed {committed}")

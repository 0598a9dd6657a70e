"""A member of a group with confluent-kafka-python (librdkafka)."""
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition
from member import BOOTSTRAP, SETTINGS, changed, commands, done, listen, record

waiting = []


def committed(error, _partitions):
    done(waiting.pop(0), error)


config = {
    "bootstrap.servers": BOOTSTRAP,
    "group.id": SETTINGS["group"],
    "auto.offset.reset": SETTINGS.get("reset", "earliest"),
    "enable.auto.commit": False,
    "topic.metadata.refresh.interval.ms": 1000,
    "on_commit": committed,
}
if SETTINGS.get("protocol") == "consumer":
    config["group.protocol"] = "consumer"
else:
    config |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
    if "cooperative" in SETTINGS:
        config["partition.assignment.strategy"] = "cooperative-sticky"
if "instance" in SETTINGS:
    config["group.instance.id"] = SETTINGS["instance"]
consumer = Consumer(config)


def execute(word, place, offset):
    if word == "commit":
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as error:
            done(word, error)
            return
    elif word == "commit-async":
        waiting.append(word)
        consumer.commit(asynchronous=True)
        return
    elif word == "pause":
        consumer.pause([TopicPartition(*place)])
    elif word == "resume":
        consumer.resume([TopicPartition(*place)])
    elif word == "seek":
        consumer.seek(TopicPartition(*place, offset))
    done(word)


consumer.subscribe(
    [SETTINGS["regex"]] if "regex" in SETTINGS else SETTINGS["topics"].split(","),
    on_assign=lambda _, partitions: changed("assigned", partitions),
    on_revoke=lambda _, partitions: changed("revoked", partitions),
    on_lost=lambda _, partitions: changed("revoked", partitions),
)
listen()
while True:
    for message in consumer.consume(100, timeout=0.1):
        if message.error():
            print(message.error(), file=sys.stderr)
        else:
            record(message.topic(), message.partition(), message.offset())
    while not commands.empty():
        command = commands.get()
        if command[0] == "close":
            consumer.close()
            sys.exit()
        execute(*command)

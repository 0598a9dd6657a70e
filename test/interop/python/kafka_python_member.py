"""A member of a group with kafka-python."""
import sys

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from member import BOOTSTRAP, SETTINGS, changed, commands, done, listen, record


class Told(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        changed("assigned", assigned)

    def on_partitions_revoked(self, revoked):
        changed("revoked", revoked)

    def on_partitions_lost(self, lost):
        changed("revoked", lost)


options = {}
if "cooperative" in SETTINGS:
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

    options["partition_assignment_strategy"] = [CooperativeStickyAssignor]
consumer = KafkaConsumer(
    bootstrap_servers=BOOTSTRAP,
    group_id=SETTINGS["group"],
    group_instance_id=SETTINGS.get("instance"),
    auto_offset_reset=SETTINGS.get("reset", "earliest"),
    enable_auto_commit=False,
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
    metadata_max_age_ms=1000,
    **options,
)


def execute(word, place, offset):
    try:
        if word == "commit":
            consumer.commit()
        elif word == "commit-async":
            consumer.commit_async(callback=lambda _, answer: done(word, answer if isinstance(answer, Exception) else None))
            return
        elif word == "pause":
            consumer.pause(TopicPartition(*place))
        elif word == "resume":
            consumer.resume(TopicPartition(*place))
        elif word == "seek":
            consumer.seek(TopicPartition(*place), offset)
        done(word)
    except Exception as error:  # the scenario judges it
        done(word, error)


if "regex" in SETTINGS:
    consumer.subscribe(pattern=SETTINGS["regex"], listener=Told())
else:
    consumer.subscribe(SETTINGS["topics"].split(","), listener=Told())
listen()
while True:
    for batch in consumer.poll(100).values():
        for message in batch:
            record(message.topic, message.partition, message.offset)
    # A poll that ends while it joins because of new metadata (and not of a rebalance) forgets the
    # join, and never takes up its assignment: 3.0.12 with any broker.
    if consumer._coordinator.rejoining:
        consumer._coordinator.rejoin_needed = True
    while not commands.empty():
        command = commands.get()
        if command[0] == "close":
            consumer.close()
            sys.exit()
        execute(*command)

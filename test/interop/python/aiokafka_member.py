"""A member of a group with aiokafka."""
import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from member import BOOTSTRAP, SETTINGS, changed, commands, done, listen, record


class Told(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        changed("assigned", assigned)

    def on_partitions_revoked(self, revoked):
        changed("revoked", revoked)


async def execute(consumer, word, place, offset):
    try:
        if word == "commit":
            await consumer.commit()
        elif word == "pause":
            consumer.pause(TopicPartition(*place))
        elif word == "resume":
            consumer.resume(TopicPartition(*place))
        elif word == "seek":
            consumer.seek(TopicPartition(*place), offset)
        done(word)
    except Exception as error:  # the scenario judges it
        done(word, error)


async def main():
    consumer = AIOKafkaConsumer(
        bootstrap_servers=BOOTSTRAP,
        group_id=SETTINGS["group"],
        group_instance_id=SETTINGS.get("instance"),
        auto_offset_reset=SETTINGS.get("reset", "earliest"),
        enable_auto_commit=False,
        session_timeout_ms=6000,
        heartbeat_interval_ms=500,
        metadata_max_age_ms=1000,
    )
    if "regex" in SETTINGS:
        consumer.subscribe(pattern=SETTINGS["regex"], listener=Told())
    else:
        consumer.subscribe(SETTINGS["topics"].split(","), listener=Told())
    await consumer.start()
    listen()
    while True:
        for batch in (await consumer.getmany(timeout_ms=100)).values():
            for message in batch:
                record(message.topic, message.partition, message.offset)
        while not commands.empty():
            command = commands.get()
            if command[0] == "close":
                await consumer.stop()
                return
            await execute(consumer, *command)


asyncio.run(main())

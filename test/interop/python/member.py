"""What the members of a group have in common: settings, commands and events."""
import json
import queue
import sys
import threading

BOOTSTRAP = next(argument for argument in sys.argv[1:] if "=" not in argument)
SETTINGS = dict(pair.split("=", 1) for pair in sys.argv[1:] if "=" in pair)
commands = queue.Queue()


def listen():
    """Puts the lines of standard input into `commands`: a word, and a partition, and an offset."""

    def read():
        for line in sys.stdin:
            word, *rest = line.split()
            place = (rest[0].rsplit(":", 1)[0], int(rest[0].rsplit(":", 1)[1])) if rest else None
            commands.put((word, place, int(rest[1]) if len(rest) > 1 else None))

    threading.Thread(target=read, daemon=True).start()


def record(topic, partition, offset):
    emit({"event": "record", "partition": f"{topic}:{partition}", "offset": offset})


def changed(event, partitions):
    emit({"event": event, "partitions": [f"{p.topic}:{p.partition}" for p in partitions]})


def done(command, error=None):
    emit({"event": "done", "command": command, "error": "" if error is None else repr(error)})


def emit(event):
    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    sys.stdout.flush()

"""What both Python clients share: the records to send, and a line of JSON for each check."""
import json
import os
import random
import sys
import time

T0 = 1_700_000_000_000
BOOTSTRAP = sys.argv[1]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def check(name):
    """Runs the decorated function at once; what it raises makes the check fail."""

    def run(body):
        detail, ok = "", True
        try:
            body()
        except Exception as error:  # every failure of a client is the check's answer
            detail, ok = f"{type(error).__name__}: {error}", False
        print(json.dumps({"check": name, "ok": ok, "detail": detail[:500]}), flush=True)

    return run


def expect(condition, why):
    if not condition:
        raise AssertionError(why)


def refused(body, *words):
    """Runs `body`, which has to raise an error that names one of `words`."""
    try:
        body()
    except Exception as error:
        text = f"{type(error).__name__} {error!r}"
        expect(any(word in text for word in words), f"got {text}")
        return
    raise AssertionError("accepted")


def wait_for(what, condition, seconds=5):
    """Kafka answers some changes before every read shows them."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"waited in vain for {what}")
        time.sleep(0.05)


def variety(seed, nulls=True):
    """Records of every shape as (key, value, headers, timestamp).

    `nulls`: with a record that has neither key nor value and a header without a value."""
    headers = [("a", b"1"), ("a", b"2"), ("empty", b""), ("\u00e4\u4e2d", bytes([0, 255, 127, 128]))]
    if nulls:
        headers.append(("null", None))
    shapes = [
        (b"key", b"value", []),
        (None, b"null key", []),
        (b"null value", None, []),
        *([(None, None, [])] if nulls else []),
        (b"", b"", []),
        (b"headers", b"with headers", headers),
    ]
    source = random.Random(seed)
    for i in range(300):
        length = source.randrange(2000)
        shapes.append((b"k%d" % i, b"x" * (length // 2) + source.randbytes(length // 2), []))
    return [(key, value, headers, T0 + i) for i, (key, value, headers) in enumerate(shapes)]


def numbered(count):
    return [(None, b"record %d" % i, [], T0 + i * 1000) for i in range(count)]


def blob(length):
    return (None, os.urandom(length), [], T0)


def compare(sent, read):
    """`read` has in addition the offset at the end of each tuple."""
    expect(len(sent) == len(read), f"read {len(read)} of {len(sent)}")
    for i, (a, b) in enumerate(zip(sent, read)):
        for field, name in enumerate(["key", "value", "headers", "timestamp"]):
            expect(a[field] == b[field], f"{name} of {i}: {str(b[field])[:80]}")
        expect(i == 0 or b[4] == read[i - 1][4] + 1, f"offset of {i}: {b[4]}")

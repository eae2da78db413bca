"""The cost of publish_transcript as batches get more channels and channels more messages."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.containers import Container, environment, insert, make_resources, packed
from bench.report import table
from local.testkit import proxy
from local.testkit.events import Event

CHANNELS = (10, 100)
MESSAGES = (10, 1_000, 10_000)
HISTORY = 20
EVENTS, CONTAINERS = 5, 3
HEADS = ("a batch", "Query", "PUT", "CPU a channel, ms", "/ one in a channel with 1,000")


@dataclass(frozen=True)
class Size:
    """A row of the table: its name, and how many messages each of its event's channels has."""

    name: str
    channels: dict[str, int]

    def event(self) -> Event:
        """An event with the newest message of each channel."""
        return {"Records": [insert(name, count - 1) for name, count in self.channels.items()]}


ONE = "one message in"
SIZES = [Size(f"{ONE} a channel with {n:,}", {f"of-{n}": n}) for n in MESSAGES] + [
    Size(f"{ONE} each of {n} channels", {f"channel-{i}": HISTORY for i in range(n)})
    for n in CHANNELS
]


def measure(endpoint_url: str) -> str:
    """Run each size in CONTAINERS containers, in turn; return the table."""
    make_resources(endpoint_url, {k: count for size in SIZES for k, count in size.channels.items()})
    env = environment(endpoint_url)
    with (
        tempfile.TemporaryDirectory(prefix="bench-growth-") as folder,
        proxy.running(endpoint_url) as between,
    ):
        container = packed("publish_transcript", Path(folder))
        calls = [container.calls(size.event, env, between) for size in SIZES]
        rounds = [[each_ms(container, size, env) for size in SIZES] for _ in range(CONTAINERS)]
    cpu_ms = [statistics.median(times) for times in zip(*rounds, strict=True)]
    rows = [
        (size.name, count["Query"], count["PUT"], ms, ms / cpu_ms[1])
        for size, count, ms in zip(SIZES, calls, cpu_ms, strict=True)
    ]
    note = (
        f"\nA transcript holds {HISTORY} messages. One PUT per batch writes the statistics. The "
        "emulator scans all rows of a channel for each Query, where DynamoDB has an index; its "
        "time is not counted.\n"
    )
    return f"### Messages and channels to publish\n\n{table(HEADS, rows)}{note}"


def each_ms(container: Container, size: Size, env: dict[str, str]) -> float:
    """Processor milliseconds per event and channel, in a warm container."""
    events = [size.event() for _ in range(EVENTS)]
    return container.run(size.event(), events, env)["each_ms"] / len(size.channels)

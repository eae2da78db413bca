"""publish_transcript, as a batch has more channels and as a channel has more messages."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
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
HEADS = (
    "a batch",
    "Query",
    "PUT",
    "CPU a channel, ms",
    "/ one new message of a channel with 1,000",
)


@dataclass(frozen=True)
class Size:
    """A row of the table: an event by the number of channels in it, or of messages in its one."""

    name: str
    channels: int
    event: Callable[[], Event]


def sizes() -> list[Size]:
    """Both curves."""
    rows = [
        Size(f"one message in a channel with {count:,}", 1, one_more(f"of-{count}", count))
        for count in MESSAGES
    ]
    return rows + [
        Size(f"one message in each of {count:,} channels", count, one_each(count))
        for count in CHANNELS
    ]


def one_more(channel: str, messages: int) -> Callable[[], Event]:
    """The newest message of a channel."""
    return lambda: {"Records": [insert(channel, messages - 1)]}


def one_each(channels: int) -> Callable[[], Event]:
    """The newest message of each of some channels."""
    return lambda: {
        "Records": [insert(f"channel-{number}", HISTORY - 1) for number in range(channels)]
    }


def measure(endpoint_url: str) -> str:
    """Run each size in some containers, in turn."""
    filled = {f"of-{count}": count for count in MESSAGES}
    filled |= {f"channel-{number}": HISTORY for number in range(max(CHANNELS))}
    make_resources(endpoint_url, filled)
    env = environment(endpoint_url)
    with (
        tempfile.TemporaryDirectory(prefix="bench-growth-") as folder,
        proxy.running(endpoint_url) as between,
    ):
        container = packed("publish_transcript", Path(folder))
        calls = [container.calls(size.event, env, between) for size in sizes()]
        rounds = [[each_ms(container, size, env) for size in sizes()] for _ in range(CONTAINERS)]
    cpu_ms = [statistics.median(times) for times in zip(*rounds, strict=True)]
    rows = [
        (size.name, count["Query"], count["PUT"], ms, ms / cpu_ms[1])
        for size, count, ms in zip(sizes(), calls, cpu_ms, strict=True)
    ]
    note = (
        f"\nA transcript holds {HISTORY} messages; one PUT of a batch is that of the stats. The "
        "emulator, whose time does not count here, goes through all rows of a channel at each "
        "Query, where DynamoDB has an index.\n"
    )
    return f"### Messages and channels to publish\n\n{table(HEADS, rows)}{note}"


def each_ms(container: Container, size: Size, env: dict[str, str]) -> float:
    """Processor milliseconds of a channel of one event, in a container that is warm."""
    events = [size.event() for _ in range(EVENTS)]
    return container.run(size.event(), events, env)["each_ms"] / size.channels

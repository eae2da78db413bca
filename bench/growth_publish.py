"""publish_transcript, as a batch has more channels and as a channel has more rows.

The function itself runs, in this process; the table and the bucket are in memory but for one
table against the emulator. What is in memory costs microseconds, so the processor time is the
function's own.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from bench.growth_aws import aws_settings, require
from bench.growth_memory import Counted, Rows, insert, row_of
from bench.report import table
from tests.support.builders import BUCKET, NOW_S, TABLE

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lambda/shared"), str(ROOT / "lambda/dynamodb/code")]

from publish_transcript import (  # noqa: E402
    SIDE_BY_SIDE,
    Service,
    Settings,
    connected,
    publish,
)
from transcript_files import query  # noqa: E402
from transcripts import Page  # noqa: E402

CHANNELS = (1, 10, 100, 1_000)
ROWS = (10, 1_000, 100_000, 1_000_000)
EMULATED_ROWS = (10, 10_000)
HISTORY = 20
REPEATS = 15
FAR, FAR_S = 50, 0.01
NEWEST = Rows(50, 60_000)[49]
SETTINGS = Settings(TABLE, BUCKET, "data/", HISTORY)


def measure(endpoint_url: str) -> str:
    """Both curves, and the second also on the emulator."""
    return "\n".join([channels_table(), rows_table(), emulated_table(endpoint_url)])


def channels_table() -> str:
    """One message in each of so many channels, all in one batch."""
    found = [of_channels(count) for count in CHANNELS]
    smallest = found[1][-1]
    heads = ("channels in a batch", "calls a channel, first time", "Query a channel")
    heads += ("PUT a channel", "other calls, a batch", "CPU a channel / at 10 channels")
    lines = [(*one[:-1], one[-1] / smallest) for one in found]
    note = (
        "\nOne channel alone also pays for the stats, the log line and the loop. The first time "
        "in a container adds a HEAD a channel, and a GET and a PUT for the list of channels. "
        f"With each answer {FAR_S * 1000:.0f} ms later, {FAR} channels, {SIDE_BY_SIDE} at a time "
        f"as on Lambda, take {far_ratio():.2f} of the time that they take one after the other.\n"
    )
    return f"### Channels in one batch of the stream\n\n{table(heads, lines)}{note}"


def of_channels(count: int) -> tuple[int, float, float, float, int, float]:
    """A line of the first table: the last is the CPU seconds of a channel."""
    world = Counted(Rows(50, 60_000))
    service = connected(SETTINGS, world, world, lambda: NOW_S)
    names = [f"channel-{number}" for number in range(count)]
    event = {"Records": [insert(name, NEWEST) for name in names]}
    deliver(event, service)
    first = world.taken()[0].total() / count
    seconds = repeated(lambda: deliver(event, service), 3 if count > 100 else REPEATS)
    calls = one_batch(world, event, service)
    # whatever is not of a channel: the stats' one PUT
    others = calls.total() - 2 * count
    require(calls["Query"] == count, f"{calls['Query']} Queries for {count} channels")
    require(calls["PUT"] == count + 1, f"{calls['PUT']} PUTs for {count} channels and the stats")
    return count, first, calls["Query"] / count, (calls["PUT"] - 1) / count, others, seconds / count


class Far:
    """The table and the bucket, whose answers take their time."""

    def __init__(self, world: Counted) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The call of that name, some time later."""

        def call(**given: Any) -> Any:  # noqa: ANN401
            time.sleep(FAR_S)
            return getattr(self._world, name)(**given)

        return call


def far_ratio() -> float:
    """The time of a batch whose channels are published side by side, of that one by one."""
    far = Far(Counted(Rows(50, 60_000)))
    event = {"Records": [insert(f"channel-{number}", NEWEST) for number in range(FAR)]}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        seconds = []
        for each in (pool.map, map):
            service = connected(SETTINGS, far, far, lambda: NOW_S, each)
            deliver(event, service)
            began = time.perf_counter()
            deliver(event, service)
            seconds.append(time.perf_counter() - began)
    return seconds[0] / seconds[1]


def one_batch(world: Counted, event: Any, service: Service) -> Counter[str]:  # noqa: ANN401
    """The calls of one batch."""
    world.taken()
    deliver(event, service)
    return world.taken()[0]


def rows_table() -> str:
    """One new message in a channel that has so many rows already."""
    minute, busy = 60_000, 0
    found = [of_rows(count, minute) for count in ROWS]
    found.append(of_rows(ROWS[-1], busy))
    full = found[1][-1]
    heads = ("rows in the channel", "one each", "calls", "rows read", "CPU / at 1,000 rows")
    lines = [(*one[:-1], one[-1] / full) for one in found]
    note = (
        f"\nThe calls are Query, PUT and the stats' PUT. A transcript holds {HISTORY} messages; "
        "with 10 rows there are only 10. In the last line all rows came within the last five "
        "seconds: then it holds 200.\n"
    )
    return f"### Rows in a channel that gets one more\n\n{table(heads, lines)}{note}"


def of_rows(count: int, apart_ms: int) -> tuple[int, str, int, int, float]:
    """A line of the second table: the last is the CPU seconds of a batch."""
    world = Counted(Rows(count, apart_ms))
    service = connected(SETTINGS, world, world, lambda: NOW_S)
    event = {"Records": [insert("default", world.rows[count - 1])]}
    deliver(event, service)
    seconds = repeated(lambda: deliver(event, service), REPEATS * 4)
    world.taken()
    deliver(event, service)
    calls, rows_read = world.taken()
    each = "minute" if apart_ms else "moment"
    require(rows_read <= 200 + HISTORY, f"{rows_read} rows read of {count}")
    return count, each, calls.total(), rows_read, seconds


def emulated_table(endpoint_url: str) -> str:
    """The second table's measurement through the real client, on the emulator."""
    with aws_settings(endpoint_url):
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        make_world(dynamodb, s3)
        try:
            found = [of_emulated(dynamodb, s3, count) for count in EMULATED_ROWS]
        finally:
            dynamodb.delete_table(TableName=TABLE)
    heads = ("rows in the channel", "calls", "rows read", "time / its calls made plainly")
    note = (
        "\nThe emulator goes through all rows of a channel at each Query, where DynamoDB has an "
        "index; so the time stands beside that of the same three calls, made by a plain loop.\n"
    )
    return f"### The same through boto3, on the emulator\n\n{table(heads, found)}{note}"


def of_emulated(dynamodb: Any, s3: Any, count: int) -> tuple[int, int, int, float]:  # noqa: ANN401
    """A line of the third table."""
    channel, rows = f"rows-{count}", Rows(count, 60_000)
    puts = [{"PutRequest": {"Item": row_of(channel, rows[place])}} for place in range(count)]
    for start in range(0, count, 25):
        dynamodb.batch_write_item(RequestItems={TABLE: puts[start : start + 25]})
    service = connected(SETTINGS, dynamodb, s3, lambda: NOW_S)
    event = {"Records": [insert(channel, rows[count - 1])]}
    deliver(event, service)
    calls: list[int] = []

    def note(parsed: dict[str, Any], **_: object) -> None:
        calls.append(len(parsed.get("Items", ())))

    for client in (dynamodb, s3):
        client.meta.events.register("after-call", note, unique_id="growth")
    deliver(event, service)
    for client in (dynamodb, s3):
        client.meta.events.unregister("after-call", unique_id="growth")
    wanted = query(TABLE, channel, Page(HISTORY, ""), {})

    def plainly() -> None:
        dynamodb.query(**wanted)
        for key in ("plain/transcript", "plain/stats"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")

    ours, plain = in_turn(lambda: deliver(event, service), plainly)
    return count, len(calls), sum(calls), ours / plain


def in_turn(*acts: Callable[[], None]) -> list[float]:
    """The median of the wall seconds of each act, which take turns."""
    found: list[list[float]] = [[] for _ in acts]
    for _ in range(REPEATS):
        for place, act in enumerate(acts):
            began = time.perf_counter()
            act()
            found[place].append(time.perf_counter() - began)
    return [statistics.median(seconds) for seconds in found]


def make_world(dynamodb: Any, s3: Any) -> None:  # noqa: ANN401
    """An empty table and an empty bucket."""
    names = ("channel", "id")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ],
    )
    s3.create_bucket(Bucket=BUCKET)


def deliver(event: Any, service: Service) -> None:  # noqa: ANN401
    """Hand a batch to the function, and throw its log away.

    Raises: KappaError, if a channel was not published.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        result = publish(event, service, "bench")
    require(not result["batchItemFailures"], "a channel was not published")


def repeated(act: Callable[[], None], times: int) -> float:
    """The median of the processor seconds of an act."""
    found = []
    for _ in range(times):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return statistics.median(found)

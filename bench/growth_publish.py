"""publish_transcript, as a batch has more channels and as a channel has more rows.

The function itself runs, in this process; the table and the bucket are in memory but for one
table against the emulator. What is in memory costs microseconds, so the processor time is the
function's own.
"""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import io
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from bench.report import table
from kappa.errors import KappaError
from tests.builders import BUCKET, NOW_S, TABLE, row

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lambda/shared"), str(ROOT / "lambda/dynamodb/code")]

from publish_transcript import Service, Settings, connected, publish  # noqa: E402
from transcript_files import query  # noqa: E402
from transcripts import Page  # noqa: E402

CHANNELS = (1, 10, 100, 1_000)
ROWS = (10, 1_000, 100_000, 1_000_000)
EMULATED_ROWS = (10, 10_000)
HISTORY = 20
REPEATS = 15
SETTINGS = Settings(TABLE, BUCKET, "data/", HISTORY)
NOW = datetime.fromtimestamp(NOW_S, UTC)


class Rows:
    """The rows of a channel, oldest first, made when they are read: a million cost nothing."""

    def __init__(self, count: int, apart_ms: int) -> None:
        self.count = count
        self.apart = timedelta(milliseconds=apart_ms)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> str:
        """The id at a place. The last stays at the same time, whatever the count."""
        if place >= self.count:
            raise IndexError
        at = NOW - (self.count - 1 - place) * self.apart
        return f"{at.isoformat(timespec='milliseconds')[:23]}Z#{place:07}"


class Counted:
    """The table and the bucket, as far as the function calls them, and how often it did."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.calls: Counter[str] = Counter()
        self.rows_read = 0
        self._etags: dict[str, str] = {}
        self._bodies: dict[str, bytes] = {}

    def query(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Find the page by bisection, as an index does."""
        self.calls["Query"] += 1
        values = given["ExpressionAttributeValues"]
        before = given.get("ExclusiveStartKey", {"id": {"S": "\uffff"}})["id"]["S"]
        end = bisect.bisect_left(self.rows, before)
        start = bisect.bisect_left(self.rows, values.get(":since", {"S": ""})["S"])
        first = max(start, end - given["Limit"])
        channel = values[":channel"]["S"]
        found = [row_of(channel, self.rows[place]) for place in range(end - 1, first - 1, -1)]
        self.rows_read += len(found)
        more = {"channel": found[-1]["channel"], "id": found[-1]["id"]} if first > start else None
        return {"Items": found} | ({"LastEvaluatedKey": more} if more else {})

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """The object's ETag."""
        self.calls["HEAD"] += 1
        if Key not in self._etags:
            raise fault("404")
        return {"ETag": self._etags[Key]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """The object."""
        self.calls["GET"] += 1
        if Key not in self._etags:
            raise fault("NoSuchKey")
        return {"Body": io.BytesIO(self._bodies[Key]), "ETag": self._etags[Key]}

    def put_object(self, **given: Any) -> dict[str, Any]:  # noqa: ANN401
        """Write on the condition that is asked for."""
        self.calls["PUT"] += 1
        key, known = given["Key"], self._etags.get(given["Key"])
        if given.get("IfMatch", known) != known or ("IfNoneMatch" in given and known):
            raise fault("PreconditionFailed")
        self._bodies[key] = given["Body"]
        self._etags[key] = f'"{hashlib.md5(given["Body"], usedforsecurity=False).hexdigest()}"'
        return {"ETag": self._etags[key]}

    def taken(self) -> tuple[Counter[str], int]:
        """The calls and the rows read since this was asked last."""
        found = self.calls, self.rows_read
        self.calls, self.rows_read = Counter(), 0
        return found


def fault(code: str) -> ClientError:
    """An error as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Any")


def row_of(channel: str, row_id: str) -> dict[str, dict[str, str]]:
    """The row of an id."""
    sent_at, _, client_id = row_id.partition("#")
    text = f"The {client_id}th message, as long as messages are: eighty letters, more or less."
    return row(sent_at, client_id, channel, message=text)


def insert(channel: str, row_id: str) -> dict[str, Any]:
    """What the stream tells of a new row."""
    image = row_of(channel, row_id)
    keys = {"channel": image["channel"], "id": image["id"]}
    change = {"Keys": keys, "SequenceNumber": "1", "NewImage": image}
    return {"eventName": "INSERT", "dynamodb": change}


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
        "in a container adds a HEAD a channel, and a GET and a PUT for the list of channels.\n"
    )
    return f"### Channels in one batch of the stream\n\n{table(heads, lines)}{note}"


def of_channels(count: int) -> tuple[int, float, float, float, int, float]:
    """A line of the first table: the last is the CPU seconds of a channel."""
    world = Counted(Rows(50, 60_000))
    service = connected(SETTINGS, world, world, lambda: NOW_S)
    names = [f"channel-{number}" for number in range(count)]
    event = {"Records": [insert(name, world.rows[49]) for name in names]}
    deliver(event, service)
    first = world.taken()[0].total() / count
    seconds = repeated(lambda: deliver(event, service), 3 if count > 100 else REPEATS)
    calls = one_batch(world, event, service)
    # whatever is not of a channel: the stats' one PUT
    others = calls.total() - 2 * count
    require(calls["Query"] == count, f"{calls['Query']} Queries for {count} channels")
    require(calls["PUT"] == count + 1, f"{calls['PUT']} PUTs for {count} channels and the stats")
    return count, first, calls["Query"] / count, (calls["PUT"] - 1) / count, others, seconds / count


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


@contextlib.contextmanager
def aws_settings(endpoint_url: str, account: str = "test") -> Iterator[None]:
    """The environment of the emulator's root, or of an account's, for this process."""
    kept = dict(os.environ)
    os.environ.update(environment(endpoint_url) | {"AWS_ACCESS_KEY_ID": account})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def environment(endpoint_url: str) -> dict[str, str]:
    """Only the emulator, and none of the user's settings."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


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


def require(holds: bool, otherwise: str) -> None:
    """Stop with an error where a count is not what it must be.

    Raises: KappaError.
    """
    if not holds:
        raise KappaError(f"Not as it must be: {otherwise}.")

"""Publish the transcript of every channel that a batch of the table's stream touches.

Owns the order of things: batch -> channels -> each channel's transcript -> the list of channels
-> the stats. For transcripts only the records' keys are read, so INSERT, MODIFY and REMOVE are
one case; the stats count the images of INSERTs. It must not write to the table, and no name or
text may reach its log.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, NotRequired, Protocol, TypedDict

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from channel_list import ChannelList
from folder import Folder
from stats import Said, read_said
from stats_file import StatsFile
from transcript_files import TranscriptFiles
from transcripts import CHANNEL, MAX_ROWS

RESERVED_CHANNELS = frozenset({"channels", "stats"})  # data/channels.json is no transcript


class Change(TypedDict):
    """Records[].dynamodb. Values are in DynamoDB's notation, {"S": "..."}."""

    Keys: dict[str, dict[str, str]]
    SequenceNumber: NotRequired[str]
    NewImage: NotRequired[dict[str, Any]]


class Record(TypedDict):
    """Records[]: one change of one row."""

    eventName: str
    dynamodb: Change


class Event(TypedDict):
    """What Lambda hands over. Source: AWS Lambda guide, "Using Lambda with DynamoDB"."""

    Records: list[Record]


class Failure(TypedDict):
    """The first record that Lambda must send again."""

    itemIdentifier: str


class Result(TypedDict):
    """Source: AWS Lambda guide, "Reporting batch item failures" for DynamoDB."""

    batchItemFailures: list[Failure]


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str


class NotPublished(Exception):
    """No channel of the batch could be published; Lambda sends the whole batch again."""


class Settings(NamedTuple):
    """The function's environment, validated."""

    table: str
    bucket: str
    data_prefix: str
    history: int


class Service(NamedTuple):
    """What one container holds; each part remembers what it wrote. The clock is in epoch s."""

    transcripts: TranscriptFiles
    channels: ChannelList
    stats: StatsFile
    clock: Callable[[], float]


def handler(event: Event, context: Context) -> Result:
    """Publish what the batch touches; Lambda calls this.

    Raises: NotPublished, if nothing could be published; ValueError, for a bad environment.
    """
    return publish(event, service(), context.aws_request_id)


@cache
def service() -> Service:
    """Build what the container keeps, from the environment."""
    settings = read_settings(os.environ)
    session = botocore.session.get_session()
    config = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
    )
    dynamodb = session.create_client("dynamodb", config=config)
    return connected(settings, dynamodb, session.create_client("s3", config=config), time.time)


def connected(
    settings: Settings,
    dynamodb: Any,  # noqa: ANN401 - botocore makes its clients at run time
    s3: Any,  # noqa: ANN401
    clock: Callable[[], float],
) -> Service:
    """Put a container's parts together."""
    folder = Folder(s3, settings.bucket, settings.data_prefix)
    return Service(
        TranscriptFiles(dynamodb, settings.table, folder, settings.history, clock),
        ChannelList(folder, clock),
        StatsFile(folder, clock),
        clock,
    )


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Validate the whole environment at once.

    Raises: ValueError, naming every variable that is missing or wrong.
    """
    table, bucket = environ.get("TABLE_NAME", ""), environ.get("BUCKET", "")
    prefix, history = environ.get("DATA_PREFIX", "data/"), environ.get("HISTORY", "20")
    wrong = []
    if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        wrong.append("TABLE_NAME must be a table's name")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        wrong.append("BUCKET must be a bucket's name")
    if not re.fullmatch(r"([A-Za-z0-9._-]+/)+", prefix):
        wrong.append("DATA_PREFIX must end with a slash, e.g. data/")
    if not re.fullmatch(r"[0-9]{1,3}", history) or not 1 <= int(history) <= MAX_ROWS:
        wrong.append(f"HISTORY must be 1 to {MAX_ROWS}")
    if wrong:
        raise ValueError(f"The function's environment is wrong: {'; '.join(wrong)}.")
    return Settings(table, bucket, prefix, int(history))


def publish(event: Event, service: Service, request_id: str) -> Result:
    """Publish each touched channel by itself, so that one that fails delays no other.

    Returns: for each failed channel its first record, from which Lambda sends again.
    Raises: NotPublished, if all failed: then the function's Errors metric shows it.
    Publishing the same batch again is safe, but for the stats: they count it again.
    """
    found = at(event, "Records")
    records = found if isinstance(found, list) else [None]
    firsts = touched_channels(records, request_id)
    failures = publish_channels(firsts, service)
    for channel, failure in failures.items():
        log("ERROR", "failed", request_id=request_id, channel=channel, error=code(failure))
    log("INFO", "done", request_id=request_id, channels=len(firsts), failed=len(failures))
    if failures and len(failures) == len(firsts):
        raise NotPublished(f"{len(failures)} channels failed") from next(iter(failures.values()))
    failed = [firsts[channel] for channel in failures]
    count(settled(records, failed), service, request_id)
    return {"batchItemFailures": [{"itemIdentifier": sequence(records[one])} for one in failed]}


def touched_channels(records: Sequence[object], request_id: str) -> dict[str, int]:
    """Return the channels that a batch touches, each with the place of its first record.

    Only Keys are read: a REMOVE has no NewImage. A record that names no channel is logged and
    left out, as it would block its shard for ever.
    """
    firsts: dict[str, int] = {}
    for place, record in enumerate(records):
        channel = read_channel(record)
        if channel is None:
            log("WARN", "skipped", reason="malformed_record", request_id=request_id)
        elif channel in RESERVED_CHANNELS:
            log("WARN", "skipped", reason="reserved_channel", request_id=request_id)
        else:
            firsts.setdefault(channel, place)
    return firsts


def publish_channels(channels: Collection[str], service: Service) -> dict[str, Exception]:
    """Write the transcripts, then list the channels; return what failed and why."""
    failures: dict[str, Exception] = {}
    for channel in channels:
        try:
            service.transcripts.publish(channel)
        except Exception as error:  # noqa: BLE001 - the others must be published; reported later
            failures[channel] = error
    published = [channel for channel in channels if channel not in failures]
    try:
        service.channels.add(published)
    except Exception as error:  # noqa: BLE001 - reported later
        failures |= dict.fromkeys(service.channels.unseen(published), error)
    return failures


def settled(records: Sequence[object], failed: Sequence[int]) -> Sequence[object]:
    """Return the records that Lambda does not send again: those before the first that failed.

    None, when one that failed has no sequence number: Lambda takes "" as the whole batch.
    """
    if not all(sequence(records[place]) for place in failed):
        return []
    return records[: min(failed, default=len(records))]


def count(records: Sequence[object], service: Service, request_id: str) -> None:
    """Count the new messages among records. The stats are an extra: a fault is logged, no more."""
    try:
        service.stats.add(read_inserts(records, service.clock()))
    except Exception as error:  # noqa: BLE001 - the batch's transcripts are published
        log("WARN", "uncounted", request_id=request_id, error=code(error))


def read_inserts(records: Sequence[object], now_s: float) -> list[Said]:
    """Return what the records of new messages count."""
    inserts = [record for record in records if at(record, "eventName") == "INSERT"]
    rows = [(read_channel(record), at(record, "dynamodb", "NewImage")) for record in inserts]
    said = [
        read_said(channel, image, now_s)
        for channel, image in rows
        if channel and channel not in RESERVED_CHANNELS and isinstance(image, dict)
    ]
    return [one for one in said if one]


def read_channel(record: object) -> str | None:
    """Return the channel that a record names, None when it names none."""
    channel = at(record, "dynamodb", "Keys", "channel", "S")
    return channel if isinstance(channel, str) and CHANNEL.fullmatch(channel) else None


def sequence(record: object) -> str:
    """Return a record's sequence number, "" when it has none."""
    return str(at(record, "dynamodb", "SequenceNumber") or "")


def at(value: object, *keys: str) -> object:
    """Return what lies under the keys, None as soon as one is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def code(error: Exception) -> str:
    """Return AWS's own code of an error, or its type's name: both are safe to log."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line; Lambda sends it to CloudWatch Logs as it is."""
    print(json.dumps({"level": level, "event": event, **fields}), flush=True)  # noqa: T201


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # The init phase has a whole core whatever the memory size; the first batch would not.
    service()

"""Publish the transcript of every channel that a batch of the table's stream touches.

Owns the order of things: batch -> channels -> one consistent Query and one PUT each -> the list
of channels. It reads the table's keys and its own Query, never a record's images, so INSERT,
MODIFY and REMOVE are one case. It must not write to the table, and no name or text may reach
its log.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, NotRequired, Protocol, TypedDict

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from channel_list import CHANNEL, ChannelList
from transcripts import MAX_ROWS, Page, Row, next_page, transcript, window

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
    """What one container holds: settings, clients, channels seen, the clock in epoch seconds."""

    settings: Settings
    dynamodb: Any
    s3: Any
    channels: ChannelList
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
    s3 = session.create_client("s3", config=config)
    key = f"{settings.data_prefix}channels.json"
    return Service(
        settings=settings,
        dynamodb=session.create_client("dynamodb", config=config),
        s3=s3,
        channels=ChannelList(s3, settings.bucket, key, time.time),
        clock=time.time,
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
    Publishing the same batch again is safe.
    """
    firsts = touched_channels(event, request_id)
    failures: dict[str, Exception] = {}
    for channel in firsts:
        try:
            publish_channel(channel, service)
        except Exception as error:  # noqa: BLE001 - the others must be published; reported below
            failures[channel] = error
    published = [channel for channel in firsts if channel not in failures]
    try:
        service.channels.add(published)
    except Exception as error:  # noqa: BLE001 - reported below
        failures |= dict.fromkeys(service.channels.unseen(published), error)
    for channel, failure in failures.items():
        log("ERROR", "failed", request_id=request_id, channel=channel, error=code(failure))
    log("INFO", "done", request_id=request_id, channels=len(firsts), failed=len(failures))
    if failures and len(failures) == len(firsts):
        raise NotPublished(f"{len(failures)} channels failed") from next(iter(failures.values()))
    return {"batchItemFailures": [{"itemIdentifier": firsts[name]} for name in failures]}


def touched_channels(event: Event, request_id: str) -> dict[str, str]:
    """Return the channels that a batch touches, each with its first record's sequence number.

    Only Keys are read: a REMOVE has no NewImage. A record that names no channel is logged and
    left out, as it would block its shard for ever. Without a sequence number the identifier is
    empty, which Lambda takes as the whole batch.
    """
    firsts: dict[str, str] = {}
    records = at(event, "Records")
    for record in records if isinstance(records, list) else [None]:
        channel = at(record, "dynamodb", "Keys", "channel", "S")
        if not isinstance(channel, str) or not CHANNEL.fullmatch(channel):
            log("WARN", "skipped", reason="malformed_record", request_id=request_id)
        elif channel in RESERVED_CHANNELS:
            log("WARN", "skipped", reason="reserved_channel", request_id=request_id)
        else:
            firsts.setdefault(channel, str(at(record, "dynamodb", "SequenceNumber") or ""))
    return firsts


def publish_channel(channel: str, service: Service) -> None:
    """Read a channel's newest messages and write its transcript."""
    now_s = service.clock()
    rows = read_rows(channel, service, now_s)
    shown = window(rows, service.settings.history, now_s)
    service.s3.put_object(
        Bucket=service.settings.bucket,
        Key=f"{service.settings.data_prefix}{channel}.json",
        Body=transcript(channel, shown, now_s),
        ContentType="application/json",
        CacheControl="no-cache",
    )


def read_rows(channel: str, service: Service, now_s: float) -> list[Row]:
    """Return the newest rows, newest first: one Query, and more only as next_page says.

    The reads are consistent, so the row that woke the function is among them.
    """
    rows: list[Row] = []
    page: Page | None = Page(service.settings.history, "")
    start: dict[str, Any] = {}
    while page:
        answer = service.dynamodb.query(**query(service.settings.table, channel, page, start))
        rows += answer["Items"]
        start = answer.get("LastEvaluatedKey", {})
        page = next_page(rows, service.settings.history, now_s) if start else None
    return rows


def query(table: str, channel: str, page: Page, start: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of DynamoDB's Query for a page that comes after the key `start`."""
    since = {":since": {"S": page.since}} if page.since else {}
    return {
        "TableName": table,
        "KeyConditionExpression": "channel = :channel" + (" AND id >= :since" if since else ""),
        "ExpressionAttributeValues": {":channel": {"S": channel}, **since},
        "ScanIndexForward": False,
        "ConsistentRead": True,
        "Limit": page.limit,
        **({"ExclusiveStartKey": start} if start else {}),
    }


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

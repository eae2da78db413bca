"""Publish the transcript of every channel in a batch of the table's stream.

Owns the order of the steps: batch -> channels -> each channel's transcript and push -> the list of
channels -> the statistics, which tell pages what they can read. Transcripts need only the keys of
records, so INSERT, MODIFY and REMOVE are one case; statistics and delays use the images of INSERTs.
It must not write to the table or log a name or a text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple, Protocol, TypedDict

import botocore

from aws_clients import ONE_TRY, SIGNED, make_clients
from channel_list import ChannelList
from contract import RESERVED_CHANNELS, dig
from iot_topics import Topics
from log_lines import error_code, log, metric_line
from publish_settings import Settings, read_settings
from pushes import payload
from s3_folder import Folder
from stats import NewMessage
from stats_file import StatsFile
from stream_batch import (
    BatchRows,
    Event,
    age_ms,
    iterator_ages_ms,
    read_channel,
    read_inserts,
    read_rows,
    sequence,
    settled,
)
from transcript_files import TranscriptFiles

# A channel takes two or three calls, which mostly wait; a client has ten connections.
SIDE_BY_SIDE = 8


class Outcome(NamedTuple):
    """How a channel fared: the errors of its transcript and of its push."""

    failure: Exception | None = None
    push_failure: Exception | None = None


# Applies a function to each channel: one after the other, as `map` does, or in parallel.
Each = Callable[[Callable[[str], Outcome], Iterable[str]], Iterable[Outcome]]


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


class OldSdk(Exception):
    """This runtime's botocore cannot do what the function needs."""


class Service(NamedTuple):
    """What a container keeps; each part remembers what it wrote. The clock is in epoch seconds.

    Without push, there are no `topics`.
    """

    transcripts: TranscriptFiles
    channels: ChannelList
    stats: StatsFile
    clock: Callable[[], float]
    function: str
    each: Each
    topics: Topics | None


def handler(event: Event, context: Context) -> Result:
    """Publish the batch's channels; Lambda calls this.

    Raises: NotPublished, if all of them failed; ValueError, for a wrong environment; OldSdk.
    """
    return publish(event, service(), context.aws_request_id)


@cache
def service() -> Service:
    """Build what the container keeps, from its environment."""
    log("INFO", "started", botocore=botocore.__version__)
    settings = read_settings(os.environ)
    configs = {"dynamodb": SIGNED, "s3": SIGNED}
    configs |= {"iot-data": ONE_TRY} if settings.push_endpoint else {}
    urls = {"iot-data": f"https://{settings.push_endpoint}"}
    dynamodb, s3, *iot = make_clients(configs, urls)
    check_sdk(s3)
    each = ThreadPoolExecutor(SIDE_BY_SIDE).map
    return connected(settings, dynamodb, s3, time.time, each, *iot)


def check_sdk(s3: Any) -> None:  # noqa: ANN401
    """Check that botocore knows conditional writes; without them an older file could win.

    Raises: OldSdk.
    """
    arguments = s3.meta.service_model.operation_model("PutObject").input_shape.members
    if "IfMatch" not in arguments:
        raise OldSdk(
            f"botocore {botocore.__version__} cannot make S3's PutObject conditional (IfMatch):"
            " 1.35.69 or newer is needed. Take a newer Lambda runtime, or pack botocore with the"
            " function."
        )


def connected(
    settings: Settings,
    dynamodb: Any,  # noqa: ANN401 - botocore makes its clients at run time
    s3: Any,  # noqa: ANN401
    clock: Callable[[], float],
    each: Each = map,
    iot: Any = None,  # noqa: ANN401
) -> Service:
    """Assemble a container's parts. `iot` is a client of iot-data, None without push."""
    folder = Folder(s3, settings.bucket, settings.data_prefix)
    return Service(
        TranscriptFiles(dynamodb, settings.table, folder, settings.history, clock),
        ChannelList(folder, clock),
        StatsFile(folder, clock),
        clock,
        settings.function,
        each,
        Topics(iot, settings.push_topics) if iot else None,
    )


def publish(event: Event, service: Service, request_id: str) -> Result:
    """Publish each channel separately, so that a failing one delays no other.

    A batch may be published again, though the statistics then count it twice.
    Returns: the first record of each failed channel, from which Lambda sends again.
    Raises: NotPublished, if all failed, so that the function's Errors metric shows it.
    """
    listed = dig(event, "Records")
    records = listed if isinstance(listed, list) else [None]
    ages_ms = iterator_ages_ms(records, service.clock())
    firsts, skipped = touched_channels(records, request_id)
    failures, unpushed = publish_channels(firsts, read_rows(records), service)
    failed = [firsts[channel] for channel in failures]
    published = firsts.keys() - failures.keys()
    for channel, failure in failures.items():
        log("ERROR", "failed", request_id=request_id, channel=channel, error=error_code(failure))
    for channel, failure in unpushed.items():
        log("WARN", "unpushed", request_id=request_id, channel=channel, error=error_code(failure))
    now_s = service.clock()
    new = read_inserts(settled(records, failed), now_s)
    values: dict[str, int | list[int]] = {
        "batch_size": len(records),
        "channels": len(firsts),
        "published": len(published),
        "unlisted": len(service.channels.unseen(published)),
        "failed": len(failures),
        "skipped": skipped,
        **({"unpushed": len(unpushed)} if service.topics else {}),
        "uncounted": count(new, service, request_id),
        "iterator_age_ms": ages_ms,
        "delay_ms": [age_ms(message.sent_ms, now_s) for message in new],
    }
    members = metric_line(now_s, {"function": service.function}, values)
    log("INFO", "done", request_id=request_id, **members)
    if failures and len(failures) == len(firsts):
        raise NotPublished(f"{len(failures)} channels failed") from next(iter(failures.values()))
    return {"batchItemFailures": [{"itemIdentifier": sequence(records[place])} for place in failed]}


def touched_channels(records: Sequence[object], request_id: str) -> tuple[dict[str, int], int]:
    """Return the batch's channels with the index of their first records, and how many were skipped.

    Only Keys are read, since a REMOVE has no NewImage. A record without a channel is logged and
    skipped, because it would block its shard forever.
    """
    firsts: dict[str, int] = {}
    skipped = 0
    for place, record in enumerate(records):
        channel = read_channel(record)
        if channel is None or channel in RESERVED_CHANNELS:
            reason = "reserved_channel" if channel else "malformed_record"
            log("WARN", "skipped", reason=reason, request_id=request_id)
            skipped += 1
        else:
            firsts.setdefault(channel, place)
    return firsts, skipped


def publish_channels(
    channels: Collection[str], rows: Mapping[str, BatchRows], service: Service
) -> tuple[dict[str, Exception], dict[str, Exception]]:
    """Write and push the transcripts, then list the channels.

    Returns: the error of each failed channel, and of each that was published but not pushed.
    """

    def publish_one(channel: str) -> Outcome:
        try:
            content = service.transcripts.publish(channel, rows[channel].only_new)
        except Exception as error:  # noqa: BLE001 - the others must be published; reported later
            return Outcome(failure=error)
        return Outcome(push_failure=notify_pages(channel, content, rows[channel], service.topics))

    outcomes = dict(zip(channels, service.each(publish_one, channels), strict=True))
    failures = {channel: error for channel, (error, _) in outcomes.items() if error}
    unpushed = {channel: error for channel, (_, error) in outcomes.items() if error}
    published = [channel for channel in channels if channel not in failures]
    try:
        service.channels.add(published)
    except Exception as error:  # noqa: BLE001 - reported later
        failures |= dict.fromkeys(service.channels.unseen(published), error)
    return failures, unpushed


def notify_pages(
    channel: str, content: bytes, rows: BatchRows, topics: Topics | None
) -> Exception | None:
    """Push to open pages what changed in a transcript; return the error, which is only logged."""
    try:
        if topics and (pushed := payload(content, rows, topics.topic(channel))):
            topics.publish(channel, pushed)
    except Exception as error:  # noqa: BLE001 - the transcript is published; reported later
        return error
    return None


def count(new: Sequence[NewMessage], service: Service, request_id: str) -> int:
    """Count new messages; return how many failed. Errors of the statistics are only logged."""
    try:
        service.stats.add(new)
    except Exception as error:  # noqa: BLE001 - the batch's transcripts are published
        log("WARN", "uncounted", request_id=request_id, error=error_code(error))
        return len(new)
    return 0


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Lambda's init phase has a whole core whatever the memory size; later calls do not.
    service()

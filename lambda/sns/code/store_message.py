"""The function between SNS and the messages table: it stores messages, edits and deletes.

Owns the order of the steps and the outcome of each record. It must not build transcripts or log a
token, e-mail address, subject, user id, name or text.

Flow: record -> Delivery -> Message, Change or Block -> Sender (STS, once for each token)
-> writes -> one transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Literal, NamedTuple, Protocol

from aws_clients import NOT_SIGNED, ONE_TRY, make_clients
from change_rules import Row, check_change, is_to_be_made, text_of
from contract import dig, iso_ms
from log_lines import error_code, log, metric_line
from messages import (
    BadMessage,
    Block,
    Change,
    Delivery,
    Event,
    Message,
    is_safe_id,
    read_delivery,
    read_request,
)
from rows import Part, applied, block, change_row, count, message_row, not_blocked, once, put
from senders import Sender, Verifier, operator, read_token
from store_settings import Settings, read_settings
from transactions import Tables, Written, read_row, write

OVERTAKEN_TRIES = 3

Outcome = Literal["stored", "changed", "duplicate"]
Counts = dict[str, int]  # of records, by Outcome and "refused"


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str


class NotStored(Exception):
    """A record failed for a reason that may pass; Lambda sends the whole event again."""


class Overtaken(Exception):
    """Each time, another change of the same row came first."""


class Service(NamedTuple):
    """What a container keeps: settings, clients, verdicts, the clock (epoch seconds)."""

    settings: Settings
    verifier: Verifier
    tables: Tables
    clock: Callable[[], float]


def handler(event: Event, context: Context) -> Counts:
    """Store the event's messages; Lambda calls this.

    Raises: NotStored, if a record failed for a reason that may pass; ValueError, for a wrong
    environment.
    """
    return store(event, service(), context.aws_request_id)


@cache
def service() -> Service:
    """Build what the container keeps, from its environment."""
    settings = read_settings(os.environ)
    sts, dynamodb = make_clients({"sts": NOT_SIGNED, "dynamodb": ONE_TRY})
    verifier = Verifier(sts, settings, time.time)
    return Service(settings, verifier, Tables(dynamodb, time.sleep), time.time)


def store(event: Event, service: Service, request_id: str) -> Counts:
    """Store each record separately: refusals are logged, errors are raised after the last record.

    It is safe to store an event again.
    Raises: NotStored.
    """
    counts: Counts = {"stored": 0, "changed": 0, "duplicate": 0, "refused": 0}
    delays_ms: list[int] = []
    failures: list[Exception] = []
    records = dig(event, "Records")
    if not isinstance(records, list):
        counts["refused"] += 1
        log_refusal(BadMessage("malformed_event"), None, service, request_id)
        records = []
    for index, record in enumerate(records):
        try:
            outcome, delay_ms = store_record(record, service, f"{request_id}-{index}")
            counts[outcome] += 1
            delays_ms += [delay_ms] if outcome == "stored" else []
        except BadMessage as bad:
            counts["refused"] += 1
            log_refusal(bad, record, service, request_id)
        except Exception as error:  # noqa: BLE001 - the other records must be stored; raised below
            failures.append(error)
            log("ERROR", "failed", **named(record, request_id), error=error_code(error))
    values: dict[str, int | list[int]] = {**counts, "failed": len(failures), "delay_ms": delays_ms}
    about = {"function": service.settings.function}
    log("INFO", "done", request_id=request_id, **metric_line(service.clock(), about, values))
    if failures:
        raise NotStored(f"{len(failures)} of {len(records)} records failed") from failures[0]
    return counts


def store_record(record: object, service: Service, default_id: str) -> tuple[Outcome, int]:
    """Do what one record asks for; return its outcome and its age in ms.

    Raises: BadMessage; TokenEnded; botocore's exceptions for errors of AWS.
    """
    delivery = read_delivery(record, now_of(service), default_id)
    request = read_request(delivery)
    sent_s = delivery.sent_at.timestamp()
    if isinstance(request, Block):
        outcome = set_block(request, service)
    else:
        if delivery.operator:
            sender = operator(request.name if isinstance(request, Message) else None)
        else:
            sender = service.verifier.sender(read_token(delivery.token), sent_s)
        if isinstance(request, Message):
            outcome = store_message(delivery, request, sender, service)
        else:
            outcome = make_change(delivery, request, sender, service)
    return outcome, max(0, round((service.clock() - sent_s) * 1000))


def store_message(
    delivery: Delivery, message: Message, sender: Sender, service: Service
) -> Outcome:
    """Write a new message's row once, however often SNS delivers it or the page sends it.

    Raises: BadMessage; botocore's exceptions.
    """
    settings = service.settings

    def parts() -> list[Part]:
        row = message_row(delivery, message, sender, settings.retention_days, now_of(service))
        return [
            put(settings.table, row),
            once(settings.rate_table, delivery, message, sender),
            *limits(delivery, sender, settings),
        ]

    written = write(service.tables, parts)
    if written == Written("duplicate", unsure=True):
        return "stored"  # by an earlier try, whose answer was lost
    return outcome_of(written.failed, "stored")


def make_change(delivery: Delivery, change: Change, sender: Sender, service: Service) -> Outcome:
    """Edit or delete a row and announce the change in another row: both or neither.

    Raises: BadMessage; Overtaken; botocore's exceptions.
    """
    settings = service.settings
    check_change(change, sender, delivery.sent_at)
    sent = (iso_ms(delivery.sent_at), change.client_id or delivery.message_id)
    unsure = False
    for _ in range(OVERTAKEN_TRIES):
        row = read_row(service.tables, settings.table, change.channel, change.target)
        if not is_to_be_made(row, change, sent, sender):
            return "changed" if unsure else "duplicate"

        def parts(row: Row = row) -> list[Part]:
            after = text_of(row, "changed_by")
            now = now_of(service)
            by = change_row(delivery, change, sender, settings.retention_days, now, after)
            return [
                put(settings.table, by),
                *limits(delivery, sender, settings),
                *applied(settings.table, change, by, row),
            ]

        failed, unsure = write(service.tables, parts)
        # A try without an answer may have made the change that the next one met: the row shows it.
        if failed != "overtaken" and not (failed and unsure):
            return outcome_of(failed, "changed")
    raise Overtaken


def set_block(request: Block, service: Service) -> Outcome:
    """Block or unblock a user, even while their messages arrive.

    Raises: botocore's exceptions.
    """
    part = block(service.settings.rate_table, request.user, request.blocked, service.clock())
    write(service.tables, lambda: [part])
    return "changed"


def now_of(service: Service) -> datetime:
    """Return the time, in UTC."""
    return datetime.fromtimestamp(service.clock(), UTC)


def limits(delivery: Delivery, sender: Sender, settings: Settings) -> list[Part]:
    """Return the checks of a sender's block and rate. Operators have none.

    They share the write's transaction, so only stored messages count, and a repeated delivery is a
    duplicate however fast its sender has written since.
    """
    if sender.kind == "operator":
        return []
    rate = settings.rate
    parts = [not_blocked(settings.rate_table, sender.user)]
    if rate.messages:
        parts.append(count(settings.rate_table, sender.user, delivery.sent_at, rate))
    return parts


def outcome_of(failed: str, done: Outcome) -> Outcome:
    """Return the outcome that a transaction's answer means. Raises: BadMessage."""
    if failed == "duplicate":
        return "duplicate"
    if failed:
        raise BadMessage(failed)
    return done


def log_refusal(bad: BadMessage, record: object, service: Service, request_id: str) -> None:
    """Log a refusal, and count it by its reason."""
    about = {"function": service.settings.function, "reason": bad.reason}
    members = metric_line(service.clock(), about, {"refused": 1})
    log("WARN", "refused", **named(record, request_id), code=bad.code, **members)


def named(record: object, request_id: str) -> dict[str, object]:
    """Return the ids by which a record can be found in logs."""
    message_id = dig(record, "Sns", "MessageId")
    return {
        "request_id": request_id,
        "message_id": message_id if is_safe_id(message_id) else None,
    }


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Lambda's init phase has a whole core whatever the memory size; later calls do not.
    service()

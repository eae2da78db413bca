"""Store every chat message that SNS delivers as one item of the messages table.

Owns the order of things, the item's shape and the one write. It must not read the table or build
transcripts, and no token, e-mail address, subject, name or text may reach its log.

Flow: record -> Delivery -> Message -> Sender (STS, once a token) -> item -> one conditional put.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, Protocol, TypedDict

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from messages import (
    BadMessage,
    Delivery,
    Event,
    Message,
    at,
    is_safe_id,
    read_delivery,
    read_message,
)
from senders import Sender, Verifier, error_code, operator, read_token

DAY_S = 86_400


class Counts(TypedDict):
    """What became of an event's records."""

    stored: int
    duplicate: int
    refused: int


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str


class NotStored(Exception):
    """Some record met a fault that may pass; Lambda sends the whole event again."""


class Settings(NamedTuple):
    """The function's environment, validated."""

    table: str
    role_arn: str
    retention_days: int


class Service(NamedTuple):
    """What one container holds: settings, clients, verdicts, the clock in epoch seconds."""

    settings: Settings
    verifier: Verifier
    dynamodb: Any
    clock: Callable[[], float]


def handler(event: Event, context: Context) -> Counts:
    """Store the event's messages; Lambda calls this.

    Raises: NotStored, if a record failed in a way that may pass; ValueError, for a bad environment.
    """
    return store(event, service(), context.aws_request_id)


@cache
def service() -> Service:
    """Build what the container keeps, from the environment."""
    settings = read_settings(os.environ)
    session = botocore.session.get_session()
    session.set_config_variable("sts_regional_endpoints", "regional")
    config = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
    )
    sts = session.create_client("sts", config=config.merge(Config(signature_version=UNSIGNED)))
    dynamodb = session.create_client("dynamodb", config=config)
    return Service(settings, Verifier(sts, settings.role_arn, time.time), dynamodb, time.time)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Validate the whole environment at once.

    Raises: ValueError, naming every variable that is missing or wrong.
    """
    table, role = environ.get("TABLE_NAME", ""), environ.get("IDENTITY_ROLE_ARN", "")
    days = environ.get("RETENTION_DAYS", "") or "0"
    wrong = []
    if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        wrong.append("TABLE_NAME must be a table's name")
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[!-~]+", role):
        wrong.append("IDENTITY_ROLE_ARN must be a role's ARN")
    if not re.fullmatch(r"[0-9]{1,5}", days):
        wrong.append("RETENTION_DAYS must be a number of days, 0 for no end")
    if wrong:
        raise ValueError(f"The function's environment is wrong: {'; '.join(wrong)}.")
    return Settings(table, role, int(days))


def store(event: Event, service: Service, request_id: str) -> Counts:
    """Store each record by itself: a bad one is logged, a failed one is raised after the others.

    Raises: NotStored. Storing the same event again is safe.
    """
    counts: Counts = {"stored": 0, "duplicate": 0, "refused": 0}
    failures: list[Exception] = []
    records = at(event, "Records")
    if not isinstance(records, list):
        counts["refused"] += 1
        log("WARN", "refused", reason="malformed_event", request_id=request_id)
        records = []
    for index, record in enumerate(records):
        try:
            if store_record(record, service, f"{request_id}-{index}"):
                counts["stored"] += 1
            else:
                counts["duplicate"] += 1
        except BadMessage as bad:
            counts["refused"] += 1
            log("WARN", "refused", **named(record, request_id), reason=bad.reason, code=bad.code)
        except Exception as error:  # noqa: BLE001 - the other records must be stored; raised below
            failures.append(error)
            log("ERROR", "failed", **named(record, request_id), error=error_code(error))
    log("INFO", "done", request_id=request_id, failed=len(failures), **counts)
    if failures:
        raise NotStored(f"{len(failures)} of {len(records)} records failed") from failures[0]
    return counts


def store_record(record: object, service: Service, default_id: str) -> bool:
    """Store one record's message; False when the table has it already.

    Raises: BadMessage; botocore's exceptions for faults of AWS.
    """
    delivery = read_delivery(record, datetime.fromtimestamp(service.clock(), UTC), default_id)
    message = read_message(delivery.body)
    if delivery.operator:
        sender = operator(message)
    else:
        sender = service.verifier.sender(read_token(delivery.token))
    try:
        service.dynamodb.put_item(
            TableName=service.settings.table,
            Item=item(delivery, message, sender, service.settings.retention_days),
            ConditionExpression="attribute_not_exists(id)",
        )
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            return False
        raise
    return True


def item(
    delivery: Delivery, message: Message, sender: Sender, retention_days: int
) -> dict[str, dict[str, str]]:
    """Return the table's item, in DynamoDB's own notation. Units: sent_at ms, expires_at s."""
    sent_at = delivery.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    attributes = {
        "channel": message.channel,
        "id": f"{sent_at}#{message.client_id or delivery.message_id}",
        "message": message.text,
        "name": sender.name,
        "user": sender.user,
        "sent_at": sent_at,
        "kind": sender.kind,
        "picture": sender.picture,
        "client_id": message.client_id,
    }
    written = {key: {"S": value} for key, value in attributes.items() if value}
    if retention_days:
        expires_at = int(delivery.sent_at.timestamp()) + retention_days * DAY_S
        written["expires_at"] = {"N": str(expires_at)}
    return written


def named(record: object, request_id: str) -> dict[str, object]:
    """Return the ids by which a record can be found again."""
    message_id = at(record, "Sns", "MessageId")
    return {
        "request_id": request_id,
        "message_id": message_id if is_safe_id(message_id) else None,
    }


def log(level: str, event: str, **fields: object) -> None:
    """Write one JSON line; Lambda sends it to CloudWatch Logs as it is."""
    line = {
        "level": level,
        "event": event,
        **{k: v for k, v in fields.items() if v not in ("", None)},
    }
    print(json.dumps(line), flush=True)  # noqa: T201


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # The init phase has a whole core whatever the memory size; the first message would not.
    service()

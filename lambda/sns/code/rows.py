"""The rows of both tables, and the writes that make them.

Pure: values go in, DynamoDB's notation comes out. It must not call AWS or decide who may do what.
Rows of RateTable: `<user>#<start of a window>` with the count `n` of messages stored in it,
`<user>#<channel>#<client_id>` as the mark of a sending, and `<user>` with `blocked`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from change_rules import Row, text_of
from contract import AFTER_MESSAGES, iso_ms
from messages import Change, Delivery, Message
from senders import Sender
from store_settings import Rate

DAY_S = 86_400
COUNT_KEPT_S = DAY_S  # far longer than SNS and Lambda repeat a delivery
SENDING_KEPT_S = 7 * DAY_S  # longer than a page offers "Retry"
# A message that arrives within this time keeps its sending time in its id. Pages assume that a row
# is written at most 3.5 s after that time (LATE_MS): 2 s here, 1.3 s for one try of the write (to
# connect 0.3 s, to answer 1 s: aws_clients.ONE_TRY), and 0.2 s until the next try, which begins
# after 0.05 s at most, takes a new id, and keeps out the try before, if DynamoDB still writes it.
LATE = timedelta(seconds=2)

Attributes = dict[str, dict[str, Any]]


class Part(NamedTuple):
    """One write of a transaction, and the outcome when its condition fails."""

    write: dict[str, Any]
    failed: str


def message_row(
    delivery: Delivery, message: Message, sender: Sender, retention_days: int, now: datetime
) -> Attributes:
    """Return a new message's row."""
    return row(
        {
            "channel": message.channel,
            "message": message.text,
            "name": sender.name,
            "user": sender.user,
            "kind": sender.kind,
            "picture": sender.picture,
            "client_id": message.client_id,
        },
        delivery,
        retention_days,
        stands_at(delivery, now),
    )


def stands_at(delivery: Delivery, now: datetime) -> datetime:
    """Return the time that orders a row in its channel: of sending, or of storing if it is late.

    A late message at its sending time could be outside the transcripts that pages still read.
    """
    return now if now - delivery.sent_at > LATE else delivery.sent_at


def change_row(
    delivery: Delivery,
    change: Change,
    sender: Sender,
    retention_days: int,
    now: datetime,
    after: str,
) -> Attributes:
    """Return the row that announces a change to pages. It has no text; the target has.

    `after` is the id of the previous change, "" for none: the latest change of a message must have
    the highest id.
    """
    at = max(stands_at(delivery, now), time_of(after) + timedelta(milliseconds=1))
    attributes = {
        "channel": change.channel,
        "kind": change.kind,
        "target": change.target,
        "user": sender.user,
        "client_id": change.client_id,
    }
    return row(attributes, delivery, retention_days, at, AFTER_MESSAGES)


def time_of(change_id: str) -> datetime:
    """Return the time in a change's id; the earliest possible time for ""."""
    iso = change_id.removeprefix(AFTER_MESSAGES).partition("#")[0]
    return datetime.fromisoformat(iso) if iso else datetime.min.replace(tzinfo=UTC)


def row(
    attributes: dict[str, str | None],
    delivery: Delivery,
    retention_days: int,
    stands_at: datetime,
    prefix: str = "",
) -> Attributes:
    """Give a row its id, sending time and expiry. Units: sent_at ms, expires_at s."""
    attributes |= {
        "id": f"{prefix}{iso_ms(stands_at)}#{attributes.get('client_id') or delivery.message_id}",
        "sent_at": iso_ms(delivery.sent_at),
    }
    written: Attributes = {key: {"S": value} for key, value in attributes.items() if value}
    if retention_days:
        expires_at = int(delivery.sent_at.timestamp()) + retention_days * DAY_S
        written["expires_at"] = {"N": str(expires_at)}
    return written


def put(table: str, item: Attributes) -> Part:
    """Write a row once, however often SNS delivers it."""
    write = {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
    return Part({"Put": write}, "duplicate")


def once(rate_table: str, delivery: Delivery, message: Message, sender: Sender) -> Part:
    """Mark a sending, so that it is stored once.

    The condition on the row's id is not enough: a "Retry" gets another time from SNS, and a late
    delivery gets the time of storing.
    """
    sending = message.client_id or delivery.message_id
    end_s = int(delivery.sent_at.timestamp()) + SENDING_KEPT_S
    write = {
        "TableName": rate_table,
        "Key": {"user": {"S": f"{sender.user}#{message.channel}#{sending}"}},
        "UpdateExpression": "SET expires_at = :end",
        "ConditionExpression": "attribute_not_exists(#user)",
        "ExpressionAttributeNames": {"#user": "user"},
        "ExpressionAttributeValues": {":end": {"N": str(end_s)}},
    }
    return Part({"Update": write}, "duplicate")


def not_blocked(rate_table: str, user: str) -> Part:
    """Refuse a sender whom an operator has blocked."""
    write = {
        "TableName": rate_table,
        "Key": {"user": {"S": user}},
        "ConditionExpression": "attribute_not_exists(blocked)",
    }
    return Part({"ConditionCheck": write}, "blocked")


def count(rate_table: str, user: str, sent_at: datetime, rate: Rate) -> Part:
    """Count a message in the window of its sending.

    The window uses SNS's time, so delayed or reordered messages are not taken for a flood.
    """
    sent_s = int(sent_at.timestamp())
    start_s = sent_s - sent_s % rate.window_s
    write = {
        "TableName": rate_table,
        "Key": {"user": {"S": f"{user}#{start_s}"}},
        "UpdateExpression": "ADD n :one SET expires_at = :end",
        "ConditionExpression": "attribute_not_exists(n) OR n < :limit",
        "ExpressionAttributeValues": {
            ":one": {"N": "1"},
            ":limit": {"N": str(rate.messages)},
            ":end": {"N": str(start_s + rate.window_s + COUNT_KEPT_S)},
        },
    }
    return Part({"Update": write}, "too_fast")


def applied(table: str, change: Change, by: Attributes, seen: Row) -> list[Part]:
    """Change the target, if it is still as `seen`, and delete the row of the previous change.

    That row is outdated; in rows of earlier versions it also holds a text that must disappear.
    """
    last = text_of(seen, "changed_by")
    values = {":by": by["id"], ":at": by["sent_at"], ":user": {"S": text_of(seen, "user")}}
    values |= {":text": {"S": change.text}} if change.kind == "edit" else {}
    values |= {":last": {"S": last}} if last else {}
    edit = "SET changed_by = :by, edited_at = :at, #message = :text"
    delete = "SET changed_by = :by, deleted_at = :at REMOVE #message"
    unchanged = "changed_by = :last" if last else "attribute_not_exists(changed_by)"
    write = {
        "TableName": table,
        "Key": key(change.channel, change.target),
        "UpdateExpression": edit if change.kind == "edit" else delete,
        "ConditionExpression": "attribute_exists(id) AND #user = :user"
        f" AND attribute_not_exists(deleted_at) AND {unchanged}",
        "ExpressionAttributeNames": {"#message": "message", "#user": "user"},
        "ExpressionAttributeValues": values,
    }
    drop = {"Delete": {"TableName": table, "Key": key(change.channel, last)}}
    return [Part({"Update": write}, "overtaken"), *([Part(drop, "")] if last else [])]


def block(rate_table: str, user: str, blocked: bool, now_s: float) -> Part:
    """Block or unblock a user. An unblocked user needs no row; TTL deletes it."""
    shut_out = "SET blocked = :value REMOVE expires_at"
    value = {"BOOL": True} if blocked else {"N": str(int(now_s))}
    write = {
        "TableName": rate_table,
        "Key": {"user": {"S": user}},
        "UpdateExpression": shut_out if blocked else "SET expires_at = :value REMOVE blocked",
        "ExpressionAttributeValues": {":value": value},
    }
    return Part({"Update": write}, "")


def key(channel: str, row_id: str) -> Attributes:
    """Return the key of a row of the messages table."""
    return {"channel": {"S": channel}, "id": {"S": row_id}}

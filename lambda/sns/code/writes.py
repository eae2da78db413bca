"""The rows of both tables, and the writes of a transaction that make them.

Pure: values go in, DynamoDB's own notation comes out. It must not call AWS or decide who may do
what. RateTable holds `<user>#<start of a window>` with the count `n` of what was stored in it,
`<user>#<channel>#<client_id>` for what has been sent, and `<user>` with `blocked` for who is
shut out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from change_rules import Row, text_of
from contract import AFTER_MESSAGES, iso_ms
from function_settings import Rate
from messages import Change, Delivery, Message
from senders import Sender

DAY_S = 86_400
COUNT_KEPT_S = DAY_S  # far longer than SNS and Lambda deliver one message again
SENDING_KEPT_S = 7 * DAY_S  # longer than a page offers to send a message again
# What is stored sooner stands where it was sent. Pages rely on it (messages.js, LATE_MS, 3.5 s): a
# list that goes on from one that they know must reach back further than a row is ever written
# behind its place. That is 2 s here, and 1.3 s for the one try that says so (0.3 s to connect,
# 1 s to answer: aws_clients.ONE_TRY). 0.2 s are left for the next try (after 0.05 s at most): it
# stands anew, and keeps out the one before, should DynamoDB write that after all.
LATE = timedelta(seconds=2)

Attributes = dict[str, dict[str, Any]]


class Part(NamedTuple):
    """One write of a transaction, and what it means when its condition fails."""

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
    """Return where a row stands in its channel: what AWS brings late, where it is stored.

    So those who read see it: the place where it was sent may have left their transcript.
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
    """Return the row that tells pages of a change. It has no text: the target has.

    `after` is the id of the change before, "" for none: of a message's changes the last one made
    has the highest id.
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
    """Return the time in a change's id; the beginning of time for one without."""
    iso = change_id.removeprefix(AFTER_MESSAGES).partition("#")[0]
    return datetime.fromisoformat(iso) if iso else datetime.min.replace(tzinfo=UTC)


def row(
    attributes: dict[str, str | None],
    delivery: Delivery,
    retention_days: int,
    stands_at: datetime,
    prefix: str = "",
) -> Attributes:
    """Give a row its id, time and end. Units: sent_at ms, expires_at s."""
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
    """Store a message once, whatever row each of its deliveries would make.

    SNS gives what a page sends again another time; what AWS brings late stands at another one.
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
    """Let nobody through whom an operator has shut out."""
    write = {
        "TableName": rate_table,
        "Key": {"user": {"S": user}},
        "ConditionExpression": "attribute_not_exists(blocked)",
    }
    return Part({"ConditionCheck": write}, "blocked")


def count(rate_table: str, user: str, sent_at: datetime, rate: Rate) -> Part:
    """Count a message in the window that it was sent in.

    The window goes by SNS's time: what waited for a fault of AWS to pass, or arrives out of
    order, counts when it was sent, and is not taken for a flood.
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
    """Change the target, if it is as it was seen, and take the row of the change before out.

    It tells nothing new; of an earlier version's rows it holds a text that is to be seen no more.
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
    """Shut a user out, or let them in again.

    Whom nothing shuts out needs no row: DynamoDB deletes it.
    """
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

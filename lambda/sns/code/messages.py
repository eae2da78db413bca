"""What SNS and operators send, and which of it is a valid message, change or block.

Pure: bytes that anybody may have written go in, checked values or BadMessage come out.
It must not call AWS, know who the sender is, or put a text into an error.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import NamedTuple, NotRequired, TypedDict, TypeGuard

from contract import CHANNEL, RESERVED_CHANNELS, dig

SNS_SOURCE = "aws:sns"
OPERATOR_SOURCE = "lambda-chat:operator"
TARGET = re.compile(r"([0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z)#[A-Za-z0-9._:~-]{1,64}")  # a row's id
USER = re.compile(r"[0-9a-f]{16}")
SAFE_ID = re.compile(r"[A-Za-z0-9._:~-]{1,64}")
MAX_TEXT = 2_000  # code points
MAX_BODY = 32_768  # 2,000 code points, each escaped as two \uXXXX, and the keys
# Nothing is drawn for these. Source: Unicode, DerivedCoreProperties, Default_Ignorable_Code_Point.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# Nothing is drawn for these either, though Unicode counts them neither as spaces nor as ignorable:
# a braille pattern without dots, an object's place, blanks of hieroglyphs, Khitan and notes.
BLANK = frozenset("\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159")


class Notification(TypedDict):
    """Records[].Sns, as SNS and operators send it."""

    Message: str
    MessageId: NotRequired[str]
    Timestamp: NotRequired[str]
    MessageAttributes: NotRequired[dict[str, dict[str, str]]]


class Record(TypedDict):
    """Records[]: one notification and who says to have sent it."""

    EventSource: str
    Sns: Notification


class Event(TypedDict):
    """What Lambda hands over. Source: AWS Lambda guide, "Using Lambda with Amazon SNS"."""

    Records: list[Record]


class BadMessage(Exception):
    """The record can never become an item. `reason` is a fixed word, safe to log."""

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Delivery(NamedTuple):
    """A record whose envelope is sound; its message and token are not looked at yet."""

    operator: bool
    message_id: str
    sent_at: datetime
    body: str
    token: object


class Message(NamedTuple):
    """What the sender wrote. `name` counts for operators only."""

    text: str
    channel: str
    client_id: str | None
    name: object


class Change(NamedTuple):
    """What is to become of the row `target`: `kind` is "edit", with a text, or "delete"."""

    kind: str
    channel: str
    target: str
    target_sent_at: datetime
    text: str
    client_id: str | None


class Block(NamedTuple):
    """Whom an operator shuts out, or lets in again."""

    user: str
    blocked: bool


Request = Message | Change | Block


def read_delivery(record: object, now: datetime, default_id: str) -> Delivery:
    """Check a record's envelope. An operator's may leave MessageId and Timestamp out.

    A Timestamp of an operator's that is ahead of the clock is the time of the call.

    Raises: BadMessage.
    """
    source = dig(record, "EventSource")
    if source not in (SNS_SOURCE, OPERATOR_SOURCE):
        raise BadMessage("unknown_source")
    body, sent_at = dig(record, "Sns", "Message"), dig(record, "Sns", "Timestamp")
    message_id = dig(record, "Sns", "MessageId")
    if source == OPERATOR_SOURCE:
        sent_at = now.isoformat() if sent_at is None else sent_at
        message_id = default_id if message_id is None else message_id
    if not isinstance(body, str) or not isinstance(sent_at, str) or not is_safe_id(message_id):
        raise BadMessage("malformed_record")
    token = dig(record, "Sns", "MessageAttributes", "id_token", "Value")
    moment = read_time(sent_at)
    if source == OPERATOR_SOURCE:
        moment = min(moment, now)  # a wall clock's time, or a slip: nothing is sent in the future
    return Delivery(source == OPERATOR_SOURCE, message_id, moment, body, token)


def read_time(timestamp: str, reason: str = "malformed_record") -> datetime:
    """Return an ISO 8601 time in UTC; without an offset it is UTC already.

    Raises: BadMessage.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadMessage(reason) from error


def read_request(delivery: Delivery) -> Request:
    """Read Sns.Message: JSON {"action": absent, "edit" or "delete"}, from operators also "block".

    Raises: BadMessage.
    """
    if len(delivery.body) > MAX_BODY:
        raise BadMessage("message_too_long")
    payload = json_object(delivery.body)
    if payload is None:
        raise BadMessage("malformed_message")
    action = payload.get("action")
    if action is None:
        return read_message(payload)
    if action == "delete" or (action == "edit" and not delivery.operator):
        return read_change(payload, str(action))
    if delivery.operator and action in ("block", "unblock"):
        return Block(read_user(payload.get("user")), action == "block")
    raise BadMessage("unknown_action")


def read_message(payload: dict[str, object]) -> Message:
    """Read a new message: {"message": str, "channel": str, "client_id": str}.

    Raises: BadMessage.
    """
    return Message(
        text=read_text(payload.get("message")),
        channel=read_channel(payload.get("channel", "default")),
        client_id=read_client_id(payload.get("client_id")),
        name=payload.get("name"),
    )


def read_change(payload: dict[str, object], kind: str) -> Change:
    """Read a change: {"id": str, "channel": str, "client_id": str, "message": str in an edit}.

    Raises: BadMessage.
    """
    target = payload.get("id")
    match = TARGET.fullmatch(target) if isinstance(target, str) else None
    if not match:
        raise BadMessage("bad_id")
    return Change(
        kind=kind,
        channel=read_channel(payload.get("channel", "default")),
        target=match[0],
        target_sent_at=read_time(match[1], "bad_id"),
        text=read_text(payload.get("message")) if kind == "edit" else "",
        client_id=read_client_id(payload.get("client_id")),
    )


def read_user(user: object) -> str:
    """Return a user's id, as transcripts show it.

    Raises: BadMessage.
    """
    if not isinstance(user, str) or not USER.fullmatch(user):
        raise BadMessage("bad_user")
    return user


def read_channel(channel: object) -> str:
    """Return a channel's name that is valid and free.

    Raises: BadMessage.
    """
    if not isinstance(channel, str) or not CHANNEL.fullmatch(channel):
        raise BadMessage("bad_channel")
    if channel in RESERVED_CHANNELS:
        raise BadMessage("reserved_channel")
    return channel


def read_client_id(client_id: object) -> str | None:
    """Return the page's own id of the message, None when it gave none.

    Raises: BadMessage.
    """
    if client_id is None or is_safe_id(client_id):
        return client_id
    raise BadMessage("bad_client_id")


def read_text(text: object) -> str:
    """Keep a text as it was written; what DynamoDB or a browser cannot hold becomes U+FFFD.

    Raises: BadMessage, if it is no text, has nothing to see, or is longer than 2,000 characters.
    """
    if not isinstance(text, str):
        raise BadMessage("malformed_message")
    if len(text) > MAX_TEXT:
        raise BadMessage("message_too_long")
    if not any(map(is_visible, text)):
        raise BadMessage("empty_message")
    # An emoji cut in half by a length limit arrives as a lone surrogate.
    return (
        text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def is_visible(character: str) -> bool:
    """Tell whether something is drawn for a character: a mark alone needs a letter before it."""
    kind = unicodedata.category(character)
    unseen = character.isspace() or kind[0] == "M" or kind == "Cc" or character in BLANK
    return not unseen and not IGNORABLE.match(character)


def json_object(text: str) -> dict[str, object] | None:
    """Return the JSON object in a text, None when it holds anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_safe_id(value: object) -> TypeGuard[str]:
    """Tell whether a value can be part of an item's id and of a log line."""
    return isinstance(value, str) and SAFE_ID.fullmatch(value) is not None

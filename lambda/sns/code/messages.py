"""Records from SNS and operators, read into valid messages, changes and blocks.

Pure: untrusted records go in, checked values or BadMessage come out. It must not call AWS, know
the sender, or put message text into an error.
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
# Invisible. Source: Unicode, DerivedCoreProperties, Default_Ignorable_Code_Point.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
# Invisible too, although Unicode counts them neither as spaces nor as ignorable: a braille pattern
# without dots, the object replacement character, blanks of hieroglyphs, Khitan and musical notes.
BLANK = frozenset("\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159")


class Notification(TypedDict):
    """Records[].Sns, as SNS and operators send it."""

    Message: str
    MessageId: NotRequired[str]
    Timestamp: NotRequired[str]
    MessageAttributes: NotRequired[dict[str, dict[str, str]]]


class Record(TypedDict):
    """Records[]: one notification and its source."""

    EventSource: str
    Sns: Notification


class Event(TypedDict):
    """The event that Lambda passes. Source: AWS Lambda guide, "Using Lambda with Amazon SNS"."""

    Records: list[Record]


class BadMessage(Exception):
    """The record can never be stored. `reason` is one of a fixed set of words, safe to log."""

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Delivery(NamedTuple):
    """A record with a valid envelope; its message and token are not checked yet."""

    operator: bool
    message_id: str
    sent_at: datetime
    body: str
    token: object


class Message(NamedTuple):
    """A new message. `name` counts for operators only."""

    text: str
    channel: str
    client_id: str | None
    name: object


class Change(NamedTuple):
    """A change of the row `target`: `kind` is "edit", with a text, or "delete"."""

    kind: str
    channel: str
    target: str
    target_sent_at: datetime
    text: str
    client_id: str | None


class Block(NamedTuple):
    """A user whom an operator blocks or unblocks."""

    user: str
    blocked: bool


Request = Message | Change | Block


def read_delivery(record: object, now: datetime, default_id: str) -> Delivery:
    """Check a record's envelope.

    An operator's record may omit MessageId and Timestamp; a future Timestamp becomes `now`.
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
        moment = min(moment, now)  # such as local time without an offset
    return Delivery(source == OPERATOR_SOURCE, message_id, moment, body, token)


def read_time(timestamp: str, reason: str = "malformed_record") -> datetime:
    """Return an ISO 8601 time in UTC; a time without an offset is taken as UTC.

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
    """Return a user's id, as shown in transcripts.

    Raises: BadMessage.
    """
    if not isinstance(user, str) or not USER.fullmatch(user):
        raise BadMessage("bad_user")
    return user


def read_channel(channel: object) -> str:
    """Return a channel's name, if it is valid and not reserved.

    Raises: BadMessage.
    """
    if not isinstance(channel, str) or not CHANNEL.fullmatch(channel):
        raise BadMessage("bad_channel")
    if channel in RESERVED_CHANNELS:
        raise BadMessage("reserved_channel")
    return channel


def read_client_id(client_id: object) -> str | None:
    """Return the id that the page gave the message, None without one.

    Raises: BadMessage.
    """
    if client_id is None or is_safe_id(client_id):
        return client_id
    raise BadMessage("bad_client_id")


def read_text(text: object) -> str:
    """Return a text as written; NUL and lone surrogates become U+FFFD.

    Raises: BadMessage, if it is not text, has nothing visible, or exceeds 2,000 characters.
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
    """Tell whether a character is visible by itself; marks need a letter before them."""
    kind = unicodedata.category(character)
    unseen = character.isspace() or kind[0] == "M" or kind == "Cc" or character in BLANK
    return not unseen and not IGNORABLE.match(character)


def json_object(text: str) -> dict[str, object] | None:
    """Return the JSON object in a text, None for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_safe_id(value: object) -> TypeGuard[str]:
    """Tell whether a value may be part of a row's id and of a log line."""
    return isinstance(value, str) and SAFE_ID.fullmatch(value) is not None

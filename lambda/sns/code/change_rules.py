"""Whether a sender may edit or delete a row in its present state.

Pure: a row, a change and its sender go in; yes, "already made" or BadMessage comes out. It must not
call AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from messages import BadMessage, Change
from senders import Sender

OWN_FOR = timedelta(minutes=15)
MESSAGE_KINDS = ("user", "operator")

Row = Mapping[str, Mapping[str, Any]]
Sent = tuple[str, str]  # a change's SNS time, ISO 8601, and the client_id or MessageId in its id


def check_change(change: Change, sender: Sender, sent_at: datetime) -> None:
    """Refuse a change that comes too late; operators have no time limit.

    The change's time is SNS's, so a delayed delivery is not late; the target's is that of its id.
    Raises: BadMessage.
    """
    if sender.kind != "operator" and sent_at - change.target_sent_at > OWN_FOR:
        raise BadMessage("too_late")


def is_to_be_made(row: Row, change: Change, sent: Sent, sender: Sender) -> bool:
    """Tell whether a change is still to be made; False if it, or a later one, has been made.

    Edits that arrive out of order end with the one sent last, by SNS's time. A delete is final.
    Raises: BadMessage.
    """
    if text_of(row, "kind") not in MESSAGE_KINDS:
        raise BadMessage("not_found")
    last = last_change(row)
    if last == sent or (change.kind == "edit" and last > sent):
        return False
    if sender.kind != "operator" and (
        text_of(row, "kind") != "user" or text_of(row, "user") != sender.user
    ):
        raise BadMessage("not_yours")
    if "deleted_at" in row:
        raise BadMessage("already_deleted")
    return True


def last_change(row: Row) -> Sent:
    """Return the time and the id of a row's last change; "" for both without one."""
    sent_at = text_of(row, "deleted_at") or text_of(row, "edited_at")
    return sent_at, text_of(row, "changed_by").partition("#")[2]


def text_of(row: Row, key: str) -> str:
    """Return an attribute's text, "" without one."""
    return str(row.get(key, {}).get("S", ""))

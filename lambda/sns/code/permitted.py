"""Whether an edit or a delete may be made to a row as it is now.

Pure: a row, a change and who wants it go in; yes, "made already" or BadMessage comes out. It must
not call AWS.
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


def check_change(change: Change, change_id: str, sender: Sender, sent_at: datetime) -> None:
    """Refuse what a sender wants to change too late; operators always may.

    A change's time is SNS's, so one that AWS delivers late is not late; its target's is where that
    stands. A change with its target's id would be two writes of one row, which DynamoDB refuses.
    Raises: BadMessage.
    """
    if change_id == change.target:
        raise BadMessage("bad_id")
    if sender.kind != "operator" and sent_at - change.target_sent_at > OWN_FOR:
        raise BadMessage("too_late")


def is_to_be_made(row: Row, change: Change, change_id: str, sender: Sender) -> bool:
    """Tell whether a change is still to be made; False when it or a later one has been.

    Ids begin with SNS's time, so edits that arrive out of order end at the newest. A delete is
    final whatever came in between.
    Raises: BadMessage.
    """
    if text_of(row, "kind") not in MESSAGE_KINDS:
        raise BadMessage("not_found")
    last = text_of(row, "changed_by")
    if last == change_id or (change.kind == "edit" and last > change_id):
        return False
    if sender.kind != "operator" and (
        text_of(row, "kind") != "user" or text_of(row, "user") != sender.user
    ):
        raise BadMessage("not_yours")
    if "deleted_at" in row:
        raise BadMessage("already_deleted")
    return True


def text_of(row: Row, key: str) -> str:
    """Return an attribute's text, "" when it is not there."""
    return str(row.get(key, {}).get("S", ""))

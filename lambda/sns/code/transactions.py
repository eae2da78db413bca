"""The calls to DynamoDB: one row read, several writes made as one, a user blocked.

Owns what an answer of DynamoDB means. It must not decide what is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from permitted import Row
from writes import Part, key

TRIES = 6
# Why DynamoDB cancels a transaction that may succeed a moment later. The SDK repeats none of them.
# Source: DynamoDB API reference, TransactWriteItems, "Cancellation reasons".
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
LONGEST_PAUSE_S = 0.05  # of the first pause; each next one may take twice as long


class Tables(NamedTuple):
    """DynamoDB, and how to wait for it."""

    dynamodb: Any
    sleep: Callable[[float], None]


def write(tables: Tables, parts_now: Callable[[], Sequence[Part]]) -> str:
    """Write all parts or none; "" when they are written, else what the first failed one says.

    They are made anew for each try: one that comes late stands where it is stored. The SDK sends
    one token with all its tries of a call, so an answer that got lost does not write twice. Two
    writes of one sender at the same moment are in each other's way for as long as they take, and
    a busy partition is for a moment: they wait a random while.
    Raises: botocore's exceptions.
    """
    for attempt in range(TRIES):
        parts = parts_now()
        try:
            tables.dynamodb.transact_write_items(TransactItems=[part.write for part in parts])
            return ""
        except ClientError as error:
            reasons = error.response.get("CancellationReasons") or []
            codes = [reason.get("Code") for reason in reasons]
            for part, code in zip(parts, codes, strict=False):
                if code == "ConditionalCheckFailed":
                    return part.failed
            if PASSING.isdisjoint(codes) or attempt == TRIES - 1:
                raise
        tables.sleep(random.uniform(0, LONGEST_PAUSE_S * 2**attempt))
    raise AssertionError  # the last try returns or raises


def read_row(tables: Tables, table: str, channel: str, row_id: str) -> Row:
    """Read of a row what a change needs to know; an empty row when there is none."""
    answer = tables.dynamodb.get_item(
        TableName=table,
        Key=key(channel, row_id),
        ConsistentRead=True,
        ProjectionExpression="#kind, #user, changed_by, edited_at, deleted_at",
        ExpressionAttributeNames={"#kind": "kind", "#user": "user"},
    )
    row: Row = answer.get("Item", {})
    return row

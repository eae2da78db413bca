"""The calls to DynamoDB: reading a row, and writing several as one transaction.

Owns what DynamoDB's answers mean, and which calls are repeated. It must not decide what is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from change_rules import Row
from log_lines import error_code
from rows import Part, key

T = TypeVar("T")

TRIES = 6
# Reasons for cancelling a transaction that may succeed a moment later.
# Source: DynamoDB API reference, TransactWriteItems, "Cancellation reasons".
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
# Codes of 400 answers to a call that may succeed a moment later.
# Source: DynamoDB guide, "Error handling with DynamoDB": "OK to retry? Yes".
THROTTLED = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
)
NO_ANSWER = (ConnectionError, HTTPClientError)
LONGEST_PAUSE_S = 0.05  # of the first pause; each next one may take twice as long


class Tables(NamedTuple):
    """DynamoDB, with a client that does not retry, and how to wait."""

    dynamodb: Any
    sleep: Callable[[float], None]


class Written(NamedTuple):
    """The result of a transaction: the outcome of its first failed part, "" when all is written.

    `unsure`: an earlier try got no answer, so it may have succeeded and made this one fail.
    """

    failed: str
    unsure: bool


def write(tables: Tables, parts_now: Callable[[], Sequence[Part]]) -> Written:
    """Write all parts or none; try again after an error that may pass.

    The parts are built again for each try, since a late message gets the time of storing. So the
    SDK must not repeat the call.
    Raises: botocore's exceptions.
    """
    unsure = False

    def one_try() -> Written:
        nonlocal unsure
        parts = parts_now()
        try:
            tables.dynamodb.transact_write_items(TransactItems=[part.write for part in parts])
        except ClientError as error:
            for part, code in zip(parts, reasons(error), strict=False):
                if code == "ConditionalCheckFailed":
                    return Written(part.failed, unsure)
            unsure = unsure or is_fault(error)
            raise
        except HTTPClientError:
            unsure = True
            raise
        return Written("", unsure)

    return repeated(tables, one_try)


def read_row(tables: Tables, table: str, channel: str, row_id: str) -> Row:
    """Read the attributes of a row that a change depends on; an empty row if there is none.

    Raises: botocore's exceptions.
    """
    answer = repeated(
        tables,
        lambda: tables.dynamodb.get_item(
            TableName=table,
            Key=key(channel, row_id),
            ConsistentRead=True,
            ProjectionExpression="#kind, #user, changed_by, edited_at, deleted_at",
            ExpressionAttributeNames={"#kind": "kind", "#user": "user"},
        ),
    )
    row: Row = answer.get("Item", {})
    return row


def repeated(tables: Tables, one_try: Callable[[], T]) -> T:
    """Try until it succeeds, fails for good, or has failed six times.

    Pauses are random, so that two writes of one sender do not collide again.
    Raises: what the last try raised.
    """
    for attempt in range(TRIES - 1):
        try:
            return one_try()
        except (ClientError, *NO_ANSWER) as error:
            if not may_pass(error):
                raise
        tables.sleep(random.uniform(0, LONGEST_PAUSE_S * 2**attempt))
    return one_try()


def may_pass(error: Exception) -> bool:
    """Tell whether the same call may succeed a moment later."""
    if not isinstance(error, ClientError):
        return True
    cancelled = not PASSING.isdisjoint(reasons(error))
    return cancelled or error_code(error) in THROTTLED or is_fault(error)


def is_fault(error: ClientError) -> bool:
    """Tell whether AWS failed, in which case the call may or may not have taken effect."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def reasons(error: ClientError) -> list[str]:
    """Return a code for each part of a cancelled transaction; nothing for other errors."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons") or []]

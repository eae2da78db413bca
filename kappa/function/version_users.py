"""Who invokes a version by its number, so that it must stay. It only reads.

Each version has a policy and mappings of its own. A version has no URL: Lambda gives those to the
function and to its aliases only.
Source: AWS Lambda API reference, "CreateFunctionUrlConfig", Qualifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kappa.arn import mapping_names, qualifier
from kappa.aws.client import Aws
from kappa.errors import Denied, NotFound
from kappa.function.permissions import read_statements

_AT_ONCE = 8


def read_users(aws: Aws, name: str, numbers: Sequence[str]) -> dict[str, str]:
    """Say of each version that something may invoke by its number, what that is.

    Topics, buckets, rules and others need a permission in the version's own policy. Where AWS does
    not show these, that is the answer: the version must stay.
    """
    if not numbers:
        return {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        users = pool.map(lambda number: _user(aws, name, number), numbers)
        return {number: user for number, user in zip(numbers, users, strict=True) if user}


def _user(aws: Aws, name: str, number: str) -> str:
    try:
        return _mapping(aws, name, number) or _permission(aws, name, number)
    except Denied as error:
        return f"what invokes it cannot be seen: {error.message}"


def _mapping(aws: Aws, name: str, number: str) -> str:
    doing = f"listing the event sources of version {number} of {name}"
    operation, key = "list_event_source_mappings", "EventSourceMappings"
    try:
        found = aws.pages("lambda", operation, doing, key, {"FunctionName": f"{name}:{number}"})
    except NotFound:
        return ""
    own = [one for one in found if qualifier(one["FunctionArn"]) == number]
    return f"event source {' '.join(mapping_names(own[0]))} invokes it" if own else ""


def _permission(aws: Aws, name: str, number: str) -> str:
    given = read_statements(aws, name, number)
    return f"permission {given[0].statement_id} for {given[0].principal}" if given else ""

"""The statements of a function's resource policy: read them, in the words of a config's permission.

A statement that a `permissions:` entry cannot express whole is foreign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kappa.aws.client import Aws
from kappa.errors import NotFound

# The conditions that AddPermission writes, and the field that holds the value of each.
# Source: AWS Lambda API reference, "AddPermission"; Service Authorization Reference, "Condition
# keys for AWS Lambda".
_CONDITIONS = {
    ("ArnLike", "aws:sourcearn"): "source_arn",
    ("StringEquals", "aws:sourceaccount"): "source_account",
    ("StringEquals", "aws:principalorgid"): "principal_org_id",
    ("StringEquals", "lambda:eventsourcetoken"): "event_source_token",
    ("StringEquals", "lambda:functionurlauthtype"): "url_auth",
    ("Bool", "lambda:invokedviafunctionurl"): "via_url",
}
_KEYS = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
# Whom AddPermission takes. A user or role that was deleted is shown by an id, which it refuses.
# Source: AWS IAM guide, "AWS JSON policy elements: Principal".
_PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:\S+|[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True)
class Statement:
    """One statement, in the words of a config's permission.

    `foreign` is the statement as AWS has it, as JSON, where those words cannot express it whole;
    the other fields are then only for people to read.
    """

    statement_id: str
    principal: str
    action: str
    source_arn: str = ""
    source_account: str = ""
    url_auth: str = ""
    via_url: bool = False
    principal_org_id: str = ""
    event_source_token: str = ""
    foreign: str = ""


def read_statements(aws: Aws, function: str, alias: str = "") -> tuple[Statement, ...]:
    """Read the statements of a function's policy, or of its alias's; none where there is none."""
    qualifier = {"Qualifier": alias} if alias else {}
    try:
        answer = aws.call(
            "lambda",
            "get_policy",
            f"reading the permissions of {function}",
            {"FunctionName": function, **qualifier},
        )
    except NotFound:
        return ()
    return in_policy(answer, function, alias)


def in_policy(answer: Mapping[str, Any], function: str, alias: str) -> tuple[Statement, ...]:
    """Read the statements of GetPolicy's answer."""
    listed = json.loads(answer["Policy"]).get("Statement", [])
    whole = f"{function}:{alias}" if alias else function
    return tuple(
        read_statement(one, whole) for one in (listed if isinstance(listed, list) else [listed])
    )


def read_statement(raw: Mapping[str, Any], function: str) -> Statement:
    """Read one statement of the policy of `function`, which is NAME or NAME:ALIAS.

    Shape: raw is {Sid, Effect, Principal, Action, Resource, Condition: {operator: {key: value}}}.
    """
    principal, action = _principal(raw.get("Principal")), _single(raw.get("Action"))
    conditions = _conditions(raw.get("Condition") or {})
    if (
        _KEYS.issuperset(raw)
        and (raw.get("Effect"), bool(raw.get("Sid"))) == ("Allow", True)
        and _single(raw.get("Resource")).endswith(f":function:{function}")
        and (principal and action and conditions is not None)
    ):
        return replace(Statement(raw["Sid"], principal, action), **(conditions or {}))
    return Statement(
        str(raw.get("Sid", "")),
        principal or json.dumps(raw.get("Principal", "")),
        action or json.dumps(raw.get("Action", "")),
        foreign=json.dumps(raw),
    )


def _single(value: object) -> str:
    """A text, alone or alone in a list: they mean the same. "" for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _principal(value: object) -> str:
    if isinstance(value, dict):
        kinds = set(value) <= {"AWS", "Service"} and len(value) == 1
        value = _single(next(iter(value.values()))) if kinds else ""
    return value if isinstance(value, str) and _PRINCIPAL.fullmatch(value) else ""


def _conditions(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Name each condition by its field; None if one of them has none."""
    found: dict[str, Any] = {}
    for operator, tests in raw.items():
        for key, value in tests.items():
            field = _CONDITIONS.get((operator, key.lower()), "")
            text = _single(value)
            if not field or not text or field in found or (field == "via_url" and text != "true"):
                return None
            found[field] = text == "true" if field == "via_url" else text
    return found

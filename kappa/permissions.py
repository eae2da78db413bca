"""The function's resource policy: who may invoke it. Read its statements, plan one more.

Shared by function.py (the config's `permissions`) and the event sources (what a topic needs).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kappa.aws import Aws
from kappa.errors import NotFound
from kappa.settings import Permission
from kappa.steps import Already, Step

_SOURCE_ARN = "aws:sourcearn"
_SOURCE_ACCOUNT = "aws:sourceaccount"
_URL_AUTH = "lambda:functionurlauthtype"
_VIA_URL = "lambda:invokedviafunctionurl"


@dataclass(frozen=True)
class Statement:
    """One statement, in the words of a config's permission."""

    statement_id: str
    principal: str
    action: str
    source_arn: str = ""
    source_account: str = ""
    url_auth: str = ""
    via_url: bool = False


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
    return tuple(_statement(one) for one in json.loads(answer["Policy"])["Statement"])


def _statement(raw: dict[str, Any]) -> Statement:
    principal = raw.get("Principal", "")
    if isinstance(principal, dict):
        principal = next(iter(principal.values()), "")
    conditions = {
        key.lower(): str(value)
        for test in raw.get("Condition", {}).values()
        for key, value in test.items()
    }
    return Statement(
        statement_id=raw.get("Sid", ""),
        principal=str(principal),
        action=str(raw.get("Action", "")),
        source_arn=conditions.get(_SOURCE_ARN, ""),
        source_account=conditions.get(_SOURCE_ACCOUNT, ""),
        url_auth=conditions.get(_URL_AUTH, ""),
        via_url=conditions.get(_VIA_URL, "").lower() == "true",
    )


def grants(statement: Statement, permission: Permission) -> bool:
    """Whether a statement gives what a permission asks, whatever its id.

    An account's digits come back from AWS as the ARN of its root; the case of an action
    does not count.
    """
    root = f":iam::{permission.principal}:root"
    return (
        (statement.principal == permission.principal or statement.principal.endswith(root))
        and statement.action.lower() == permission.action.lower()
        and statement.source_arn == permission.source_arn
        and statement.source_account == permission.source_account
        and not (statement.via_url or statement.url_auth)
    )


def admits(statement: Statement | Permission, service: str, source_arn: str) -> bool:
    """Whether a statement lets a service invoke the function for one source."""
    return (
        statement.principal == service
        and statement.action.lower() in ("lambda:invokefunction", "lambda:*", "*")
        and statement.source_arn == source_arn
    )


def granted(
    statements: tuple[Statement, ...], permissions: Sequence[Permission]
) -> tuple[Statement, ...]:
    """Return the statements that there are once these permissions have been granted."""
    own = tuple(
        Statement(one.statement_id, one.principal, one.action, one.source_arn, one.source_account)
        for one in permissions
    )
    ids = {one.statement_id for one in own}
    return (*(one for one in statements if one.statement_id not in ids), *own)


def plan_grant(
    function: str, permission: Permission, statements: tuple[Statement, ...], alias: str = ""
) -> list[Step | Already]:
    """Plan one permission: add it, replace one of the same id that differs, or leave it.

    An alias has a policy of its own: `statements` are that one's.
    """
    message = f"permission {permission.statement_id} for {permission.principal}"
    same_id = [one for one in statements if one.statement_id == permission.statement_id]
    if any(grants(one, permission) for one in same_id):
        return [Already("exists", message)]
    plan: list[Step | Already] = []
    if same_id:
        plan.append(plan_revoke(function, permission.statement_id, alias, "it differs"))
    params = {
        "FunctionName": function,
        "Qualifier": alias,
        "StatementId": permission.statement_id,
        "Action": _canonical(permission.action),
        "Principal": permission.principal,
        "SourceArn": permission.source_arn,
        "SourceAccount": permission.source_account,
    }
    given = {key: value for key, value in params.items() if value}
    plan.append(Step("lambda", "add_permission", given, "created", message))
    return plan


def plan_revoke(function: str, statement_id: str, alias: str = "", why: str = "") -> Step:
    """Plan the removal of one statement."""
    qualifier = {"Qualifier": alias} if alias else {}
    return Step(
        "lambda",
        "remove_permission",
        {"FunctionName": function, **qualifier, "StatementId": statement_id},
        "removed",
        f"permission {statement_id}{f' ({why})' if why else ''}",
        settled=("ResourceNotFoundException",),
    )


def _canonical(action: str) -> str:
    """Write the action as AWS does: configs of 2015 say lambda:invokeFunction."""
    return "lambda:InvokeFunction" if action.lower() == "lambda:invokefunction" else action

"""The function's resource policy: who may invoke it. Read its statements, plan one more.

Shared by plan.py (the config's `permissions`) and the event sources (what a topic needs).

Access is never widened by accident: a statement that a `permissions:` entry cannot express whole
is foreign. It counts for no permission, and is neither replaced nor removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from kappa import arn as arns
from kappa.aws.regions import is_opt_in
from kappa.config import command_line
from kappa.config.model import Permission
from kappa.errors import Conflict
from kappa.function.statements import Statement, in_policy, read_statement, read_statements
from kappa.plan.step import Already, Look, Plan, Step

__all__ = ["Statement", "read_statement", "read_statements"]

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


def as_statement(permission: Permission) -> Statement:
    """The statement that a config's permission makes."""
    return Statement(
        permission.statement_id,
        permission.principal,
        permission.action,
        permission.source_arn,
        permission.source_account,
        permission.function_url_auth_type or "",
        permission.invoked_via_function_url,
        permission.principal_org_id,
        permission.event_source_token,
    )


def grants(statement: Statement, permission: Permission) -> bool:
    """Whether a statement gives exactly what a permission asks, whatever its id.

    An account's digits come back from AWS as the ARN of its root; the case of an action
    does not count.
    """
    return not statement.foreign and _access(statement) == _access(as_statement(permission))


def _access(statement: Statement) -> Statement:
    root = _ROOT.fullmatch(statement.principal)
    principal = root[1] if root else statement.principal
    return replace(statement, statement_id="", principal=principal, action=statement.action.lower())


def admits(one: Statement | Permission, service: str, source_arn: str) -> bool:
    """Whether a service may invoke the function for one source by this, under no other condition.

    Whose the source is (source_account) is left to whoever wrote it.
    """
    has = one if isinstance(one, Statement) else as_statement(one)
    narrowed = has.principal_org_id or has.event_source_token or has.url_auth or has.via_url
    return (
        has.principal == service
        and has.action.lower() in ("lambda:invokefunction", "lambda:*", "*")
        and has.source_arn == source_arn
        and not (has.foreign or narrowed)
    )


def may_admit(one: Statement, service: str, source_arn: str) -> bool:
    """Whether a statement may let a service in for a source, be it wider, or foreign."""
    if one.foreign:
        return service in one.foreign or '"*"' in one.foreign
    is_url = one.url_auth or one.via_url
    principal = one.principal in (service, "*") and not is_url
    return principal and fnmatchcase(source_arn, one.source_arn or "*")


def caller(source_arn: str, service: str, region: str) -> str:
    """Name the principal as which a source calls a function of a region.

    Source: Amazon SNS guide, "Prerequisites for integrating Amazon SNS with Lambda functions
    across regions": from an opt-in region to another, SNS calls by a name with its region in it.
    """
    if service != "sns":
        return f"{service}.amazonaws.com"
    topic = arns.parse(source_arn)
    away = topic.region != region and is_opt_in(topic.partition, topic.region)
    return f"sns.{topic.region}.amazonaws.com" if away else "sns.amazonaws.com"


def granted(
    statements: tuple[Statement, ...], permissions: Sequence[Permission]
) -> tuple[Statement, ...]:
    """Return the statements that there are once these permissions have been granted."""
    own = tuple(map(as_statement, permissions))
    ids = {one.statement_id for one in own}
    return (*(one for one in statements if one.statement_id not in ids), *own)


def plan_grant(
    function: str,
    permission: Permission,
    statements: tuple[Statement, ...],
    alias: str = "",
    aws: Callable[[str], str] = command_line.aws_command,
) -> Plan:
    """Plan one permission: add it, replace one of the same id that differs, or leave it.

    An alias has a policy of its own: `statements` are that one's. `aws` words a command of the AWS
    CLI for the function's account and region.
    Raises: Conflict, if a statement of the same id is foreign.
    """
    name = permission.statement_id
    message = f"permission {name} for {_who(permission)}"
    same_id = [one for one in statements if one.statement_id == name]
    if any(grants(one, permission) for one in same_id):
        return [Already("exists", message)]
    for one in same_id:
        if one.foreign:
            raise _foreign(function, alias, one, aws)
    step = _add(function, permission, alias, message)
    if not same_id:
        return [step]
    old = _permission(same_id[0])
    back = _add(function, old, alias, f"permission {name} for {_who(old)}, as it was")
    return [_revoke(function, name, alias, " (it differs)"), replace(step, undo=back)]


def _add(function: str, permission: Permission, alias: str, message: str) -> Step:
    params = {
        "FunctionName": function,
        "Qualifier": alias,
        "StatementId": permission.statement_id,
        "Action": _canonical(permission.action),
        "Principal": permission.principal,
        "SourceArn": permission.source_arn,
        "SourceAccount": permission.source_account,
        "PrincipalOrgID": permission.principal_org_id,
        "EventSourceToken": permission.event_source_token,
        "FunctionUrlAuthType": permission.function_url_auth_type,
        "InvokedViaFunctionUrl": permission.invoked_via_function_url,
    }
    given = {key: value for key, value in params.items() if value}
    return Step(
        "lambda",
        "add_permission",
        given,
        "created",
        message,
        look=_look(function, permission, alias),
        conflict_hint="Another deploy made one of this name just now, which differs: "
        "run the same command again.",
    )


def _permission(statement: Statement) -> Permission:
    """Say a statement that is not foreign as a permission."""
    root = _ROOT.fullmatch(statement.principal)
    url_auth: Any = statement.url_auth or None
    return Permission(
        statement_id=statement.statement_id,
        principal=root[1] if root else statement.principal,
        action=statement.action,
        source_arn=statement.source_arn,
        source_account=statement.source_account,
        principal_org_id=statement.principal_org_id,
        event_source_token=statement.event_source_token,
        function_url_auth_type=url_auth,
        invoked_via_function_url=statement.via_url,
    )


def _look(function: str, permission: Permission, alias: str) -> Look:
    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        return any(
            one.statement_id == permission.statement_id and grants(one, permission)
            for one in in_policy(answer, function, alias)
        )

    qualifier = {"Qualifier": alias} if alias else {}
    return Look("get_policy", {"FunctionName": function, **qualifier}, fits)


def _who(permission: Permission) -> str:
    return "anyone" if permission.principal == "*" else permission.principal


def _foreign(
    function: str, alias: str, statement: Statement, aws: Callable[[str], str]
) -> Conflict:
    qualifier = f" --qualifier {alias}" if alias else ""
    name = statement.statement_id
    words = f"lambda remove-permission --function-name {function}{qualifier} --statement-id {name}"
    return Conflict(
        f"The function {function} has a permission {name} that a config cannot express, so it is "
        f"left as it is: {statement.foreign}",
        "Give the config's permission another statement_id, or remove that one yourself: "
        f"{aws(words)}",
    )


def plan_revoke(
    function: str, statement_id: str, statements: tuple[Statement, ...], alias: str = ""
) -> Plan:
    """Plan the removal of a permission that kappa gave, if it is there; a foreign one stays."""
    same_id = [one for one in statements if one.statement_id == statement_id]
    if any(one.foreign for one in same_id):
        return [Already("kept", f"permission {statement_id} (kappa did not make it like this)")]
    return [_revoke(function, statement_id, alias)] if same_id else []


def _revoke(function: str, statement_id: str, alias: str, why: str = "") -> Step:
    qualifier = {"Qualifier": alias} if alias else {}
    return Step(
        "lambda",
        "remove_permission",
        {"FunctionName": function, **qualifier, "StatementId": statement_id},
        "removed",
        f"permission {statement_id}{why}",
        settled=("ResourceNotFoundException",),
    )


def _canonical(action: str) -> str:
    """Write the action as AWS does: configs of 2015 say lambda:invokeFunction."""
    return "lambda:InvokeFunction" if action.lower() == "lambda:invokefunction" else action

"""Read, compare and plan the function's resource policy, which decides who may invoke it.

It serves plan.py (the config's `permissions`) and the event sources, which need permissions too.
A statement that a `permissions:` entry cannot express completely is foreign: it satisfies no
permission, and is neither replaced nor removed. So access is never widened by accident.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.arn import parse_arn, qualified
from kappa.aws import Aws
from kappa.aws.regions import is_opt_in
from kappa.config.model import Permission
from kappa.errors import Conflict, NotFound
from kappa.function.params import function_params
from kappa.plan.step import Note, Plan, Recheck, Step

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
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
# Principals that AddPermission accepts. It refuses the id of a deleted user or role.
# Source: AWS IAM guide, "AWS JSON policy elements: Principal".
_PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:\S+|[a-z0-9-]+(\.[a-z0-9-]+)+")


class Statement(msgspec.Struct, frozen=True):
    """One statement, with the fields of a config's permission.

    `foreign` is AWS's statement as JSON if those fields cannot express it completely. The other
    fields are then only for display.
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
    """Read the statements of the policy of a function or of its alias; () if it has none."""
    try:
        answer = aws.call(
            "lambda",
            "get_policy",
            f"reading the permissions of {function}",
            function_params(function, alias),
        )
    except NotFound:
        return ()
    return in_policy(answer, function, alias)


def in_policy(answer: Mapping[str, Any], function: str, alias: str) -> tuple[Statement, ...]:
    """Parse the statements in GetPolicy's answer."""
    raw = json.loads(answer["Policy"]).get("Statement", [])
    statements = raw if isinstance(raw, list) else [raw]
    return tuple(read_statement(item, qualified(function, alias)) for item in statements)


def read_statement(raw: Mapping[str, Any], function: str) -> Statement:
    """Parse one statement of the policy of `function`, which is NAME or NAME:ALIAS.

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
    """A string, or the only string in a list, which means the same; "" for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _principal(value: object) -> str:
    if isinstance(value, dict):
        kinds = set(value) <= {"AWS", "Service"} and len(value) == 1
        value = _single(next(iter(value.values()))) if kinds else ""
    return value if isinstance(value, str) and _PRINCIPAL.fullmatch(value) else ""


def _conditions(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Name each condition by its field; None if a condition has no field."""
    fields: dict[str, Any] = {}
    for operator, tests in raw.items():
        for key, value in tests.items():
            field = _CONDITIONS.get((operator, key.lower()), "")
            text = _single(value)
            if not field or not text or field in fields or (field == "via_url" and text != "true"):
                return None
            fields[field] = text == "true" if field == "via_url" else text
    return fields


def as_statement(permission: Permission) -> Statement:
    """The statement that a config's permission creates."""
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
    """Whether a statement grants exactly what a permission does, whatever its id.

    AWS returns an account number as the ARN of its root. The case of an action does not matter.
    """
    return not statement.foreign and _access(statement) == _access(as_statement(permission))


def _access(statement: Statement) -> Statement:
    root = _ROOT.fullmatch(statement.principal)
    principal = root[1] if root else statement.principal
    return replace(statement, statement_id="", principal=principal, action=statement.action.lower())


def admits(grant: Statement | Permission, service: str, source_arn: str) -> bool:
    """Whether this lets a service invoke the function for one source, under no other condition.

    The account of the source (source_account) may be set or not.
    """
    statement = grant if isinstance(grant, Statement) else as_statement(grant)
    is_narrowed = (
        statement.principal_org_id
        or statement.event_source_token
        or statement.url_auth
        or statement.via_url
    )
    return (
        statement.principal == service
        and statement.action.lower() in ("lambda:invokefunction", "lambda:*", "*")
        and statement.source_arn == source_arn
        and not (statement.foreign or is_narrowed)
    )


def may_admit(statement: Statement, service: str, source_arn: str) -> bool:
    """Whether a statement might let a service invoke for a source; it may be wider or foreign."""
    if statement.foreign:
        return service in statement.foreign or '"*"' in statement.foreign
    is_url = statement.url_auth or statement.via_url
    principal = statement.principal in (service, "*") and not is_url
    return principal and fnmatchcase(source_arn, statement.source_arn or "*")


def caller(source_arn: str, service: str, region: str) -> str:
    """The principal that calls a function in `region` for a source.

    From an opt-in region, SNS calls functions in other regions as a principal of its region.
    Source: Amazon SNS guide, "Prerequisites for integrating Amazon SNS with Lambda functions
    across regions".
    """
    if service != "sns":
        return f"{service}.amazonaws.com"
    topic = parse_arn(source_arn)
    is_regional = topic.region != region and is_opt_in(topic.partition, topic.region)
    return f"sns.{topic.region}.amazonaws.com" if is_regional else "sns.amazonaws.com"


def granted(
    statements: tuple[Statement, ...], permissions: Sequence[Permission]
) -> tuple[Statement, ...]:
    """Return the statements as they will be with these permissions granted."""
    own = tuple(map(as_statement, permissions))
    ids = {statement.statement_id for statement in own}
    return (*(kept for kept in statements if kept.statement_id not in ids), *own)


def plan_grant(
    function: str,
    permission: Permission,
    statements: tuple[Statement, ...],
    alias: str,
    aws: Callable[[str], str],
) -> Plan:
    """Plan one permission: add it, replace a different one of the same id, or leave it.

    `statements` are those of the alias's policy if there is an alias. `aws` completes an AWS CLI
    command for the function's account and region.
    Raises: Conflict, if a statement of the same id is foreign.
    """
    name = permission.statement_id
    message = f"permission {name} for {_who(permission)}"
    same_id = [statement for statement in statements if statement.statement_id == name]
    if any(grants(statement, permission) for statement in same_id):
        return [Note("exists", message)]
    for statement in same_id:
        if statement.foreign:
            raise _foreign(function, alias, statement, aws)
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
    return Step(
        "lambda",
        "add_permission",
        {key: value for key, value in params.items() if value},
        "created",
        message,
        recheck=_recheck(function, permission, alias),
        conflict_hint="Another deploy has just made a different one of this name: "
        "run the same command again.",
    )


def _permission(statement: Statement) -> Permission:
    """Turn a statement that is not foreign into a permission."""
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


def _recheck(function: str, permission: Permission, alias: str) -> Recheck:
    def fits(answer: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        return any(
            statement.statement_id == permission.statement_id and grants(statement, permission)
            for statement in in_policy(answer, function, alias)
        )

    return Recheck("get_policy", function_params(function, alias), fits)


def _who(permission: Permission) -> str:
    return "anyone" if permission.principal == "*" else permission.principal


def _foreign(
    function: str, alias: str, statement: Statement, aws: Callable[[str], str]
) -> Conflict:
    qualifier = f" --qualifier {alias}" if alias else ""
    name = statement.statement_id
    words = f"lambda remove-permission --function-name {function}{qualifier} --statement-id {name}"
    return Conflict(
        f"The function {function} has a permission {name} that a config cannot express, so kappa "
        f"does not change it: {statement.foreign}",
        "Give the config's permission another statement_id, or remove that one yourself: "
        f"{aws(words)}",
    )


def plan_revoke(
    function: str, statement_id: str, statements: tuple[Statement, ...], alias: str = ""
) -> Plan:
    """Plan the removal of a permission that kappa gave, if it exists; a foreign one stays."""
    same_id = [statement for statement in statements if statement.statement_id == statement_id]
    if any(statement.foreign for statement in same_id):
        return [Note("kept", f"permission {statement_id} (kappa did not make it like this)")]
    return [_revoke(function, statement_id, alias)] if same_id else []


def _revoke(function: str, statement_id: str, alias: str, why: str = "") -> Step:
    return Step(
        "lambda",
        "remove_permission",
        {**function_params(function, alias), "StatementId": statement_id},
        "removed",
        f"permission {statement_id}{why}",
        settled=("ResourceNotFoundException",),
    )


def _canonical(action: str) -> str:
    """Write the action as AWS does; old configs have lambda:invokeFunction."""
    return "lambda:InvokeFunction" if action.lower() == "lambda:invokefunction" else action

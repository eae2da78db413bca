"""An existing function in the words of a config. Pure: it neither asks nor writes.

Access is never widened by accident: what a config cannot express whole is left out and named, so
that a later `deploy` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kappa import arn as arns
from kappa.aws.unknown_settings import as_text, list_unknown
from kappa.commands.adopt.read import Existing
from kappa.commands.init import POLICY
from kappa.config.model import URL_STATEMENT
from kappa.config.values import names_in
from kappa.function.permissions import Statement, grants
from kappa.iam.owner import config_name
from kappa.iam.owner import why_not_made as why_not_owned
from kappa.sources import url
from kappa.sources.url import PUBLIC

_ASYNC_KEYS: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(
        ("FunctionArn", "LastModified", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    ),
    "DestinationConfig": ("OnFailure", "OnSuccess"),
}


@dataclass(frozen=True)
class Described:
    """A config as plain values, and the names of what is not in it."""

    config: dict[str, Any]
    left_out: tuple[str, ...] = ()


def describe(existing: Existing, path: str, requirements: bool) -> Described:
    """Put a function into the words of a config. `path` is where its code lies, "" for none.

    `requirements`: the code holds a requirements.txt, which is installed already.
    """
    address = url.adopt(existing.url, existing.statements)
    section = next(iter(address.sections), {})
    given = permissions(existing, section)
    function = {
        **_settings(existing.function, path),
        **given.config,
        "event_sources": existing.sources or None,
        "url": section or None,
        "async": _asynchronous(existing.asynchronous),
        "log_retention_days": existing.log_group and existing.log_group.retention_days,
        "requirements": [] if requirements else None,
    }
    left_out = (
        *given.left_out,
        *address.left_out,
        *list_unknown(existing.asynchronous or {}, _ASYNC_KEYS, "asynchronous calls: "),
        *left_of_role(existing),
        *existing.without_key,
    )
    return Described({"iam": iam(existing), "lambda": function}, left_out)


def _settings(function: Mapping[str, Any], path: str) -> dict[str, Any]:
    has = function["Configuration"]
    tags = {k: v for k, v in function.get("Tags", {}).items() if not k.startswith("aws:")}
    storage = has.get("EphemeralStorage", {}).get("Size")
    snap_start = has.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions"
    return {
        "name": has["FunctionName"],
        "description": has.get("Description") or None,
        "path": path or None,
        "handler": has.get("Handler") or None,
        "runtime": has.get("Runtime") or None,
        "image": _image(function),
        "architectures": has.get("Architectures"),
        "memory_size": has.get("MemorySize"),
        "timeout": has.get("Timeout"),
        "ephemeral_storage_mb": storage if storage != 512 else None,
        "environment": has.get("Environment", {}).get("Variables") or None,
        "layers": [one["Arn"] for one in has.get("Layers", ())] or None,
        "vpc": _vpc(has.get("VpcConfig", {})),
        "tracing": "Active" if has.get("TracingConfig", {}).get("Mode") == "Active" else None,
        "kms_key": has.get("KMSKeyArn") or None,
        "tags": tags or None,
        "reserved_concurrency": function.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "dead_letter": has.get("DeadLetterConfig", {}).get("TargetArn") or None,
        "logging": _logging(has),
        "snap_start": True if snap_start else None,
    }


def _image(function: Mapping[str, Any]) -> dict[str, Any] | None:
    uri = function.get("Code", {}).get("ImageUri")
    if not uri:
        return None
    has = function["Configuration"].get("ImageConfigResponse", {}).get("ImageConfig", {})
    return {
        "uri": uri,
        "command": has.get("Command") or None,
        "entry_point": has.get("EntryPoint") or None,
        "working_directory": has.get("WorkingDirectory") or None,
    }


def _vpc(has: Mapping[str, Any]) -> dict[str, Any] | None:
    if not has.get("SubnetIds"):
        return None
    return {
        "subnet_ids": has["SubnetIds"],
        "security_group_ids": has["SecurityGroupIds"],
        "ipv6": True if has.get("Ipv6AllowedForDualStack") else None,
    }


def _logging(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    has = settings.get("LoggingConfig", {})
    group = has.get("LogGroup")
    said = {
        "format": has.get("LogFormat") if has.get("LogFormat") == "JSON" else None,
        "application_level": has.get("ApplicationLogLevel"),
        "system_level": has.get("SystemLogLevel"),
        "group": group if group != f"/aws/lambda/{settings['FunctionName']}" else None,
    }
    return said if any(said.values()) else None


def _asynchronous(has: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if has is None:
        return None
    to = has.get("DestinationConfig", {})
    said = {
        "maximum_retry_attempts": has.get("MaximumRetryAttempts"),
        "maximum_event_age_s": has.get("MaximumEventAgeInSeconds"),
        "on_failure": to.get("OnFailure", {}).get("Destination"),
        "on_success": to.get("OnSuccess", {}).get("Destination"),
    }
    return said if any(value is not None for value in said.values()) else None


def given_role(existing: Existing) -> dict[str, Any]:
    """The iam section that uses the role as it is, and touches neither it nor its policies."""
    return {"role": {"arn": existing.role["Arn"]}}


def why_not_made(existing: Existing) -> str:
    """Why the config only uses the role; "" if it makes it."""
    if existing.policy is None:
        return "has no policy, or several"
    if why := why_not_owned(existing.role):
        return why
    if names_in(as_text(existing.policy.get("Document", ""))):
        return "has a policy with a ${...} that kappa would fill in"
    return ""


def iam(existing: Existing) -> dict[str, Any]:
    """Put role and policy into the words of a config."""
    role, policy = existing.role, existing.policy
    if policy is None or why_not_made(existing):
        return given_role(existing)
    own = {"name": config_name(role, role["RoleName"]), "path": role["Path"]}
    if "Document" not in policy:
        # One of AWS's own: by ARN it is found whatever its path.
        return {"policy": {"arn": policy["Arn"]}, "role": own}
    return {
        "policy": {
            "name": config_name(policy, policy["PolicyName"]),
            "path": policy["Path"],
            "description": policy.get("Description") or None,
            "document": POLICY,
        },
        "role": own,
    }


def left_of_role(existing: Existing) -> tuple[str, ...]:
    """Name what the role has that kappa would not give it."""
    if why_not_made(existing):
        return ()
    role = existing.role
    kept = {
        "tags": [one for one in role.get("Tags", ()) if not one["Key"].startswith("kappa:")],
        "description": role.get("Description"),
        "session duration": role.get("MaxSessionDuration", 3600) != 3600,
    }
    kinds = ", ".join(kind for kind, value in kept.items() if value)
    return (f"of the role {role['RoleName']}: {kinds}",) if kinds else ()


def permissions(existing: Existing, address: Mapping[str, Any]) -> Described:
    """Write each statement, but what `url:` gives or takes away; name a foreign one with all."""
    own = [one for one in existing.statements if not one.foreign and _is_urls(one, address)]
    rest = [one for one in existing.statements if not one.foreign and one not in own]
    reserved = [one for one in rest if address and URL_STATEMENT.fullmatch(one.statement_id)]
    said = [_permission(one) for one in rest if one not in reserved]
    foreign = [f"{one.statement_id}: {one.foreign}" for one in existing.statements if one.foreign]
    taken = [
        f"{one.statement_id}: `deploy` takes it away, as the URL's auth is AWS_IAM"
        for one in own
        if address["auth"] == "AWS_IAM"
    ]
    named = [
        f"{one.statement_id}: the name is kappa's own beside `url`, so no config can say it"
        for one in reserved
    ]
    left_out = tuple(f"permission {words}" for words in (*foreign, *taken, *named))
    return Described({"permissions": said or None}, left_out)


def _is_urls(statement: Statement, address: Mapping[str, Any]) -> bool:
    """Whether the config's `url:` decides on a statement."""
    if address.get("auth") == "AWS_IAM":
        return statement.statement_id in [one.statement_id for one in PUBLIC]
    return address.get("auth") == "NONE" and any(grants(statement, one) for one in PUBLIC)


def _permission(statement: Statement) -> dict[str, Any]:
    """Put a statement into the words of a config's permission."""
    narrowed = (
        not arns.is_anybodys(statement.source_arn)
        or statement.source_account
        or statement.principal_org_id
        or statement.event_source_token
    )
    return {
        "statement_id": statement.statement_id,
        "principal": statement.principal,
        "action": statement.action,
        "source_arn": statement.source_arn or None,
        "source_account": statement.source_account or None,
        "principal_org_id": statement.principal_org_id or None,
        "event_source_token": statement.event_source_token or None,
        "function_url_auth_type": statement.url_auth or None,
        "invoked_via_function_url": statement.via_url or None,
        "public": True if statement.principal == "*" and not narrowed else None,
    }

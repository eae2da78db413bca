"""An existing function in the words of a config. Pure: it neither asks nor writes.

Access is never widened by accident: what a config cannot express whole is left out and named, so
that a later `deploy` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.arn import parse_arn
from kappa.commands.init_from.read import Existing
from kappa.commands.starter import POLICY
from kappa.config.function_rules import lets_anyone_in
from kappa.config.model import URL_STATEMENT
from kappa.config.settings import ASYNC, FUNCTION
from kappa.function.permissions import Statement, grants
from kappa.iam.owner import RESERVED, Owner, read_tags
from kappa.sources import url
from kappa.sources.url import PUBLIC


class Described(msgspec.Struct, frozen=True):
    """A config as plain values, and the names of what is not in it."""

    config: dict[str, Any]
    left_out: tuple[str, ...] = ()


def describe(existing: Existing, path: str, requirements: bool) -> Described:
    """Put a function into the words of a config. `path` is where its code lies, "" for none.

    `requirements`: the code holds a requirements.txt, which is installed already.
    """
    adopted_url = url.adopt(existing.url, existing.statements)
    url_section = next(iter(adopted_url.sections), {})
    given = permissions(existing, url_section)
    function = {
        **_settings(existing.function, path),
        **given.config,
        "event_sources": existing.sources or None,
        "url": url_section or None,
        "async": ASYNC.section(existing.asynchronous or {}) or None,
        "log_retention_days": existing.log_group and existing.log_group.retention_days,
        "requirements": [] if requirements else None,
    }
    left_out = (
        *given.left_out,
        *adopted_url.left_out,
        *left_of_role(existing),
        *existing.without_key,
    )
    return Described({"iam": iam(existing), "lambda": function}, left_out)


def _settings(function: Mapping[str, Any], path: str) -> dict[str, Any]:
    settings = function["Configuration"]
    tags = {k: v for k, v in function.get("Tags", {}).items() if not k.startswith(RESERVED)}
    own = FUNCTION.section(settings)
    uri = function.get("Code", {}).get("ImageUri")
    first = {key: own.pop(key, None) for key in ("description", "handler", "runtime")}
    return {
        "name": settings["FunctionName"],
        "path": path or None,
        **first,
        "architectures": settings.get("Architectures"),
        **own,
        "image": {"uri": uri, **own.get("image", {})} if uri else None,
        "tags": tags or None,
        "reserved_concurrency": function.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
    }


def given_role(existing: Existing) -> dict[str, Any]:
    """The iam section that uses the role as it is, and touches neither it nor its policies."""
    return {"role": {"arn": existing.role["Arn"]}}


def why_not_made(existing: Existing) -> str:
    """Why the config only uses the role; "" if it makes it."""
    if existing.policy is None:
        return "has no policy, or several"
    owner = Owner(parse_arn(existing.function["Configuration"]["FunctionArn"]).region)
    if not owner.owns(read_tags(existing.role)):
        return "was not made by kappa in this region"
    if "Document" in existing.policy and not owner.owns(read_tags(existing.policy)):
        return "has a policy that was not made by kappa in this region"
    return ""


def iam(existing: Existing) -> dict[str, Any]:
    """Put role and policy into the words of a config."""
    role, policy = existing.role, existing.policy
    if policy is None or why_not_made(existing):
        return given_role(existing)
    own = {"name": role["RoleName"], "path": role["Path"]}
    if "Document" not in policy:
        # One of AWS's own: by ARN it is found whatever its path.
        return {"policy": {"arn": policy["Arn"]}, "role": own}
    return {
        "policy": {
            "name": policy["PolicyName"],
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
        "tags": [tag for tag in role.get("Tags", ()) if not tag["Key"].startswith("kappa:")],
        "description": role.get("Description"),
        "session duration": role.get("MaxSessionDuration", 3600) != 3600,
    }
    kinds = ", ".join(kind for kind, value in kept.items() if value)
    return (f"of the role {role['RoleName']}: {kinds}",) if kinds else ()


def permissions(existing: Existing, url_section: Mapping[str, Any]) -> Described:
    """Write each statement, except those that url: adds or removes.

    Name those that a config cannot express.
    """
    plain = [statement for statement in existing.statements if not statement.foreign]
    foreign = [statement for statement in existing.statements if statement.foreign]
    of_url = [statement for statement in plain if _is_urls(statement, url_section)]
    others = [statement for statement in plain if statement not in of_url]
    reserved = [
        statement
        for statement in others
        if url_section and URL_STATEMENT.fullmatch(statement.statement_id)
    ]
    written = [_permission(statement) for statement in others if statement not in reserved]
    taken = of_url if url_section.get("auth") == "AWS_IAM" else []
    left_out = (
        *(f"{statement.statement_id}: {statement.foreign}" for statement in foreign),
        *(
            f"{statement.statement_id}: `deploy` takes it away, as the URL's auth is AWS_IAM"
            for statement in taken
        ),
        *(
            f"{statement.statement_id}: beside url, this name is reserved for kappa"
            for statement in reserved
        ),
    )
    names = tuple(f"permission {words}" for words in left_out)
    return Described({"permissions": written or None}, names)


def _is_urls(statement: Statement, url_section: Mapping[str, Any]) -> bool:
    """Whether the config's `url:` decides on a statement."""
    if url_section.get("auth") == "AWS_IAM":
        return statement.statement_id in [public.statement_id for public in PUBLIC]
    return url_section.get("auth") == "NONE" and any(grants(statement, public) for public in PUBLIC)


def _permission(statement: Statement) -> dict[str, Any]:
    """Put a statement into the words of a config's permission."""
    anyone = lets_anyone_in(
        statement.principal,
        statement.source_arn,
        statement.source_account,
        statement.principal_org_id,
        statement.event_source_token,
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
        "public": anyone or None,
    }

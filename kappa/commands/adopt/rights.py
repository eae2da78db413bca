"""Role and permissions of an existing function in the words of a config. Pure.

Access is never widened by accident: what a config cannot express whole is left out and named, so
that a later `deploy` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa import arn as arns
from kappa.aws.unknown_settings import as_text
from kappa.commands.adopt.found import FILLED, POLICY_FILE, Adopted, Found
from kappa.config.model import URL_STATEMENT
from kappa.function.permissions import Statement, grants
from kappa.iam import owner as iamowner
from kappa.iam.owner import config_name
from kappa.sources.url import PUBLIC


def given_role(found: Found) -> dict[str, Any]:
    """The iam section that uses the role as it is, and touches neither it nor its policies."""
    return {"role": {"arn": found.role["Arn"]}}


def why_not_made(found: Found) -> str:
    """Why the config only uses the role; "" if it makes it."""
    if found.policy is None:
        return "has no policy, or several"
    if why := iamowner.why_not_made(found.role):
        return why
    if FILLED.search(as_text(found.policy.get("Document", ""))):
        return "has a policy with a ${...} that kappa would fill in"
    return ""


def iam(found: Found) -> dict[str, Any]:
    """Put role and policy into the words of a config."""
    role, policy = found.role, found.policy
    if policy is None or why_not_made(found):
        return given_role(found)
    own = {"name": config_name(role, role["RoleName"]), "path": role["Path"]}
    if "Document" not in policy:
        # One of AWS's own: by ARN it is found whatever its path.
        return {"policy": {"arn": policy["Arn"]}, "role": own}
    return {
        "policy": {
            "name": config_name(policy, policy["PolicyName"]),
            "path": policy["Path"],
            "description": policy.get("Description") or None,
            "document": POLICY_FILE,
        },
        "role": own,
    }


def left_of_role(found: Found) -> tuple[str, ...]:
    """Name what the role has that kappa would not give it."""
    if why_not_made(found):
        return ()
    role = found.role
    kept = {
        "tags": [one for one in role.get("Tags", ()) if not one["Key"].startswith("kappa:")],
        "description": role.get("Description"),
        "session duration": role.get("MaxSessionDuration", 3600) != 3600,
    }
    kinds = ", ".join(kind for kind, value in kept.items() if value)
    return (f"of the role {role['RoleName']}: {kinds}",) if kinds else ()


def permissions(found: Found, address: Mapping[str, Any]) -> Adopted:
    """Write each statement, but what `url:` gives or takes away; name a foreign one with all."""
    own = [one for one in found.statements if not one.foreign and _is_urls(one, address)]
    rest = [one for one in found.statements if not one.foreign and one not in own]
    reserved = [one for one in rest if address and URL_STATEMENT.fullmatch(one.statement_id)]
    said = [_permission(one) for one in rest if one not in reserved]
    foreign = [f"{one.statement_id}: {one.foreign}" for one in found.statements if one.foreign]
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
    return Adopted({"permissions": said or None}, left_out)


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

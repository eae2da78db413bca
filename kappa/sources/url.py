"""The function's URL: an HTTPS endpoint for callers with AWS keys or for anyone.

Like a kind of event source it is read, planned, described and adopted here. But a function and
each alias have at most one, with its own permissions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from kappa.arn import describe_qualifier
from kappa.aws import Aws
from kappa.config.model import Config, Permission, Url
from kappa.config.settings import URL
from kappa.errors import NotFound
from kappa.function.params import function_params
from kappa.function.permissions import Statement, grants, plan_grant, plan_revoke
from kappa.plan.step import Note, Plan, Recheck, Step
from kappa.sources.kind import Adopted, Part, Reading
from kappa.sources.state import SourcesState

# Its name in reports, and its key beside those of event sources, none of which has a space.
LABEL = "function URL"
# Stands for the address of a new URL in a message, which AWS's answer fills in.
_ADDRESS = "(new)"
# Source: AWS Lambda API reference, "AddPermission", StatementId.
_MAX_ID_LENGTH = 100
# Since October 2025 a public URL needs both. The second only grants calls through the URL.
# Source: AWS Lambda guide, "Control access to Lambda function URLs".
PUBLIC = (
    Permission(
        statement_id="kappa-url",
        principal="*",
        action="lambda:InvokeFunctionUrl",
        function_url_auth_type="NONE",
    ),
    Permission(statement_id="kappa-url-invoke", principal="*", invoked_via_function_url=True),
)


def read(reading: Reading, alias: str) -> Mapping[str, Any] | None:
    """Read the URL of the function or of one of its aliases; None if there is none."""
    return read_url(reading.aws, reading.config.function.name, alias)


def read_url(aws: Aws, name: str, alias: str = "") -> Mapping[str, Any] | None:
    """Read the URL of a function or of one of its aliases; None if there is none."""
    params = function_params(name, alias)
    doing = f"reading the URL of {name}"
    try:
        return aws.call("lambda", "get_function_url_config", doing, params)
    except NotFound:
        return None


def plan(
    config: Config, desired: Url, state: SourcesState, statements: tuple[Statement, ...]
) -> Part:
    """Plan the URL or its changes; auth NONE includes the permissions for anyone."""
    public, alias = desired.auth == "NONE", config.function.alias
    lacking = _grants(config, statements) if public else []
    revokes = [] if public else _revokes(config, alias, statements)
    names = function_params(config.function.name, alias)
    current, after = state.urls.get(alias), _moved(config, state)
    if current is None:
        step = _step(
            "create_function_url_config", {**names, **URL.sent(desired, {})}, "created", desired
        )
        step = replace(
            step,
            fills={_ADDRESS: "FunctionUrl"},
            recheck=Recheck("get_function_url_config", names, partial(_is_made, desired)),
            conflict_hint="Another deploy has just made a different one: "
            "run the same command again.",
        )
        return Part(state.leaves(state.urls), [step, *revokes], lacking, after)
    # `cors` is taken as a whole: what it leaves out is not allowed.
    sent = URL.sent(desired, {})
    changed = {member: sent[member] for member in URL.differing(sent, current)}
    if not changed:
        note = Note("unchanged", f"{LABEL} {current['FunctionUrl']}")
        return Part(True, [note, *revokes], lacking, after)
    step = _step("update_function_url_config", {**names, **changed}, "updated", desired, current)
    if "AuthType" in changed:
        # The permissions are items, so that a command which skips this step skips them too.
        return Part(True, [*lacking, step, *revokes], after=after)
    return Part(True, [step, *revokes], lacking, after)


def plan_remove(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of the config's URL. AWS never assigns the same address again."""
    own = dict.fromkeys((config.function.alias, ""))
    items = [item for alias in own for item in _remove(config, state, alias)]
    return items if any(alias in state.urls for alias in own) else [Note("gone", LABEL), *items]


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every URL, before the function is deleted."""
    return [_delete(config, state, alias) for alias in sorted(state.urls)]


def _moved(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of the function's own URL, once the URL is on the config's alias."""
    return _remove(config, state, "") if state.qualifier else []


def elsewhere(state: SourcesState) -> list[str]:
    """The other aliases that have a URL, as far as they were read."""
    return sorted(alias for alias in state.urls if not state.is_own(alias))


def _remove(config: Config, state: SourcesState, alias: str) -> Plan:
    """Plan the removal of the URL and of kappa's permissions for it."""
    delete = [_delete(config, state, alias)] if alias in state.urls else []
    return [*delete, *_revokes(config, alias, state.statements.get(alias, ()))]


def _delete(config: Config, state: SourcesState, alias: str) -> Step:
    where = f" of the alias {alias}" if alias else ""
    return Step(
        "lambda",
        "delete_function_url_config",
        function_params(config.function.name, alias),
        "removed",
        f"{LABEL} {state.urls[alias]['FunctionUrl']}{where}",
        settled=("ResourceNotFoundException",),
    )


def _is_made(desired: Url, current: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return not URL.differing(URL.sent(desired, {}), current)


def _step(
    operation: str,
    params: Mapping[str, Any],
    mark: str,
    desired: Url,
    current: Mapping[str, Any] | None = None,
) -> Step:
    who = "anyone may call it" if desired.auth == "NONE" else "for callers with AWS keys"
    changed = {key: current.get(key) for key in params if key in URL.members} if current else {}
    words = f": {', '.join(changed)}" if changed else f" ({who})"
    address = current["FunctionUrl"] if current else _ADDRESS
    return Step("lambda", operation, params, mark, f"{LABEL} {address}{words}", before=changed)


def _grants(config: Config, statements: tuple[Statement, ...]) -> list[Step | Note]:
    name, alias = config.function.name, config.function.alias
    lacking = [
        permission
        for permission in PUBLIC
        if not any(grants(statement, permission) for statement in statements)
    ]
    named = [
        replace(permission, statement_id=_named(permission.statement_id, alias))
        for permission in lacking
    ]
    return [
        item
        for permission in named
        for item in plan_grant(name, permission, statements, alias, config.aws)
    ]


def _named(statement_id: str, alias: str) -> str:
    """The id of a permission; an alias's id includes its name, shortened to AWS's limit."""
    name = f"{statement_id}-{alias}" if alias else statement_id
    if len(name) <= _MAX_ID_LENGTH:
        return name
    digest = hashlib.sha256(alias.encode()).hexdigest()[:8]
    return f"{name[: _MAX_ID_LENGTH - len(digest) - 1]}-{digest}"


def _revokes(config: Config, alias: str, statements: tuple[Statement, ...]) -> list[Step | Note]:
    """Plan the removal of kappa's permissions."""
    name = config.function.name
    return [
        item
        for permission in PUBLIC
        for item in plan_revoke(name, _named(permission.statement_id, alias), statements, alias)
    ]


def describe(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    """Describe each qualifier's URL for a status, the config's first."""
    if config.function.url is None:
        return []
    names = {"arn": "", "name": "url", "service": "url"}
    own = config.function.alias
    rows: list[dict[str, Any]] = []
    if own not in state.urls:
        rows.append({**names, "configured": True, "state": "missing"})
    for alias, current in sorted(state.urls.items(), key=lambda item: item[0] != own):
        problem = _problem(config, alias, state)
        rows.append(
            {
                **names,
                "configured": alias == own,
                "qualifiers": [alias or "$LATEST"],
                "state": current["AuthType"],
                "url": current["FunctionUrl"],
                "cors": current.get("Cors"),
                **({"problem": problem} if problem else {}),
            }
        )
    return rows


def _problem(config: Config, alias: str, state: SourcesState) -> str:
    """Why a URL is in the wrong place or refuses callers; "" if it is and does as it should."""
    fix = f"Fix it: {config.command('deploy')}"
    if alias == "" and state.qualifier:
        where = describe_qualifier(config.function.alias)
        return f"on the function itself, and the config says {where}. {fix}"
    statements = state.statements.get(alias)
    if state.urls[alias]["AuthType"] != "NONE" or statements is None or is_open(statements):
        return ""
    return f"a permission for anyone is missing: AWS refuses callers. {fix}"


def is_open(statements: tuple[Statement, ...]) -> bool:
    """Whether statements grant anyone both permissions of `auth: NONE`."""
    return all(
        any(grants(statement, permission) for statement in statements) for permission in PUBLIC
    )


def adopt(current: Mapping[str, Any] | None, statements: tuple[Statement, ...]) -> Adopted:
    """Turn the URL into the config's section `url`, unless that would grant more access."""
    if current is None:
        return Adopted()
    if current["AuthType"] == "NONE" and not is_open(statements):
        return Adopted(
            left_out=(
                f"URL {current.get('FunctionUrl', '')} (auth NONE): not everybody may call it; "
                "`url: {auth: NONE}` would let them",
            ),
        )
    return Adopted((URL.section(current),))

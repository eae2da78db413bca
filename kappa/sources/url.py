"""The function's URL: an HTTPS address of its own, for callers with AWS keys or for anyone.

Like a kind of event source it is read, planned, described and adopted here; but a function and each
of its aliases has one at most, and its permissions are its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from kappa import arn as arns
from kappa.aws.client import Aws
from kappa.aws.unknown_settings import list_unknown
from kappa.config.model import Config, Cors, Permission, Url
from kappa.errors import NotFound
from kappa.function.permissions import Statement, grants, plan_grant, plan_revoke
from kappa.plan.step import Look, Note, Plan, Step
from kappa.sources.kind import Adopted, Part, Reading
from kappa.sources.state import SourcesState

# What a report calls it; its key too, beside those of event sources, none of which has a space.
LABEL = "function URL"
# Source: AWS Lambda API reference, "AddPermission", StatementId.
_LONGEST_ID = 100
# Source: AWS Lambda guide, "Control access to Lambda function URLs": since October 2025 a public
# URL needs both; the second is no grant to call the function in any other way.
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
    params = {"FunctionName": name, **({"Qualifier": alias} if alias else {})}
    doing = f"reading the URL of {name}"
    try:
        return aws.call("lambda", "get_function_url_config", doing, params)
    except NotFound:
        return None


def plan(
    config: Config, wanted: Url, state: SourcesState, statements: tuple[Statement, ...]
) -> Part:
    """Plan the URL, or what differs of it; for auth NONE with the permission for anyone."""
    if _shut(config, wanted, state):
        return Part(True, [_closed(config, state)], after=_others(config, state))
    public = wanted.auth == "NONE"
    given = _grants(config, statements) if public else []
    revokes = [] if public else _revokes(config, config.qualifier, statements)
    names, current = _names(config, config.qualifier), state.urls.get(config.qualifier)
    away, after = _away(config, state), _others(config, state)
    if current is None:
        step = _step("create_function_url_config", {**names, **_params(wanted)}, "created", wanted)
        step = dataclasses.replace(
            step,
            look=Look("get_function_url_config", names, partial(_is_made, wanted)),
            conflict_hint="Another deploy made one just now, which differs: "
            "run the same command again.",
        )
        return Part(bool(away), [step, *revokes], given, bool(away), after)
    changed = {
        key: value for key, value in _params(wanted).items() if not _same(current, key, value)
    }
    if not changed:
        return Part(True, [Note("unchanged", LABEL), *revokes], given, after=after)
    step = _step("update_function_url_config", {**names, **changed}, "updated", wanted, current)
    if "AuthType" in changed:
        # A command that leaves the URL closed has no use for the permissions either.
        return Part(True, [*given, step, *revokes], after=after)
    return Part(True, [step, *revokes], given, after=after)


def plan_remove(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of the URL: AWS will never give the same address again.

    Where the function has several, those that kappa made; one of others is named and stays.
    """
    ours = [config.qualifier, *_away(config, state)]
    existing = [alias for alias in ours if alias in state.urls]
    return [
        *([] if existing else [Note("gone", LABEL)]),
        *(item for alias in existing for item in _remove(config, state, alias)),
        *([] if existing else _revokes(config, config.qualifier, _given(state, config.qualifier))),
        *_left(config, state),
        *(_stranger(config, state, alias) for alias in sorted(set(state.urls) - set(ours))),
    ]


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every URL, before the function goes: its door is closed first."""
    return [_delete(config, state, alias) for alias in sorted(state.urls)]


def own(state: SourcesState) -> frozenset[str]:
    """Qualifiers whose URL kappa made: its own permission for anyone stands beside it, by its name.

    A URL for callers with AWS keys needs no permission, so of that it cannot be told.
    """
    return frozenset(
        alias
        for alias in state.urls
        for statement in _given(state, alias)
        if statement.statement_id in _ids(alias) and any(grants(statement, each) for each in PUBLIC)
    )


def _away(config: Config, state: SourcesState) -> list[str]:
    """Of the other qualifiers with a URL: where kappa made it, or the function, if it is alone."""
    alone = {""} if set(state.urls) == {""} else set()
    return sorted((own(state) | alone) - {config.qualifier})


def _others(config: Config, state: SourcesState) -> list[Step | Note]:
    """Plan what becomes of the other qualifiers: kappa's own goes, the rest is named."""
    away = _away(config, state)
    strangers = sorted(set(state.urls) - {config.qualifier, *away})
    return [
        *(item for other in away for item in _remove(config, state, other)),
        *(_stranger(config, state, other) for other in strangers),
        *_left(config, state),
    ]


def _shut(config: Config, wanted: Url, state: SourcesState) -> bool:
    """Whether somebody else may have closed the URL, on an alias that nobody has named."""
    alias = config.bound
    current = state.urls.get(alias) if alias else None
    return bool(
        current and current["AuthType"] != wanted.auth == "NONE" and alias not in own(state)
    )


def _closed(config: Config, state: SourcesState) -> Note:
    alias = config.qualifier
    current = state.urls[alias]
    again = config.command(f"deploy --alias {alias}")
    return Note(
        "kept",
        f"{LABEL} {current['FunctionUrl']} of the alias {alias} ({current['AuthType']}; kappa "
        f"cannot tell that it made it; to open it to anyone: {again})",
    )


def _left(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of permissions for a URL that another qualifier has no more."""
    others = sorted(set(state.statements) - set(state.urls) - {config.qualifier})
    return [item for alias in others for item in _revokes(config, alias, _given(state, alias))]


def _given(state: SourcesState, alias: str) -> tuple[Statement, ...]:
    return tuple(
        statement for statement in state.statements.get(alias, ()) if not statement.foreign
    )


def _remove(config: Config, state: SourcesState, alias: str) -> Plan:
    statements = state.statements.get(alias, ())
    return [_delete(config, state, alias), *_revokes(config, alias, statements)]


def _delete(config: Config, state: SourcesState, alias: str) -> Step:
    where = f" of the alias {alias}" if alias else ""
    return Step(
        "lambda",
        "delete_function_url_config",
        _names(config, alias),
        "removed",
        f"{LABEL} {state.urls[alias]['FunctionUrl']}{where}",
        settled=("ResourceNotFoundException",),
    )


def _stranger(config: Config, state: SourcesState, alias: str) -> Note:
    current = state.urls[alias]
    qualifier = f" --qualifier {alias}" if alias else ""
    words = f"lambda delete-function-url-config --function-name {config.function.name}{qualifier}"
    return Note(
        "kept",
        f"{LABEL} {current['FunctionUrl']} of {arns.words(alias)} ({current['AuthType']}; kappa "
        f"cannot tell that it made it; to remove it: {config.aws(words)})",
    )


def _names(config: Config, alias: str) -> dict[str, str]:
    return {"FunctionName": config.function.name, **({"Qualifier": alias} if alias else {})}


def _params(wanted: Url) -> dict[str, Any]:
    params: dict[str, Any] = {"AuthType": wanted.auth}
    if wanted.cors is not None:
        params["Cors"] = _cors(wanted.cors)
    if wanted.invoke_mode is not None:
        params["InvokeMode"] = wanted.invoke_mode
    return params


def _cors(cors: Cors) -> dict[str, Any]:
    params = {
        "AllowCredentials": cors.allow_credentials,
        "AllowHeaders": list(cors.allow_headers) or None,
        "AllowMethods": list(cors.allow_methods) or None,
        "AllowOrigins": list(cors.allow_origins) or None,
        "ExposeHeaders": list(cors.expose_headers) or None,
        "MaxAge": cors.max_age_s,
    }
    return {key: value for key, value in params.items() if value is not None}


def _same(current: Mapping[str, Any], key: str, value: object) -> bool:
    if key != "Cors" or not isinstance(value, dict):
        return current.get(key) == value
    return _comparable(current.get("Cors") or {}) == _comparable(value)


def _is_made(wanted: Url, current: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return all(_same(current, key, value) for key, value in _params(wanted).items())


def _comparable(cors: Mapping[str, Any]) -> dict[str, object]:
    """Lambda writes headers in lower case and keeps no order; what is empty is not there."""
    return {
        name: frozenset(item.lower() if name.endswith("Headers") else item for item in value)
        if isinstance(value, list)
        else value
        for name, value in cors.items()
        if value
    }


def _step(
    operation: str,
    params: Mapping[str, Any],
    mark: str,
    wanted: Url,
    current: Mapping[str, Any] | None = None,
) -> Step:
    who = "anyone may call it" if wanted.auth == "NONE" else "for callers with AWS keys"
    changed = {key: current.get(key) for key in params if key in _params(wanted)} if current else {}
    words = f": {', '.join(changed)}" if changed else f" ({who})"
    return Step("lambda", operation, params, mark, LABEL + words, before=changed)


def _grants(config: Config, statements: tuple[Statement, ...]) -> list[Step | Note]:
    name, alias = config.function.name, config.qualifier
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
    """Name a permission; an alias's has a name of its own, shortened where AWS takes no more."""
    name = f"{statement_id}-{alias}" if alias else statement_id
    if len(name) <= _LONGEST_ID:
        return name
    digest = hashlib.sha256(alias.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_ID - len(digest) - 1]}-{digest}"


def _ids(alias: str) -> list[str]:
    """Name what kappa gives on a qualifier; of an alias too what earlier versions named so."""
    names = [permission.statement_id for permission in PUBLIC]
    return list(dict.fromkeys(text for name in names for text in (_named(name, alias), name)))


def _revokes(config: Config, alias: str, statements: tuple[Statement, ...]) -> list[Step | Note]:
    """Plan the removal of what kappa gave."""
    name = config.function.name
    return [
        item
        for statement_id in _ids(alias)
        for item in plan_revoke(name, statement_id, statements, alias)
    ]


def describe(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    """Say of each qualifier's URL what a status shows, that of the config first."""
    if config.function.url is None:
        return []
    names = {"arn": "", "name": "url", "service": "url"}
    rows: list[dict[str, Any]] = []
    if config.qualifier not in state.urls:
        rows.append({**names, "configured": True, "state": "missing"})
    for alias, current in sorted(state.urls.items(), key=lambda item: item[0] != config.qualifier):
        is_configs = alias == config.qualifier
        problem = f"{current['FunctionUrl']} is of {arns.words(alias)}, not the config's"
        if is_configs:
            problem = _problem(config, alias, state)
        rows.append(
            {
                **names,
                "configured": is_configs,
                "qualifiers": [alias or "$LATEST"],
                "state": current["AuthType"],
                "url": current["FunctionUrl"],
                "cors": current.get("Cors"),
                **({"problem": problem} if problem else {}),
            }
        )
    return rows


def _problem(config: Config, alias: str, state: SourcesState) -> str:
    """Say that a URL for anyone lets nobody in; "" if it does, or if it is for others."""
    statements = state.statements.get(alias)
    if state.urls[alias]["AuthType"] != "NONE" or statements is None or is_open(statements):
        return ""
    return (
        "a permission for anyone is missing: AWS refuses callers. "
        f"Mend it: {config.command('deploy')}"
    )


def is_open(statements: tuple[Statement, ...]) -> bool:
    """Whether statements let anyone in, as `auth: NONE` does: with both of its permissions."""
    return all(
        any(grants(statement, permission) for statement in statements) for permission in PUBLIC
    )


# A config's keys of `cors`, and AWS's.
_CORS_KEYS = {
    "allow_credentials": "AllowCredentials",
    "allow_headers": "AllowHeaders",
    "allow_methods": "AllowMethods",
    "allow_origins": "AllowOrigins",
    "expose_headers": "ExposeHeaders",
    "max_age_s": "MaxAge",
}
# What a config expresses of a URL, and what AWS only reports; None: the whole of it.
_KNOWN: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(
    (
        "AuthType",
        "Cors",
        "CreationTime",
        "FunctionArn",
        "FunctionUrl",
        "InvokeMode",
        "LastModifiedTime",
    )
)


def adopt(current: Mapping[str, Any] | None, statements: tuple[Statement, ...]) -> Adopted:
    """Say the URL as the config's section `url`, unless that would let in who is kept out today."""
    if current is None:
        return Adopted()
    if current["AuthType"] == "NONE" and not is_open(statements):
        return Adopted(
            left_out=(
                f"URL {current.get('FunctionUrl', '')} (auth NONE): not everybody may call it; "
                "`url: {auth: NONE}` would let them",
            ),
        )
    cors = {key: current.get("Cors", {}).get(name) for key, name in _CORS_KEYS.items()}
    mode = current.get("InvokeMode")
    section = {
        "auth": current["AuthType"],
        "cors": {key: value for key, value in cors.items() if value} or None,
        "invoke_mode": mode if mode != "BUFFERED" else None,
    }
    return Adopted((section,), tuple(list_unknown(current, _KNOWN, "URL: ")))

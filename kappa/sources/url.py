"""The function's URL: an HTTPS address of its own, for callers with AWS keys or for anyone."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from kappa import arn as arns
from kappa.config.model import Config, Cors, Permission, Url
from kappa.function.permissions import Statement, grants, plan_grant, plan_revoke
from kappa.plan.step import Already, Look, Plan, Step
from kappa.sources.part import Part
from kappa.sources.state import SourcesState

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


def plan(
    config: Config, wanted: Url, state: SourcesState, statements: tuple[Statement, ...]
) -> Part:
    """Plan the URL, or what differs of it; for auth NONE with the permission for anyone."""
    if _shut(config, wanted, state):
        return Part(True, [_closed(config, state)], after=_others(config, state))
    public = wanted.auth == "NONE"
    given = _grants(config, statements) if public else []
    revokes = [] if public else _revokes(config, config.qualifier, statements)
    names, has = _names(config, config.qualifier), state.urls.get(config.qualifier)
    away, after = _away(config, state), _others(config, state)
    if has is None:
        step = _step("create_function_url_config", {**names, **_params(wanted)}, "created", wanted)
        step = dataclasses.replace(
            step,
            look=Look("get_function_url_config", names, partial(_is_made, wanted)),
            conflict_hint="Another deploy made one just now, which differs: "
            "run the same command again.",
        )
        return Part(bool(away), [step, *revokes], given, bool(away), after)
    changed = {key: value for key, value in _params(wanted).items() if not _same(has, key, value)}
    if not changed:
        return Part(True, [Already("unchanged", LABEL), *revokes], given, after=after)
    step = _step("update_function_url_config", {**names, **changed}, "updated", wanted, has)
    if "AuthType" in changed:
        # A command that leaves the URL closed has no use for the permissions either.
        return Part(True, [*given, step, *revokes], after=after)
    return Part(True, [step, *revokes], given, after=after)


def plan_remove(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of the URL: AWS will never give the same address again.

    Where the function has several, those that kappa made; one of others is named and stays.
    """
    ours = [config.qualifier, *_away(config, state)]
    there = [one for one in ours if one in state.urls]
    return [
        *([] if there else [Already("gone", LABEL)]),
        *(item for one in there for item in _remove(config, state, one)),
        *([] if there else _revokes(config, config.qualifier, _given(state, config.qualifier))),
        *_left(config, state),
        *(_stranger(config, state, one) for one in sorted(set(state.urls) - set(ours))),
    ]


def plan_delete(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of every URL, before the function goes: its door is closed first."""
    return [_delete(config, state, one) for one in sorted(state.urls)]


def own(state: SourcesState) -> frozenset[str]:
    """Qualifiers whose URL kappa made: its own permission for anyone stands beside it, by its name.

    A URL for callers with AWS keys needs no permission, so of that it cannot be told.
    """
    return frozenset(
        alias
        for alias in state.urls
        for one in _given(state, alias)
        if one.statement_id in _ids(alias) and any(grants(one, each) for each in PUBLIC)
    )


def _away(config: Config, state: SourcesState) -> list[str]:
    """Of the other qualifiers with a URL: where kappa made it, or the function, if it is alone."""
    alone = {""} if set(state.urls) == {""} else set()
    return sorted((own(state) | alone) - {config.qualifier})


def _others(config: Config, state: SourcesState) -> list[Step | Already]:
    """Plan what becomes of the other qualifiers: kappa's own goes, the rest is named."""
    away = _away(config, state)
    strangers = sorted(set(state.urls) - {config.qualifier, *away})
    return [
        *(item for one in away for item in _remove(config, state, one)),
        *(_stranger(config, state, one) for one in strangers),
        *_left(config, state),
    ]


def _shut(config: Config, wanted: Url, state: SourcesState) -> bool:
    """Whether somebody else may have closed the URL, on an alias that nobody has named."""
    alias = config.bound
    has = state.urls.get(alias) if alias else None
    return bool(has and has["AuthType"] != wanted.auth == "NONE" and alias not in own(state))


def _closed(config: Config, state: SourcesState) -> Already:
    alias = config.qualifier
    has = state.urls[alias]
    return Already(
        "kept",
        f"{LABEL} {has['FunctionUrl']} of the alias {alias} ({has['AuthType']}; kappa cannot tell "
        f"that it made it; to open it to anyone: {config.command(f'deploy --alias {alias}')})",
    )


def _left(config: Config, state: SourcesState) -> Plan:
    """Plan the removal of permissions for a URL that another qualifier has no more."""
    others = sorted(set(state.statements) - set(state.urls) - {config.qualifier})
    return [item for one in others for item in _revokes(config, one, _given(state, one))]


def _given(state: SourcesState, alias: str) -> tuple[Statement, ...]:
    return tuple(one for one in state.statements.get(alias, ()) if not one.foreign)


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


def _stranger(config: Config, state: SourcesState, alias: str) -> Already:
    has = state.urls[alias]
    qualifier = f" --qualifier {alias}" if alias else ""
    words = f"lambda delete-function-url-config --function-name {config.function.name}{qualifier}"
    return Already(
        "kept",
        f"{LABEL} {has['FunctionUrl']} of {arns.words(alias)} ({has['AuthType']}; kappa cannot "
        f"tell that it made it; to remove it: {config.aws(words)})",
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
    said = {
        "AllowCredentials": cors.allow_credentials,
        "AllowHeaders": list(cors.allow_headers) or None,
        "AllowMethods": list(cors.allow_methods) or None,
        "AllowOrigins": list(cors.allow_origins) or None,
        "ExposeHeaders": list(cors.expose_headers) or None,
        "MaxAge": cors.max_age_s,
    }
    return {key: value for key, value in said.items() if value is not None}


def _same(has: Mapping[str, Any], key: str, value: object) -> bool:
    if key != "Cors" or not isinstance(value, dict):
        return has.get(key) == value
    return _comparable(has.get("Cors") or {}) == _comparable(value)


def _is_made(wanted: Url, has: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
    return all(_same(has, key, value) for key, value in _params(wanted).items())


def _comparable(cors: Mapping[str, Any]) -> dict[str, object]:
    """Lambda writes headers in lower case and keeps no order; what is empty is not there."""
    return {
        name: frozenset(one.lower() if name.endswith("Headers") else one for one in value)
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
    has: Mapping[str, Any] | None = None,
) -> Step:
    who = "anyone may call it" if wanted.auth == "NONE" else "for callers with AWS keys"
    changed = {key: has.get(key) for key in params if key in _params(wanted)} if has else {}
    words = f": {', '.join(changed)}" if changed else f" ({who})"
    return Step("lambda", operation, params, mark, LABEL + words, before=changed)


def _grants(config: Config, statements: tuple[Statement, ...]) -> list[Step | Already]:
    name, alias = config.function.name, config.qualifier
    lacking = [one for one in PUBLIC if not any(grants(has, one) for has in statements)]
    named = [replace(one, statement_id=_named(one.statement_id, alias)) for one in lacking]
    return [item for one in named for item in plan_grant(name, one, statements, alias, config.aws)]


def _named(statement_id: str, alias: str) -> str:
    """Name a permission; an alias's has a name of its own, shortened where AWS takes no more."""
    name = f"{statement_id}-{alias}" if alias else statement_id
    if len(name) <= _LONGEST_ID:
        return name
    digest = hashlib.sha256(alias.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_ID - len(digest) - 1]}-{digest}"


def _ids(alias: str) -> list[str]:
    """Name what kappa gives on a qualifier; of an alias too what earlier versions named so."""
    names = [one.statement_id for one in PUBLIC]
    return list(dict.fromkeys(text for one in names for text in (_named(one, alias), one)))


def _revokes(config: Config, alias: str, statements: tuple[Statement, ...]) -> list[Step | Already]:
    """Plan the removal of what kappa gave."""
    name = config.function.name
    return [item for one in _ids(alias) for item in plan_revoke(name, one, statements, alias)]

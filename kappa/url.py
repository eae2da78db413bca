"""The function's URL: an HTTPS address of its own, for callers with AWS keys or for anyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.part import Part
from kappa.permissions import Statement, grants, plan_grant, plan_revoke
from kappa.settings import Config, Permission
from kappa.sourcesettings import Cors, Url
from kappa.sourcestate import SourcesState
from kappa.steps import Already, Plan, Step

LABEL = "function URL"
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
    public = wanted.auth == "NONE"
    given = _grants(config, statements) if public else []
    revokes = [] if public else _revokes(config, statements)
    names = _names(config)
    if state.url is None:
        step = _step("create_function_url_config", {**names, **_params(wanted)}, "created", wanted)
        return Part(False, [step, *revokes], given)
    has = state.url
    changed = {key: value for key, value in _params(wanted).items() if not _same(has, key, value)}
    if not changed:
        return Part(True, [Already("unchanged", LABEL), *revokes], given)
    step = _step("update_function_url_config", {**names, **changed}, "updated", wanted, has)
    return Part(True, [step, *revokes], given)


def plan_remove(config: Config, state: SourcesState, statements: tuple[Statement, ...]) -> Plan:
    """Plan the URL's removal: AWS will never give the same address again."""
    revokes = _revokes(config, statements)
    if state.url is None:
        return [Already("gone", LABEL), *revokes]
    step = Step(
        "lambda",
        "delete_function_url_config",
        _names(config),
        "removed",
        f"{LABEL} {state.url['FunctionUrl']}",
        settled=("ResourceNotFoundException",),
    )
    return [step, *revokes]


def _names(config: Config) -> dict[str, str]:
    name, alias = config.function.name, config.function.alias
    return {"FunctionName": name, **({"Qualifier": alias} if alias else {})}


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
    there = has.get("Cors") or {}
    return {name: said for name, said in there.items() if said} == {
        name: said for name, said in value.items() if said
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
    name, alias = config.function.name, config.function.alias
    lacking = [one for one in PUBLIC if not any(grants(has, one) for has in statements)]
    return [item for one in lacking for item in plan_grant(name, one, statements, alias)]


def _revokes(config: Config, statements: tuple[Statement, ...]) -> list[Step | Already]:
    name, alias = config.function.name, config.function.alias
    ids = [one.statement_id for one in PUBLIC]
    return [item for one in ids for item in plan_revoke(name, one, statements, alias)]

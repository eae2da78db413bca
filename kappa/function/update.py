"""What differs of a function that exists: its settings and its code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kappa.function import code as functioncode
from kappa.function import conflicts, health
from kappa.function.conflicts import Compared
from kappa.function.health import ready
from kappa.function.params import present, wanted
from kappa.plan.step import Already, Plan, Step


def plan(compared: Compared) -> Plan:
    """Plan settings, then code; after a failure both again, and first the code where that failed.

    Raises: Conflict, if AWS has an image where the config has a zip, or the other way round.
    """
    has: Mapping[str, Any] = (compared.has or {})["Configuration"]
    code: Mapping[str, Any] = (compared.has or {})["Code"]
    failure, code_first = health.failure(has), health.code_failed(has)
    settings = _settings(compared, has, "" if code_first else failure, code_first)
    again = bool(failure)
    guard = conflicts.of_update(compared, "code", settings=not code_first, code=False, again=again)
    sent = functioncode.plan_update(
        compared.config, compared.archive, has, code, again=again, guard=guard
    )
    return [sent, settings] if code_first else [settings, sent]


def _settings(
    compared: Compared, has: Mapping[str, Any], failure: str, code_done: bool
) -> Step | Already:
    name = compared.config.function.name
    said = wanted(compared.config, compared.role_arn, has)
    now = {key: present(has, key) for key in said}
    changed = [key for key in said if now[key] != said[key]]
    sent = list(said) if failure else changed
    if not sent:
        return Already("unchanged", f"settings of {name}")
    what = ": ".join([f"settings of {name}", *filter(None, [", ".join(changed)])])
    return Step(
        "lambda",
        "update_function_configuration",
        {"FunctionName": name, **{key: said[key] for key in sent}},
        "updated",
        f"{what}, again ({failure})" if failure else what,
        wait=ready(compared.config, "LastUpdateStatus", "Successful", always=bool(failure)),
        before={key: now[key] for key in sent},
        guard=conflicts.of_update(
            compared, "settings", settings=False, code=code_done, again=bool(failure)
        ),
    )

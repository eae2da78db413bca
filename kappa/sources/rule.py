"""Rules of EventBridge: a schedule, or a pattern of events, that invokes the function.

A rule with a schedule or a pattern in the config is the config's own: made, changed and removed.
One without is just used: only the function's target is added to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kappa.arn import Arn, Place, qualifier
from kappa.config.model import EventSource, rule_names
from kappa.errors import Conflict, NotFound
from kappa.plan.step import Already, Plan, Step
from kappa.sources.part import Part, missing, unchanged
from kappa.sources.rule_owner import own_targets, refuse_shared, siblings, target_id
from kappa.sources.state import Rule, SourcesState

_GONE = ("ResourceNotFoundException",)
_REFUSED = "FailedEntries.0"
_NOT_OURS = "it does not invoke this function"


def rule_arn(function: str, source: EventSource, place: Place) -> str:
    """The ARN of a source's rule; a named one has the function's name in front."""
    if source.arn:
        return source.arn
    name = rule_names(function, source)["Name"]
    return str(Arn(place.partition, "events", place.region, place.account, f"rule/{name}"))


def plan(function: str, source: EventSource, state: SourcesState) -> Part:
    """Plan rule and target, or what differs of them.

    Raises: NotFound, if a rule that is just used does not exist.
    """
    rule = state.rules.get(source.key)
    if rule is None and not owned(source):
        raise NotFound(
            f"The rule {source.key} does not exist.", "Make it, or give a schedule or a pattern."
        )
    targets = own_targets(rule, state)
    away = state.away(qualifier(one["Arn"]) for one in targets)
    if not source.enabled and not owned(source):
        # The rule is not the config's to disable: without a target it invokes no function.
        gone = [one for one in targets if qualifier(one["Arn"]) in (state.qualifier, *away)]
        steps = _remove_targets(function, source, gone, _lost(source, gone))
        return Part(bool(gone), steps or [unchanged(source, "disabled")])
    target = _chosen(function, targets, [state.qualifier, *away])
    _refuse_others(function, source, rule, targets, state)
    put = _put_rule(function, source, rule)
    if put:
        refuse_shared(function, source, rule, state)
    steps = [
        *put,
        *_put_target(function, source, target, target_id(function, rule, state), state.invoked),
    ]
    old = [one for one in targets if one is not target and qualifier(one["Arn"]) in away]
    after = [*_remove_targets(function, source, old), *_twice(source, targets, target, state)]
    return Part(target is not None, steps or [unchanged(source)], after=after)


def _chosen(
    function: str, targets: Sequence[Mapping[str, Any]], places: Sequence[str]
) -> Mapping[str, Any] | None:
    """Choose the target that stays or is moved; its id is the function's name, as in kappa 0.7."""
    found = [one for one in targets if qualifier(one["Arn"]) in places]
    order = lambda one: (places.index(qualifier(one["Arn"])), one["Id"] != function)  # noqa: E731
    return min(found, key=order, default=None)


def _twice(
    source: EventSource,
    targets: Sequence[Mapping[str, Any]],
    target: Mapping[str, Any] | None,
    state: SourcesState,
) -> Plan:
    """Name the other targets in the same place: kappa cannot tell what they are for."""
    return [
        Already(
            "kept",
            f"{source.label}: target {one['Id']} too (kappa cannot tell that it made it; "
            "remove_event_sources removes it too)",
        )
        for one in targets
        if one is not target and qualifier(one["Arn"]) == state.qualifier
    ]


def _refuse_others(
    function: str,
    source: EventSource,
    rule: Rule | None,
    targets: Sequence[Mapping[str, Any]],
    state: SourcesState,
) -> None:
    """Take no rule that somebody else made, and no target's id that is another's.

    The rule chat-2-nightly may be the nightly one of chat-2, or the 2-nightly one of chat.
    """
    own = [*targets, *siblings(rule, state)]
    others = [one for one in rule.targets if one not in own] if rule else []
    taken = [one for one in others if one["Id"] == function or (owned(source) and not own)]
    if taken:
        raise Conflict(
            f"The rule {rule_names(function, source)['Name']} invokes {taken[0]['Arn']} "
            f"(target {taken[0]['Id']}), which is not this function.",
            "Give the source another name, or remove that target.",
        )


def plan_switch(
    function: str, source: EventSource, state: SourcesState, enabled: bool
) -> Step | Already:
    """Plan the start or the stop of a rule of the config's own, if it invokes the function.

    One that is just used has no switch of ours: plan() gives it a target, or takes it away.
    Raises: Conflict, if a rule to be enabled is somebody else's.
    """
    rule = state.rules.get(source.key)
    targets = own_targets(rule, state)
    word = "enabled" if enabled else "disabled"
    if enabled:
        _refuse_others(function, source, rule, targets, state)
    elif rule and rule.targets and not targets:
        return Already("kept", f"{source.label} ({_NOT_OURS}, but {rule.targets[0]['Arn']})")
    if rule is None or not targets:
        return missing(source)
    if is_enabled(rule) == enabled:
        return unchanged(source, word)
    refuse_shared(function, source, rule, state)
    return Step(
        "events",
        "enable_rule" if enabled else "disable_rule",
        rule_names(function, source),
        "updated",
        f"{source.label}: {word}",
        before={"State": rule.settings.get("State")},
    )


def plan_remove(function: str, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of the target, and of the rule if it is the config's and nobody else's."""
    rule = state.rules.get(source.key)
    if rule is None:
        return [Already("gone", source.label)]
    targets = own_targets(rule, state)
    plan: Plan = _remove_targets(function, source, targets)
    if not owned(source):
        return plan or [Already("gone", source.label)]
    why = _why_kept(source, rule, targets)
    if why:
        return [*plan, Already("kept", f"{source.label} ({why})")]
    return [*plan, _step("delete_rule", rule_names(function, source), "removed", source.label)]


def _why_kept(source: EventSource, rule: Rule, targets: Sequence[Mapping[str, Any]]) -> str:
    """Say why a rule stays: somebody else made it, or uses it; "" if it can go.

    One without a target is what a stopped command left, if it is just as the config says.
    """
    if len(targets) < len(rule.targets):
        return "it has other targets"
    if rule.settings.get("Description", "") not in ("", source.description):
        return f"its description is not the config's: {rule.settings['Description']}"
    wanted = {"ScheduleExpression": source.schedule, "EventPattern": source.pattern}
    if not targets and not all(_same(rule, *one) for one in wanted.items() if one[1]):
        return f"{_NOT_OURS}, and is not as the config says"
    return ""


def _remove_targets(
    function: str, source: EventSource, targets: Sequence[Mapping[str, Any]], note: str = ""
) -> list[Step]:
    if not targets:
        return []
    names, ids = rule_names(function, source), [one["Id"] for one in targets]
    params = {"Rule": names["Name"], **_bus(names), "Ids": ids}
    return [_step("remove_targets", params, "removed", f"{source.label}: target{note}")]


def _lost(source: EventSource, targets: Sequence[Mapping[str, Any]]) -> str:
    """Say what a target takes with it that the config does not bring back."""
    said = {"Id", "Arn"} | ({"Input"} if source.input is not None else set())
    lost = sorted({key for one in targets for key in one} - said)
    return f" (its {', '.join(lost)} too, which the config does not say)" if lost else ""


def is_enabled(rule: Rule) -> bool:
    """Whether a rule is in force."""
    return rule.settings.get("State") != "DISABLED"


def owned(source: EventSource) -> bool:
    """Whether the rule is the config's own: made, changed and removed by it."""
    return bool(source.schedule or source.pattern)


def _bus(names: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in names.items() if key == "EventBusName"}


def _put_rule(function: str, source: EventSource, rule: Rule | None) -> list[Step]:
    if not owned(source):
        return []
    has = rule.settings if rule else {}
    wanted: dict[str, Any] = {"State": _state(source, rule)}
    if source.schedule:
        wanted["ScheduleExpression"] = source.schedule
    if source.pattern:
        wanted["EventPattern"] = source.pattern
    if source.description is not None:
        wanted["Description"] = source.description
    if source.role_arn is not None:
        wanted["RoleArn"] = source.role_arn
    changed = [key for key, value in wanted.items() if not _same(rule, key, value)]
    if not changed:
        return []
    # Source: EventBridge API, PutRule: what it leaves out is dropped from a rule that exists.
    kept = {key: has[key] for key in ("Description", "RoleArn") if has.get(key)}
    params = {**rule_names(function, source), **kept, **wanted}
    if not source.role_arn and source.role_arn is not None:
        del params["RoleArn"]
    step = _step("put_rule", params, "updated" if rule else "created", source.label)
    return [_with_before(step, has, changed) if rule else step]


def _state(source: EventSource, rule: Rule | None) -> str:
    """A rule that is in force stays so in its own way: PutRule knows more than one."""
    if not source.enabled:
        return "DISABLED"
    return str(rule.settings.get("State", "ENABLED")) if rule and is_enabled(rule) else "ENABLED"


def _same(rule: Rule | None, key: str, value: str) -> bool:
    if rule is None:
        return False
    has = str(rule.settings.get(key, ""))
    if key == "EventPattern":
        return bool(has) and json.loads(has) == json.loads(value)
    if key == "State":
        return is_enabled(rule) == (value != "DISABLED")
    return has == value


def _put_target(
    function: str,
    source: EventSource,
    has: Mapping[str, Any] | None,
    id_: str,
    invoked: str,
) -> list[Step]:
    wanted = {"Id": id_, **(has or {}), "Arn": invoked}
    if source.input is not None:
        # Source: EventBridge API reference, "Target": one of the three only.
        left_out = ("Input", "InputPath", "InputTransformer")
        wanted = {key: value for key, value in wanted.items() if key not in left_out}
    if source.input:
        wanted["Input"] = source.input
    if has is not None and _comparable(has) == _comparable(wanted):
        return []
    names = rule_names(function, source)
    params = {"Rule": names["Name"], **_bus(names), "Targets": [wanted]}
    mark = "created" if has is None else "updated"
    step = _step("put_targets", params, mark, f"{source.label}: target")
    return [_with_before(step, {"Targets": [has]}, ["Targets"]) if has else step]


def _comparable(target: Mapping[str, Any]) -> dict[str, Any]:
    sent = target.get("Input")
    return {**target, "Input": json.loads(sent) if sent else None}


def _step(operation: str, params: Mapping[str, Any], mark: str, message: str) -> Step:
    return Step(
        "events",
        operation,
        params,
        mark,
        message,
        refused=_REFUSED if operation.endswith("_targets") else "",
        settled=_GONE if mark == "removed" else (),
    )


def _with_before(step: Step, has: Mapping[str, Any], changed: list[str]) -> Step:
    return replace(step, before={key: has.get(key) for key in changed})

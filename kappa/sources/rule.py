"""Rules of EventBridge: a schedule or an event pattern that invokes the function.

The config owns a rule that it has a schedule or a pattern for, and creates, changes and removes
it. To any other rule it only adds the function's target. Aliases of a function share the names of
its rules, so a rule may have a target for each. The module is long because it holds everything
about this kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from kappa.arn import Arn, Place, invokes, parse_arn, qualifier
from kappa.aws import Aws
from kappa.config.model import Config, EventSource, rule_names
from kappa.config.tree import without_nulls
from kappa.errors import Conflict, NotFound
from kappa.plan.step import Note, Plan, Step
from kappa.sources.kind import Adopted, Kind, Occasion, Part, Reading, missing, unchanged
from kappa.sources.state import SourcesState
from kappa.sources.unknown_settings import list_unknown

_GONE = ("ResourceNotFoundException",)
_REFUSED = "FailedEntries.0"
# Source: EventBridge API reference, "Target": one of the three only.
_INPUTS = ("Input", "InputPath", "InputTransformer")


class Rule(msgspec.Struct, frozen=True):
    """An existing rule and all its targets."""

    settings: Mapping[str, Any]
    targets: tuple[Mapping[str, Any], ...] = ()


def read(reading: Reading, source: EventSource) -> Rule | None:
    """Read a rule and its targets; None if it does not exist."""
    names = rule_names(reading.config.function.name, source)
    doing = f"reading the rule {names['Name']}"
    try:
        settings = reading.aws.call("events", "describe_rule", doing, names)
    except NotFound:
        return None
    targets = reading.aws.pages("events", "list_targets_by_rule", doing, "Targets", _of_rule(names))
    return Rule(settings, tuple(targets))


def _current(source: EventSource, state: SourcesState) -> Rule | None:
    rule: Rule | None = state.current.get(source.key)
    return rule


def _deliveries(_: Config, source: EventSource, state: SourcesState) -> list[str]:
    return sorted(qualifier(target["Arn"]) for target in _invoking(_current(source, state), state))


def rule_arn(function: str, source: EventSource, place: Place) -> str:
    """The ARN of a source's rule; a rule that the source names begins with the function's name."""
    if source.arn:
        return source.arn
    name = rule_names(function, source)["Name"]
    return str(Arn(place.partition, "events", place.region, place.account, f"rule/{name}"))


def plan(config: Config, source: EventSource, state: SourcesState) -> Part:
    """Plan the rule and its target, or the changes to them.

    Raises: NotFound, if a rule that the config does not own does not exist; Conflict, if the rule
    would change and has other targets.
    """
    function = config.function.name
    rule = _current(source, state)
    if rule is None and not owned(source):
        raise NotFound(
            f"The rule {source.key} does not exist.", "Make it, or give a schedule or a pattern."
        )
    targets = _own_targets(rule, state)
    if not source.enabled and not owned(source):
        # The config must not disable a rule that it does not own, so it removes the target.
        steps = _remove_targets(function, source, targets, _lost(source, targets))
        return Part(bool(targets), steps or [unchanged(source, "disabled")])
    target = _chosen(function, targets, state)
    put = _put_rule(function, source, rule)
    if put:
        _refuse_shared(function, source, rule, state)
    steps = [
        *put,
        *_put_target(function, source, target, _target_id(function, rule, state), state.target_arn),
    ]
    old = [
        other
        for other in targets
        if other is not target and state.leaves([qualifier(other["Arn"])])
    ]
    after = _remove_targets(function, source, old)
    return Part(target is not None, steps or [unchanged(source)], after=after)


def _chosen(
    function: str, targets: Sequence[Mapping[str, Any]], state: SourcesState
) -> Mapping[str, Any] | None:
    """Choose the target that stays or moves, preferably one with the function's name as its id."""
    order = lambda target: (  # noqa: E731
        qualifier(target["Arn"]) != state.qualifier,
        target["Id"] != function,
    )
    return min(targets, key=order, default=None)


def plan_switch(config: Config, source: EventSource, state: SourcesState, enabled: bool) -> Plan:
    """Plan to enable or disable the config's own rule, if it invokes the function.

    For other rules, plan() adds or removes the target instead.
    Raises: Conflict, if the rule has other targets.
    """
    function = config.function.name
    rule = _current(source, state)
    targets = _own_targets(rule, state)
    word = "enabled" if enabled else "disabled"
    if rule is None or not targets:
        return [missing(source.label)]
    if is_enabled(rule) == enabled:
        return [unchanged(source, word)]
    _refuse_shared(function, source, rule, state)
    return [
        Step(
            "events",
            "enable_rule" if enabled else "disable_rule",
            rule_names(function, source),
            "updated",
            f"{source.label}: {word}",
            before={"State": rule.settings.get("State")},
        )
    ]


def plan_remove(config: Config, source: EventSource, state: SourcesState) -> Plan:
    """Plan the removal of the target, and of an own rule that nothing else uses."""
    function = config.function.name
    rule = _current(source, state)
    if rule is None:
        return [Note("gone", source.label)]
    targets = _own_targets(rule, state)
    plan: Plan = _remove_targets(function, source, targets)
    if not owned(source):
        return plan or [Note("gone", source.label)]
    why = _why_kept(source, rule, targets)
    if why:
        return [*plan, Note("kept", f"{source.label} ({why})")]
    return [*plan, _step("delete_rule", rule_names(function, source), "removed", source.label)]


def _why_kept(source: EventSource, rule: Rule, targets: Sequence[Mapping[str, Any]]) -> str:
    """Why a rule must stay: somebody else made it or uses it; "" if it can be removed.

    A rule without a target that matches the config was left by an interrupted command.
    """
    if len(targets) < len(rule.targets):
        return "it has other targets"
    if rule.settings.get("Description", "") not in ("", source.description):
        return f"its description is not the config's: {rule.settings['Description']}"
    desired = {"ScheduleExpression": source.schedule, "EventPattern": source.pattern}
    if not targets and not all(_same(rule, *setting) for setting in desired.items() if setting[1]):
        return "it does not invoke this function, and does not match the config"
    return ""


def _remove_targets(
    function: str, source: EventSource, targets: Sequence[Mapping[str, Any]], note: str = ""
) -> list[Step]:
    if not targets:
        return []
    names, ids = rule_names(function, source), [target["Id"] for target in targets]
    params = {**_of_rule(names), "Ids": ids}
    return [_step("remove_targets", params, "removed", f"{source.label}: target{note}")]


def _lost(source: EventSource, targets: Sequence[Mapping[str, Any]]) -> str:
    """Name the settings that are lost with a target and that the config does not have."""
    configured = {"Id", "Arn", *_of_target(source)}
    lost = sorted({key for target in targets for key in target} - configured)
    return f" (its {', '.join(lost)} too, which the config does not have)" if lost else ""


def is_enabled(rule: Rule) -> bool:
    """Whether a rule is enabled, in any of the ways that EventBridge knows."""
    return rule.settings.get("State") != "DISABLED"


def owned(source: EventSource) -> bool:
    """Whether the config owns the rule, and so creates, changes and removes it."""
    return bool(source.schedule or source.pattern)


def _of_rule(names: Mapping[str, str]) -> dict[str, str]:
    """The parameters that name a rule in calls about its targets."""
    return {"Rule" if key == "Name" else key: value for key, value in names.items()}


def _put_rule(function: str, source: EventSource, rule: Rule | None) -> list[Step]:
    if not owned(source):
        return []
    settings = rule.settings if rule else {}
    desired: dict[str, Any] = {"State": _state(source, rule)}
    if source.schedule:
        desired["ScheduleExpression"] = source.schedule
    if source.pattern:
        desired["EventPattern"] = source.pattern
    if source.description is not None:
        desired["Description"] = source.description
    if source.role_arn is not None:
        desired["RoleArn"] = source.role_arn
    changed = [key for key, value in desired.items() if not _same(rule, key, value)]
    if not changed:
        return []
    # Source: EventBridge API, PutRule: what it leaves out is dropped from a rule that exists.
    kept = {key: settings[key] for key in ("Description", "RoleArn") if settings.get(key)}
    params = {**rule_names(function, source), **kept, **desired}
    if not source.role_arn and source.role_arn is not None:
        del params["RoleArn"]
    step = _step("put_rule", params, "updated" if rule else "created", source.label)
    return [_with_before(step, settings, changed) if rule else step]


def _state(source: EventSource, rule: Rule | None) -> str:
    """The desired state; an enabled rule keeps its state, since PutRule knows more than one."""
    if not source.enabled:
        return "DISABLED"
    return str(rule.settings.get("State", "ENABLED")) if rule and is_enabled(rule) else "ENABLED"


def _same(rule: Rule | None, key: str, value: str) -> bool:
    if rule is None:
        return False
    current = str(rule.settings.get(key, ""))
    if key == "EventPattern":
        return bool(current) and json.loads(current) == json.loads(value)
    if key == "State":
        return is_enabled(rule) == (value != "DISABLED")
    return current == value


def _put_target(
    function: str,
    source: EventSource,
    current: Mapping[str, Any] | None,
    id_: str,
    target_arn: str,
) -> list[Step]:
    own, desired = _of_target(source), {"Id": id_, **(current or {}), "Arn": target_arn}
    if any(name in own for name in _INPUTS):
        desired = {name: value for name, value in desired.items() if name not in _INPUTS}
    desired = {name: value for name, value in {**desired, **own}.items() if value not in ("", {})}
    if current is not None and _comparable(current) == _comparable(desired):
        return []
    names = rule_names(function, source)
    params = {**_of_rule(names), "Targets": [desired]}
    mark = "created" if current is None else "updated"
    step = _step("put_targets", params, mark, f"{source.label}: target")
    return [_with_before(step, {"Targets": [current]}, ["Targets"]) if current else step]


def _of_target(source: EventSource) -> dict[str, Any]:
    """What the config sets of a target; an empty value removes it."""
    template, retries, letters = source.input_transformer, source.retry_policy, source.dead_letter
    paths = {"InputPathsMap": dict(template.paths)} if template and template.paths else {}
    tries = retries and {
        "MaximumRetryAttempts": retries.maximum_retry_attempts,
        "MaximumEventAgeInSeconds": retries.maximum_event_age_s,
    }
    settings: dict[str, Any] = {
        "Input": source.input,
        "InputPath": source.input_path,
        "InputTransformer": template and {**paths, "InputTemplate": template.template},
        "RetryPolicy": tries and {key: value for key, value in tries.items() if value is not None},
        "DeadLetterConfig": {"Arn": letters} if letters else letters,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _comparable(target: Mapping[str, Any]) -> dict[str, Any]:
    constant = target.get("Input")
    return {**target, "Input": json.loads(constant) if constant else None}


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


def _with_before(step: Step, current: Mapping[str, Any], changed: list[str]) -> Step:
    return replace(step, before={key: current.get(key) for key in changed})


def _other_targets(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    """Find the targets that are not the config's: another alias's or another function's."""
    own = _own_targets(rule, state)
    return [target for target in rule.targets if target not in own] if rule else []


def _refuse_shared(
    function: str, source: EventSource, rule: Rule | None, state: SourcesState
) -> None:
    """Refuse to change a rule that invokes something else too.

    The rule chat-2-nightly may be nightly of chat-2 or 2-nightly of chat.
    """
    others = _other_targets(rule, state)
    if others:
        raise Conflict(
            f"The rule {rule_names(function, source)['Name']} invokes {others[0]['Arn']} too "
            f"(target {others[0]['Id']}), so kappa does not change it.",
            "Give the source a name of its own, such as "
            f"{source.name or 'nightly'}-${{environment}}, or remove that target.",
        )


def _target_id(function: str, rule: Rule | None, state: SourcesState) -> str:
    """Choose the id of a new target: the function's name or, if that is taken, one by alias."""
    if all(target["Id"] != function for target in _other_targets(rule, state)):
        return function
    # Source: EventBridge API reference, "Target": 64 characters at most.
    return f"{function[:55]}-{hashlib.sha256(state.qualifier.encode()).hexdigest()[:8]}"


def _own_targets(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    """Find the config's targets in a rule."""
    return [target for target in _invoking(rule, state) if state.is_own(qualifier(target["Arn"]))]


def _invoking(rule: Rule | None, state: SourcesState) -> list[Mapping[str, Any]]:
    targets = rule.targets if rule else ()
    return [target for target in targets if invokes(str(target["Arn"]), state.function)]


def _describe(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    rule = _current(source, state)
    data = {"rule": rule_names(config.function.name, source)["Name"]}
    if rule is None:
        return {**data, "state": "missing"}
    when = rule.settings.get("ScheduleExpression", "")
    if not _own_targets(rule, state):
        return {**data, "state": "no target", "schedule": when}
    word = "Enabled" if is_enabled(rule) else "Disabled"
    return {**data, "arn": rule.settings["Arn"], "state": word, "schedule": when}


# The settings of a rule and of a target that a config expresses or AWS only reports.
_KNOWN: Mapping[str, tuple[str, ...] | None] = dict.fromkeys(
    (
        "Arn",
        "CreatedBy",
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "RoleArn",
        "ScheduleExpression",
        "State",
    )
)
_KNOWN_OF_TARGET: Mapping[str, tuple[str, ...] | None] = {
    **dict.fromkeys(("Arn", "Id", "Input", "InputPath", "InputTransformer")),
    "DeadLetterConfig": ("Arn",),
    "RetryPolicy": ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"),
}


def adopt(aws: Aws, arn: str, function: str, doing: str) -> Adopted:
    """Read a rule and the function's target in it as a config section."""
    *bus, name = parse_arn(arn).resource.removeprefix("rule/").split("/")
    params = {"Rule": name, **({"EventBusName": "/".join(bus)} if bus else {})}
    listed = aws.pages("events", "list_targets_by_rule", doing, "Targets", params)
    targets = [target for target in listed if target["Arn"] == function]
    # kappa recognizes its own target by this id, and would add another one beside any other.
    id_ = parse_arn(function).name
    own = next((target for target in targets if target["Id"] == id_), None)
    if bus or own is None or len(targets) > 1:
        ids = ", ".join(target["Id"] for target in targets)
        return Adopted(left_out=(f"rule {arn}: target {ids}",) if targets else ())
    settings = aws.call("events", "describe_rule", doing, {"Name": name})
    of = f"of event source {arn}: "
    return Adopted(
        (_as_source(arn, settings, own),),
        (*list_unknown(settings, _KNOWN, of), *list_unknown(own, _KNOWN_OF_TARGET, of)),
    )


def _as_source(arn: str, settings: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    pattern = settings.get("EventPattern")
    template, retries = target.get("InputTransformer"), target.get("RetryPolicy")
    source = {
        "arn": arn,
        "schedule": settings.get("ScheduleExpression"),
        "pattern": pattern and json.dumps(json.loads(pattern)),
        "description": settings.get("Description"),
        "input": target.get("Input"),
        "input_path": target.get("InputPath"),
        "input_transformer": template
        and {"template": template["InputTemplate"], "paths": template.get("InputPathsMap")},
        "retry_policy": retries
        and {
            "maximum_retry_attempts": retries.get("MaximumRetryAttempts"),
            "maximum_event_age_s": retries.get("MaximumEventAgeInSeconds"),
        },
        "dead_letter": target.get("DeadLetterConfig", {}).get("Arn"),
        "role_arn": settings.get("RoleArn"),
        "enabled": False if settings.get("State") == "DISABLED" else None,
    }
    section: dict[str, Any] = without_nulls(source)
    return section


def sample(source: EventSource, occasion: Occasion) -> Any:  # noqa: ANN401 - JSON
    """Make the event that the rule sends."""
    from kappa.sources import rule_sample

    arn = rule_arn(occasion.function, source, occasion.place)
    return rule_sample.sample(source, occasion, arn)


KIND = Kind(
    read=read,
    deliveries=_deliveries,
    plan=plan,
    plan_remove=plan_remove,
    describe=_describe,
    adopt=adopt,
    # Source: EventBridge API reference, "PutTargets": a change takes effect after a short time.
    calls_late="EventBridge",
    arn=rule_arn,
    has_switch=owned,
    plan_switch=plan_switch,
    sample=sample,
)

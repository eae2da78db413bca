"""Report the state of the event sources, as data for scripts and as rows of a table. Pure.

Each kind describes its own sources. What may be wrong with any source ends with the command that
fixes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kappa.arn import Place, describe_qualifier, parse_arn
from kappa.config.model import Config, EventSource
from kappa.function.permissions import caller, may_admit
from kappa.sources import polled, url
from kappa.sources.all_kinds import kind_of
from kappa.sources.state import SourcesState

Row = tuple[str, str, str, str]
# The states of a source that cannot deliver, as the kinds describe them.
BROKEN = frozenset({"missing", "no target", "topic is gone"})


def sources_data(config: Config, state: SourcesState) -> list[dict[str, Any]]:
    """Describe each source in AWS; the state "missing" means that it does not exist.

    Shape: [{arn, name, service, configured, state, qualifiers, ...}], URLs last, as service "url";
    `problem` explains a source that is delivered more than once or not at all.
    """
    configured = [_configured(config, source, state) for source in config.function.event_sources]
    unnamed = [
        {
            **polled.describe_mapping(mapping),
            "qualifiers": _shown([polled.qualifier_of(mapping, state)]),
            "configured": False,
        }
        for mapping in polled.unnamed(config, state)
    ]
    return [*configured, *unnamed, *url.describe(config, state)]


def source_row(source: Mapping[str, Any]) -> Row:
    """Turn a source's data into a row: what, name, state, detail."""
    details = [source["service"], source.get("keys", "")]
    if source.get("batch_size") is not None:
        details.append(f"batches of {source['batch_size']}")
    details += [source.get("schedule", ""), source.get("last_result", ""), source.get("url", "")]
    if source.get("qualifiers", ["$LATEST"]) != ["$LATEST"]:
        details.append(f"on {', '.join(source['qualifiers'])}" if source["qualifiers"] else "")
    if not source["configured"]:
        details.append("(not in the config)")
    return (
        "event source",
        source["name"],
        source["state"],
        "  ".join(detail for detail in details if detail),
    )


def _configured(config: Config, source: EventSource, state: SourcesState) -> dict[str, Any]:
    names = {"arn": source.arn, "name": source.short, "service": source.service}
    data = {**names, **({"keys": source.keys} if source.keys else {}), "configured": True}
    if source.key in state.unread:
        return {**data, "state": "unknown", "problem": state.unread[source.key]}
    kind = kind_of(source)
    qualifiers = kind.deliveries(config, source, state)
    data = {**data, **kind.describe(config, source, state), "qualifiers": _shown(qualifiers)}
    problem = _problem(config, source, state, [*filter(state.is_own, qualifiers)])
    return {**data, "problem": problem} if problem else data


def _problem(
    config: Config, source: EventSource, state: SourcesState, qualifiers: list[str]
) -> str:
    """Why the messages of a source arrive twice, at the wrong place or not at all; else "".

    `qualifiers`: those that the config's deliveries are on.
    """
    deploy = f"Fix it: {config.command('deploy')}"
    if len(set(qualifiers)) < len(qualifiers):
        word = "delivered" if kind_of(source).calls else "mapped"
        again = f"{config.command('remove_event_sources ' + source.short)}, then deploy"
        return f"{word} {len(qualifiers)} times. Fix it: {again}"
    if state.leaves(qualifiers):
        alias = describe_qualifier(state.qualifier)
        if state.qualifier in qualifiers:
            both = f"delivered to the function itself and to {alias}"
            return f"{both}: a message is handled by both. {deploy}"
        return f"delivered to the function itself, and the config says {alias}. {deploy}"
    if qualifiers and not _may_invoke(source, state):
        where = describe_qualifier(state.qualifier)
        return f"no permission to invoke {where}: nothing comes through. {deploy}"
    return ""


def _may_invoke(source: EventSource, state: SourcesState) -> bool:
    """Whether a source may invoke its target, as far as AWS shows the permissions."""
    kind, statements = kind_of(source), state.statements.get(state.qualifier)
    if not kind.calls or statements is None:
        return True
    here = parse_arn(state.function)
    place = Place(here.partition, here.region, here.account)
    source_arn = kind.arn(here.name, source, place)
    service = caller(source_arn, source.service, place.region)
    return any(may_admit(statement, service, source_arn) for statement in statements)


def _shown(qualifiers: Iterable[str]) -> list[str]:
    """Write qualifiers as AWS does, with $LATEST for the function itself."""
    return [alias or "$LATEST" for alias in qualifiers]

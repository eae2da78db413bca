"""Report the state of the event sources, as data for scripts and as rows of a table. Pure.

Each kind describes its own sources; problems.py finds what may be wrong with any source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kappa.config.model import Config, EventSource
from kappa.sources import polled, problems, url
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
    problem = (
        problems.duplicates(config, source, qualifiers)
        or data.get("problem", "")
        or problems.undelivered(config, source, state, qualifiers)
    )
    return {**data, "problem": problem} if problem else data


def _shown(qualifiers: Iterable[str]) -> list[str]:
    """Write qualifiers as AWS does, with $LATEST for the function itself."""
    return [alias or "$LATEST" for alias in qualifiers]

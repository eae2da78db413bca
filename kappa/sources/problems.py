"""Find why a source's messages arrive twice, not at all or at the wrong alias. Pure.

Each problem ends with the command that fixes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kappa.arn import Place, describe_qualifier, parse_arn
from kappa.config.model import Config, EventSource
from kappa.function.permissions import caller, may_admit
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of


def duplicates(config: Config, source: EventSource, qualifiers: Sequence[str]) -> str:
    """Describe a source that is delivered more than once; "" if it is not."""
    if len(qualifiers) < 2:
        return ""
    again = f"{config.command('remove_event_sources ' + source.short)}, then deploy"
    if len(set(qualifiers)) < len(qualifiers):
        word = "delivered" if kind_of(source).calls else "mapped"
        return f"{word} {len(qualifiers)} times. Fix it: {again}"
    aliases = [alias for alias in qualifiers if alias]
    fix = "deploy"
    if not config.function.alias:
        fix += f" --alias {aliases[0] if len(aliases) == 1 else 'NAME'}"
    places = " and to ".join(map(describe_qualifier, qualifiers))
    return f"delivered to {places}: a message is handled by both. Fix it: {config.command(fix)}"


def undelivered(
    config: Config, source: EventSource, state: SourcesState, qualifiers: Sequence[str]
) -> str:
    """Describe what keeps a source's messages from their target; "" if nothing does.

    Aliases and permissions that AWS refused to show are not checked.
    """
    why = (
        _dead(qualifiers, state)
        or _elsewhere(config, qualifiers, state)
        or _closed(source, qualifiers, state)
    )
    return f"{why}. Fix it: {config.command('deploy')}" if why else ""


def _dead(qualifiers: Sequence[str], state: SourcesState) -> str:
    """Describe a delivery to a deleted alias. The name of a version is a number."""
    known = {"", *state.aliases} if "aliases" not in state.unread else {*qualifiers}
    deleted = [alias for alias in qualifiers if alias not in known and not alias.isdigit()]
    if not deleted:
        return ""
    return f"on {describe_qualifier(deleted[0])}, which does not exist: nothing comes through"


def _elsewhere(config: Config, qualifiers: Sequence[str], state: SourcesState) -> str:
    desired = config.function.alias
    if not (desired and qualifiers) or state.qualifier in qualifiers:
        return ""
    places = " and to ".join(map(describe_qualifier, qualifiers))
    return f"delivered to {places}, and the config says {describe_qualifier(desired)}"


def _closed(source: EventSource, qualifiers: Sequence[str], state: SourcesState) -> str:
    kind = kind_of(source)
    if not kind.calls or not state.target_arn:
        return ""
    here = parse_arn(state.function)
    place = Place(here.partition, here.region, here.account)
    source_arn = kind.arn(here.name, source, place)
    service = caller(source_arn, source.service, place.region)
    for alias in qualifiers:
        statements = state.statements.get(alias)
        if statements is not None and not any(
            may_admit(statement, service, source_arn) for statement in statements
        ):
            return f"no permission to invoke {describe_qualifier(alias)}: nothing comes through"
    return ""

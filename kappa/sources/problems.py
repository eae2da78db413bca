"""Why a source's messages come twice, not at all, or not to where the config says. Pure.

Each problem says how it is mended.
"""

from __future__ import annotations

from collections.abc import Sequence

from kappa import arn as arns
from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.function.permissions import caller, may_admit
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of


def doubled(config: Config, source: EventSource, qualifiers: Sequence[str]) -> str:
    """Say that a source is delivered more than once; "" if it is not."""
    if len(qualifiers) < 2:
        return ""
    again = f"{config.command('remove_event_sources ' + source.short)}, then deploy"
    if len(set(qualifiers)) < len(qualifiers):
        word = "delivered" if kind_of(source).calls else "mapped"
        return f"{word} {len(qualifiers)} times. Mend it: {again}"
    aliases = [alias for alias in qualifiers if alias]
    words = "deploy"
    if not config.function.alias:
        words += f" --alias {aliases[0] if len(aliases) == 1 else 'NAME'}"
    places = " and to ".join(map(arns.words, qualifiers))
    return f"delivered to {places}: a message is handled by both. Mend it: {config.command(words)}"


def undelivered(
    config: Config, source: EventSource, state: SourcesState, qualifiers: Sequence[str]
) -> str:
    """Say what keeps a source's messages from their place; "" if nothing does.

    Only of what has been read: AWS may refuse to show aliases and permissions.
    """
    why = (
        _dead(qualifiers, state)
        or _elsewhere(config, qualifiers, state)
        or _closed(source, qualifiers, state)
    )
    return f"{why}. Mend it: {config.command('deploy')}" if why else ""


def _dead(qualifiers: Sequence[str], state: SourcesState) -> str:
    """A version has a number for a name, and is not listed among the aliases."""
    known = {"", *state.aliases} if "aliases" not in state.unread else {*qualifiers}
    gone = [alias for alias in qualifiers if alias not in known and not alias.isdigit()]
    if not gone:
        return ""
    return f"on {arns.words(gone[0])}, which does not exist: nothing comes through"


def _elsewhere(config: Config, qualifiers: Sequence[str], state: SourcesState) -> str:
    wanted = config.function.alias
    if not (wanted and qualifiers) or state.qualifier in qualifiers:
        return ""
    places = " and to ".join(map(arns.words, qualifiers))
    return f"delivered to {places}, and the config says {arns.words(wanted)}"


def _closed(source: EventSource, qualifiers: Sequence[str], state: SourcesState) -> str:
    kind = kind_of(source)
    if not kind.calls or not state.invoked:
        return ""
    here = arns.parse(state.function)
    place = Place(here.partition, here.region, here.account)
    source_arn = kind.arn(here.name, source, place)
    service = caller(source_arn, source.service, place.region)
    for alias in qualifiers:
        given = state.statements.get(alias)
        if given is not None and not any(
            may_admit(statement, service, source_arn) for statement in given
        ):
            return f"no permission to invoke {arns.words(alias)}: nothing comes through"
    return ""

"""Why nothing comes through from a source that AWS has, or not to where the config says. Pure."""

from __future__ import annotations

from kappa import arn as arns
from kappa.arn import Place
from kappa.config.model import Config, EventSource
from kappa.function.permissions import caller, grants, may_admit
from kappa.sources import binding, url
from kappa.sources import rule as schedule
from kappa.sources.state import CALLERS, SourcesState


def problem(config: Config, source: EventSource, state: SourcesState) -> str:
    """Say what keeps a source's messages from their place, and how it is mended; "" if nothing.

    Only of what has been read: AWS may refuse to show aliases and permissions.
    """
    found = binding.qualifiers(config, source, state)
    why = _dead(found, state) or _elsewhere(config, found, state) or _closed(source, found, state)
    return f"{why}. Mend it: {config.command('deploy')}" if why else ""


def url_problem(config: Config, alias: str, state: SourcesState) -> str:
    """Say that a URL for anyone lets nobody in; "" if it does, or if it is for others."""
    given = state.statements.get(alias)
    if state.urls[alias]["AuthType"] != "NONE" or given is None:
        return ""
    lacking = [one for one in url.PUBLIC if not any(grants(has, one) for has in given)]
    mend = f"Mend it: {config.command('deploy')}"
    return f"a permission for anyone is missing: AWS refuses callers. {mend}" if lacking else ""


def _dead(found: list[str], state: SourcesState) -> str:
    """A version has a number for a name, and is not listed among the aliases."""
    known = {"", *state.aliases} if "aliases" not in state.unread else {*found}
    gone = [one for one in found if one not in known and not one.isdigit()]
    if not gone:
        return ""
    return f"on {arns.words(gone[0])}, which does not exist: nothing comes through"


def _elsewhere(config: Config, found: list[str], state: SourcesState) -> str:
    wanted = config.function.alias
    if not (wanted and found) or state.qualifier in found:
        return ""
    places = " and to ".join(map(arns.words, found))
    return f"delivered to {places}, and the config says {arns.words(wanted)}"


def _closed(source: EventSource, found: list[str], state: SourcesState) -> str:
    if source.service not in CALLERS or not state.invoked:
        return ""
    here = arns.parse(state.function)
    place = Place(here.partition, here.region, here.account)
    source_arn = source.arn or schedule.rule_arn(here.name, source, place)
    service = caller(source_arn, source.service, place.region)
    for alias in found:
        given = state.statements.get(alias)
        if given is not None and not any(may_admit(one, service, source_arn) for one in given):
            return f"no permission to invoke {arns.words(alias)}: nothing comes through"
    return ""

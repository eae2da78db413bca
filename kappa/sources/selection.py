"""Select the event sources that a command line names. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kappa.config.convert import suggestion
from kappa.config.model import Config, EventSource, rule_names
from kappa.errors import ConfigError

# The function's URL as a status shows it, and its name if a source is called url too.
_URL, _URL_IN_FULL = "url", "lambda.url"


def select(config: Config, names: Sequence[str]) -> Config:
    """Keep only the named event sources; url is the URL.

    A name is an ARN or the name that a status shows.
    Raises: ConfigError, if the config has no such source, or several.
    """
    if not names:
        return config
    meanings = _meanings(config)
    for name in names:
        if name not in meanings:
            raise _unknown(config, name, meanings)
        if len(set(meanings[name])) > 1:
            raise ConfigError(
                f"{config.file} has several event sources {name}.",
                f"Use one of its full names: {', '.join(dict.fromkeys(meanings[name]))}",
            )
    chosen = {meanings[name][0] for name in names}
    function = config.function
    kept = tuple(
        source for source in function.event_sources if _full_name(config, source) in chosen
    )
    address = function.url if _URL_IN_FULL in chosen else None
    return replace(config, function=replace(function, event_sources=kept, url=address))


def _unknown(config: Config, name: str, meanings: dict[str, list[str]]) -> ConfigError:
    hint = suggestion(name, meanings) if meanings else "It names none."
    return ConfigError(f"{config.file} has no event source {name}.", hint)


def _meanings(config: Config) -> dict[str, list[str]]:
    """Map each name that a person may use to the full names of the sources that it may mean."""
    meanings: dict[str, list[str]] = {}
    for source in config.function.event_sources:
        full_name = _full_name(config, source)
        for word in {source.key, source.short, full_name}:
            meanings.setdefault(word, []).append(full_name)
    for word in (_URL, _URL_IN_FULL) if config.function.url else ():
        meanings.setdefault(word, []).append(_URL_IN_FULL)
    return meanings


def _full_name(config: Config, source: EventSource) -> str:
    """The unique name of a source: its key, or the full name of its rule."""
    return rule_names(config.function.name, source)["Name"] if source.name else source.key

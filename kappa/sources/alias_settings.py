"""Settle the alias that a command works on, and read the settings that it has of its own."""

from __future__ import annotations

from dataclasses import replace

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.config.model import Config
from kappa.function import async_calls
from kappa.function.state import FunctionState
from kappa.sources.alias_choice import choose_alias
from kappa.sources.state import SourcesState


def follow_sources(config: Config) -> bool:
    """Whether permissions or asynchronous settings go where the sources are."""
    wanted = config.function
    settings = wanted.permissions or wanted.async_ is not None
    return bool(settings and not wanted.alias and wanted.has_sources)


def bind_to_alias(
    aws: Aws,
    config: Config,
    place: Place,
    function: FunctionState,
    sources: SourcesState,
    *,
    strict: bool = True,
) -> tuple[Config, FunctionState, SourcesState]:
    """Bind the config to where the sources are; what was read of the function goes along.

    Raises: Conflict, if `strict`, and where the sources belong cannot be known.
    """
    config, state = choose_alias(config, place, sources, strict=strict)
    given = state.statements.get(config.qualifier)
    if given is not None:
        function = replace(function, statements=given)
    if config.bound:
        function = replace(function, asynchronous=async_calls.read(aws, config))
    return config, function, state

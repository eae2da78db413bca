"""Bind a config to the alias of its event sources, and read the alias's own settings."""

from __future__ import annotations

from msgspec.structs import replace

from kappa.arn import Place
from kappa.aws import Aws
from kappa.config.model import Config
from kappa.function import async_calls
from kappa.function.state import FunctionState
from kappa.sources.alias_choice import choose_alias
from kappa.sources.state import SourcesState


def follow_sources(config: Config) -> bool:
    """Whether permissions or asynchronous settings belong on the alias of the sources."""
    function = config.function
    settings = function.permissions or function.async_ is not None
    return bool(settings and not function.alias and function.has_sources)


def bind_to_alias(
    aws: Aws,
    config: Config,
    place: Place,
    function: FunctionState,
    sources: SourcesState,
    *,
    strict: bool = True,
) -> tuple[Config, FunctionState, SourcesState]:
    """Bind the config to the alias of the sources, and update the function's state for it.

    Raises: Conflict, if `strict` and the alias cannot be determined.
    """
    config, state = choose_alias(config, place, sources, strict=strict)
    statements = state.statements.get(config.qualifier)
    if statements is not None:
        function = replace(function, statements=statements)
    if config.bound:
        function = replace(function, asynchronous=async_calls.read(aws, config))
    return config, function, state

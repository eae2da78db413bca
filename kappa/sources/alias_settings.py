"""Settle the alias that a command works on, and read the settings that it has of its own."""

from __future__ import annotations

from dataclasses import replace

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.config.model import Config
from kappa.function import async_calls
from kappa.function.plan import FunctionState
from kappa.sources import alias_choice
from kappa.sources.state import SourcesState


def follows(config: Config) -> bool:
    """Whether permissions or asynchronous settings go where the sources are."""
    function_ = config.function
    follow = function_.permissions or function_.async_ is not None
    return bool(follow and not function_.alias and function_.has_sources)


def settle(
    aws: Aws,
    config: Config,
    place: Place,
    has: FunctionState,
    found: SourcesState,
    *,
    strict: bool = True,
) -> tuple[Config, FunctionState, SourcesState]:
    """Bind the config to where the sources are; what was read of the function goes along.

    Raises: Conflict, if `strict`, and where the sources belong cannot be known.
    """
    config, state = alias_choice.resolve(config, place, found, strict=strict)
    given = state.statements.get(config.qualifier)
    if given is not None:
        has = replace(has, statements=given)
    if config.bound:
        has = replace(has, asynchronous=async_calls.read(aws, config))
    return config, has, state

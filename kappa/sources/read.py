"""Read everything that invokes a function.

It owns which reads run in parallel, and tolerates refused reads so that a function can still be
deleted. Each kind reads its own sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import msgspec

from kappa.arn import Place
from kappa.aws import Aws
from kappa.config.model import Config
from kappa.errors import Denied, NotFound
from kappa.function.permissions import Statement, read_statements
from kappa.sources import polled, url
from kappa.sources.all_kinds import kind_of
from kappa.sources.kind import Reading
from kappa.sources.state import SourcesState

T = TypeVar("T")


def read_sources(
    aws: Aws,
    config: Config,
    place: Callable[[], Place],
    *,
    everywhere: bool = False,
    tolerant: bool = False,
    ending: bool = False,
    deleting: bool = False,
) -> SourcesState:
    """Read each source by its kind, and URLs and permissions, in parallel.

    place: where the function is; it may wait for another read, so all here is asked before.
    everywhere: read all aliases too, their URLs, and mappings that the config does not name.
    tolerant: record a refused read in `unread` instead of raising Denied.
    ending: read what a subscription loses with its removal.
    deleting: read everywhere, with the mappings of versions and deleted aliases; no permissions,
        which go with the function.
    Raises: Denied, unless tolerant.
    """
    name, alias = config.function.name, config.function.alias
    everywhere = everywhere or deleting
    if not (config.function.has_sources or everywhere):
        return SourcesState(target_arn=place().function_arn(name, alias))
    reading = Reading(aws, config, place, ending)
    with ThreadPoolExecutor(8) as pool:
        reader = _Reader(reading, pool, tolerant)
        state = reader.read(everywhere=everywhere, deleting=deleting)
    return msgspec.structs.replace(state, target_arn=place().function_arn(name, alias))


class _Reader(msgspec.Struct, frozen=True):
    """Reads in parallel. `unread` collects the refusals."""

    reading: Reading
    pool: ThreadPoolExecutor
    tolerant: bool
    unread: dict[str, str] = msgspec.field(default_factory=dict)

    def read(self, *, everywhere: bool, deleting: bool) -> SourcesState:
        """Start all reads at once; only those by any alias wait for the list of aliases."""
        reading, function = self.reading, self.reading.config.function
        own = tuple(dict.fromkeys(("", function.alias)))
        # delete asks for the aliases' URLs alone; the rest goes with the function.
        lists_aliases = function.url is not None if deleting else everywhere
        listing = self._start(
            ["aliases"] if lists_aliases else (), lambda _: _read_aliases(reading)
        )
        sources = {source.key: source for source in function.event_sources}
        current = self._start(
            sources, lambda key: kind_of(sources[key]).read(reading, sources[key])
        )
        policies = self._start(() if deleting else own, self._statements)
        read_mappings = partial(polled.read_listed, reading)
        if deleting:
            mappings = self._start(["all"], lambda _: polled.read_all(reading))
        else:
            mappings = self._start([""] if everywhere else (), read_mappings)
        urls = self._start(own if function.url else (), partial(url.read, reading))
        aliases = self._answers(listing).get("aliases", {})
        if everywhere and not deleting:
            mappings |= self._start(aliases, read_mappings)
        others = [alias for alias in aliases if alias not in own]
        urls |= self._start(others if function.url else (), partial(url.read, reading))
        return SourcesState(
            current=self._answers(current),
            mappings=_distinct(self._answers(mappings).values()),
            urls=self._answers(urls),
            aliases=aliases,
            statements=self._answers(policies),
            unread=self.unread,
        )

    def _start(
        self, keys: Iterable[str], read_one: Callable[[str], T | None]
    ) -> dict[str, Future[T | None]]:
        return {key: self.pool.submit(read_one, key) for key in keys}

    def _answers(self, futures: Mapping[str, Future[T | None]]) -> dict[str, T]:
        answers = {key: self._answer(key, future) for key, future in futures.items()}
        return {key: answer for key, answer in answers.items() if answer is not None}

    def _answer(self, key: str, future: Future[T | None]) -> T | None:
        try:
            return future.result()
        except Denied as error:
            if not self.tolerant:
                raise
            self.unread[key] = error.message
            return None

    def _statements(self, alias: str) -> tuple[Statement, ...]:
        return read_statements(self.reading.aws, self.reading.config.function.name, alias)


def _read_aliases(reading: Reading) -> dict[str, Mapping[str, Any]]:
    """Read the aliases, by name."""
    name = reading.config.function.name
    doing, params = f"reading the aliases of {name}", {"FunctionName": name}
    try:
        listed = reading.aws.pages("lambda", "list_aliases", doing, "Aliases", params)
    except NotFound:
        return {}
    return {alias["Name"]: alias for alias in listed}


def _distinct(lists: Iterable[Iterable[Mapping[str, Any]]]) -> tuple[Mapping[str, Any], ...]:
    """List each mapping once, since the function's list includes those of its aliases."""
    return tuple({mapping["UUID"]: mapping for listed in lists for mapping in listed}.values())

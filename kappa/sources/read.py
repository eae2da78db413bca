"""Read all that invokes a function, whatever its version or alias. It changes nothing.

Owns which reads go side by side, and that a refused one does not keep a function from being
deleted. What is read of one source is its kind's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kappa.arn import Place
from kappa.aws.client import Aws
from kappa.config.model import Config
from kappa.errors import Denied, NotFound
from kappa.function import aliases
from kappa.function.permissions import Statement, read_statements
from kappa.sources import polled, url
from kappa.sources.kind import Reading
from kappa.sources.state import SourcesState
from kappa.sources.table import kind_of

T = TypeVar("T")


def read_sources(
    aws: Aws,
    config: Config,
    place: Place,
    *,
    extra: bool = True,
    grants: bool = True,
    tolerant: bool = False,
    ending: bool = False,
    deleting: bool = False,
) -> SourcesState:
    """Read each source by its kind, URLs and permissions, side by side.

    Mappings that the config does not name are read too, if those `extra` ones matter; permissions
    if those `grants` do; what a subscription loses, if it is `ending`; for `deleting`, mappings of
    versions and of aliases that are gone too. A `tolerant` reader goes on where AWS refuses to show
    a source, and says so of it.
    Raises: Denied, unless tolerant.
    """
    name, alias = config.function.name, config.function.alias
    invoked = place.function_arn(name, alias)
    if not (config.function.has_sources or extra):
        return SourcesState(invoked=invoked)
    reading = Reading(aws, config, place.function(name), ending)
    with ThreadPoolExecutor(8) as pool:
        reader = _Reader(reading, pool, tolerant)
        return reader.read(invoked, extra=extra, grants=grants, deleting=deleting)


@dataclass(frozen=True)
class _Reader:
    """Asks side by side. `unread` gathers what AWS refuses to show."""

    reading: Reading
    pool: ThreadPoolExecutor
    tolerant: bool
    unread: dict[str, str] = field(default_factory=dict)

    def read(self, invoked: str, *, extra: bool, grants: bool, deleting: bool) -> SourcesState:
        """Ask everything at once; only what is by qualifier waits for the list of aliases."""
        reading, function = self.reading, self.reading.config.function
        listed = self._ask(["aliases"], lambda _: _read_aliases(reading))
        sources = {source.key: source for source in function.event_sources}
        asked = self._ask(sources, lambda key: kind_of(sources[key]).read(reading, sources[key]))
        owners = self._answers(listed).get("aliases", {})
        qualifiers = ("", *owners)
        if deleting:
            mappings = self._ask(["all"], lambda _: polled.read_all(reading))
        else:
            lists = qualifiers if extra else ()
            mappings = self._ask(lists, lambda alias: polled.read_listed(reading, alias))
        policies = self._ask(qualifiers if grants else (), self._statements)
        urls = self._ask(qualifiers if function.url else (), lambda alias: url.read(reading, alias))
        return SourcesState(
            current=self._answers(asked),
            mappings=_distinct(self._answers(mappings).values()),
            urls=self._answers(urls),
            aliases=tuple(owners),
            owners=owners,
            statements=self._answers(policies),
            unread=self.unread,
            invoked=invoked,
        )

    def _ask(
        self, keys: Iterable[str], read_one: Callable[[str], T | None]
    ) -> dict[str, Future[T | None]]:
        return {key: self.pool.submit(read_one, key) for key in keys}

    def _answers(self, asked: Mapping[str, Future[T | None]]) -> dict[str, T]:
        answers = {key: self._answer(key, future) for key, future in asked.items()}
        return {key: answer for key, answer in answers.items() if answer is not None}

    def _answer(self, key: str, asked: Future[T | None]) -> T | None:
        try:
            return asked.result()
        except Denied as error:
            if not self.tolerant:
                raise
            self.unread[key] = error.message
            return None

    def _statements(self, alias: str) -> tuple[Statement, ...]:
        return read_statements(self.reading.aws, self.reading.config.function.name, alias)


def _read_aliases(reading: Reading) -> dict[str, str]:
    """Name the aliases, each with the config that it is of."""
    name = reading.config.function.name
    doing, params = f"reading the aliases of {name}", {"FunctionName": name}
    try:
        listed = reading.aws.pages("lambda", "list_aliases", doing, "Aliases", params)
    except NotFound:
        return {}
    return {alias["Name"]: aliases.owner(alias) for alias in listed}


def _distinct(lists: Iterable[Iterable[Mapping[str, Any]]]) -> tuple[Mapping[str, Any], ...]:
    """Name each mapping once: the function's list has those of its aliases too."""
    return tuple({mapping["UUID"]: mapping for some in lists for mapping in some}.values())

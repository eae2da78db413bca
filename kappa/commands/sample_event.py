"""Choose the event source of a sample event, and make the event. It asks nothing of AWS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kappa.arn import Place
from kappa.config.convert import suggestion
from kappa.config.model import Config, EventSource, Url
from kappa.config.presumed_place import presumed_place
from kappa.errors import ConfigError
from kappa.sources.all_kinds import kind_of
from kappa.sources.kind import Occasion
from kappa.sources.selection import select
from kappa.sources.url_sample import sample as url_sample

# By the word for a kind: the ARN of a source for configs without one. `url` is not an event source.
_ARNS = {
    "dynamodb": (
        "arn:{at.partition}:dynamodb:{at.region}:{at.account}:"
        "table/sample/stream/2026-01-01T00:00:00.000"
    ),
    "kinesis": "arn:{at.partition}:kinesis:{at.region}:{at.account}:stream/sample",
    "s3": "arn:{at.partition}:s3:::sample",
    "sns": "arn:{at.partition}:sns:{at.region}:{at.account}:sample",
    "sqs": "arn:{at.partition}:sqs:{at.region}:{at.account}:sample",
}
_RULES = {
    "rule": EventSource(name="sample", pattern='{"source": ["sample"]}'),
    "schedule": EventSource(name="sample", schedule="rate(1 day)"),
}
KINDS = tuple(sorted([*_ARNS, *_RULES, "url"]))
# Kinds whose event contains a text from the sender.
WITH_BODY = frozenset({"kinesis", "sns", "sqs", "url"})


class SampleEvent(msgspec.Struct, frozen=True):
    """An event, and a note: from which of several sources it is, or that it is from none."""

    event: Any
    note: str = ""


def make(
    config: Config, word: str, region: str | None, at: datetime, body: str = ""
) -> SampleEvent:
    """Make the event of a kind, or of the source with a name; "" is the config's only source.

    Raises: ConfigError, if the word is neither, if there is no single source, or for a body where
    the event has none.
    """
    place = _place(config, region)
    source, note = _choose(config, word, place)
    kind = _word(source)
    if body and kind not in WITH_BODY:
        hint = f"It is for {', '.join(sorted(WITH_BODY))}."
        raise ConfigError(f"--body: a sample event of {kind} has no body.", hint)
    occasion = Occasion(config.function.name, place, at, body)
    if isinstance(source, Url):
        return SampleEvent(url_sample(source, occasion), note)
    sample = kind_of(source).sample
    if sample is None:
        raise ConfigError(f"kappa has no sample event of {kind}.", "Write it yourself.")
    return SampleEvent(sample(source, occasion), note)


def _choose(config: Config, word: str, place: Place) -> tuple[EventSource | Url, str]:
    function = config.function
    url = (function.url,) if function.url else ()
    sources: Sequence[EventSource | Url] = (*function.event_sources, *url)
    if not word:
        if len(sources) == 1:
            return sources[0], ""
        count = "several event sources" if sources else "no event source"
        kinds = ", ".join(dict.fromkeys(map(_word, sources)) or KINDS)
        hint = f"{'Its kinds' if sources else 'Kinds'}: {kinds}."
        raise ConfigError(f"{config.file} has {count}, so name a kind of event.", hint)
    of_kind = [source for source in sources if _word(source) == word]
    if of_kind:
        first, *more = of_kind
        others = ", ".join(source.short for source in more if isinstance(source, EventSource))
        note = f"This event is from the first {word} source; name another to use it: {others}."
        return first, note if others else ""
    if word in KINDS:
        note = f"{config.file} has no {word} source, so this is a generic event."
        return _generic(word, place), note
    names = [source.short for source in function.event_sources]
    if word not in {*names, *(source.key for source in function.event_sources)}:
        words = suggestion(word, {*KINDS, *names})
        raise ConfigError(
            f"{word} is neither an event source of {config.file} nor a kind of event.", words
        )
    return select(config, [word]).function.event_sources[0], ""


def _word(source: EventSource | Url) -> str:
    """What the command line calls a source's kind."""
    if isinstance(source, Url):
        return "url"
    if source.service != "events":
        return source.service
    return "schedule" if source.schedule else "rule"


def _generic(word: str, place: Place) -> EventSource | Url:
    if word == "url":
        return Url(auth="NONE")
    if word in _RULES:
        return _RULES[word]
    events = ("s3:ObjectCreated:Put",) if word == "s3" else ()
    return EventSource(arn=_ARNS[word].format(at=place), events=events)


def _place(config: Config, region: str | None) -> Place:
    """Where the function is, as far as the config and the environment tell."""
    given = region or config.region or os.environ.get("AWS_REGION")
    return presumed_place(config, given or os.environ.get("AWS_DEFAULT_REGION") or "")

"""Command lines of kappa 0.3 and 0.7: what stands there now, or which word took its place.

Owns the words of those, and which config file is meant where none is named. Pure but for
looking whether that file is there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kappa.config import command_line

# What 0.7 took when no config was named.
_DEFAULT = "kappa.yml"
_SWITCHES = {
    "list": "event_source_status",
    "enable": "enable_event_sources",
    "disable": "disable_event_sources",
}
_GONE = frozenset({"event_sources", "tag", "test"})
_COMMON = frozenset({"--env", "--profile", "--region"})
_CALLS = frozenset({"dryrun", "invoke", "invoke_async"})


def is_gone(word: str) -> bool:
    """Whether a word was a command and is none any more."""
    return word.replace("-", "_") in _GONE


def default_config() -> str:
    """The config that is meant where none is named; "" if there is none."""
    given = os.environ.get("KAPPA_CONFIG", "")
    return given or (_DEFAULT if Path(_DEFAULT).is_file() else "")


def today(args: Sequence[str]) -> list[str]:
    """Turn `--config FILE` into FILE, and leave `--no-debug` out: that is so anyway."""
    words: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*words, word, *rest]
        if word == "--config" and rest:
            words.insert(0, rest.pop(0))
        elif word.startswith("--config="):
            words.insert(0, word.removeprefix("--config="))
        elif word != "--no-debug":
            words.append(word)
    return words


def problem(args: Sequence[str], files: Sequence[Path | str], given: Sequence[str] = ()) -> str:
    """Say of a command with its arguments which words took their place; "" if they are fine.

    `given` are the options that stand before the config.
    """
    args, after = _without_common(args)
    command, more = args[0].replace("-", "_"), [*args[1:], ""][0]
    advised = partial(command_line.kappa_command, given=(*given, *after))
    if command == "event_sources":
        now = [_SWITCHES[more]] if more in _SWITCHES else list(_SWITCHES.values())
        return "event_sources is now: " + ", ".join(advised(word, *files) for word in now)
    if command == "tag":
        words = f"deploy --publish --alias {more or 'NAME'}"
        return f"tag is now: {advised(words, *files)}"
    if command == "test":
        return (
            "test is gone: run the unit tests yourself. An event is sent by: "
            f"{advised('invoke --data _tests/test_one.json', *files)}"
        )
    if command in _CALLS and more and not more.startswith("-"):
        return f"What to send is an option: {advised(f'{command} --data {more}', *files)}"
    if any(one.split("=")[0] == "--record-path" for one in args):
        return "--record-path is gone: --debug shows each call of AWS."
    return ""


def _without_common(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part the options that an advised command must repeat from the rest."""
    rest, common, words = [], [], list(args)
    while words:
        word = words.pop(0)
        if word in _COMMON and words:
            common += [word, words.pop(0)]
        elif word.split("=")[0] in _COMMON:
            common.append(word)
        else:
            rest.append(word)
    return rest, common

"""Command lines of kappa 0.3 and 0.7: what they are today, or what replaced a word. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kappa.config import advised_commands

_SWITCHES = {
    "list": "event_source_status",
    "enable": "enable_event_sources",
    "disable": "disable_event_sources",
}
WITHOUT_CONFIG = frozenset({"completion"})
_GONE = frozenset({"event_sources", "tag", "test"}) | WITHOUT_CONFIG
_COMMON = frozenset({"--env", "--profile", "--region"})
_CALLS = frozenset({"dryrun", "invoke", "invoke_async"})


def is_gone(word: str) -> bool:
    """Whether a word was a command and is not one any more."""
    return word.replace("-", "_") in _GONE


def translated(args: Sequence[str]) -> list[str]:
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


def gone_option(args: Sequence[str]) -> str:
    """Name what replaced a former option; "" if none of the words is one."""
    if any(word.split("=")[0] == "--record-path" for word in args):
        return "--record-path is gone: --debug shows each call of AWS."
    return ""


def replacement(args: Sequence[str], files: Sequence[Path | str], given: Sequence[str] = ()) -> str:
    """Name what replaced the words of a command line; "" if all of them are of today.

    `given` are the options that stand before the config.
    """
    args, after = _without_common(args)
    if not args:
        return ""
    command, more = args[0].replace("-", "_"), [*args[1:], ""][0]
    advised = partial(advised_commands.kappa_command, given=(*given, *after))
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
    if command == "completion":
        script = f"_KAPPA_COMPLETE={more or 'bash'}_source kappa"
        return f'completion is now: eval "$({script})"'
    if command in _CALLS and more and not more.startswith("-"):
        return f"What to send is an option: {advised(f'{command} --data {more}', *files)}"
    return ""


def _without_common(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the options that an advised command must repeat from the rest."""
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

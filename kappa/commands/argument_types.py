"""The kinds of arguments that click does not have: config files, and times. It only looks."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Between the config files that are one argument to click: no file's name has it.
BETWEEN_FILES = "\0"
# What a shell is offered for CONFIG: YAML files here and not far below.
_MAX_DEPTH = 3
_MAX_FILES = 100
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv"})


class ConfigFiles(click.ParamType[tuple[Path, ...]]):
    """The config files before a command, as the group joins them."""

    name = "config"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[Path, ...]:
        """Split what was joined."""
        if isinstance(value, tuple):
            return value
        return tuple(Path(name) for name in str(value).split(BETWEEN_FILES))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer YAML files; where there is none, whatever the shell has."""
        from click.shell_completion import CompletionItem

        offered = [CompletionItem(name) for name in config_files(incomplete)]
        return offered or [CompletionItem(incomplete, type="file")]


def config_files(begun: str) -> list[str]:
    """Find the YAML files whose path begins so, as the user would write it."""
    head, slash, name = begun.rpartition("/")
    base = head + slash
    top = Path(base or ".")
    with suppress(RuntimeError):  # `~NAME` without such a person
        top = top.expanduser()
    paths: list[str] = []
    for folder, folders, files in os.walk(top):
        inside = Path(folder).relative_to(top)
        depth = len(inside.parts)
        folders[:] = sorted(
            inner
            for inner in folders
            if not inner.startswith(".")
            and inner not in _SKIPPED
            and depth < _MAX_DEPTH
            and (depth or inner.startswith(name))
        )
        paths += [
            f"{base}{(inside / file).as_posix()}"
            for file in sorted(files)
            if file.endswith((".yml", ".yaml"))
            and not file.startswith(".")
            and (depth or file.startswith(name))
        ]
        if len(paths) >= _MAX_FILES:
            break
    return paths[:_MAX_FILES]


class Moment(click.ParamType[int]):
    """A time: a span ago such as 30s, 10m, 2h or 1d, or ISO 8601. Units: epoch milliseconds."""

    name = "time"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Turn what was written into a time."""
        if isinstance(value, int):
            return value
        try:
            return moment_ms(str(value), time.time())
        except (ValueError, OverflowError):
            self.fail(
                f"{str(value)[:40]!r} is not a time since 1970: "
                "30s, 10m, 2h, 1d ago, or 2026-01-31T12:00 (UTC).",
                param,
                ctx,
            )


def moment_ms(text: str, now_s: float) -> int:
    """Read a span before now, or an ISO 8601 time, which is UTC unless it says otherwise.

    Raises: ValueError.
    """
    if match := re.fullmatch(r"(\d+)([smhd])", text):
        seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
        at_ms = int(now_s * 1000) - seconds * 1000
    else:
        at = datetime.fromisoformat(text)
        at_ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    if at_ms < 0:
        raise ValueError(f"{text} is before 1970")
    return at_ms

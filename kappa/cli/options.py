"""What stands on the command line around a command: config file, common options, time spans.

Owns how argv is read, with click. It prints nothing itself.
"""

from __future__ import annotations

import inspect
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kappa.cli import old_words as oldwords
from kappa.config import advice

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from kappa.aws.client import Aws
    from kappa.commands.deploy import Session

F = TypeVar("F", bound=Callable[..., Any])
# No file's name has it.
_BETWEEN = "\0"
_WITHOUT_CONFIG = frozenset({"completion"})


@dataclass
class Options:
    """What stands before CONFIG or after COMMAND; the later one wins."""

    config: Path
    profile: str | None = None
    region: str | None = None
    env: str | None = None
    debug: bool = False
    json: bool = False
    configs: tuple[Path, ...] = ()
    session: Session | None = None

    def open(self, known: dict[Any, Aws] | None = None) -> Session:
        """Read the config and prepare to reach AWS; `known` are other configs' clients."""
        from kappa.commands.deploy import open_session

        if self.session is not None:
            return self.session
        if self.debug:
            import logging

            logging.basicConfig(stream=sys.stderr, format="%(message)s")
            logging.getLogger("kappa").setLevel(logging.DEBUG)
        return open_session(self.config, self.profile, self.region, known, self.env or "")


def _region(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str | None:
    from kappa.aws.regions import is_well_formed

    if name is not None and not is_well_formed(name):
        raise click.BadParameter(f"{name!r} is not an AWS region, such as us-east-1.")
    return name


def common(command: F) -> F:
    """Give a command the options that stand before CONFIG or after COMMAND."""
    for option in reversed(
        (
            click.option("--profile", metavar="NAME", help="AWS profile."),
            click.option("--region", metavar="NAME", callback=_region, help="AWS region."),
            click.option("--env", metavar="NAME", help="Environment of the config."),
            click.option("--debug", is_flag=True, help="Show AWS calls and tracebacks."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        )
    ):
        command = option(command)
    return command


def merge(options: Options, given: dict[str, Any]) -> Options:
    """Take the common options out of what click gives; what is said later wins."""
    options.profile = given.pop("profile") or options.profile
    options.region = given.pop("region") or options.region
    options.env = given.pop("env") or options.env
    options.debug = given.pop("debug") or options.debug
    options.json = given.pop("as_json") or options.json
    return options


def with_example(text: str | None) -> str:
    """Keep the lines of a help's example as they are: click would join them."""
    return inspect.cleandoc(text or "").replace("Example:\n", "\b\nExample:\n")


class Commands(click.Group):
    """Takes update_code as well as update-code; helps where CONFIG is missing or a word is old."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, whichever dash its name has."""
        return super().get_command(ctx, cmd_name.replace("-", "_"))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the config that is meant where a command stands in its place."""
        args = oldwords.today(args)
        if any(word.split("=")[0] == "--record-path" for word in args):
            raise click.UsageError(oldwords.problem(args, ()), ctx)
        first = next(self._plain_words(ctx, args), None)
        if first is not None and self._is_command(ctx, args[first]):
            args = self._with_config(ctx, args, args[first])
        return super().parse_args(ctx, self._joined(ctx, args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands after a config file, and further config files."""
        offered = super().shell_complete(ctx, incomplete)
        if ctx.params.get("config") and not incomplete.startswith("-"):
            from click.shell_completion import CompletionItem

            from kappa.cli.params import config_files

            offered += [CompletionItem(name) for name in config_files(incomplete)]
        return offered

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of a word of kappa 0.7 say what took its place."""
        files = ctx.params.get("config") or ("config.yml",)
        before = {key: ctx.params.get(key) for key in ("env", "profile", "region")}
        problem = oldwords.problem(args, files, advice.options(**before))
        if not ctx.resilient_parsing and problem:
            raise click.UsageError(problem, ctx)
        return super().resolve_command(ctx, args)

    def _is_command(self, ctx: click.Context, word: str) -> bool:
        known = self.get_command(ctx, word) is not None or oldwords.is_gone(word)
        return known and not Path(word).is_file()

    def _with_config(self, ctx: click.Context, args: list[str], command: str) -> list[str]:
        if "--help" in args or command in _WITHOUT_CONFIG:
            return ["CONFIG", *args]
        config = oldwords.default_config() if command != "init" else ""
        if config:
            return [config, *args]
        if not ctx.resilient_parsing:
            raise click.UsageError(f"The config file comes first: kappa config.yml {command}", ctx)
        return args

    def _plain_words(self, ctx: click.Context, args: list[str]) -> Iterator[int]:
        """Number the words that are neither options nor what an option takes."""
        valued = {
            name
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        for number, word in enumerate(args):
            if not word.startswith("-") and not (number and args[number - 1] in valued):
                yield number

    def _joined(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Make one argument of the config files before the command: click takes a fixed number."""
        files: list[int] = []
        for number in self._plain_words(ctx, args):
            if files and (self.get_command(ctx, args[number]) or oldwords.is_gone(args[number])):
                joined = _BETWEEN.join(args[file] for file in files)
                before = [word for at, word in enumerate(args[:number]) if at not in files]
                return [*before, joined, *args[number:]]
            files.append(number)
        if ctx.resilient_parsing and len(files) > 1:
            # A shell completes the word after the config files: they are all one argument.
            joined = _BETWEEN.join(args[file] for file in files)
            return [*(word for at, word in enumerate(args) if at not in files), joined]
        if len(files) > 1 and Path(args[files[-1]]).is_file():
            raise click.UsageError("Which command? It stands after the config files.", ctx)
        return args


class ConfigFiles(click.ParamType[tuple[Path, ...]]):
    """The config files before a command, as Commands joins them."""

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
        return tuple(Path(one) for one in str(value).split(_BETWEEN))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer YAML files; where there is none, whatever the shell has."""
        from click.shell_completion import CompletionItem

        from kappa.cli.params import config_files

        found = [CompletionItem(name) for name in config_files(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


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
                f"{str(value)[:40]!r} is no time since 1970: "
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

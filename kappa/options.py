"""What stands on the command line around a command: config file, common options, time spans.

Owns how argv is read, with click. It prints nothing itself.
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kappa.commands import Session

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Options:
    """What stands before CONFIG or after COMMAND; the later one wins."""

    config: Path
    profile: str | None = None
    region: str | None = None
    debug: bool = False
    json: bool = False

    def open(self) -> Session:
        """Read the config and prepare to reach AWS."""
        from kappa.commands import open_session

        if self.debug:
            logging.basicConfig(stream=sys.stderr, format="%(message)s")
            logging.getLogger("kappa").setLevel(logging.DEBUG)
        return open_session(self.config, self.profile, self.region)


def common(command: F) -> F:
    """Give a command the options that stand before CONFIG or after COMMAND."""
    for option in reversed(
        (
            click.option("--profile", metavar="NAME", help="Profile of ~/.aws/config."),
            click.option("--region", metavar="NAME", help="AWS region."),
            click.option("--debug", is_flag=True, help="Show each AWS call and tracebacks."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        )
    ):
        command = option(command)
    return command


def merge(options: Options, given: dict[str, Any]) -> Options:
    """Take the common options out of what click gives; what is said later wins."""
    options.profile = given.pop("profile") or options.profile
    options.region = given.pop("region") or options.region
    options.debug = given.pop("debug") or options.debug
    options.json = given.pop("as_json") or options.json
    return options


def with_example(text: str | None) -> str:
    """Keep the lines of a help's example as they are: click would join them."""
    return inspect.cleandoc(text or "").replace("Example:\n", "\b\nExample:\n")


class Commands(click.Group):
    """Takes update_code as well as update-code, and says what is missing where CONFIG is."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, whichever dash its name has."""
        return super().get_command(ctx, cmd_name.replace("-", "_"))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Notice a command where the config file should be."""
        if args and self.get_command(ctx, args[0]) and not Path(args[0]).exists():
            if "--help" in args:
                args = ["CONFIG", *args]
            else:
                raise click.UsageError(
                    f"The config file comes first: kappa config.yml {args[0]}", ctx
                )
        return super().parse_args(ctx, args)


class Ago(click.ParamType[int]):
    """A time span such as 30s, 10m, 2h or 1d, in seconds."""

    name = "span"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Turn a span into seconds."""
        match = re.fullmatch(r"(\d+)([smhd])", str(value))
        if not match:
            self.fail(f"{value!r} is no time span: 30s, 10m, 2h or 1d.", param, ctx)
        return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]

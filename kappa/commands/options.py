"""The options that several commands share, and what they hold: config files, account, output."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kappa.commands.console import hide_secret, print_report
from kappa.config.uses import ALL, Uses

if TYPE_CHECKING:
    from kappa.aws import Aws
    from kappa.commands.session import Session

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Options:
    """What stands before CONFIG or after COMMAND; the later one wins.

    `uses` are the places of the config that the command uses. `adopt`: take over what exists
    without an owner.
    """

    config: Path
    profile: str | None = None
    region: str | None = None
    env: str | None = None
    debug: bool = False
    json: bool = False
    configs: tuple[Path, ...] = ()
    session: Session | None = None
    uses: Uses = ALL
    adopt: bool = False

    def open(self, known: dict[Any, Aws] | None = None) -> Session:
        """Read the config and prepare to reach AWS; `known` are other configs' clients."""
        from kappa.commands.session import open_session

        if self.session is not None:
            return self.session
        if self.debug:
            import logging

            logging.basicConfig(stream=sys.stderr, format="%(message)s")
            logging.getLogger("kappa").setLevel(logging.DEBUG)
        return open_session(
            self.config,
            self.profile,
            self.region,
            known,
            self.env or "",
            report=print_report,
            uses=self.uses,
            hide=hide_secret,
            adopt=self.adopt,
        )


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
    """Take the common options out of what click gives; the later ones win."""
    options.profile = given.pop("profile") or options.profile
    options.region = given.pop("region") or options.region
    options.env = given.pop("env") or options.env
    options.debug = given.pop("debug") or options.debug
    options.json = given.pop("as_json") or options.json
    return options


wait_option = click.option("--wait", is_flag=True, help="Wait until Lambda runs the new code.")
adopt_option = click.option(
    "--adopt", is_flag=True, help="Take over a function, role or policy that kappa did not make."
)
show_values_option = click.option(
    "--show-values", is_flag=True, help="Show variables and included values."
)


def publishing_options(command: F) -> F:
    """Give a command the options that win over the config's keys of the same name."""
    for option in (
        click.option(
            "--keep-versions", type=int, metavar="N", help="Keep N versions; delete older ones."
        ),
        click.option("--alias", metavar="NAME", help="Move this alias to the new version."),
        click.option("--publish", is_flag=True, default=None, help="Publish a version."),
    ):
        command = option(command)
    return command

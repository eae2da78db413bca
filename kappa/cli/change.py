"""The commands that change the account: each names its plan, nothing more."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from kappa.cli.console import as_json, coloured, progress, report_line, result
from kappa.cli.group import carry_out, command, strict_option, warn_of_code
from kappa.cli.options import Options
from kappa.errors import KappaError
from kappa.texts import shown

F = TypeVar("F", bound=Callable[..., Any])
DIFFERS = 3


def _publishing(function: Any) -> Any:  # noqa: ANN401 - a click decorator
    """Give a command the options that win over the config's keys of the same name."""
    for option in (
        click.option(
            "--keep-versions", type=int, metavar="N", help="Keep N versions; delete older ones."
        ),
        click.option("--alias", metavar="NAME", help="Move this alias to the new version."),
        click.option("--publish", is_flag=True, default=None, help="Publish a version."),
    ):
        function = option(function)
    return function


_show_values = click.option(
    "--show-values", is_flag=True, help="Show variables and included values."
)


_wait = click.option("--wait", is_flag=True, help="Wait until Lambda runs the new code.")


@command
@click.option("--dry-run", is_flag=True, help="Show what would change, as diff does.")
@_show_values
@_wait
@strict_option
@_publishing
def deploy(
    options: Options,
    dry_run: bool,
    show_values: bool,
    wait: bool,
    strict: bool,
    **publishing: Any,  # noqa: ANN401
) -> int:
    """Create or update everything in the config.

    Works in this order: policy, role, log group, function, versions, permissions, event sources.
    Changes only what differs, so a second deploy changes nothing. Keeps what the config does not
    name.

    Example:
      kappa config.yml deploy --publish --alias current
    """
    from kappa.commands.deploy import plan_deploy
    from kappa.commands.publishing import publishing_as

    if dry_run:
        return _show(options, show_values, publishing, strict=strict)
    own = replace(options, session=publishing_as(options.open(), publishing))
    carry_out(own, plan_deploy, settled=False, wait=wait, strict=strict)
    return 0


@command
@_show_values
@_publishing
def diff(options: Options, show_values: bool, **publishing: Any) -> int:  # noqa: ANN401
    """Show what deploy would change.

    Compares settings, documents and the files of the code. Changes nothing. Exit code 0: nothing
    differs; 3: something does.

    Example:
      kappa config.yml diff
    """
    return _show(options, show_values, publishing)


def _show(
    options: Options, show_values: bool, publishing: Mapping[str, Any], *, strict: bool = False
) -> int:
    from kappa.commands.deploy import read_changes
    from kappa.commands.diff import HIDDEN, as_data, as_lines, sends_code
    from kappa.commands.publishing import publishing_as
    from kappa.plan.step import Note, Report, worth_a_line

    session = publishing_as(options.open(), publishing)
    if strict:
        warn_of_code(session.config, session.problems, strict=True)
    plan, found = read_changes(session, show_values=show_values)
    if not strict and sends_code(plan):
        warn_of_code(session.config, session.problems, strict=False)
    if options.json:
        result(as_json(as_data(found)))
        return DIFFERS if found else 0
    for item in worth_a_line(plan):
        if isinstance(item, Note):
            progress(report_line(Report(item.mark, item.message)))
    for sign, text in as_lines(found):
        result(coloured(sign, text))
    if not found:
        progress("No changes.")
        return 0
    if any(HIDDEN in (one.before, one.after) for change in found for one in change.settings):
        progress("Values of variables and included ones are hidden: --show-values shows them.")
    return DIFFERS


@command
@_wait
@strict_option
def create(options: Options, wait: bool, strict: bool) -> None:
    """Create the policy, role and function.

    Creates what is missing, the log group too. An existing function keeps its code and settings.
    It gets the tags, reserved concurrency, first version and alias that it lacks, and the
    config's permissions and asynchronous settings.

    Example:
      kappa config.yml create
    """
    from kappa.commands.deploy import plan_create

    carry_out(options, plan_create, wait=wait, strict=strict)


@command
@_wait
@strict_option
def update_code(options: Options, wait: bool, strict: bool) -> None:
    """Update the function's code and settings.

    Changes only what differs: code, settings, versions and permissions of the function, and the
    document of its policy. Creates no function, role or policy.

    Example:
      kappa config.yml update_code
    """
    from kappa.commands.deploy import plan_update_code

    carry_out(options, plan_update_code, wait=wait, strict=strict)


@command
def add_event_sources(options: Options) -> None:
    """Connect the function to its event sources.

    Creates what is missing: mappings for streams and queues, subscriptions for topics,
    notifications for buckets, EventBridge rules, the function URL, and the permissions that they
    need.

    Example:
      kappa config.yml add_event_sources
    """
    from kappa.commands.sources import plan_add_event_sources

    carry_out(options, plan_add_event_sources)


@command
def update_event_sources(options: Options) -> None:
    """Update existing event sources.

    Changes the settings that differ, such as batch size, filters and `enabled`. Reports a missing
    source, and does not create it.

    Example:
      kappa config.yml update_event_sources
    """
    from kappa.commands.sources import plan_update_event_sources

    carry_out(options, plan_update_event_sources)


def _confirm_delete(options: Options, given: dict[str, Any]) -> None:
    """Ask a person, and nobody else, before anything is deleted.

    Raises: KappaError, unless the answer is yes.
    """
    if given.pop("yes") or not sys.stdin.isatty():
        return
    sessions = [replace(options, config=file).open() for file in options.configs]
    names = ", ".join(f"{one.config.function.name} in {one.aws.region}" for one in sessions)
    question = f"Delete {shown(names)}, with all that kappa made for it?"
    try:
        agreed = click.confirm(question, err=True)
    except click.exceptions.Abort:
        agreed = False
    if not agreed:
        raise KappaError("Nothing was deleted.")


def _asking(function: F) -> F:
    function.confirm = _confirm_delete  # type: ignore[attr-defined]
    return function


@command
@_asking
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, any role or policy that kappa did not create, and any that something else
    uses. Names what it keeps, and why. Asks first on a terminal.

    Example:
      kappa config.yml delete --yes
    """
    from kappa.commands.deploy import plan_delete

    carry_out(options, plan_delete)

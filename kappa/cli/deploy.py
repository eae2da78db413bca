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
        click.option("--keep-versions", type=int, metavar="N", help="Remove older versions."),
        click.option("--alias", metavar="NAME", help="Move this alias to the new version."),
        click.option("--publish", is_flag=True, default=None, help="Publish a version."),
    ):
        function = option(function)
    return function


_show_values = click.option(
    "--show-values", is_flag=True, help="Show values of variables and included ones."
)


_wait = click.option("--wait", is_flag=True, help="Wait until Lambda runs what is new.")


@command
@click.option("--dry-run", is_flag=True, help="Only show what would change, as diff does.")
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
    """Bring everything to what the config says.

    Creates what is missing and updates what differs of policy, role, log group, function,
    permissions, versions and event sources, in this order; removes nothing that the config does
    not name. What is as it should be is left alone: a second deploy changes nothing.

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

    Shows settings, documents and files of the code; changes nothing. The exit code is 0 when
    nothing differs and 3 when something does.

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
    from kappa.plan.selection import worth_a_line
    from kappa.plan.step import Already, Report

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
        if isinstance(item, Already):
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
    """Create the policy, the role and the function.

    Makes what is missing and leaves alone what exists. A function that exists keeps its code
    and settings; it gets the tags, the reserved concurrency, the first version and the alias that
    it lacks, and its permissions and settings for asynchronous calls become the config's.

    Example:
      kappa config.yml create
    """
    from kappa.commands.deploy import plan_create

    carry_out(options, plan_create, wait=wait, strict=strict)


@command
@_wait
@strict_option
def update_code(options: Options, wait: bool, strict: bool) -> None:
    """Upload the code and settings that differ.

    Changes the function's code and configuration, its permissions and the policy's document,
    each only where AWS has something else than the config says.

    Example:
      kappa config.yml update_code
    """
    from kappa.commands.deploy import plan_update_code

    carry_out(options, plan_update_code, wait=wait, strict=strict)


@command
def add_event_sources(options: Options) -> None:
    """Connect the function with its event sources.

    Makes a mapping for each DynamoDB or Kinesis stream, a subscription for each SNS topic, a
    notification for each S3 bucket, with the permission that it needs.

    Example:
      kappa config.yml add_event_sources
    """
    from kappa.commands.sources import plan_add_event_sources

    carry_out(options, plan_add_event_sources)


@command
def update_event_sources(options: Options) -> None:
    """Bring event sources to what the config says.

    Changes batch size, retries, enabled and the like of the mappings that are there, and the
    events of bucket notifications.

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
@click.option("--yes", "-y", is_flag=True, help="Do not ask before deleting.")
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, policies and roles that kappa did not make, and a role or policy that
    something else uses; it says so of each. On a terminal it asks first, unless --yes is given;
    in a script it does not ask.

    Example:
      kappa config.yml delete --yes
    """
    from kappa.commands.deploy import plan_delete

    carry_out(options, plan_delete)

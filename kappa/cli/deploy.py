"""The commands that bring the function to what its config says: deploy, create, update_code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from kappa.cli.carry_out import carry_out
from kappa.cli.diff import show_changes
from kappa.cli.group import command
from kappa.cli.options import (
    Options,
    publishing_options,
    show_values_option,
    strict_option,
    wait_option,
)


@command(several=True)
@click.option("--dry-run", is_flag=True, help="Only show what would change, as diff does.")
@show_values_option
@wait_option
@strict_option
@publishing_options
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
        return show_changes(options, show_values, publishing, strict=strict)
    own = replace(options, session=publishing_as(options.open(), publishing))
    carry_out(own, plan_deploy, settled=False, wait=wait, strict=strict)
    return 0


@command(several=True)
@wait_option
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


@command(several=True)
@wait_option
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

"""The commands that bring the function to what its config says: deploy, create, update_code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from kappa.commands.carry_out import carry_out
from kappa.commands.diff import show_changes
from kappa.commands.group import command
from kappa.commands.options import (
    Options,
    adopt_option,
    publishing_options,
    show_values_option,
    wait_option,
)


@command(several=True, packs=True)
@click.option("--dry-run", is_flag=True, help="Show what would change, as diff does.")
@show_values_option
@wait_option
@adopt_option
@publishing_options
def deploy(
    options: Options,
    dry_run: bool,
    show_values: bool,
    wait: bool,
    adopt: bool,
    **publishing: Any,  # noqa: ANN401
) -> int:
    """Create or update everything in the config.

    Works in this order: policy, role, log group, function, versions, permissions, event sources.
    Changes only what differs, so a second deploy changes nothing. Keeps what the config does not
    name.

    Example:
      kappa config.yml deploy --publish --alias current
    """
    from kappa.commands.deploy_plan import plan_deploy
    from kappa.commands.session import with_publishing

    options = replace(options, adopt=adopt)
    if dry_run:
        return show_changes(options, show_values, publishing)
    own = replace(options, session=with_publishing(options.open(), publishing))
    carry_out(own, plan_deploy, settled=False, wait=wait, shows_place=True)
    return 0


@command(several=True, packs=True)
@wait_option
@adopt_option
def create(options: Options, wait: bool, adopt: bool) -> None:
    """Create the policy, role and function.

    Creates what is missing, the log group too. An existing function keeps its code and settings.
    It gets the tags, reserved concurrency, first version and alias that it lacks, and the
    config's permissions and asynchronous settings.

    Example:
      kappa config.yml create
    """
    from kappa.commands.deploy_plan import plan_create

    carry_out(replace(options, adopt=adopt), plan_create, wait=wait)


@command(several=True, packs=True)
@wait_option
@adopt_option
def update_code(options: Options, wait: bool, adopt: bool) -> None:
    """Update the function's code and settings.

    Changes only what differs: code, settings, versions and permissions of the function, and the
    document of its policy. Creates no function, role or policy.

    Example:
      kappa config.yml update_code
    """
    from kappa.commands.deploy_plan import plan_update_code

    own = replace(options, adopt=adopt)
    carry_out(own, plan_update_code, wait=wait)

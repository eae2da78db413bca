"""The command delete: the question that it asks, what goes, and what stays."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from kappa.commands.carry_out import carry_out
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import NAMES
from kappa.errors import ConfigError, KappaError
from kappa.texts import shown

if TYPE_CHECKING:
    from kappa.commands.session import Session
    from kappa.plan.step import Plan


def _confirm(options: Options, given: dict[str, Any]) -> None:
    """Ask on a terminal before anything is deleted. Elsewhere several configs need --yes.

    Raises: KappaError, unless the answer is yes; ConfigError, if nobody can be asked.
    """
    if given.pop("yes"):
        return
    if not sys.stdin.isatty():
        if len(options.configs) > 1:
            problem = f"Without a terminal, deleting {len(options.configs)} functions needs --yes."
            raise ConfigError(problem, "Nothing was deleted.")
        return
    sessions = [replace(options, config=file).open() for file in options.configs]
    names = ", ".join(f"{each.config.function.name} in {each.aws.region}" for each in sessions)
    question = f"Delete {shown(names)}, with all that kappa made for it?"
    try:
        agreed = click.confirm(question, err=True)
    except click.exceptions.Abort:
        agreed = False
    if not agreed:
        raise KappaError("Nothing was deleted.")


@command(several=True, confirm=_confirm, uses=NAMES)
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
def delete(options: Options) -> None:
    """Delete event sources, function, role and policy.

    Keeps the logs, any role or policy that kappa did not create, and any that something else
    uses. Names what it keeps, and why. Asks first on a terminal; elsewhere, several configs need
    --yes.

    Example:
      kappa config.yml delete --yes
    """
    carry_out(options, plan_delete, shows_place=True)


def plan_delete(session: Session) -> Plan:
    """Plan the removal of all that kappa made, except the logs.

    Raises: ConfigError, if kappa did not make the function in this region.
    """
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial

    import msgspec

    from kappa.config.function_rules import check_regions
    from kappa.function.log_group import plan_log_group_delete
    from kappa.function.plan import plan_function_delete
    from kappa.function.state import list_functions, read_function
    from kappa.iam.delete import plan_rights_delete
    from kappa.iam.state import read_policy, read_role
    from kappa.sources.plan import plan_sources_delete
    from kappa.sources.read import read_sources

    config, aws, owner = session.config, session.aws, session.owner
    name = config.function.name
    check_regions(config, aws.region)
    with ThreadPoolExecutor(4) as pool:
        function = pool.submit(read_function, aws, config, permissions=False)
        place = partial(session.place_after, function)
        role = pool.submit(read_role, aws, config, inline=config.makes_role)
        listing = pool.submit(list_functions, aws) if config.makes_role else None
        sources = pool.submit(read_sources, aws, config, place, tolerant=True, deleting=True)
        policy = read_policy(aws, config.policy, place(), deletes=True)
        rights = msgspec.structs.replace(role.result(), policy=policy)
        listed = listing.result() if listing else []
    own = [version for version in listed if version["FunctionName"] == name]
    role_arn = rights.role.arn if rights.role else ""
    users = {version["FunctionName"] for version in listed if version["Role"] == role_arn} - {name}
    removed = plan_function_delete(config, function.result(), owner)
    return [
        *plan_sources_delete(config, sources.result()),
        *removed,
        *plan_log_group_delete(config),
        *plan_rights_delete(config, rights, owner, own, users),
    ]

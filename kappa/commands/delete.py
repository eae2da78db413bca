"""The command delete: what of the function, its sources, role and policy goes, and what stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec

from kappa.commands.session import Session
from kappa.config.function_rules import check_regions
from kappa.function.log_group import plan_log_group_delete
from kappa.function.plan import plan_function_delete
from kappa.function.state import list_functions, read_function
from kappa.iam.delete import plan_rights_delete
from kappa.iam.state import read_policy, read_role
from kappa.plan.step import Plan
from kappa.sources.plan import plan_sources_delete
from kappa.sources.read import read_sources


def plan_delete(session: Session) -> Plan:
    """Plan the removal of all that kappa made, except the logs.

    Raises: ConfigError, if kappa did not make the function in this region.
    """
    config, aws, owner = session.config, session.aws, session.owner
    name = config.function.name
    check_regions(config, aws.region)
    with ThreadPoolExecutor(4) as pool:
        role = pool.submit(read_role, aws, config, inline=config.makes_role)
        listing = pool.submit(list_functions, aws) if config.makes_role else None
        function = read_function(aws, config, permissions=False)
        place = session.place
        sources = pool.submit(read_sources, aws, config, place, tolerant=True, deleting=True)
        policy = read_policy(aws, config.policy, place, deletes=True)
        rights = msgspec.structs.replace(role.result(), policy=policy)
        listed = listing.result() if listing else []
    own = [version for version in listed if version["FunctionName"] == name]
    role_arn = rights.role.arn if rights.role else ""
    users = {version["FunctionName"] for version in listed if version["Role"] == role_arn} - {name}
    removed = plan_function_delete(config, function, owner)
    return [
        *plan_sources_delete(config, sources.result()),
        *removed,
        *plan_log_group_delete(config),
        *plan_rights_delete(config, rights, owner, own, users),
    ]

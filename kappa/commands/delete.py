"""The command delete: what of the function, its sources, role and policy goes, and what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from kappa.commands.session import Session
from kappa.config.function_rules import check_regions
from kappa.function.log_group import plan_log_group_delete
from kappa.function.plan import plan_function_delete
from kappa.function.state import FunctionState, read_function
from kappa.iam import role_users
from kappa.iam.delete import plan_rights_delete, plan_vpc_mark
from kappa.iam.state import read_rights, read_roles
from kappa.plan.step import Plan
from kappa.sources.alias_choice import choose_alias
from kappa.sources.plan import plan_sources_delete
from kappa.sources.read import read_sources


def plan_delete(session: Session) -> Plan:
    """Plan the removal of all that kappa made, except the logs."""
    config, aws = session.config, session.aws
    check_regions(config, aws.region)
    with ThreadPoolExecutor(3) as pool:
        roles = pool.submit(read_roles, aws, config, inline=config.makes_role)
        listed = role_users.read_functions(aws) if config.makes_role else []
        own = [version for version in listed if version["FunctionName"] == config.function.name]
        function = (
            _latest(own) if config.makes_role else read_function(aws, config, permissions=False)
        )
        place = session.place
        pending = pool.submit(
            read_sources, aws, config, place, grants=False, tolerant=True, deleting=True
        )
        read_users = role_users.users_reader(aws, role_users.functions_by_role(listed))
        rights = read_rights(
            aws,
            config,
            place,
            roles.result(),
            function.settings,
            read_users=read_users,
            deletes=True,
        )
    # The function goes with all of its aliases, so what hangs on any of them goes too.
    config = msgspec.structs.replace(config, other_aliases=frozenset())
    config, sources = choose_alias(config, place, pending.result(), strict=False, whole=True)
    now, users_now = datetime.now(UTC), partial(role_users.users_reader(aws), elsewhere=True)
    return [
        *plan_sources_delete(config, sources),
        *plan_vpc_mark(config, rights, own, now),
        *plan_function_delete(config, function),
        *plan_log_group_delete(config),
        *plan_rights_delete(config, rights, own, now, users_now),
    ]


def _latest(own: Sequence[Mapping[str, Any]]) -> FunctionState:
    """Whether the function exists: its listed versions tell, without another call."""
    latest = (version for version in own if version.get("Version", "$LATEST") == "$LATEST")
    return FunctionState(next(latest, None))

"""The command diff: what deploy would change, compared with the code that AWS has."""

from __future__ import annotations

from kappa.commands.changes import Change, changes
from kappa.commands.deploy import plan_deploy, read_current
from kappa.commands.session import Session
from kappa.function.code import replaces_code
from kappa.packing.download import read_code
from kappa.plan.step import Plan


def read_changes(session: Session, *, show_values: bool) -> tuple[Plan, list[Change]]:
    """Read what deploy would change; the zip that AWS has only if another one replaces it."""
    current = read_current(session)
    plan = plan_deploy(session, current)
    before = None
    if replaces_code(plan):
        link = str(current.function.code.get("Location", ""))
        before = read_code(session.aws, link, session.config.function.name)
    after = session.zip
    return plan, changes(
        plan,
        after.data if after else None,
        before,
        show_values=show_values,
        secrets=session.config.values.secrets.keys(),
        installed=after.installed if after else (),
    )

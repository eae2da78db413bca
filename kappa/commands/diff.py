"""The command diff, which is deploy --dry-run too: what deploy would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kappa.commands.carry_out import print_place
from kappa.commands.console import as_json, coloured, progress, report_line, result
from kappa.commands.group import command
from kappa.commands.options import Options, adopt_option, publishing_options, show_values_option

if TYPE_CHECKING:
    from kappa.commands.changes import Change
    from kappa.commands.session import Session
    from kappa.plan.step import Plan

DIFFERS = 3


@command(several=True, packs=True)
@show_values_option
@adopt_option
@publishing_options
def diff(
    options: Options,
    show_values: bool,
    adopt: bool,
    **publishing: Any,  # noqa: ANN401
) -> int:
    """Show what deploy would change.

    Compares settings, documents and the files of the code. Changes nothing. Exit code 0: nothing
    differs; 3: something does.

    Example:
      kappa config.yml diff
    """
    return show_changes(replace(options, adopt=adopt), show_values, publishing)


def show_changes(options: Options, show_values: bool, publishing: Mapping[str, Any]) -> int:
    """Print what deploy would change; return the exit code: 0, or 3 when something differs."""
    from kappa.commands.changes import HIDDEN, as_data, as_lines
    from kappa.commands.session import with_publishing
    from kappa.plan.step import Note, Report, without_settled

    session = with_publishing(options.open(), publishing)
    plan, changes = read_changes(session, show_values=show_values)
    print_place(session)
    if options.json:
        result(as_json(as_data(changes)))
        return DIFFERS if changes else 0
    for item in without_settled(plan):
        if isinstance(item, Note):
            progress(report_line(Report(item.mark, item.message)))
    for sign, text in as_lines(changes):
        result(coloured(sign, text))
    if not changes:
        progress("No changes.")
        return 0
    settings = [setting for change in changes for setting in change.settings]
    if any(HIDDEN in (setting.before, setting.after) for setting in settings):
        progress(
            "Secrets are never shown."
            if show_values
            else "Values of variables are hidden: --show-values shows them."
        )
    return DIFFERS


def read_changes(session: Session, *, show_values: bool) -> tuple[Plan, list[Change]]:
    """Read what deploy would change; the zip that AWS has only if another one replaces it."""
    from kappa.commands.changes import changes
    from kappa.commands.deploy_plan import plan_deploy, read_current
    from kappa.function.code import replaces_code
    from kappa.package.compare import read_code

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

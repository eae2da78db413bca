"""The command diff, which is deploy --dry-run too: what deploy would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kappa.cli.carry_out import print_place
from kappa.cli.console import as_json, coloured, progress, report_line, result
from kappa.cli.group import command
from kappa.cli.options import Options, adopt_option, publishing_options, show_values_option

DIFFERS = 3


@command(several=True)
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
    from kappa.commands.diff import read_changes
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

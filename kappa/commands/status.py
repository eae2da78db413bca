"""The command status: what AWS has of the function, and what is wrong."""

from __future__ import annotations

from kappa.commands.carry_out import print_place
from kappa.commands.console import as_json, result, width
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import NAMES


@command(several=True, uses=NAMES)
def status(options: Options) -> None:
    """Show the state of everything in the config.

    Lists policy, role, function, alias, permissions, asynchronous settings and event sources.
    Problems, such as what is missing or has failed, follow after a "!". Changes nothing.

    Example:
      kappa config.yml status --json
    """
    from kappa.commands.status_data import read_status, status_data
    from kappa.commands.status_table import padded, problem_line, state_line, status_table

    session = options.open()
    now = read_status(session)
    print_place(session)
    data = status_data(now.config, now.iam, now.function, now.sources)
    if options.json:
        result(as_json(data))
        return
    for what, name, state, detail in padded(status_table(data, session.config), width()):
        result(f"{what}  {state_line(name, state, detail)}")
    for problem in data["problems"]:
        result(problem_line(problem))

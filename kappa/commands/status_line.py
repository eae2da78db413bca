"""The lines of a status: a part with its state, and a problem."""

from __future__ import annotations

from kappa.commands.console import bold, style
from kappa.sources.report import BROKEN


def state_line(name: str, state: str, detail: str) -> str:
    """Write a part of a status: green if all is well, red if it is missing or has failed."""
    word = state.strip()
    if word in BROKEN or "Failed" in word:
        colour = "red"
    else:
        is_well = word in ("Active", "Enabled", "Notifying", "Subscribed", "there")
        colour = "green" if is_well else "yellow"
    line = f"{bold(name)}  {style(state, fg=colour)}"
    return f"{line}  {style(detail, dim=True)}" if detail else line


def problem_line(problem: str) -> str:
    """Write a problem after a red exclamation mark."""
    return f"{style('!', fg='red', bold=True)} {problem}"

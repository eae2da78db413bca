"""Compare kappa with other deployment tools.

The tools take turns to deploy one trivial function with a role and a policy to one emulator. The
ratios are comparable between machines; the seconds are not. kappa_tools.py has the command lines.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
from functools import partial
from pathlib import Path

from bench import peers
from bench.emulated import emulated
from bench.kappa_tools import STARTS, TOOLS, Tool, boto3_script
from bench.report import table, with_ratio
from bench.timing import in_turn, timed
from kappa.errors import KappaError
from local.testkit.environment import settings
from local.testkit.proxy import Proxy

START_ROUNDS, ROUNDS = 11, 5
PHASES = {"create": "create", "same": "deploy no change", "changed": "deploy changed code",
          "status": "status", "delete": "delete"}  # fmt: skip
_number = itertools.count()


def measure() -> str:
    """Run the tools in turn: first to count their calls, then for time.

    Raises: KappaError, if a tool is not installed.
    """
    peers.require()
    with emulated() as (root, between):
        lines = {name: partial(timed, line, root) for name, line in STARTS.items()}
        started_ms = {name: ms for name, (ms, _cpu) in in_turn(lines, START_ROUNDS).items()}
        calls = {tool.name: count(tool, root, between) for tool in TOOLS}
        working = [tool for tool in TOOLS if calls[tool.name]]
        seconds = in_turn({tool.name: partial(one_round, tool, root) for tool in working}, ROUNDS)
    return report(started_ms, seconds, calls)


def count(tool: Tool, root: Path, between: Proxy) -> str:
    """Try one round of a tool: each phase's number of AWS calls; "" and a message if it fails."""
    counts: list[str] = []
    between.operations.clear()
    try:
        with settings(os.environ | {"AWS_ENDPOINT_URL": between.url}):
            for phase in PHASES:
                if not math.isnan(one_phase(tool, root, phase)):
                    counts.append(str(len(between.operations)))
                between.operations.clear()
    except KappaError as error:
        print(f"{tool.name} is left out: {error}", file=sys.stderr)
        return ""
    return "/".join(counts)


def one_round(tool: Tool, root: Path) -> list[float]:
    """Run a tool's phases in order, the last of which deletes everything; return their seconds."""
    return [one_phase(tool, root, phase) for phase in PHASES]


def one_phase(tool: Tool, root: Path, phase: str) -> float:
    """The seconds of one phase; NaN if the tool does not have it."""
    if phase in ("create", "changed"):
        tool.write(root, next(_number))
    if phase not in tool.commands:
        return math.nan
    return timed(f"{tool.run} {tool.commands[phase]}", tool.folder(root))[0] / 1000


def report(
    started_ms: dict[str, float], by_tool: dict[str, list[float]], calls: dict[str, str]
) -> str:
    """Each start's time beside Python's own and the AWS CLI's; each tool's beside boto3's."""
    python, aws = started_ms["python -c pass"], started_ms["aws --version"]
    starts = [[name, ms, ms / python, ms / aws] for name, ms in started_ms.items()]
    base = by_tool[boto3_script.name]
    rows = [[name, *map(with_ratio, of, base), calls[name]] for name, of in by_tool.items()]
    return f"""\
## Starts

Wall time of a whole process; median of {START_ROUNDS} rounds, taken in turn.

{table(["command", "ms", "x python -c pass", "x aws --version"], starts)}
## Deploying one function

Median wall seconds of whole processes, {ROUNDS} rounds, taken in turn. In brackets: the ratio to
the boto3 script, which reads no state. The AWS calls are those of its phases in order.

{table(["tool", *PHASES.values(), "AWS calls"], rows)}"""

"""Compare kappa with other deployment tools.

The tools take turns to deploy one trivial function with a role and a policy to one emulator. The
ratios are comparable between machines; the seconds are not. kappa_tools.py has the command lines.
"""

from __future__ import annotations

import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3

from bench.kappa_tools import BASE, BUCKET, Tool, starts, tools
from bench.peers import program
from bench.report import table
from kappa.errors import KappaError
from local.emulator import environment, running
from local.testkit import proxy
from local.testkit.environment import settings

START_ROUNDS = 11
PHASES = ("start", "create", "same", "changed", "status", "delete")
HEADS = ("start", "create", "deploy no change", "deploy changed code", "status", "delete")
Phases = dict[str, list[float]]  # seconds
Note = Callable[[str, float], None]


def measure() -> str:
    """Run the tools in turn: first to count their calls, then for time.

    Raises: KappaError, if boto3, the baseline, is not installed.
    """
    if not program("boto3", "python").exists():
        raise KappaError("The tools to compare kappa with are missing.", "Run: make bench-peers")
    root = Path(tempfile.mkdtemp(prefix="kappa-bench-"))
    try:
        with running(proxied=True) as emulator, proxy.running(emulator.endpoint_url) as between:
            # without the user's settings, without telemetry
            env = environment(emulator.endpoint_url, "test")
            env |= {"HOME": str(root), "SAM_CLI_TELEMETRY": "0"}
            with settings(env):
                boto3.client("s3").create_bucket(Bucket=BUCKET)
            starts_s = started_in_turn(root, env)
            calls = {tool.name: count(tool, root, env, between) for tool in tools()}
            seconds = measured([tool for tool in tools() if calls[tool.name]], root, env)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return f"{start_report(starts_s)}\n{report(seconds, calls)}"


def started_in_turn(root: Path, env: dict[str, str]) -> dict[str, list[float]]:
    """Wall seconds of each start command, by its name."""
    seconds: dict[str, list[float]] = {}
    for _ in range(START_ROUNDS):
        for name, line in starts().items():
            begun_s = time.perf_counter()
            subprocess.run(line, shell=True, cwd=root, env=env, capture_output=True, check=True)
            seconds.setdefault(name, []).append(time.perf_counter() - begun_s)
    return seconds


def count(tool: Tool, root: Path, env: dict[str, str], between: proxy.Proxy) -> str:
    """Try one round of a tool: each phase's number of AWS calls; "" and a message if it fails."""
    counts: list[str] = []

    def note(phase: str, _seconds: float) -> None:
        if phase != "start":
            counts.append(str(len(between.operations)))
        between.operations.clear()

    between.operations.clear()
    try:
        one_round(tool, root, env | {"AWS_ENDPOINT_URL": between.url}, 0, note)
    except subprocess.CalledProcessError as error:
        print(
            f"{tool.name} failed and is left out: {error.stderr.decode()[-600:]}", file=sys.stderr
        )
        return ""
    return "/".join(counts)


def measured(working: list[Tool], root: Path, env: dict[str, str]) -> dict[str, Phases]:
    """Each tool's seconds by phase; every tool runs once per round."""
    phases: dict[str, Phases] = {tool.name: {} for tool in working}
    for number in range(max(tool.rounds for tool in working)):
        for tool in working:
            if number < tool.rounds:
                one_round(tool, root, env, number + 1, adder(phases[tool.name]))
    return phases


def adder(of: Phases) -> Note:
    """Return a function that adds a phase's seconds to `of`."""
    return lambda phase, seconds: of.setdefault(phase, []).append(seconds)


def one_round(tool: Tool, root: Path, env: dict[str, str], number: int, note: Note) -> None:
    """Run a tool's phases in order: the last deletes everything."""
    folder = root / tool.name.replace(" ", "-")
    tool.write(folder, 0)
    for phase in PHASES:
        if phase == "changed":
            tool.write(folder, number + 1)
        if phase in tool.phases:
            begun_s = time.perf_counter()
            subprocess.run(
                tool.phases[phase],
                shell=True,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
            note(phase, time.perf_counter() - begun_s)


def start_report(started: dict[str, list[float]]) -> str:
    """Each start's time, as a multiple of Python's own and of the AWS CLI's."""
    medians = {name: statistics.median(of) for name, of in started.items()}
    python, aws = (medians.get(name, math.nan) for name in ("python -c pass", "aws --version"))
    rows = [[name, 1000 * of, of / python, of / aws] for name, of in medians.items()]
    return f"""\
## Starts

Wall time of a whole process; median of {START_ROUNDS} rounds, taken in turn.

{table(["command", "ms", "x python -c pass", "x aws --version"], rows)}"""


def report(by_tool: dict[str, Phases], calls: dict[str, str]) -> str:
    """Median seconds by tool and phase, with the ratio to the boto3 script."""
    medians = {
        name: {phase: statistics.median(seconds) for phase, seconds in phases.items()}
        for name, phases in by_tool.items()
    }

    def cell(name: str, phase: str) -> str:
        seconds, base = medians[name].get(phase), medians[BASE].get(phase)
        ratio = f" ({seconds / base:.2f})" if seconds and base else ""
        return f"{seconds:.2f}{ratio}" if seconds else "-"

    rows = [[name, *(cell(name, phase) for phase in PHASES), calls[name]] for name in medians]
    return f"""\
## Deploying one function

Median wall seconds of whole processes, up to 5 rounds, taken in turn. In brackets: the ratio to the
boto3 script, which does not read the current state. The AWS calls are those of create, no change,
changed code, status and delete.

{table(["tool", *HEADS, "AWS calls"], rows)}"""

"""Measure kappa beside its peers; print Markdown tables: `python -m bench.kappa_bench [TOOL...]`.

One trivial function with a role and a policy, on one emulator; every tool does the same in turn,
so that a ratio means something where the seconds do not. What they do is in kappa_tools.py.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3

from bench.kappa_tools import BASE, BUCKET, REGION, Tool, tools
from local.emulator import running
from tests import proxy

ROUNDS = 5
PHASES = ("start", "create", "same", "changed", "status", "delete")
HEADS = ("start", "create", "deploy no change", "deploy changed code", "status", "delete")
# Wall and processor seconds.
Seconds = tuple[float, float]
Phases = dict[str, list[Seconds]]
Note = Callable[[str, Seconds], None]


def main(*only: str) -> int:
    """Run the tools in turn, all or some: once to count their calls, and then for time."""
    root = Path(tempfile.mkdtemp(prefix="kappa-bench-"))
    try:
        with running() as emulator, proxy.running(emulator.endpoint_url) as between:
            env = environment(root)
            make_bucket(emulator.endpoint_url)
            wanted = [tool for tool in tools() if tool.name in (BASE, *(only or [tool.name]))]
            there = [tool for tool in wanted if works(tool, root, env, between)]
            calls = {tool.name: count(tool, root, env, between) for tool in there}
            env["AWS_ENDPOINT_URL"] = emulator.endpoint_url
            found = measured(there, root, env)
            print(table("Wall seconds", found, 0, calls))
            print(table("Processor seconds", found, 1, calls))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0


def make_bucket(endpoint_url: str) -> None:
    """Make the bucket that SAM needs before it begins."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", REGION, endpoint_url=endpoint_url, **keys)
    s3.create_bucket(Bucket=BUCKET)


def environment(root: Path) -> dict[str, str]:
    """No user's settings, no telemetry, the emulator's root keys."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return inherited | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "HOME": str(root),
        "SAM_CLI_TELEMETRY": "0",
    }


def works(tool: Tool, root: Path, env: dict[str, str], between: proxy.Proxy) -> bool:
    """Try a tool's whole round; what fails is said, and the tool left out."""
    env["AWS_ENDPOINT_URL"] = between.url
    try:
        one_round(tool, root, env, 0, lambda _phase, _seconds: None)
    except subprocess.CalledProcessError as error:
        print(f"{tool.name} left out: {error.stderr.decode()[-600:]}", file=sys.stderr)
        return False
    return True


def count(tool: Tool, root: Path, env: dict[str, str], between: proxy.Proxy) -> str:
    """How many calls each phase makes; the tool has been here before, as its caches have."""
    counted: list[str] = []

    def note(phase: str, _seconds: Seconds) -> None:
        if phase != "start":
            counted.append(str(len(between.operations)))
        between.operations.clear()

    between.operations.clear()
    one_round(tool, root, env, 1, note)
    return "/".join(counted)


def measured(there: list[Tool], root: Path, env: dict[str, str]) -> dict[str, Phases]:
    """Each tool's seconds by phase; in each round every tool has its turn."""
    found: dict[str, Phases] = {tool.name: {} for tool in there}
    for number in range(ROUNDS):
        for tool in there:
            of = found[tool.name]
            one_round(tool, root, env, number + 2, adder(of))
    return found


def adder(of: Phases) -> Note:
    """Keep each phase's seconds."""
    return lambda phase, seconds: of.setdefault(phase, []).append(seconds)


def one_round(tool: Tool, root: Path, env: dict[str, str], number: int, note: Note) -> None:
    """Do a tool's phases in order, from nothing to nothing."""
    folder = root / tool.name.replace(" ", "-")
    tool.write(folder, 0)
    for phase in PHASES:
        if phase == "changed":
            tool.write(folder, number + 1)
        if phase in tool.phases:
            wall_s, cpu_s = time.perf_counter(), children_cpu_s()
            subprocess.run(
                tool.phases[phase],
                shell=True,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
            note(phase, (time.perf_counter() - wall_s, children_cpu_s() - cpu_s))


def children_cpu_s() -> float:
    """Processor seconds of all processes that have ended: what a busy machine changes less."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(title: str, found: dict[str, Phases], which: int, calls: dict[str, str]) -> str:
    """Median seconds, and in brackets how many times the boto3 script's."""
    medians = {
        name: {phase: statistics.median(one[which] for one in all_) for phase, all_ in of.items()}
        for name, of in found.items()
    }
    base = medians[BASE]
    lines = [
        f"\n## {title} (median of {ROUNDS}, in turn)\n",
        f"| tool | {' | '.join(HEADS)} | AWS calls |",
        f"|---|{'---:|' * len(HEADS)}---|",
    ]
    for name, of in medians.items():
        cells = [
            f"{of[phase]:.2f}" + (f" ({of[phase] / base[phase]:.2f})" if phase in base else "")
            if phase in of
            else "-"
            for phase in PHASES
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {calls[name]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Time a save until the new code answers: kappa watch beside sam sync --watch --code.

Both update a deployed function on one emulator. A save is answered once Lambda has other code and
an invocation returns what was saved.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import boto3

from bench import peers
from bench.emulated import BUCKET, emulated
from bench.kappa_tools import STACK, Tool, kappa, sam
from bench.report import table
from bench.timing import medians, timed
from kappa.errors import KappaError

ROUNDS = 7
DEADLINE_S = 60.0
Seconds = tuple[float, float]
SYNC = f"sync --watch --code {STACK} --s3-bucket {BUCKET} --no-dependency-layer"
# each tool, its command that watches, and how its function's name begins
WATCHES = (
    (kappa, f"{kappa.run} watch", "bench-kappa"),
    (sam, f"yes | {sam.run} {SYNC}", "bench-sam"),
)


def measure() -> str:
    """Let each tool watch in turn.

    Raises: KappaError, if a tool is not installed, or a tool does not update the function.
    """
    peers.require()
    with emulated() as (root, _):
        rows = [[watch[0].name, *medians(saved(*watch, root))] for watch in WATCHES]
    return f"""\
## From a save to the new code's answer

Seconds from a save of a trivial function, median of {ROUNDS}. The emulator starts a process for new
code. kappa follows the log as well; SAM builds each time.

{table(["tool", "Lambda has the code", "it answers"], rows)}"""


def saved(tool: Tool, line: str, prefix: str, root: Path) -> list[Seconds]:
    """Deploy a tool's function, let the tool watch, and time the saves after the first."""
    tool.write(root, 0)
    timed(f"{tool.run} {tool.commands['create']}", tool.folder(root))
    functions = boto3.client("lambda").list_functions()["Functions"]
    name = next(f["FunctionName"] for f in functions if f["FunctionName"].startswith(prefix))
    with subprocess.Popen(
        f"exec setsid sh -c '{line}'",
        shell=True,
        cwd=tool.folder(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            return [answered(tool, root, name, number) for number in range(1, ROUNDS + 2)][1:]
        finally:
            subprocess.run(["pkill", "-TERM", "-s", str(process.pid)], check=False)


def answered(tool: Tool, root: Path, name: str, number: int) -> Seconds:
    """Save other code; return the seconds until Lambda has it, and until it answers."""
    client = boto3.client("lambda")
    before = client.get_function_configuration(FunctionName=name)["CodeSha256"]
    time.sleep(1.0)
    started_s = again_s = time.perf_counter()
    tool.write(root, number)
    while client.get_function_configuration(FunctionName=name)["CodeSha256"] == before:
        now_s = time.perf_counter()
        if now_s - started_s > DEADLINE_S:
            raise KappaError(f"{tool.name} did not update the function after a save.")
        if number == 1 and now_s - again_s > 3:  # it may not have watched yet
            again_s = now_s
            tool.write(root, number)
        time.sleep(0.01)
    sent_s = time.perf_counter() - started_s
    answer = client.invoke(FunctionName=name)["Payload"].read()
    assert json.loads(answer) == number, answer
    return sent_s, time.perf_counter() - started_s

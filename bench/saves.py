"""Time a save until the new code answers: kappa watch beside sam sync --watch --code.

Both update a deployed function on one emulator. A save is answered once Lambda has other code and
an invocation returns what was saved.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3

from bench.kappa_tools import BUCKET, Tool, kappa, sam
from bench.peers import program
from bench.report import table
from kappa.errors import KappaError
from local.emulator import REGION, environment, running
from local.testkit.environment import settings

ROUNDS = 7
_DEADLINE_S = 60.0
Seconds = tuple[float, float]
_SYNC = f"sync --watch --code --stack-name bench-sam --region {REGION} --s3-bucket {BUCKET}"


def measure() -> str:
    """Let each tool watch in turn.

    Raises: KappaError, if SAM is not installed, or a tool does not update the function.
    """
    if not program("sam", "sam").exists():
        raise KappaError("SAM is missing, which kappa is compared with.", "Run: make bench-peers")
    root = Path(tempfile.mkdtemp(prefix="saves-bench-"))
    try:
        with running(proxied=True) as emulator:
            env = environment(emulator.endpoint_url, "test")
            env |= {"HOME": str(root), "SAM_CLI_TELEMETRY": "0"}
            with settings(env):
                boto3.client("s3").create_bucket(Bucket=BUCKET)
                mine, theirs = kappa(), sam()
                run = mine.phases["create"].removesuffix(" create ")
                sync = f"yes | {program('sam', 'sam')} {_SYNC} --no-dependency-layer"
                lines = ((mine, f"{run} watch"), (theirs, sync))
                seconds = {tool.name: saved(tool, line, root, env) for tool, line in lines}
    finally:
        shutil.rmtree(root, ignore_errors=True)
    medians = {name: map(statistics.median, zip(*of, strict=True)) for name, of in seconds.items()}
    rows = [[name, *of] for name, of in medians.items()]
    return f"""\
## From a save to the new code's answer

Seconds from a save of a trivial function, median of {ROUNDS}. The emulator starts a process for new
code. kappa follows the log as well; SAM builds each time.

{table(["tool", "Lambda has the code", "it answers"], rows)}"""


def saved(tool: Tool, line: str, folder: Path, env: dict[str, str]) -> list[Seconds]:
    """Deploy a tool's function, let the tool watch, and time the saves after the first."""
    folder /= tool.name.replace(" ", "-")
    # SAM builds with the Python of the runtime, which must be here.
    ours = f"python3.{sys.version_info.minor}"
    tool.files = {name: text.replace("python3.12", ours) for name, text in tool.files.items()}
    tool.write(folder, 0)
    how = {"shell": True, "cwd": folder, "env": env, "stdout": subprocess.DEVNULL}
    subprocess.run(tool.phases["create"], check=True, stderr=subprocess.DEVNULL, **how)
    functions = boto3.client("lambda").list_functions()["Functions"]
    prefix = "bench-kappa" if tool.name == "kappa" else "bench-sam"
    name = next(f["FunctionName"] for f in functions if f["FunctionName"].startswith(prefix))
    with subprocess.Popen(
        f"exec setsid sh -c '{line}'", stderr=subprocess.DEVNULL, **how
    ) as process:
        try:
            seconds = [answered(tool, folder, name, number) for number in range(1, ROUNDS + 2)]
        finally:
            subprocess.run(["pkill", "-TERM", "-s", str(process.pid)], check=False)
    return seconds[1:]


def answered(tool: Tool, folder: Path, name: str, number: int) -> Seconds:
    """Save other code; return the seconds until Lambda has it, and until it answers."""
    client = boto3.client("lambda")
    before = client.get_function_configuration(FunctionName=name)["CodeSha256"]
    time.sleep(1.0)
    started_s = again_s = time.perf_counter()
    tool.write(folder, number)
    while client.get_function_configuration(FunctionName=name)["CodeSha256"] == before:
        now_s = time.perf_counter()
        if now_s - started_s > _DEADLINE_S:
            raise KappaError(f"{tool.name} did not update the function after a save.")
        if number == 1 and now_s - again_s > 3:  # it may not have watched yet
            again_s = now_s
            tool.write(folder, number)
        time.sleep(0.01)
    sent_s = time.perf_counter() - started_s
    answer = client.invoke(FunctionName=name)["Payload"].read()
    assert json.loads(answer) == number, answer
    return sent_s, time.perf_counter() - started_s

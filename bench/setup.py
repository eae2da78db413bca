"""From a fresh checkout to a running chat, and once more: where the time of `make local` goes.

A clone of this checkout in a temporary folder is set up with the machine's own caches of pip and
npm. A virtual environment that gets boto3 alone is made beside it, to compare with.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import table
from kappa.errors import KappaError
from local.emulator import free_port

ROOT = Path(__file__).resolve().parent.parent
READY = "Lambda Chat is ready"
COMMAND = re.compile(r" *([0-9.]+) s  \$ (.+)")
STAMPS = {
    "virtual environment": ".venv/.venv",
    "Python packages": ".venv/.local",
    "npm packages": "s3-website/node_modules/.runtime",
}


def measure() -> str:
    """Set up a clone twice, as `make local` does."""
    folder = Path(tempfile.mkdtemp(prefix="setup-bench-"))
    try:
        clone = folder / "lambda-chat"
        run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", str(clone)])
        bare = bare_s(folder / "bare")
        first = {
            name: run(["make", "--silent", "-C", str(clone), stamp])
            for name, stamp in STAMPS.items()
        }
        first |= started(clone)
        again = dict.fromkeys(STAMPS, 0.0) | started(clone)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(bare, first, again)


def run(command: list[str]) -> float:
    """Run a command; its wall seconds. Raises: KappaError, with what it printed."""
    begun_s = time.monotonic()
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise KappaError(f"`{' '.join(command)}` failed:\n{done.stderr[-2000:]}")
    return time.monotonic() - begun_s


def bare_s(folder: Path) -> float:
    """Make a virtual environment with boto3, what anybody has who works with AWS in Python."""
    seconds = run([sys.executable, "-m", "venv", str(folder)])
    return seconds + run([str(folder / "bin/pip"), "install", "--quiet", "boto3"])


def environment() -> dict[str, str]:
    """A user's environment: not this virtual environment, no AWS settings."""
    ours = ("AWS_", "LAMBDA_CHAT_", "VIRTUAL_ENV", "MAKE", "MFLAGS")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return inherited | {"PYTHONUNBUFFERED": "1"}


def started(clone: Path) -> dict[str, float]:
    """Start the chat until it is ready, then interrupt it: the seconds of each of its commands.

    Raises: KappaError, if it ends before, or does not end after.
    """
    python = clone / ".venv/bin/python"
    command = [python, "-m", "local", "up", "--no-browser", f"--port={free_port()}"]
    begun_s = time.monotonic()
    found: dict[str, float] = {}
    said: list[str] = []
    process = subprocess.Popen(
        command,
        cwd=clone,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if match := COMMAND.match(line):
                found[f"`{match[2].split('&& ')[-1]}`, {place(match[2])}"] = float(match[1])
            if line.startswith(READY):
                found["the rest: emulator, sign-in stand-in, page's answer"] = (
                    time.monotonic() - begun_s - sum(found.values())
                )
                return found
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
    raise KappaError(f"`python -m local up` ended before it was ready:\n{''.join(said)[-2000:]}")


def place(command: str) -> str:
    """Name the folder in which a command runs."""
    return command.split(" && ")[0].removeprefix("cd ") if " && " in command else "root"


def report(bare: float, first: dict[str, float], again: dict[str, float]) -> str:
    """A table of steps, each as a part of the bare virtual environment's time."""
    rows = [[name, first[name], again[name]] for name in first]
    total = [sum(first.values()), sum(again.values())]
    rows.append(["**from nothing to the URL**", *total])
    rows.append(["a virtual environment with boto3 alone", bare, ""])
    rows.append(["times that", total[0] / bare, total[1] / bare])
    heads = ["step", "first time, s", "again, s"]
    return f"""\
## Set-up

`make local` in a fresh clone, and again with everything installed. pip and npm use the caches that
they have.

{table(heads, rows)}"""


if __name__ == "__main__":
    print(measure())

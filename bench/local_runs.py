"""Run a trivial function on this machine, with kappa and with osls, a Serverless Framework."""

from __future__ import annotations

import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.peers import npm_program
from bench.report import table
from kappa.errors import KappaError

ROUNDS = 15
PYTHON = f"python3.{sys.version_info.minor}"
KAPPA = Path(sys.executable).parent / "kappa"
FILES = {
    "app.py": "def handler(event, context):\n    return event\n",
    "index.js": "exports.handler = async (event) => event;\n",
    "python.yml": f"""\
region: us-east-1
lambda: {{name: bench, path: app.py, handler: app.handler, runtime: {PYTHON}}}
""",
    "node.yml": """\
region: us-east-1
lambda: {name: bench, path: index.js, handler: index.handler, runtime: nodejs22.x}
""",
    "serverless.yml": f"""\
service: bench
provider: {{name: aws, region: us-east-1}}
functions:
  python: {{handler: app.handler, runtime: {PYTHON}}}
  node: {{handler: index.handler, runtime: nodejs22.x}}
""",
}
HEADS = ("function", "command", "wall ms", "CPU ms", "x kappa")
Key = tuple[str, str]  # language, command


def commands() -> dict[Key, list[str]]:
    """The commands for each language; those of a tool that is not installed are left out."""
    event, osls = ["--data", '{"tea": 1}'], npm_program("osls", "osls")
    listed: dict[Key, list[str]] = {}
    for language in ("python", "node"):
        own = [str(KAPPA), f"{language}.yml", "invoke", "--local", *event]
        listed[language, "kappa invoke --local"] = own
        listed[language, "osls invoke local"] = [
            str(osls),
            *f"invoke local -f {language}".split(),
            *event,
        ]
    return {key: words for key, words in listed.items() if Path(words[0]).exists()}


def measure() -> str:
    """Run the commands in turn; return the table.

    Raises: KappaError, if a command does not print the event.
    """
    times: dict[Key, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="kappa-bench-") as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text)
        for number in range(ROUNDS + 1):
            for key, words in commands().items():
                taken_ms = run(words, folder)
                if number:  # the first round fills caches
                    times.setdefault(key, []).append(taken_ms)
    medians = {
        key: tuple(map(statistics.median, zip(*all_ms, strict=True)))
        for key, all_ms in times.items()
    }
    rows = [
        (language, command, *ms, ms[0] / medians[language, "kappa invoke --local"][0])
        for (language, command), ms in medians.items()
    ]
    return f"""\
## Running a function here

Wall and CPU time of a whole process that runs a trivial function once; medians of {ROUNDS} rounds,
taken in turn. `sam local invoke` is missing because it needs Docker.

{table(HEADS, rows)}"""


def run(words: list[str], folder: str) -> tuple[float, float]:
    """Run a command once; return its wall and CPU time. Units: milliseconds."""
    path = os.pathsep.join([str(KAPPA.parent), os.environ["PATH"]])
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    env = {"PATH": path, "HOME": folder, "SLS_TELEMETRY_DISABLED": "1", **keys}
    before, begun_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    wall_s, after = time.perf_counter() - begun_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or b'"tea": 1' not in done.stdout:
        raise KappaError(f"{shlex.join(words)} failed: {done.stderr.decode()[-600:]}")
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return 1000 * wall_s, 1000 * cpu_s

"""Run a trivial function on this machine, with kappa and with osls, a Serverless Framework."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from bench import peers
from bench.kappa_tools import KAPPA, RUNTIME
from bench.report import table
from bench.timing import in_turn, timed
from local.testkit.environment import settings

ROUNDS = 15
FILES = {
    "app.py": "def handler(event, context):\n    return event\n",
    "index.js": "exports.handler = async (event) => event;\n",
    "python.yml": f"""\
region: us-east-1
lambda: {{name: bench, path: app.py, handler: app.handler, runtime: {RUNTIME}}}
""",
    "node.yml": """\
region: us-east-1
lambda: {name: bench, path: index.js, handler: index.handler, runtime: nodejs22.x}
""",
    "serverless.yml": f"""\
service: bench
provider: {{name: aws, region: us-east-1}}
functions:
  python: {{handler: app.handler, runtime: {RUNTIME}}}
  node: {{handler: index.handler, runtime: nodejs22.x}}
""",
}
EVENT = '"tea": 1'
OURS = "kappa invoke --local"
# the language replaces {}
COMMANDS = {
    OURS: f"{KAPPA} {{}}.yml invoke --local",
    "osls invoke local": f"{peers.program('osls', 'osls')} invoke local -f {{}}",
}


def measure() -> str:
    """Run the commands in turn; return the table.

    Raises: KappaError, if a tool is not installed, or a command does not print the event.
    """
    peers.require()
    with tempfile.TemporaryDirectory(prefix="lambda-chat-") as folder:
        for name, text in FILES.items():
            Path(folder, name).write_text(text)
        path = os.pathsep.join([str(KAPPA.parent), os.environ["PATH"]])
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        runs = {
            (language, name): partial(
                timed, f"{line.format(language)} --data '{{{EVENT}}}'", Path(folder), EVENT
            )
            for language in ("python", "node")
            for name, line in COMMANDS.items()
        }
        with settings({"PATH": path, "HOME": folder, "SLS_TELEMETRY_DISABLED": "1", **keys}):
            in_turn(runs, 1)  # fills caches
            times_ms = in_turn(runs, ROUNDS)
    rows = [
        (language, name, *ms, ms[0] / times_ms[language, OURS][0])
        for (language, name), ms in times_ms.items()
    ]
    return f"""\
## Running a function here

Wall and CPU time of a whole process that runs a trivial function once; medians of {ROUNDS} rounds,
taken in turn. `sam local invoke` is missing because it needs Docker.

{table(("function", "command", "wall ms", "CPU ms", "x kappa"), rows)}"""

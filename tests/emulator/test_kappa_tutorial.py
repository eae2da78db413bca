"""Run the tutorial of docs/kappa.md: each command prints the output shown there.

Its yaml blocks are appended to greeter/config.yml. A python block replaces greeter/greeter.py, or
its last line if the block has one line.
"""

import re
import shlex
from pathlib import Path

from tests.support.builders import run_kappa

ACCOUNT = "123456789012"
DOCS = Path(__file__).parents[2] / "docs" / "kappa.md"
# These vary: a log heading's time, id and durations, a step's seconds, and a local run's times. A
# machine without the runtime's Python warns of that.
HEADING = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  [0-9a-f]{8}  .*/128 MB$", re.MULTILINE
)
SECONDS = re.compile(r"  \d+\.\d s$", re.MULTILINE)
LOCAL = re.compile(
    r"^ +\+\d.*?s  |^REPORT RequestId: .*$|^warning .* is not installed here.*\n", re.M
)


def blocks():
    """Each fenced block of the tutorial, as (language, text)."""
    text = DOCS.read_text("utf-8")
    tutorial = text[text.index("## Tutorial") : text.index("## Command line")]
    return re.findall(r"^```(\w+)\n(.*?)^```$", tutorial, re.MULTILINE | re.DOTALL)


def same_each_time(output):
    return LOCAL.sub("", SECONDS.sub("", HEADING.sub("HEADING", output)))


def follow(console, folder, env):
    """Run a console block's commands; return their output in the block's form."""
    printed = ""
    for line in re.findall(r"^\$ .*$", console, re.MULTILINE):
        program, *words = shlex.split(line.removeprefix("$ "))
        assert program == "kappa"
        # On a terminal, kappa groups the log by request; in a pipe it does not.
        words = [*words, *["--pretty"] * ("logs" in words)]
        done = run_kappa(words, env, folder=folder)
        if "Worker process exited" in done.stderr:
            # The emulator ends a function's workers when any account updates one of that name.
            done = run_kappa(words, env, folder=folder)
        assert done.returncode == (3 if "diff" in words else 0), done.stderr
        printed += f"{line}\n{done.stderr}{done.stdout}"
    return printed


def test_each_command_of_the_tutorial_prints_what_the_docs_show(tmp_path, emulator):
    (tmp_path / "greeter").mkdir()
    code, config = tmp_path / "greeter/greeter.py", tmp_path / "greeter/config.yml"
    shown = 0
    for language, text in blocks():
        if language == "yaml":
            with config.open("a") as file:
                file.write(text)
        elif language == "python":
            before = code.read_text().splitlines(keepends=True) if code.exists() else []
            code.write_text("".join(before[:-1]) + text)
        elif language == "console":
            shown += 1
            printed = follow(text, tmp_path, emulator.env(ACCOUNT))
            assert same_each_time(printed) == same_each_time(text)
    assert shown == 7

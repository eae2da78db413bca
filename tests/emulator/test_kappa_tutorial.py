"""Run the tutorial of docs/kappa.md: each command prints the output shown there.

Its yaml blocks are appended to greeter/config.yml. An indented python block is saved in place of
the last line of the code, while watch runs if that is the next command; another is the whole file.
"""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.builders import run_kappa
from tests.support.waiting import wait_for

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


def follow_watch(console, folder, env, save):
    """Run the block's one command, save, and wait for as many lines as the block has."""
    line = console.splitlines()[0]
    output = folder / "watch.txt"
    words = [Path(sys.executable).parent / "kappa", *shlex.split(line)[2:]]
    with (
        output.open("w") as file,
        subprocess.Popen(words, stdout=file, stderr=file, env=env, cwd=folder) as process,
    ):
        try:
            wait_for(lambda: "Ctrl-C ends it." in output.read_text(), 30)
            save()
            wait_for(lambda: output.read_text().count("\n}") == console.count("\n}"), 30)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
    return f"{line}\n{output.read_text()}"


def test_each_command_of_the_tutorial_prints_what_the_docs_show(tmp_path, emulator):
    code, config = tmp_path / "greeter/code/greeter.py", tmp_path / "greeter/config.yml"
    env, unsaved, shown = emulator.env(ACCOUNT), "", 0

    def save():
        nonlocal unsaved
        kept = code.read_text().splitlines(keepends=True)[:-1]
        code.write_text("".join(kept) + unsaved)
        unsaved = ""

    for language, text in blocks():
        if language == "yaml":
            with config.open("a") as file:
                file.write(text)
        elif language == "python" and not text.startswith(" "):
            assert code.read_text() == text
        elif language == "python":
            unsaved = text
        elif language == "console":
            shown += 1
            if " watch" in text.splitlines()[0]:
                printed = follow_watch(text, tmp_path, env, save)
            else:
                if unsaved:
                    save()
                printed = follow(text, tmp_path, env)
            assert same_each_time(printed) == same_each_time(text)
    assert shown == 8

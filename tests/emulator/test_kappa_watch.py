"""kappa watch, a process of its own: what is saved is what the emulator answers with."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.aws.processes import processes
from tests.support.kappa import projects
from tests.support.waiting import wait_for

ACCOUNT = "461000000023"
KAPPA = Path(sys.executable).parent / "kappa"
CODE = """\
import os

def handler(event, context):
    print("asked", event)
    return {{"greeting": "{}", "limit_s": os.environ.get("LIMIT")}}
"""


class Watching:
    """A project, and what a `kappa watch` of it has printed."""

    def __init__(self, project, process, output):
        self.project, self.process, self.output = project, process, output

    def save(self, text, name="code/greeter.py"):
        """Save as most editors do: a new file takes the place of the old one."""
        file = self.project.folder / name
        file.with_name("4913").write_text(text)
        file.with_name("4913").replace(file)

    def text(self):
        return self.output.read_text()

    def until(self, *words, since=0):
        """Wait until all words are printed after `since`, a length of what was."""
        try:
            wait_for(lambda: all(word in self.text()[since:] for word in words), 30)
        except AssertionError:
            raise AssertionError(f"{words} not in:\n{self.text()[since:]}") from None
        return self.text()[since:]

    def saved(self, text, *words, name="code/greeter.py"):
        """Save, and wait for words; return what is printed from then on."""
        since = len(self.text())
        self.save(text, name)
        return self.until(*words, since=since)


@contextmanager
def watching(project, *args, files=(), env=None):
    """Run `kappa watch` until the end of the block; then it must end as after Ctrl-C."""
    output = project.folder / "output.txt"
    words = [KAPPA, project.folder / "config.yml", *files, "watch", *args]
    with (
        output.open("w") as file,
        subprocess.Popen(words, stdout=file, stderr=file, env=env or project.env) as process,
    ):
        watch = Watching(project, process, output)
        try:
            watch.until("Ctrl-C ends it.")
            yield watch
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(10)
        finally:
            process.kill()


def deployed(folder, emulator):
    """A deployed function, with an event to invoke it with."""
    project = projects.Project(folder, emulator, ACCOUNT)
    project.write("code/greeter.py", CODE.format("hello"))
    project.write("input.json", '{"name": "Ada"}')
    text = projects.OWN_ROLE.format(name=project.name)
    project.config(f"{text}  test_data: input.json\n  environment: {{LIMIT: '3'}}\n")
    project.run("deploy")
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory, emulator):
    """The function that one process watches for several tests."""
    return deployed(tmp_path_factory.mktemp("watch") / "greeter", emulator)


@pytest.fixture(scope="module")
def other(tmp_path_factory, emulator):
    """A function that nobody watches but a test itself."""
    return deployed(tmp_path_factory.mktemp("watch") / "other", emulator)


@pytest.fixture(scope="module")
def watch(project):
    with watching(project, "--invoke") as watch:
        yield watch


def test_a_save_is_answered_with_at_once(watch, project, figure):
    invoke, seconds = project.client("lambda").invoke, []
    for number in range(4):
        before, greeting = project.settings()["CodeSha256"], f"number {number}"
        started = time.monotonic()
        watch.save(CODE.format(greeting))
        # Not by invocations: the emulator may keep the old code for one that meets the update.
        wait_for(lambda before=before: project.settings()["CodeSha256"] != before, 20)
        assert greeting in invoke(FunctionName=project.name)["Payload"].read().decode()
        seconds.append(time.monotonic() - started)
        watch.until(f'"greeting": "{greeting}"')
    figure(
        f"kappa watch: saved to answered {sorted(seconds)[1]:.2f} s, best of 4 {min(seconds):.2f}"
    )


def test_an_update_is_invoked_and_its_log_followed(watch):
    printed = watch.saved(CODE.format("warm"), '"greeting": "warm"', "asked {'name': 'Ada'}")
    # Between the two may stand what the invocation before has logged.
    assert "saved      code/greeter.py\n" in printed
    assert "\nupdated    code of " in printed


def test_code_that_python_cannot_read_is_not_uploaded(watch, project):
    before = project.settings()["CodeSha256"]
    printed = watch.saved("def handler(:\n", "code/greeter.py:1: Python 3.13 cannot read this:")
    assert "Traceback" not in printed
    assert project.settings()["CodeSha256"] == before
    watch.saved(CODE.format("mended"), '"greeting": "mended"')


def test_a_broken_config_changes_nothing_and_a_mended_one_is_deployed(watch, project):
    watch.saved(project.text + "  nonsense: 1\n", "Error:", "nonsense", name="config.yml")
    changed = project.text.replace("'3'", "'4'") + "  timeout: 9\n"
    watch.saved(changed, "updated    settings of ", '"limit_s": "4"', name="config.yml")
    assert project.settings()["Timeout"] == 9


def test_a_new_module_and_its_use_are_one_update(watch, project):
    since = len(watch.text())
    (project.folder / "code" / "words.py").write_text("WORD = 'moin'\n")
    code = CODE.format("?").replace('"?"', "WORD")
    watch.save(f"from words import WORD\n{code}")
    printed = watch.until('"greeting": "moin"', since=since)
    assert printed.count("updated    code of ") == 1


def test_a_swap_file_updates_nothing(watch, project):
    since = len(watch.text())
    (project.folder / "code" / ".greeter.py.swp").write_text("unsaved")
    watch.saved('{"name": "Bob"}', '"greeting"', name="input.json")
    assert "updated" not in watch.text()[since:]
    assert "greeter.py" not in watch.text()[since:]


def test_a_failing_function_is_reported_and_watched_further(watch):
    printed = watch.saved(
        "def handler(event, context):\n    raise ValueError('cold kettle')\n",
        "failed: ",
        "cold kettle",
        "line 2, in handler",
    )
    assert "Traceback of" in printed or "Traceback (most recent call last)" in printed
    watch.saved(CODE.format("again"), '"greeting": "again"')


def test_ctrl_c_ends_it_without_an_error_and_leaves_nothing(other):
    with watching(other) as watch:
        pid = watch.process.pid
    assert watch.process.returncode == 0
    assert "Interrupted" not in watch.text()
    assert pid not in {parent for _, parent in processes()}


def test_ctrl_c_in_an_update_ends_it_with_the_usual_words(other, through):
    def interrupt(operation):
        if operation == "UpdateFunctionCode":
            os.kill(watch.process.pid, signal.SIGINT)
            time.sleep(1)

    through.before = interrupt
    try:
        with watching(other, env=other.env | {"AWS_ENDPOINT_URL": through.url}) as watch:
            watch.saved(CODE.format("stop"), "Interrupted. Completed changes stay")
            watch.process.wait(10)
        assert watch.process.returncode == 130
        assert "stopped    code of" in watch.text()
    finally:
        through.before = None


def test_two_functions_with_one_file_are_both_updated(other):
    names = (other.name, f"{other.name}-2")
    second = other.folder / "second.yml"
    second.write_text(other.text.replace(*names))
    assert other.kappa("deploy", files=[second]).returncode == 0
    with watching(other, "--invoke", files=[second]) as watch:
        words = [f'{name.ljust(len(names[1]))} |   "greeting": "both"' for name in names]
        printed = watch.saved(CODE.format("both"), *words)
    for name in names:
        assert f"{name.ljust(len(names[1]))} | updated    code of {name}" in printed
    assert watch.process.returncode == 0


def test_a_function_that_does_not_exist_is_not_created(tmp_path, emulator):
    new = projects.Project(tmp_path / "new", emulator, ACCOUNT)
    new.config(projects.OWN_ROLE.format(name=new.name))
    done = new.kappa("watch")
    assert done.returncode == 1
    assert f"Not on AWS: policy {new.name}-policy, role {new.name}-role" in done.stderr
    assert " deploy" in done.stderr
    assert new.existing() == []


def test_an_alias_is_not_moved_at_each_save_unless_it_is_meant(other):
    text = other.text + "  publish: true\n  alias: live\n"
    (other.folder / "live.yml").write_text(text)
    words = [KAPPA, other.folder / "live.yml", "watch"]
    done = subprocess.run(
        words, env=other.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "has the alias live: others may call" in done.stderr
    aliases = other.client("lambda").list_aliases(FunctionName=other.name)
    assert json.dumps(aliases["Aliases"]) == "[]"


def test_watch_local_runs_each_save_on_this_machine(tmp_path, emulator):
    here = projects.Project(tmp_path / "here", emulator, ACCOUNT)
    here.write("code/greeter.py", CODE.format("here"))
    here.write("input.json", '{"name": "Ada"}')
    text = projects.OWN_ROLE.format(name=here.name)
    here.config(f"{text}  test_data: input.json\n  timeout: 60\n")
    with watching(here, "--local") as watch:
        assert '"greeting": "here"' in watch.text()
        watch.saved("def handler(:\n", "Error:", "greeter.py")
        printed = watch.saved(CODE.format("mended"), '"greeting": "mended"')
        assert "asked {'name': 'Ada'}" in printed
        hangs = CODE.format("never").replace("return", "import time; time.sleep(50); return")
        watch.saved(hangs, "asked {'name': 'Ada'}")
        watch.saved(CODE.format("freed"), "stopped", '"greeting": "freed"')
        watch.saved(
            here.text.replace("greeter.handler", "greeter.gone"), "Error:", name="config.yml"
        )
    assert watch.process.returncode == 0
    assert here.existing() == []
    assert watch.text().count("credentials") == 1

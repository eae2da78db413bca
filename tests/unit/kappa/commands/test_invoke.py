"""invoke --local on the command line: what is printed where, and wrong usage."""

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import click
import pytest

from kappa.errors import FunctionFailed
from kappa.local_run import interpreter
from kappa.local_run.interpreter import CannotRun

CODE = """\
def handler(event, context):
    print("got", event)
    if "boom" in event:
        raise ValueError("the kettle is cold")
    return {"tea": event.get("tea")}
"""


@pytest.fixture
def local(run, tmp_path, monkeypatch):
    """Run `invoke --local` on a function of this Python."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code/greeter.py").write_text(CODE)
    change(tmp_path, f"python3.{sys.version_info.minor}")
    return lambda *args: run("invoke", "--local", "--region", "eu-west-1", *args)


def change(folder, runtime):
    file = folder / "config.yml"
    file.write_text(re.sub(r"runtime: \S+", f"runtime: {runtime}", file.read_text()))


def test_the_result_goes_to_stdout_and_the_rest_to_stderr(local):
    done = local("--data", '{"tea": 1}')
    assert done.exception is None
    assert json.loads(done.stdout) == {"tea": 1}
    note, log, report = done.stderr.splitlines()
    assert note == "note       You have no AWS credentials, so the function cannot call AWS."
    assert re.fullmatch(r" +\+\d+ ms  got {'tea': 1}", log)
    assert re.match(r"REPORT RequestId: \S+\tDuration: .* MB\tInit Duration: .* ms$", report)


def test_json_is_that_of_a_deployed_function(local):
    data = json.loads(local("--json", "--data", '{"tea": 1}').stdout)
    assert (data["status"], data["error"], data["version"]) == (200, None, "$LATEST")
    assert data["payload"] == {"tea": 1}
    log, report, end = data["log"].split("\n")
    assert (log, report[:6], end) == ("got {'tea': 1}", "REPORT", "")


def test_a_failure_shows_the_functions_own_traceback(local, tmp_path):
    done = local("--data", '{"boom": 1}')
    assert isinstance(done.exception, FunctionFailed)
    assert done.exception.exit_code == 1
    assert "failed: ValueError: the kettle is cold" in done.exception.message
    assert f'File "{tmp_path}/code/greeter.py", line 4, in handler' in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("machine", "hint"),
    [
        ("arm64", "name packages in lambda.requirements"),
        (
            "x86_64",
            "is for Linux on arm64, and this machine is Linux on x86_64: pot.so may not run",
        ),
    ],
)
def test_a_failed_import_names_the_remedy(local, tmp_path, monkeypatch, machine, hint):
    monkeypatch.setattr(interpreter, "_machine", lambda: ("Linux", machine))
    (tmp_path / "code/pot.so").touch()
    (tmp_path / "code/greeter.py").write_text(f"import tea_pot\n{CODE}")
    assert hint in local("--data", "{}").exception.hint


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--as-role"], "need --local"),
        (["--debug-port", "5678"], "need --local"),
        (["--inspect"], "need --local"),
        (["--local", "--qualifier", "live"], "leave --qualifier out"),
        (["--local", "--inspect"], "--inspect is for Node.js"),
        (["--local", "--debug-port", "0"], "1<=x<=65535"),
    ],
)
def test_options_that_do_not_fit_are_refused(run, args, words):
    error = run("invoke", *args).exception
    assert isinstance(error, click.UsageError)
    assert words in error.format_message()


def test_what_cannot_run_here_is_one_error(local, tmp_path):
    change(tmp_path, "java21")
    error = local("--data", "{}").exception
    assert isinstance(error, CannotRun)
    assert error.exit_code == 1


@contextmanager
def handled(number, handler):
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("numbers", [(2,), (15,), (1,), (15, 1)])  # systemd sends both
def test_ctrl_c_and_its_like_end_the_function(local, tmp_path, numbers):
    (tmp_path / "code/greeter.py").write_text(
        "import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "kappa", "--region", "eu-west-1", str(tmp_path / "config.yml")]
    command += ["invoke", "--local", "--data", "{}"]
    # The tests themselves may run where SIGHUP is ignored, as after nohup.
    with (
        handled(signal.SIGHUP, signal.SIG_DFL),
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as kappa,
    ):
        next(line for line in kappa.stderr if "begun" in line)
        for number in numbers:
            kappa.send_signal(number)
        assert kappa.stderr.read() == "Error: Interrupted: greeter was stopped.\n"
    assert kappa.returncode - 128 in numbers

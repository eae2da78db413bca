"""A function of Python in a real process: results, failures in Lambda's words, nothing left."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import uuid

import pytest

from kappa.local_run import interpreter, sandbox
from kappa.local_run.function import Caller, LocalFunction, Sdk
from kappa.local_run.interpreter import CannotRun
from kappa.package.pack import read_archive
from tests.support.kappa.leftovers import assert_gone, running, temporary_of
from tests.support.waiting import wait_for

CALLER = Caller("eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:function:greeter")
ENDLESS = "import time\n    while True: time.sleep(1)"
FORKS = (
    "import subprocess, time\n"
    "    for alone in (False, True):\n"
    "        subprocess.Popen(['sleep', '1000'], start_new_session=alone)\n"
    "    print('forked')"
)


def handler(body, before=""):
    return f"{before}\ndef handler(event, context):\n    {body}\n"


def invoke(function, event=None):
    result = function.invoke(json.dumps(event or {}).encode())
    return json.loads(result.payload), result


@pytest.fixture
def name():
    """A name that no other function has, by which its processes are found."""
    return f"greeter-{uuid.uuid4().hex}"


def test_a_process_stays_warm_between_invocations(function_of, recorded):
    code = handler("seen.append(event)\n    print('got', event)\n    return seen", "seen = []")
    with function_of(code) as function:
        assert function._sandbox is None
        assert invoke(function, {"tea": 1})[0] == [{"tea": 1}]
        assert function._sandbox is not None
        payload, second = invoke(function, {"tea": 2})
        assert payload == [{"tea": 1}, {"tea": 2}]
        assert second.report.init_ms is None
        function.restart()
        payload, third = invoke(function, {"tea": 3})
        assert payload == [{"tea": 3}]
    assert third.report.init_ms > 0
    assert 0 < third.report.used_mb < third.report.memory_mb == 128
    assert recorded.lines == [f"got {{'tea': {number}}}" for number in (1, 2, 3)]
    assert recorded.warnings == []


def test_the_context_is_lambdas(function_of):
    body = (
        "names = ('aws_request_id', 'function_name', 'invoked_function_arn', 'memory_limit_in_mb', "
        "'client_context', 'log_stream_name')\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return [*(getattr(context, name) for name in names), "
        "context.identity.cognito_identity_id, left]"
    )
    with function_of(handler(body), timeout=7) as function:
        payload, result = invoke(function)
    request_id, own_name, arn, memory, client, stream, identity, left_ms = payload
    assert uuid.UUID(request_id).version == 4
    assert request_id == result.report.request_id
    assert (own_name, memory, client, identity) == ("greeter", "128", None, None)
    assert arn == "arn:aws:lambda:eu-west-1:111122223333:function:greeter"
    assert "[$LATEST]" in stream
    assert 6000 < left_ms <= 7000


def test_the_code_sees_its_own_folder_and_no_package_of_this_machine(function_of):
    body = (
        "import os, sys\n"
        "    try:\n        import click\n"
        "    except ImportError as error:\n        no = str(error)\n"
        "    return [os.getcwd(), __file__, sys.path[0], no, sys.argv]"
    )
    with function_of(handler(body)) as function:
        payload, _ = invoke(function)
        code = str(function.code)
    assert payload == [
        code,
        f"{code}/app.py",
        code,
        "No module named 'click'",
        ["bootstrap.py", "app.handler"],
    ]


def test_the_sdk_of_kappa_is_lambdas(config_of, recorded, tmp_path):
    for name in ("own_sdk", "other"):
        (tmp_path / "sdk").mkdir(exist_ok=True)
        (tmp_path / "sdk" / f"{name}.py").write_text("version = 'kappa'")
    config = config_of(
        {"app.py": handler("import own_sdk\n    version = own_sdk.version\n    import other")}
    )
    given = {"log": recorded.log, "warn": recorded.warnings.append}
    sdk = Sdk(str(tmp_path / "sdk"), ("own_sdk",))
    with LocalFunction(config, read_archive(config), CALLER, sdk=sdk, **given) as function:
        payload, _ = invoke(function)
    assert payload["errorMessage"] == "No module named 'other'"


def test_what_the_check_raises_ends_an_invocation_and_its_process(config_of, recorded):
    def check():
        if recorded.lines:
            raise InterruptedError

    config = config_of({"app.py": handler("print('hangs'); import time; time.sleep(60)")})
    given = {"log": recorded.log, "warn": recorded.warnings.append, "check": check}
    with LocalFunction(config, read_archive(config), CALLER, **given) as function:
        with pytest.raises(InterruptedError):
            invoke(function)
        assert function._sandbox is None


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (handler("raise ValueError('cold')"), "ValueError", "cold"),
        (
            handler("return {1}"),
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set",
        ),
        (handler("return 'x' * 6_300_000"), "Function.ResponseSizeTooLarge", "(6291556 bytes)"),
        (
            "import tea_pot\nhandler = 1",
            "Runtime.ImportModuleError",
            "Unable to import module 'app'",
        ),
        ("def handler(:\n  pass", "Runtime.UserCodeSyntaxError", "(app.py, line 1)"),
        (
            "from os import *",
            "Runtime.HandlerNotFound",
            "Handler 'handler' missing on module 'app'",
        ),
        ("raise RuntimeError('at import')\nhandler = 1", "RuntimeError", "at import"),
        (
            handler("import sys; sys.exit(3)"),
            "Runtime.ExitError",
            "Runtime exited with error: exit status 3",
        ),
        (
            handler("import os; os._exit(0)"),
            "Runtime.ExitError",
            "Runtime exited without providing",
        ),
        (
            handler("import os; os.kill(os.getpid(), 11)"),
            "Runtime.ExitError",
            "signal: segmentation",
        ),
        ("import sys; sys.exit(4)\nhandler = 1", "Runtime.ExitError", "exit status 4"),
        (handler(ENDLESS), "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ],
)
def test_a_failure_is_worded_as_lambda_words_it(function_of, code, kind, words):
    with function_of(code, timeout=1) as function:
        payload, result = invoke(function)
    assert (payload["errorType"], result.error) == (kind, "Unhandled")
    assert words in payload["errorMessage"]
    assert result.report.status == ("timeout" if kind == "Sandbox.Timedout" else "error")


def test_an_error_without_words_is_one_all_the_same(function_of):
    code = "class Odd(Exception):\n    def __str__(self):\n        raise KeyError\n"
    with function_of(f"{code}{handler('raise Odd')}") as function:
        payload, _ = invoke(function)
    assert payload["errorType"] == "Odd"
    assert payload["errorMessage"] == "<exception str() failed>"


def test_code_that_python_cannot_place_an_error_in_has_no_traceback(function_of):
    with function_of("\0") as function:
        payload, _ = invoke(function)
    assert "null bytes" in payload["errorMessage"]
    assert not payload.get("stackTrace")


def test_a_traceback_names_the_file_that_the_user_edits(function_of, tmp_path):
    with function_of(handler("raise ValueError('cold')")) as function:
        payload, _ = invoke(function)
    (frame,) = payload["stackTrace"]
    assert f'File "{tmp_path}/code/app.py", line 3, in handler' in frame


def test_code_is_kept_compiled_in_a_place_of_its_own(function_of, cache):
    with function_of(handler("return 1")) as function:
        invoke(function)
        assert not list(function.code.rglob("__pycache__"))
        (compiled,) = function.code.parent.glob("compiled/*/app.py.*")
        compiled.write_bytes(b"broken")
        function.restart()
        assert invoke(function)[0] == 1
    assert compiled.read_bytes() != b"broken"


def test_code_that_is_kept_has_the_assertions_that_the_config_wants(function_of):
    code = handler("assert False")
    with function_of(code) as function:
        assert invoke(function)[1].error
    with function_of(code, environment='{PYTHONOPTIMIZE: "1"}') as function:
        assert not invoke(function)[1].error


def test_an_invocation_after_a_failed_one_has_a_new_process(function_of, name):
    body = "import os\n    if event: os._exit(1)\n    return os.getpid()"
    with function_of(handler(body), name=name) as function:
        first, _ = invoke(function)
        assert invoke(function, {"exit": 1})[1].error
        second, _ = invoke(function)
        os.kill(second, signal.SIGKILL)  # between two invocations
        wait_for(lambda: not running(name))
        third, _ = invoke(function)
    assert len({first, second, third}) == 3


def test_a_caught_failure_keeps_the_process(function_of):
    body = "import os\n    if event: raise ValueError\n    return os.getpid()"
    with function_of(handler(body)) as function:
        first, _ = invoke(function)
        assert invoke(function, {"fail": 1})[1].error
        assert invoke(function)[0] == first


def test_too_much_memory_ends_the_process(function_of):
    body = "import time\n    x = b'x' * 200_000_000\n    time.sleep(5)"
    with function_of(handler(body), timeout=20) as function:
        payload, result = invoke(function)
    assert payload["errorType"] == "Runtime.OutOfMemory"
    assert result.report.used_mb > 128


def test_memory_that_was_missed_is_warned_of(function_of, recorded, monkeypatch):
    monkeypatch.setattr(sandbox, "_POLL_S", 60.0)
    with function_of(handler("x = b'x' * 200_000_000")) as function:
        assert invoke(function)[1].error == ""
    (warning,) = recorded.warnings
    assert "more than its memory_size of 128 MB" in warning


def test_logging_writes_as_on_lambda(function_of, recorded):
    body = (
        "import logging\n    logging.getLogger().setLevel('INFO')\n    logging.info('tea %s', 1)\n"
        "    print('no end', end='')"
    )
    with function_of(handler(body)) as function:
        _, result = invoke(function)
    first, second = recorded.lines
    assert first.startswith("[INFO]\t20")
    assert first.endswith(f"Z\t{result.report.request_id}\ttea 1")
    assert second == "no end"


def test_logging_may_be_json(function_of, recorded):
    body = (
        "import logging\n    logging.info('not shown')\n"
        "    try: 1 / 0\n    except ZeroDivisionError: logging.exception('cold')"
    )
    logging = "{format: JSON, application_level: ERROR}"
    with function_of(handler(body), logging=logging) as function:
        invoke(function)
    (line,) = map(json.loads, recorded.lines)
    assert (line["level"], line["message"], line["errorType"]) == (
        "ERROR",
        "cold",
        "ZeroDivisionError",
    )


def test_a_response_begins_before_its_end_is_there(function_of):
    with function_of(handler("return [1]")) as function:
        with function.stream(b"{}") as response:
            assert response.result is None
            assert not response.is_streamed
            assert list(response.chunks()) == [b"[1]"]
        assert response.result.error == ""
        with function.stream(b"{}"):
            pass  # left before its end
        assert function._sandbox is None


def test_it_ends_with_whoever_reads_its_log(config_of, recorded):
    def log(line):
        if "2" in line.text:
            raise BrokenPipeError

    config = config_of({"app.py": handler(f"print('1\\n2\\n3')\n    {ENDLESS}")}, timeout=30)
    given = {"log": log, "warn": recorded.warnings.append}
    function = LocalFunction(config, read_archive(config), CALLER, **given)
    with function, pytest.raises(BrokenPipeError):
        function.invoke(b"{}")


def test_a_program_that_does_not_start_is_named(config_of, function_of, monkeypatch):
    config = config_of({"bootstrap": "#!/no/such/shell\n"}, runtime="provided.al2023")
    (config.file.parent / "code/bootstrap").chmod(0o755)
    monkeypatch.setattr(interpreter, "_machine", lambda: ("Linux", "arm64"))
    with (
        function_of("", config) as function,
        pytest.raises(CannotRun, match="does not start") as error,
    ):
        function.invoke(b"{}")
    assert "this machine is Linux on arm64: bootstrap may not run here" in error.value.hint


def test_a_start_that_hangs_is_ended(function_of, monkeypatch):
    monkeypatch.setattr(sandbox, "_INIT_S", 0.1)
    with function_of("while True: pass\nhandler = 1", timeout=1) as function:
        payload, result = invoke(function)
    assert payload["errorType"] == "Sandbox.Timedout"
    assert result.report.init_ms is None


def test_a_missing_temporary_folder_is_named(function_of, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with function_of(handler("return 1")) as function, pytest.raises(CannotRun, match="nowhere"):
        function.invoke(b"{}")


@pytest.mark.parametrize(
    "end", ["time.sleep(1000)", "return 1", "import os, signal; os.killpg(0, signal.SIGKILL)"]
)
def test_nothing_of_a_closed_function_is_left(function_of, name, end):
    with function_of(handler(f"{FORKS}\n    {end}"), timeout=1, name=name) as function:
        function.start()
        temporary = temporary_of(function._sandbox._process.pid)
        function.invoke(b"{}")
    assert_gone(name, temporary)


def test_a_second_ctrl_c_leaves_nothing_either(function_of, name, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    function = function_of(handler(f"{FORKS}\n    return 1"), name=name).__enter__()
    function.start()
    ended = function._sandbox._process
    temporary = temporary_of(ended.pid)
    function.invoke(b"{}")
    monkeypatch.setattr(ended._child, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        function.close()
    assert_gone(name, temporary)
    monkeypatch.undo()
    ended._child.wait()
    ended._output.close()


KILLED = """
import sys
from pathlib import Path
from kappa.config.read import read_config
from kappa.package.pack import read_archive
from kappa.local_run.function import Caller, LocalFunction
config = read_config(Path(sys.argv[1]), "")
given = {"log": lambda line: print(line.text, flush=True), "warn": print}
with LocalFunction(config, read_archive(config), Caller("eu-west-1", "a"), **given) as function:
    function.invoke(b"{}")
"""


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_of_a_killed_kappa_is_left(config_of, name, ended_by):
    config = config_of({"app.py": handler(f"{FORKS}\n    time.sleep(1000)")}, name=name, timeout=20)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(config.file)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipes) as kappa:
        assert kappa.stdout.readline() == "forked\n"
        wait_for(lambda: len(running(name)) == 3, 10)
        temporary = temporary_of(min(running(name)))
        kappa.send_signal(ended_by)
        kappa.wait(10)
    assert_gone(name, temporary)

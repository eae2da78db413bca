"""The function's URL on this machine: real processes behind a real server."""

import http.client
import json
import re
import shutil
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from kappa.commands.served_url import Callbacks, Service, differences
from kappa.commands.session import open_session
from kappa.local_run.interpreter import CannotRun
from tests.support.waiting import wait_for

CONFIG = """\
region: us-east-1
lambda:
  name: served
  path: {path}
  handler: app.handler
  runtime: {runtime}
  timeout: 10
"""
PYTHON = """\
import os

def handler(event, context):
    print("asked for", event["rawPath"])
    return "{} {} {}".format(WORD, os.getpid(), context.aws_request_id)

WORD = "one"
"""
WAITING = """\
import pathlib, time

def handler(event, context):
    folder = pathlib.Path(event["queryStringParameters"]["folder"])
    (folder / event["rawPath"][1:]).touch()
    awaited = folder / event["queryStringParameters"]["for"]
    deadline = time.monotonic() + 8
    while not awaited.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return WORD if awaited.exists() else "nothing came"

WORD = "one"
"""


class Served:
    """A service, what it told, and requests to it."""

    def __init__(self, folder, concurrency=1):
        self.folder = folder
        self.lines, self.accesses, self.notes, self.warnings = [], [], [], []
        self.failures, self.crashes, self.loads = [], [], []
        callbacks = Callbacks(
            log=lambda event: self.lines.append(event.message),
            access=self.accesses.append,
            loaded=lambda session, notice: self.loads.append(notice),
            note=self.notes.append,
            warn=self.warnings.append,
            failed=self.failures.append,
            crashed=self.crashes.append,
        )

        def read():
            return open_session(folder / "config.yml", None, None)

        self.service = Service(read, 0, concurrency, callbacks)
        self.port = int(self.service.url.rsplit(":")[-1].strip("/"))

    def ask(self, target="/", method="GET", headers=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, target, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def begin(self, target):
        """Ask in a thread; call the result to have the answer."""
        answers = []

        def ask():
            with suppress(http.client.HTTPException):  # the server ends first
                answers.append(self.ask(target))

        thread = threading.Thread(target=ask)
        thread.start()

        def ended():
            thread.join(20)
            return answers[0]

        return ended

    def edit(self, name, old, new):
        file = self.folder / name
        file.write_text(file.read_text().replace(old, new))


@contextmanager
def serving(folder, code=PYTHON, path="app.py", runtime="python3.11", keys="", file="", **more):
    (folder / (file or path)).write_text(code)
    (folder / "config.yml").write_text(CONFIG.format(path=path, runtime=runtime) + keys)
    served = Served(folder, **more)
    try:
        served.service.load()
        served.service.start()
        yield served
    finally:
        served.service.close()
    assert served.crashes == []


def is_running(pid):
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text()


def test_a_request_is_answered_logged_and_accounted_for(tmp_path):
    with serving(tmp_path) as served:
        status, text = served.ask("/tea?milk=no")
        wait_for(lambda: served.accesses, 5)
    word, pid, request_id = text.split()
    assert (status, word) == (200, "one")
    lines = [line for line in served.lines if "REPORT" not in line]
    assert lines == [
        f"START RequestId: {request_id} Version: $LATEST",
        "asked for /tea",
        f"END RequestId: {request_id}",
    ]
    assert re.search(r"REPORT RequestId: \S+\tDuration: .* ms\t.*Init Duration", served.lines[-1])
    access = served.accesses[0].as_object()
    facts = ("GET", "/tea?milk=no", 200, len(text))
    assert tuple(access[key] for key in ("method", "target", "status", "size_bytes")) == facts
    assert served.loads == ["You have no AWS credentials, so the function cannot call AWS."]
    assert not is_running(int(pid))


def test_the_process_stays_warm_until_the_code_changes(tmp_path):
    with serving(tmp_path) as served:
        pids = {served.ask()[1].split()[1] for _ in range(3)}
        assert len(pids) == 1
        (tmp_path / "app.py").touch()  # as it was
        assert served.ask()[1].split()[1] in pids
        served.edit("app.py", '"one"', '"two"')
        word, pid, _ = served.ask()[1].split()
        assert word == "two"
        assert pid not in pids
        assert len(served.loads) == 2
        wait_for(lambda: not is_running(int(pids.pop())), 5)


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("app.py", "def handler(", "def handler((", "cannot read this: "),
        ("app.py", "import os", "import nothing_of_this_name", "Runtime.ImportModuleError"),
        ("app.py", "def handler", "def other", "lambda.handler is 'app.handler'"),
        ("config.yml", "timeout: 10", "timeout: ten", "lambda.timeout"),
        ("config.yml", "app.py", "gone.py", "gone.py does not exist"),
    ],
)
def test_a_mistake_is_a_502_that_names_it_until_it_is_corrected(tmp_path, name, old, new, reason):
    with serving(tmp_path) as served:
        served.edit(name, old, new)
        status, text = served.ask()
        assert (status, reason in text) == (502, True)
        assert reason in " ".join([*map(str, served.failures), *served.lines])
        served.edit(name, new, old)
        assert served.ask()[0] == 200


def test_a_function_that_fails_is_502_and_its_log_names_the_file(tmp_path):
    code = "def handler(event, context):\n    raise ValueError('no tea')\n"
    with serving(tmp_path, code) as served:
        assert served.ask() == (502, "Internal Server Error")
    log = "\n".join(served.lines)
    assert "[ERROR] ValueError: no tea\nTraceback (most recent call last):\n" in log
    assert f'File "{tmp_path}/app.py", line 2, in handler' in log


def test_a_function_that_never_returns_is_ended_at_its_timeout(tmp_path):
    code = (
        "import os, time\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(60)"
    )
    with serving(tmp_path, code) as served:
        served.edit("config.yml", "timeout: 10", "timeout: 1")
        assert served.ask() == (502, "Internal Server Error")
        assert any("Task timed out after 1.00 seconds" in line for line in served.lines)
        assert "Status: timeout" in served.lines[-1]
        assert not is_running(int(served.lines[1]))


def test_requests_run_at_once_only_in_processes_of_their_own(tmp_path):
    folder = tmp_path / "met"
    folder.mkdir()
    with serving(tmp_path, WAITING, concurrency=2) as served:
        first = served.begin(f"/a?folder={folder}&for=b")
        second = served.begin(f"/b?folder={folder}&for=a")
        assert (first(), second()) == ((200, "one"), (200, "one"))


def test_requests_wait_for_the_one_process(tmp_path):
    with serving(tmp_path) as served:
        answers = [ended() for ended in [served.begin("/") for _ in range(5)]]
    assert {status for status, _ in answers} == {200}
    assert len({text.split()[1] for _, text in answers}) == 1


def test_a_request_that_runs_ends_with_the_code_that_it_began_with(tmp_path):
    folder = tmp_path / "met"
    folder.mkdir()
    with serving(tmp_path, WAITING) as served:
        old = served.begin(f"/a?folder={folder}&for=go")
        wait_for((folder / "a").exists, 10)
        served.edit("app.py", '"one"', '"two"')
        assert served.ask(f"/go?folder={folder}&for=go") == (200, "two")
        assert old() == (200, "one")


def test_the_end_does_not_wait_for_requests(tmp_path):
    folder = tmp_path / "met"
    folder.mkdir()
    with serving(tmp_path, WAITING) as served:
        served.begin(f"/a?folder={folder}&for=never")
        wait_for((folder / "a").exists, 10)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_a_request_that_waits_for_its_turn_is_answered_at_the_end(tmp_path):
    def connections():
        return sum("_serve" in thread.name for thread in threading.enumerate())

    folder = tmp_path / "met"
    folder.mkdir()
    with serving(tmp_path, WAITING) as served:
        served.begin(f"/a?folder={folder}&for=never")
        wait_for((folder / "a").exists, 10)
        waiting = served.begin("/b")
        wait_for(lambda: connections() == 3, 10)  # the function's own is one
    assert waiting() == (502, "kappa serve has ended.\n")


def test_a_foreign_page_does_not_run_the_function(tmp_path):
    with serving(tmp_path) as served:
        status, text = served.ask("/", "POST", {"Origin": "https://evil.test"})
        assert (status, served.lines) == (403, [])
        assert served.notes == [text.strip()]


def test_the_settings_of_the_url_follow_the_config(tmp_path):
    origin = {"Origin": "https://app.test"}
    with serving(tmp_path) as served:
        assert served.ask("/", headers=origin)[0] == 403
        config = tmp_path / "config.yml"
        url = "  url: {auth: NONE, cors: {allow_origins: [https://app.test]}}\n"
        config.write_text(config.read_text() + url)
        assert served.ask("/", headers=origin)[0] == 200


def test_included_values_are_those_of_now(tmp_path):
    code = "import os\ndef handler(event, context):\n    return os.environ['WORD']\n"
    (tmp_path / ".env").write_text("WORD=one\n")
    (tmp_path / "note.txt").write_text("first")
    keys = '  environment: {WORD: "${word} ${file:note.txt}"}\ninclude: .env\n'
    with serving(tmp_path, code, keys=keys.replace("word", "WORD")) as served:
        assert served.ask() == (200, "one first")
        served.edit(".env", "one", "two")
        assert served.ask() == (200, "two first")
        served.edit("note.txt", "first", "second")
        assert served.ask() == (200, "two second")


def test_a_build_runs_again_when_what_it_reads_has_changed(tmp_path):
    keys = "  build: mkdir -p out && cp source.txt out/app.py\n  build_inputs: [source.txt]\n"
    with serving(tmp_path, path="out", file="source.txt", keys=keys) as served:
        assert served.ask()[1].startswith("one ")
        served.edit("source.txt", '"one"', '"two"')
        assert served.ask()[1].startswith("two ")
        served.edit("config.yml", "cp source.txt", "cp nothing.txt")
        status, text = served.ask()
        assert (status, "lambda.build failed" in text) == (502, True)


NODE = """\
import { existsSync } from "node:fs";
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const head = { statusCode: 201, headers: { "X-Tea": "green" } };
  const out = awslambda.HttpResponseStream.from(stream, head);
  out.write("first ");
  while (!existsSync(event.queryStringParameters.for)) await new Promise((r) => setTimeout(r, 10));
  if (event.rawPath === "/fail") throw new Error("cold");
  out.write("second");
  out.end();
});
"""


@pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")
def test_a_stream_arrives_while_it_is_written(tmp_path):
    url = "  url: {auth: NONE, invoke_mode: RESPONSE_STREAM}\n"
    go = tmp_path / "go"
    more = {"path": "app.mjs", "runtime": "nodejs22.x", "keys": url}
    with serving(tmp_path, NODE, **more) as served:
        with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)) as asked:
            asked.request("GET", f"/?for={go}")
            answer = asked.getresponse()
            assert (answer.status, answer.getheader("X-Tea")) == (201, "green")
            assert answer.read1() == b"first "
            go.touch()
            assert answer.read() == b"second"
        with pytest.raises(http.client.IncompleteRead):
            served.ask(f"/fail?for={go}")


def test_renewed_credentials_reach_the_function(tmp_path, monkeypatch):
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_SESSION_TOKEN']\n"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "old")
    with serving(tmp_path, code) as served:
        assert served.ask() == (200, "old")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "new")
        assert served.ask() == (200, "new")
    assert "secret" not in " ".join([*served.lines, *served.loads, *served.notes])


def test_a_container_image_cannot_be_served(tmp_path):
    image = "{uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1}"
    config = f"region: us-east-1\nlambda: {{name: x, image: {image}}}\n"
    (tmp_path / "config.yml").write_text(config)
    served = Served(tmp_path)
    with closing(served.service), pytest.raises(CannotRun, match="container image"):
        served.service.load()


def test_what_differs_from_the_url_on_aws_is_told(tmp_path):
    def told(url):
        (tmp_path / "app.py").write_text(PYTHON)
        config = CONFIG.format(path="app.py", runtime="python3.11")
        (tmp_path / "config.yml").write_text(f"{config}  url: {json.dumps(url)}\n")
        config = open_session(tmp_path / "config.yml", None, None).config
        return " ".join(differences(config.function))

    assert "no lambda.url" in told(None)
    assert told({"auth": "NONE"}) == ""
    assert "signature" in told({"auth": "AWS_IAM"})
    assert "every web page" in told({"auth": "NONE", "cors": {"allow_origins": ["*"]}})

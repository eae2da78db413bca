"""The templates of init: each is a valid config, and its code answers as it promises."""

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kappa.commands.starter import starter, write_files
from kappa.commands.templates import TEMPLATES
from kappa.commands.validate import check
from kappa.config.read import read_config


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a template's files; return their folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write_template(template):
        folder = tmp_path / "my-greeter"
        write_files(folder, starter(folder / "config.yml", template=template))
        return folder

    return write_template


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_is_a_config_that_validate_accepts(write, template):
    config = read_config(write(template) / "config.yml")
    assert check(config, "us-east-1") == []
    assert config.function.environment["GREETING"] == "good day"


def test_the_http_template_answers_a_request_with_a_page_where_text_stays_text(write, monkeypatch):
    folder = write("http")
    monkeypatch.setenv("GREETING", "good day")
    names: dict = {}
    exec((folder / "code" / "my_greeter.py").read_text(), names)
    event = json.loads((folder / "input.json").read_text())
    assert event["version"] == "2.0"
    assert "<h1>good day, world</h1>" in names["handler"](event, None)["body"]
    answer = names["handler"](event | {"queryStringParameters": {"name": "<b>"}}, None)
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"].startswith("text/html")
    assert "good day, &lt;b&gt;" in answer["body"]


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_the_code_for_node_answers(write):
    script = (
        "import('./code/index.mjs').then(async ({handler}) => "
        "console.log(JSON.stringify([await handler({name: 'Ada'}), await handler({})])))"
    )
    done = subprocess.run(
        ["node", "-e", script],
        cwd=write("node"),
        env={"GREETING": "good day", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [answer["greeting"] for answer in json.loads(done.stdout)] == [
        "good day, Ada",
        "good day, world",
    ]


def test_the_build_of_typescript_installs_what_is_missing_or_not_finished(write, monkeypatch):
    folder = write("typescript")
    (folder / "bin").mkdir()
    npm = folder / "bin" / "npm"
    npm.write_text('#!/bin/sh\necho "$1" >> npm.log\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    build = read_config(folder / "config.yml").function.build
    log, done = folder / "npm.log", folder / "node_modules" / ".package-lock.json"

    def npm_runs():
        log.unlink(missing_ok=True)
        subprocess.run(["/bin/sh", "-c", build], cwd=folder, check=True)
        return log.read_text().split()

    assert npm_runs() == ["install", "run"]
    done.parent.mkdir()  # an installation that was interrupted
    assert npm_runs() == ["install", "run"]
    done.touch()
    os.utime(folder / "package.json", (1, 1))
    assert npm_runs() == ["run"]
    os.utime(done, (0, 0))
    assert npm_runs() == ["install", "run"]


class RuntimeApi(HTTPServer):
    """Lambda's Runtime API with these events; then it fails, so that the runtime ends."""

    def __init__(self, events):
        super().__init__(("127.0.0.1", 0), Invocation)
        self.events, self.answers = list(events), []


class Invocation(BaseHTTPRequestHandler):
    def do_GET(self):
        if not self.server.events:
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"id-{len(self.server.events)}")
        self.end_headers()
        self.wfile.write(self.server.events.pop(0).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request_id, kind = self.path.split("/")[-2:]
        self.server.answers.append((request_id, kind, json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def run_bootstrap(write):
    """Run the bootstrap on events; return the answers that the Runtime API got."""

    def run(*events, **variables):
        with RuntimeApi(events) as api:
            threading.Thread(target=api.serve_forever, daemon=True).start()
            env = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}", **variables}
            path = os.environ["PATH"]
            command = [write("bootstrap") / "code" / "bootstrap"]
            subprocess.run(command, env=env | {"PATH": path}, check=False, timeout=30)
            api.shutdown()
        return api.answers

    return run


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_bootstrap_answers_one_event_after_another(run_bootstrap):
    large = json.dumps({"text": "\n\\ä" * 100_000}, ensure_ascii=False)
    answers = run_bootstrap('{"name": "Ada"}', large, GREETING="good day")
    assert answers == [
        ("id-2", "response", {"greeting": "good day", "event": {"name": "Ada"}}),
        ("id-1", "response", {"greeting": "good day", "event": json.loads(large)}),
    ]


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_bootstrap_reports_a_failure_and_goes_on(run_bootstrap):
    answers = run_bootstrap("{}", "{}")
    assert [(request_id, kind) for request_id, kind, _ in answers] == [
        ("id-2", "error"),
        ("id-1", "error"),
    ]
    assert answers[0][2]["errorMessage"] == "handle failed"

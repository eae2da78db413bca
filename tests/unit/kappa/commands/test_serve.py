"""serve as a user runs it: what it prints, and how it ends."""

import http.client
import json
import os
import signal
import socket
import urllib.request
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from kappa.commands.options import Options
from kappa.commands.serve import _Screen
from kappa.errors import ConfigError
from tests.support.kappa import leftovers
from tests.support.kappa.serving import Serving, serving
from tests.support.kappa.shell import shell
from tests.support.waiting import wait_for

CODE = """\
import time

def handler(event, context):
    print("asked for", event["rawPath"])
    if event["rawPath"] == "/slow":
        time.sleep(60)
    return {"statusCode": 200, "body": "tea"}
"""
CONFIG = """\
region: us-east-1
lambda:
  name: {name}
  path: app.py
  handler: app.handler
  runtime: python3.11
  timeout: 60
"""


@pytest.fixture
def name(tmp_path):
    name = f"served-{tmp_path.name[:40]}-{os.getpid()}"
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "config.yml").write_text(CONFIG.format(name=name))
    return name


def read(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def test_a_session_with_it(tmp_path, name):
    with serving(tmp_path / "config.yml") as running:
        assert read(f"{running.url}one?x=1") == "tea"
        running.edit("app.py", '"tea"', '"cocoa"')
        assert read(running.url) == "cocoa"
        assert leftovers.running(name)
    leftovers.assert_gone(name)
    said = running.errors.read_text()
    assert f"{name} answers at {running.url}\n" in said
    assert "note       You have no AWS credentials" in said
    assert "note       The config has no lambda.url" in said
    assert "\nGET /one?x=1  200  3 B  " in said
    assert f"updated    {name}: the next request runs the new code\n" in said
    lines = running.output.read_text().splitlines()
    assert [line.split(" ", 1)[1][:14] for line in lines[:2]] == [
        "START RequestI",
        "asked for /one",
    ]
    assert "REPORT RequestId" in lines[3]


def test_json_has_an_object_in_each_line(tmp_path, name):
    with serving(tmp_path / "config.yml", "--json") as running:
        read(f"{running.url}tea")
        wait_for(lambda: '"status": 200' in running.output.read_text(), 10)
    lines = [json.loads(line) for line in running.output.read_text().splitlines()]
    assert lines[1]["message"] == "asked for /tea"
    assert (lines[-1]["method"], lines[-1]["target"]) == ("GET", "/tea")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_request_that_runs_at_the_end(tmp_path, name, how):
    running = Serving(tmp_path / "config.yml")
    place = urlsplit(running.url)
    with closing(http.client.HTTPConnection(place.hostname, place.port)) as connection:
        connection.request("GET", "/slow")
        wait_for(lambda: "asked for /slow" in running.output.read_text(), 20)
        folders = [leftovers.temporary_of(pid) for pid in leftovers.running(name)]
        running.process.send_signal(how)
        assert running.process.wait(10) == (-how if how == signal.SIGKILL else 0)
    leftovers.assert_gone(name, *folders)


def test_a_port_in_use_is_one_error(tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = shell(str(tmp_path / "config.yml"), "serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: Port {port} is in use.\n  Stop the program that uses it")


def test_a_config_error_ends_it_with_2(tmp_path, name):
    (tmp_path / "config.yml").write_text("lambda: {name: x, paht: app.py}\n")
    done = shell(str(tmp_path / "config.yml"), "serve", "--port", "0")
    assert (done.returncode, "unknown key" in done.stderr) == (2, True)


def test_debug_shows_where_an_error_in_the_files_came_from(tmp_path, capsys):
    screen = _Screen(Options(tmp_path / "config.yml", debug=True))
    screen.callbacks().failed(ConfigError("config.yml:1: broken."))
    screen.finish()
    assert capsys.readouterr().err.splitlines() == [
        "kappa.errors.ConfigError: config.yml:1: broken.",
        "Error: config.yml:1: broken.",
    ]

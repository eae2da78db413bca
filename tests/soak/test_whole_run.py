"""A long run of a whole chat: load, then open pages, then a search of all logs for secrets."""

import os
import subprocess
import sys
import time
import uuid

import pytest
from playwright.sync_api import sync_playwright

from local import bootstrap
from local.testkit.chromium import GIVEN, MISSING, chromium_path
from local.testkit.events import id_token
from tests.conftest import EmulatedAws, RunningChat
from tests.support.chat.people import Page
from tests.support.repo.secrets import leaks
from tests.support.waiting import wait_for

MESSAGES = 2_000
LOAD = f"-m tests.soak.load --messages={MESSAGES} --rate=20"
POLLS = "-m tests.soak.polls --minutes=2"
SECRET = f"private-{uuid.uuid4().hex}"
DEADLINE_S = 900.0
# the emulator logs each published message so; AWS keeps no such log
QUOTED = "[sns] SNS publish to "


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        if chromium_path(playwright) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NO LOAD WAS RUN: {MISSING}")


@pytest.fixture(scope="module")
def run(chromium, tmp_path_factory):
    """The run's output and all logs, by name."""
    folder = tmp_path_factory.mktemp("run")
    script = (
        f"{sys.executable} {LOAD} && {sys.executable} {POLLS} && env > {folder}/env.new &&"
        f" mv {folder}/env.new {folder}/env && while [ ! -e {folder}/go ]; do sleep 0.1; done"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAMBDA_CHAT_"))}
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "run", "--", "sh", "-c", script],
            cwd=bootstrap.ROOT,
            env={**env, "TMPDIR": str(folder), "LAMBDA_CHAT_CHROMIUM": GIVEN},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        wait_until(lambda: (folder / "env").exists() or process.poll() is not None)
        printed = (folder / "out").read_text()
        assert process.poll() is None, printed
        logs = logs_of(chat_of(folder / "env"), folder)
        (folder / "go").touch()
        assert process.wait(60) == 0
        yield logs | {"local mode": (folder / "out").read_text()}
    finally:
        process.terminate()
        process.wait(60)


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.2)


def chat_of(env_file):
    """The running chat, from the run's environment."""
    lines = [line.partition("=") for line in env_file.read_text().splitlines()]
    env = {name: value for name, _, value in lines}
    return RunningChat(env, EmulatedAws(env["AWS_ENDPOINT_URL"]))


def logs_of(chat, folder):
    """Send refused and forged messages too; return the text of every log, by name."""
    page = Page(chat, f"Eve {SECRET}", sub=SECRET)
    page.send(message=SECRET, channel=SECRET * 9)
    page.send(id_token(name=SECRET, email=f"{SECRET}@example.com"), message=SECRET)
    page.send(message=SECRET)
    described = chat.client("logs").describe_log_groups()["logGroups"]
    groups = [group["logGroupName"] for group in described]

    def everything():
        logs = {name: lines_of(chat, name) for name in groups}
        (stored,) = [text for name, text in logs.items() if name.endswith("-store-message")]
        return logs if stored.count('"event": "refused"') >= 1 else None

    [emulator] = folder.glob("lambda-chat-*/emulator.log")
    return wait_for(everything) | {"the emulator": emulator.read_text(errors="replace")}


def lines_of(chat, group):
    pages = chat.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_the_benches_find_no_fault(run):
    printed = run["local mode"]
    assert f"{MESSAGES} sent, {MESSAGES} stored, {MESSAGES} shown; " in printed
    assert " sent again; 0 faults" in printed
    assert "| Hidden |" in printed


def test_no_log_of_a_whole_run_holds_a_token_an_address_or_a_text(run):
    assert len(run) == 4, sorted(run)  # both functions, the emulator, local mode
    leaked = [
        (where, leak, line)
        for where, text in run.items()
        for line in text.splitlines()
        for leak in leaks(line, *([] if QUOTED in line else [SECRET]))
    ]
    assert leaked == []
    assert all(len(text) > 100 for text in run.values())

"""The push broker goes away and comes back, or the function cannot push: pages poll meanwhile.

These tests have a chat of their own. Its pages reach the broker through a process that is killed
and started again, its function through a proxy that refuses to push.
"""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lambda_chat.config import ROOT
from local import bootstrap
from local.testkit import proxy
from local.testkit.crowd import WATCH, most_at_once
from tests.browser.conftest import announce, close
from tests.browser.connections import Sockets
from tests.browser.relay import Relay
from tests.conftest import EmulatedAws, RunningChat

PUBLISH = "Lambda-Chat-publish-transcript"
PUSH = "POST /topics/"
POLLING = ". Checking each second"
BACK_ON_POLLS_S = 5.0
PATIENT_MS = 40_000  # a page tries to connect again after 30 s at most
LATEST_S = 6  # a live page in use reads the statistics each 5 s


@dataclass(frozen=True)
class Stage:
    """The chat, the process before its broker, the proxy before the function's pushes."""

    chat: RunningChat
    broker: Relay
    pushes: proxy.Proxy

    def lead(self):
        """Lead the pages and the function there."""
        config, port = Path(self.chat.env["LAMBDA_CHAT_CONFIG"]), self.broker.port
        broker = self.chat.config.push_endpoint
        moved = f"{broker.rpartition(':')[0]}:{port}"
        config.write_text(config.read_text().replace(broker, moved))
        update = {"cwd": ROOT / "s3-website", "env": self.chat.env, "capture_output": True}
        subprocess.run(["./update.sh"], check=True, **update)
        client = self.chat.client("lambda")
        given = client.get_function_configuration(FunctionName=PUBLISH)["Environment"]["Variables"]
        given["AWS_ENDPOINT_URL_IOT_DATA_PLANE"] = self.pushes.url
        client.update_function_configuration(FunctionName=PUBLISH, Environment={"Variables": given})
        client.get_waiter("function_updated_v2").wait(FunctionName=PUBLISH)

    def fail_pushes(self, answer):
        """Give this answer to the function's pushes from now on; None lets them pass."""
        self.pushes.before = lambda operation: answer if operation.startswith(PUSH) else None


@pytest.fixture(scope="module")
def stage():
    with (
        bootstrap.chat(push=True, proxied=True, report=lambda _line: None) as running,
        proxy.running(running.emulator.endpoint_url) as pushes,
    ):
        broker = Relay(running.emulator.port).start()
        try:
            chat = RunningChat(running.env, EmulatedAws(running.emulator.endpoint_url))
            stage = Stage(chat, broker, pushes)
            stage.lead()
            yield stage
        finally:
            broker.kill()


@pytest.fixture(scope="module")
def chat(stage):
    return stage.chat


@pytest.fixture(scope="module")
def free_pages():
    """The pages of this chat; see conftest.py."""
    pages = []
    yield pages
    for page in pages:
        close(page)


def polls(person):
    expect(person.status).to_have_text(f"Connected as {person.name}{POLLING}")


def test_a_broker_that_is_killed_and_started_again_costs_nothing(visit, stage, figure):
    ada, grace = (visit(name, script=WATCH) for name in ("Ada", "Grace"))
    sockets = [Sockets(person.page) for person in (ada, grace)]
    ada.say("by push")
    grace.sees("by push")
    stage.broker.kill()
    stage.fail_pushes("drop")
    killed_at = time.monotonic()
    for person in (ada, grace):
        polls(person)
    down_s = time.monotonic() - killed_at
    assert down_s < BACK_ON_POLLS_S
    texts = ["by push"]

    def talk(person, text):
        person.say(text)
        texts.append(text)
        for reader in (ada, grace):
            reader.sees(*texts)

    talk(ada, "meanwhile")
    talk(grace, "and an answer")
    for person, tried in zip((ada, grace), sockets, strict=True):
        person.until(lambda tried=tried: tried.all)  # in vain
    stage.broker.start()
    stage.fail_pushes(None)
    started_at = time.monotonic()
    for person in (ada, grace):
        live = f"Connected as {person.name}. Live"
        expect(person.status).to_have_text(live, timeout=PATIENT_MS)
    up_s = time.monotonic() - started_at
    polled = len(grace.polls)
    for number in range(5):
        talk(grace, f"by push again, {number}")
    assert len(grace.polls) <= polled + 1  # one may have begun before
    for person in (ada, grace):
        assert max(most_at_once(person.page).values()) == 1
    figure(f"push, broker killed: on polls after {down_s:.1f} s, live {up_s:.1f} s after its start")


def test_pushes_that_the_function_cannot_send_come_by_polls_until_it_can(
    visit, stage, chat, channel, figure
):
    ada, grace = visit("Ada"), visit("Grace", clock=True)
    grace.hold_time()
    stage.fail_pushes("deny")
    ada.say("denied")
    ada.sees("denied")  # after 3 s she looks for it
    polls(ada)
    waited_s = 0
    while not grace.lines.count():
        grace.pass_time(1, 1)
        waited_s += 1
        assert waited_s <= LATEST_S
    grace.sees("denied")
    polls(grace)
    stage.fail_pushes(proxy.json_error("InternalFailureException", 500))
    ada.say("failed")
    ada.sees("denied", "failed")
    grace.pass_time(2, 0.5)
    grace.sees("denied", "failed")
    assert sum(name.startswith(PUSH) for name in stage.pushes.operations) >= 2
    stage.fail_pushes(None)
    polled = len(grace.polls)
    announce(chat, channel, ["pushed"])
    for person in (ada, grace):
        person.sees("denied", "failed", "pushed")
        person.connected()
    assert len(grace.polls) <= polled + 1  # one was due
    figure(f"push, Publish denied: a page in use has the first message after {waited_s} s")

"""Faults behind the page: it reports them, recovers, loses nothing and shows nothing twice.

That holds for messages that the chat stored. If a function loses a message that SNS accepted, the
page reports it after fifteen seconds, and the person sends it again.
"""

import contextlib
import os
import re
import signal
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import held, operation_of, origin, refused, unique
from tests.support.aws.processes import emulator_at, kill_workers
from tests.support.samples import sample

EXCHANGE = "AssumeRoleWithWebIdentity"
BUSY = "The chat is busy at the moment. Reconnecting…"
UNREACHABLE = "Offline: the chat cannot be reached. Reconnecting…"
FAULTS = {
    "busy": (refused("ServiceUnavailable", 503), BUSY),
    "dropped": (lambda route: route.abort("connectionreset"), UNREACHABLE),
}
ONCE, A_MINUTE = 1, 60


def passing(first, *more):
    """One passing fault in the browser; the unit tests try all combinations."""
    return pytest.mark.parametrize(("fault", "seconds"), sample(first, more=more))


LONG, SHORT = ("busy", A_MINUTE), ("dropped", ONCE)


class Down:
    """A service that fails once, or until the test repairs it."""

    def __init__(self, answer, limit=None):
        self.answer = answer
        self.limit = limit
        self.failed = 0

    def __call__(self, route):
        if self.limit is not None and self.failed >= self.limit:
            route.fallback()
            return
        self.failed += 1
        self.answer(route)

    def up(self):
        self.limit = 0


def passes(ada, down, seconds, meanwhile=None):
    """Let the fault last; nobody clicks anything until some time after its end."""
    ada.until(lambda: down.failed)
    if meanwhile:
        expect(ada.status).to_have_text(meanwhile)
    if seconds > ONCE:
        ada.pass_time(seconds, 5)
        if meanwhile:
            expect(ada.status).to_have_text(meanwhile)
        assert down.failed < seconds / 3  # the page backs off
    down.up()
    ada.pass_time(40, 5)
    ada.page.clock.resume()


@passing(LONG, SHORT)
def test_a_sign_in_goes_on_by_itself_when_sts_failed(visit, meet, fault, seconds):
    answer, words = FAULTS[fault]
    grace, ada = meet("Grace"), visit(clock=True)
    ada.name = unique("Ada")
    ada.at_google()
    down = Down(answer)
    ada.at_aws(EXCHANGE, down)
    ada.hold_time()
    ada.submit_sign_in(ada.name)
    passes(ada, down, seconds, words)
    ada.connected().say("hello")
    for person in (ada, grace):
        person.sees("hello")


@passing(SHORT, LONG)
def test_a_reload_goes_on_by_itself_when_sts_failed(visit, meet, fault, seconds):
    answer, words = FAULTS[fault]
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    ada.at_aws("Publish", lambda route: route.abort())
    ada.say("written before")
    ada.box.fill("half a thought")
    ada.page.unroute_all()
    down = Down(answer)
    ada.at_aws(EXCHANGE, down)
    ada.page.reload()
    ada.hold_time()
    passes(ada, down, seconds, words)
    ada.connected()
    expect(ada.box).to_have_value("half a thought")
    for person in (ada, grace):
        person.sees("written before")


@passing(LONG, SHORT)
def test_a_renewal_is_made_by_itself_when_sts_failed(visit, meet, fault, seconds):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    down = Down(FAULTS[fault][0])
    ada.at_aws(EXCHANGE, down)
    ada.renew_soon()
    ada.hold_time()
    passes(ada, down, seconds, f"Connected as {ada.name}{ada.pace}")
    ada.page.clock.fast_forward("20:00")
    ada.connected().say("an hour later")
    for person in (ada, grace):
        person.sees("an hour later")


def test_a_renewal_that_fails_until_the_end_says_so_then_and_goes_on_by_itself(visit, meet):
    answer, words = FAULTS["busy"]
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    down = Down(answer)
    ada.at_aws(EXCHANGE, down)
    ada.renew_soon()
    ada.hold_time()
    ada.until(lambda: down.failed)
    ada.pass_time(120, 10)
    ada.connected()
    ada.pass_time(180, 10)
    expect(ada.status).to_have_text(words)
    ada.say("written meanwhile")
    expect(ada.status).to_have_text(f"{words} 1 message waits.")
    down.up()
    ada.pass_time(40, 5)
    ada.page.clock.resume()
    for person in (ada, grace):
        person.connected().sees("written meanwhile")


@passing(SHORT, LONG)
def test_what_sns_does_not_take_at_first_goes_out_by_itself(visit, meet, fault, seconds):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    down = Down(FAULTS[fault][0])
    ada.at_aws("Publish", down)
    ada.hold_time()
    ada.say("first")
    ada.until(lambda: down.failed)
    expect(ada.line("first")).to_contain_text("Not sent yet. Trying again.")
    ada.say("second")
    passes(ada, down, seconds, f"Connected as {ada.name}{ada.pace}")
    for person in (ada, grace):
        person.sees("first", "second")


@pytest.mark.parametrize("fault", FAULTS)
def test_when_nothing_works_for_a_minute_nothing_is_lost(visit, meet, channel, fault):
    answer, words = FAULTS[fault]
    grace, ada = meet("Grace"), visit("Ada", clock=True, push=False)
    ada.say("before")
    ada.sees("before")
    down = Down(answer)
    # S3 fails, and so do DynamoDB's Queries and SNS
    ada.page.route("**/data/*.json", down)
    ada.page.route(f"{origin(ada.url)}/", lambda route: operation_of(route.request) and down(route))
    ada.hold_time()
    ada.pass_time(5, 1)
    ada.say("meanwhile")
    grace.say("from elsewhere")
    passes(ada, down, A_MINUTE, f"{words} 1 message waits.")
    for person in (ada, grace):
        person.connected().sees("before", "from elsewhere", "meanwhile")


def test_s3_that_fails_for_a_while_is_told_and_costs_no_message(visit, meet, channel):
    grace, ada = meet("Grace"), visit("Ada", push=False)
    codes = [("InternalError", 500), ("SlowDown", 503)]

    def fail(route):
        refused(*codes[len(ada.polls) % 2])(route)

    ada.at_data(channel, fail)
    grace.say("one")
    grace.sees("one")
    expect(ada.status).to_have_text("The chat is busy at the moment. Reconnecting…")
    ada.say("two")
    expect(grace.lines).to_have_count(2)
    expect(ada.line("two")).to_have_class(re.compile(r"\bpending\b"))
    ada.page.unroute_all()
    for person in (ada, grace):
        person.connected().sees("one", "two")


def test_slow_answers_are_told_and_waited_for(visit, meet):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    with held(ada, "Publish") as publishes:
        ada.say("hello")
        ada.until(lambda: publishes)
        ada.page.clock.fast_forward(3_000)
        expect(ada.line("hello")).to_contain_text("This takes longer than usual.")
        expect(ada.status).to_have_text("Sending…")
    for person in (ada, grace):
        person.connected().sees("hello")


def test_publishes_that_are_refused_for_a_moment_are_tried_again(meet):
    ada, grace = meet("Ada", "Grace")
    failed = []

    def fail_twice(route):
        failed.append(route)
        refused("Throttling")(route) if len(failed) < 3 else route.continue_()

    ada.at_aws("Publish", fail_twice)
    ada.say("first")
    expect(ada.line("first")).to_contain_text("Not sent yet. Trying again.")
    ada.say("second")
    for person in (ada, grace):
        person.sees("first", "second")


def test_credentials_that_end_early_are_renewed_and_what_waits_goes_out(visit, meet, channel):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    ada.page.clock.fast_forward("01:01")
    first = []

    def ended(route):
        """Refuse the page's current credentials, but not the next ones."""
        key = re.search(r"Credential=([^/]+)", route.request.headers["authorization"])[1]
        first.append(key)
        refused("ExpiredToken", 403)(route) if key == first[0] else route.fallback()

    ada.at_data(channel, ended)
    ada.at_aws("Publish", ended)
    # the token is still valid: it is exchanged once more
    exchange = "AssumeRoleWithWebIdentity"
    with ada.page.expect_request(lambda request: operation_of(request) == exchange):
        ada.say("in the middle")
    for person in (ada, grace):
        person.connected().sees("in the middle")


def test_a_page_whose_emulator_stands_still_says_so_and_recovers(alone, meet, chat):
    ada, grace = meet("Ada", "Grace")
    ada.say("before")
    grace.sees("before")
    with stopped(emulator_of(chat)):
        ada.say("meanwhile")
        expect(ada.line("meanwhile")).to_contain_text("This takes longer than usual.")
        expect(ada.status).to_have_text("Sending…")
    for person in (ada, grace):
        person.connected().sees("before", "meanwhile")


def test_people_go_on_when_the_functions_are_killed(alone, meet, chat):
    ada, grace = meet("Ada", "Grace")
    ada.say("before")
    grace.sees("before")
    assert kill_workers(emulator_of(chat)) > 0
    for text in ("one", "two"):
        ada.say(text)
        grace.say(f"{text} to you")
    for person in (ada, grace):
        expect(person.lines).to_have_count(5)
        expect(person.page.locator(".pending")).to_have_count(0)
    assert texts_of(ada) == texts_of(grace)


def texts_of(person):
    return person.lines.locator(".text").all_inner_texts()


def emulator_of(chat):
    """The process id of the chat's emulator."""
    return emulator_at(urlsplit(chat.endpoint_url).port)


@contextlib.contextmanager
def stopped(pid, at_least_s=5.0):
    """Stop a process during the block, and at least for so long."""
    os.kill(pid, signal.SIGSTOP)
    ends = time.monotonic() + at_least_s
    try:
        yield
        while time.monotonic() < ends:
            time.sleep(0.05)
    finally:
        os.kill(pid, signal.SIGCONT)

"""What goes wrong behind the page passes: it says so, recovers, loses nothing, shows nothing twice.

Only messages that the chat took are promised: one that SNS took and a function then lost is told of
after fifteen seconds, and sent once more by the person.
"""

import contextlib
import os
import re
import signal
import time
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import held, refused
from tests.processes import emulator_at, kill_workers


def test_s3_that_fails_for_a_while_is_told_and_costs_no_message(meet, channel):
    ada, grace = meet("Ada", "Grace")
    codes = [("InternalError", 500), ("SlowDown", 503)]

    def fail(route):
        refused(*codes[len(ada.polls) % 2])(route)

    ada.at_data(channel, fail)
    grace.say("one")
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
    expect(ada.line("first")).to_contain_text("Not sent yet: it is tried again.")
    ada.say("second")
    for person in (ada, grace):
        person.sees("first", "second")


def test_credentials_that_end_early_are_renewed_and_what_waits_goes_out(visit, meet, channel):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    ada.page.clock.fast_forward("01:01")
    first = []

    def ended(route):
        """Refuse the credentials that the page has now, not those that it gets."""
        key = re.search(r"Credential=([^/]+)", route.request.headers["authorization"])[1]
        first.append(key)
        refused("ExpiredToken", 403)(route) if key == first[0] else route.fallback()

    ada.at_data(channel, ended)
    ada.at_aws("Publish", ended)
    with ada.page.expect_response("**/token"):
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
    """Let a process stand still for the block, and that long at the least."""
    os.kill(pid, signal.SIGSTOP)
    ends = time.monotonic() + at_least_s
    try:
        yield
        while time.monotonic() < ends:
            time.sleep(0.05)
    finally:
        os.kill(pid, signal.SIGCONT)

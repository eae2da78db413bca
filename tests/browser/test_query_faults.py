"""DynamoDB fails while the page fills a gap or reads earlier messages: nothing stays missing."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import announce, refused, write_rows
from tests.support.samples import sample

TIMES = 2  # how often each Query fails before it works again
MESSAGES = 60


def dropped(route):
    route.abort("connectionreset")


FAULTS = {
    "InternalServerError": refused("InternalServerError", 500, as_json=True),
    "ServiceUnavailable": refused("ServiceUnavailable", 503, as_json=True),
    "throttled": refused("ProvisionedThroughputExceededException", as_json=True),
    "no JSON": lambda route: route.fulfill(status=502, body="<html>Bad gateway</html>"),
    "dropped": dropped,
}


class Failing:
    """Fails the page's Queries a few times, then lets them through."""

    def __init__(self, fault):
        self.fault = fault
        self.injected = 0

    def __call__(self, route):
        if self.injected < TIMES:
            self.injected += 1
            self.fault(route)
        else:
            route.continue_()


def only_the_newest(route):
    """Answer with a transcript that does not reach back to the messages that the page knows."""
    answer = route.fetch()
    if answer.status != 200 or f"later {MESSAGES - 1}" not in answer.text():
        route.fulfill(status=304)
        return
    transcript = answer.json()
    transcript["messages"] = transcript["messages"][-5:]
    route.fulfill(response=answer, json=transcript)


@pytest.mark.parametrize(
    "kind", sample("throttled", "no JSON", more=sorted(FAULTS.keys() - {"throttled", "no JSON"}))
)
def test_a_gap_is_filled_once_dynamodb_answers_again(visit, chat, channel, figure, kind):
    ada = visit("Ada", push=False)
    ada.say("before")
    ada.sees("before")
    failing = Failing(FAULTS[kind])
    ada.at_data(channel, only_the_newest)
    ada.at_aws("Query", failing)
    announce(chat, channel, [f"later {number:02}" for number in range(MESSAGES)])
    expect(ada.lines).to_have_count(1 + MESSAGES, timeout=30_000)
    texts = ada.lines.locator(".text").all_inner_texts()
    assert sorted(texts) == ["before", *(f"later {number:02}" for number in range(MESSAGES))]
    assert failing.injected == TIMES
    figure(
        f"faults behind the page, its own Query {kind}: {failing.injected} faults injected,"
        f" {1 + MESSAGES} messages sent, {len(texts)} shown"
    )


def test_a_gap_is_filled_though_dynamodb_keeps_the_page_waiting(visit, chat, channel):
    ada = visit("Ada", clock=True, push=False)
    ada.say("before")
    ada.sees("before")
    waiting = []

    def keep_the_first(route):
        waiting.append(route)
        if len(waiting) > 1:
            route.continue_()

    ada.at_data(channel, only_the_newest)
    ada.at_aws("Query", keep_the_first)
    announce(chat, channel, [f"later {number:02}" for number in range(MESSAGES)])
    ada.until(lambda: waiting)
    ada.page.clock.fast_forward(11_000)  # the page gives a request ten seconds
    expect(ada.lines).to_have_count(1 + MESSAGES, timeout=30_000)


@pytest.mark.parametrize("kind", sample("dropped", more=["InternalServerError", "throttled"]))
def test_earlier_messages_come_after_dynamodb_has_failed(visit, chat, channel, kind):
    start = datetime.now(UTC) - timedelta(hours=1)
    times = [start + timedelta(seconds=10 * number) for number in range(60)]
    sent = [time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for time in times]
    write_rows(chat, channel, [(at, f"row {number:03}") for number, at in enumerate(sent)])
    ada = visit("Ada", viewport={"width": 800, "height": 500})
    expect(ada.line("row 059")).to_be_in_viewport()
    failing = Failing(FAULTS[kind])
    ada.at_aws("Query", failing)
    ada.log.focus()
    ada.page.keyboard.press("Home")
    for _ in range(TIMES):
        expect(ada.log.get_by_text("Earlier messages could not be loaded.")).to_be_visible()
        ada.log.get_by_role("button", name="Try again").click()
    expect(ada.line("row 000")).to_have_count(1)
    texts = ada.lines.locator(".text").all_inner_texts()
    assert texts == [f"row {number:03}" for number in range(60)]
    assert failing.injected == TIMES

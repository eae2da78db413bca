"""Senders can edit and delete their messages for a while; everybody's page follows."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from playwright.sync_api import expect

from local.testkit.events import operator_record
from tests.browser.conftest import announce, deliver, refused

PENDING = re.compile(r"\bpending\b")
ACTIONS = "Actions for your message"
GONE = "Message deleted"


@pytest.fixture
def secret():
    """A text that appears nowhere else on the page."""
    return f"secret {uuid.uuid4().hex}"


def test_an_edit_shows_on_both_sides_and_the_draft_comes_back(meet):
    ada, grace = meet("Ada", "Grace")
    ada.say("helo")
    ada.sees("helo")
    ada.box.fill("to be sent later")
    act(ada, "helo", "Edit")
    expect(ada.box).to_have_value("helo")
    expect(ada.box).to_be_focused()
    ada.box.fill("hello")
    ada.page.get_by_role("button", name="Save").click()
    expect(ada.box).to_have_value("to be sent later")
    for person in (ada, grace):
        person.sees("hello")
        expect(person.line("hello")).to_contain_text("edited")
    assert "helo" not in everything(grace) + everything(ada)
    ada.box.fill("")


def test_a_delete_asks_once_and_leaves_a_tombstone_on_both_sides(meet, secret):
    ada, grace = meet("Ada", "Grace")
    ada.say(secret)
    grace.sees(secret)
    grace.say("an answer")
    for person in (ada, grace):
        person.sees(secret, "an answer")
    act(ada, secret, "Delete")
    line = ada.line(secret)
    expect(line).to_contain_text("Delete this message?")
    line.get_by_role("button", name="Keep").click()
    expect(actions(ada, secret)).to_be_focused()
    act(ada, secret, "Delete")
    line.get_by_role("button", name="Delete").click()
    for person in (ada, grace):
        person.sees(GONE, "an answer")
        assert secret not in everything(person)
    expect(ada.lines.first.get_by_role("button")).to_have_count(0)


def test_what_a_transcript_does_not_hold_any_more_changes_too(meet, chat, channel, secret):
    ada, grace = meet("Ada", "Grace")
    for text in (secret, "first"):
        ada.say(text)
    ada.sees(secret, "first")
    later = [f"later {number:02}" for number in range(25)]
    announce(chat, channel, later)
    expect(grace.lines).to_have_count(27)
    expect(ada.lines).to_have_count(27)
    act(ada, secret, "Delete")
    ada.line(secret).get_by_role("button", name="Delete").click()
    act(ada, "first", "Edit")
    ada.box.fill("second")
    ada.box.press("Enter")
    for person in (ada, grace):
        expect(person.lines.locator(".text").first).to_have_text(GONE)
        expect(person.lines.locator(".text").nth(1)).to_have_text("second")
        expect(person.page.locator(".pending")).to_have_count(0)
        assert secret not in everything(person)
    grace.page.reload()
    grace.connected()
    expect(grace.lines).to_have_count(27)
    expect(grace.lines.locator(".text").first).to_have_text(GONE)
    expect(grace.lines.locator(".text").nth(1)).to_have_text("second")


def test_when_an_operator_has_deleted_a_flood_of_spam_the_rest_is_there_after_a_reload(
    meet, chat, channel
):
    ada = meet("Ada")
    for start in range(0, 205, 41):
        announce(chat, channel, [f"spam {number}" for number in range(start, start + 41)])
    ids = [item["id"]["S"] for item in items(chat, channel)]
    announce(chat, channel, [f"honest {number:02}" for number in range(30)])
    deletes = [{"action": "delete", "channel": channel, "id": id} for id in ids]
    for start in range(0, 205, 41):
        deliver(chat, [operator_record(delete) for delete in deletes[start : start + 41]])
    honest = ada.lines.filter(has_text="honest")
    expect(honest).to_have_count(30)
    expect(ada.lines.filter(has_text="spam")).to_have_count(0)
    ada.page.reload()
    ada.connected()
    expect(honest).to_have_count(30)
    expect(ada.page.get_by_text("No messages yet")).to_be_hidden()


def test_what_others_wrote_cannot_be_changed(meet, chat, channel):
    ada, grace = meet("Ada", "Grace")
    announce(chat, channel, ["from above"])
    ada.say("mine")
    for person in (ada, grace):
        expect(person.line("mine")).not_to_have_class(PENDING)
    expect(actions(ada, "mine")).to_have_count(1)
    for person, text in ((grace, "mine"), (ada, "from above"), (grace, "from above")):
        expect(actions(person, text)).to_have_count(0)


def test_an_operator_takes_away_what_is_being_edited(meet, chat, channel, secret):
    ada = meet("Ada")
    ada.say(secret)
    ada.sees(secret)
    target = row_id(chat, channel)
    ada.box.fill("a draft")
    act(ada, secret, "Edit")
    expect(ada.box).to_have_value(secret)
    deliver(chat, [operator_record({"action": "delete", "channel": channel, "id": target})])
    ada.sees(GONE)
    expect(ada.box).to_have_value("a draft")
    expect(ada.status).to_have_text("The message that you were editing has been deleted.")
    assert secret not in everything(ada)
    ada.say("I see")
    expect(ada.line("I see")).not_to_have_class(PENDING)


def test_the_keyboard_alone_edits_and_deletes(meet):
    ada = meet("Ada")
    ada.say("one")
    ada.sees("one")
    ada.box.press("Escape")
    actions(ada, "one").focus()
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.press("Escape")
    expect(actions(ada, "one")).to_be_focused()
    expect(actions(ada, "one")).to_have_attribute("aria-expanded", "false")
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.press("Enter")
    expect(ada.box).to_be_focused()
    expect(ada.box).to_have_accessible_description("Editing your message")
    ada.page.keyboard.press("Escape")
    expect(ada.box).to_have_value("")
    expect(ada.page.get_by_role("button", name="Cancel")).to_have_count(0)
    actions(ada, "one").focus()
    for key in ("Enter", "Tab", "Enter", "Shift+Tab", "Enter"):
        ada.page.keyboard.press(key)
    ada.sees(GONE)
    expect(ada.log).to_be_focused()


def test_a_delete_while_offline_is_queued_over_a_reload(visit, meet, secret):
    grace, ada = meet("Grace"), visit("Ada")
    ada.say(secret)
    for person in (ada, grace):
        person.sees(secret)
    ada.at_aws("Publish", lambda route: route.abort())
    act(ada, secret, "Delete")
    ada.line(secret).get_by_role("button", name="Delete").click()
    expect(ada.lines).to_have_class(PENDING)
    expect(ada.lines.locator(".text")).to_have_text(GONE)
    ada.page.reload()
    ada.connected()
    expect(ada.lines).to_have_class(PENDING)
    grace.sees(secret)
    ada.page.unroute_all()
    for person in (ada, grace):
        person.sees(GONE)
        assert secret not in everything(person)


def test_a_refused_change_says_so_and_is_sent_again_or_discarded(meet):
    ada = meet("Ada")
    ada.say("one")
    ada.sees("one")
    ada.at_aws("Publish", refused("AuthorizationError", 403))
    act(ada, "one", "Edit")
    ada.box.fill("two")
    ada.box.press("Enter")
    expect(ada.line("two")).to_contain_text("Edit not saved. You are not allowed to do this.")
    assert ada.axe() == {}
    ada.line("two").get_by_role("button", name="Discard").click()
    ada.sees("one")
    act(ada, "one", "Delete")
    ada.line("one").get_by_role("button", name="Delete").click()
    expect(ada.line("one")).to_contain_text("Not deleted. You are not allowed to do this.")
    ada.page.unroute_all()
    ada.line("one").get_by_role("button", name="Retry").click()
    ada.sees(GONE)


def test_after_15_minutes_by_the_clock_of_aws_a_message_stays_as_it_is(visit):
    ada = visit("Ada", push=False)
    for text in ("one", "two"):
        ada.say(text)
    ada.sees("one", "two")
    act(ada, "one", "Edit")
    ada.at_data("*", answered_later)
    ada.page.wait_for_event("requestfinished", lambda request: request.url.endswith(".json"))
    ada.box.fill("better")
    expect(ada.page.locator("#editing")).to_contain_text("Too late")
    expect(ada.page.get_by_role("button", name="Save")).to_be_disabled()
    ada.box.press("Enter")
    expect(ada.box).to_have_value("better")
    for text in ("one", "two"):
        expect(actions(ada, text)).to_have_count(0)
    ada.page.get_by_role("button", name="Cancel").click()
    expect(ada.box).to_have_value("")


def test_nothing_is_wrong_with_any_of_it(meet):
    ada = meet("Ada")
    ada.say("one")
    ada.sees("one")
    act(ada, "one", "Delete")
    assert ada.axe() == {}
    ada.line("one").get_by_role("button", name="Keep").click()
    act(ada, "one", "Edit")
    assert ada.axe() == {}
    ada.page.get_by_role("button", name="Cancel").click()


def actions(person, text):
    return person.line(text).get_by_role("button", name=ACTIONS)


def act(person, text, name):
    """Choose an action for one's own message."""
    person.line(text).hover()
    actions(person, text).click()
    person.line(text).get_by_role("button", name=name).click()


def answered_later(route):
    """Answer like S3, with a time 15 minutes later."""
    answer = route.fetch()
    late = format_datetime(datetime.now(UTC) + timedelta(minutes=15), usegmt=True)
    route.fulfill(response=answer, headers={**answer.headers, "date": late})


def row_id(chat, channel):
    """Return the id of the channel's only row."""
    (item,) = items(chat, channel)
    return item["id"]["S"]


def items(chat, channel):
    """Return the channel's rows."""
    return chat.client("dynamodb").query(
        TableName=chat.config.dynamodb_table,
        KeyConditionExpression="channel = :channel",
        ExpressionAttributeValues={":channel": {"S": channel}},
    )["Items"]


def everything(person):
    """Return all that a page holds: its DOM, its fields and its storage."""
    return person.page.evaluate(
        """() => [document.documentElement.outerHTML, JSON.stringify(localStorage),
          ...[...document.querySelectorAll("input, textarea")].map(({ value }) => value)].join()"""
    )

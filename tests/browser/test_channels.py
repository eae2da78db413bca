"""Channels: the list, creating them, their URLs, and their unread counts."""

import json
import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import announce, listed_channels, write_rows
from tests.support.waiting import wait_for


def only(person, *names):
    """Make the list of channels contain these, whatever other tests have created."""
    person.at_data("channels", lambda route: route.fulfill(json={"channels": list(names)}))


def test_a_channel_is_made_by_name_listed_and_left_by_the_back_button(visit, meet, channel):
    ada = visit("Ada")
    other = f"{channel}-two"
    name = ada.page.get_by_role("textbox", name="New channel")
    for wrong, why in (("Naïve?", "Use lower-case letters"), ("stats", "reserved")):
        name.fill(wrong)
        name.press("Enter")
        expect(name).to_have_accessible_description(re.compile(why))
    name.fill(f" #{channel.upper()} two ")
    name.press("Enter")
    expect(ada.page).to_have_url(re.compile(f"#{other}$"))
    expect(ada.link(other)).to_have_attribute("aria-current", "page")
    expect(ada.log.get_by_text("No messages yet.")).to_be_visible()
    expect(ada.box).to_be_focused()
    ada.say("first in here")
    ada.sees("first in here")
    ada.page.go_back()
    expect(ada.link(channel)).to_have_attribute("aria-current", "page")
    ada.sees()
    ada.page.go_forward()
    ada.sees("first in here")


def test_a_channel_in_the_address_opens_and_a_wrong_one_is_told(meet, visit, chat, channel):
    announce(chat, channel, ["here already"])
    ada = visit("Ada")
    ada.sees("here already")
    expect(ada.page.locator("#channel")).to_have_text(f"#{channel}")
    ada.page.evaluate("location.hash = '#No such!'")
    expect(ada.status).to_contain_text("There is no such channel")
    expect(ada.page).to_have_url(re.compile("#default$"))


def test_a_channel_that_somebody_made_is_listed_for_everybody(visit, chat, channel):
    announce(chat, f"{channel}-a", ["x"])
    announce(chat, f"{channel}-b", ["x"])
    wait_for(lambda: {f"{channel}-a", f"{channel}-b"} <= set(listed_channels(chat)))
    ada = visit("Ada")
    for name in ("default", f"{channel}-a", f"{channel}-b"):
        expect(ada.link(name)).to_have_count(1)
    names = ada.channels.evaluate_all("all => all.map((node) => node.dataset.channel)")
    assert names == [channel, *sorted(set(names) - {channel})]  # visited ones come first


def test_each_channel_keeps_its_draft_also_over_a_reload(visit, channel):
    ada = visit("Ada")
    other = f"{channel}-two"
    ada.box.fill("half a thought")
    ada.open(other)
    expect(ada.box).to_have_value("")
    ada.box.fill("another half")
    ada.link(channel).click()
    expect(ada.box).to_have_value("half a thought")
    ada.page.reload()
    ada.connected()
    expect(ada.box).to_have_value("half a thought")
    ada.link(other).click()
    expect(ada.box).to_have_value("another half")


def test_what_is_unread_elsewhere_is_counted_and_forgotten_once_read(visit, chat, channel):
    ada = visit(clock=True)
    other = f"{channel}-two"
    only(ada, other, channel)
    ada.sign_in("Ada Lovelace")
    announce(chat, other, ["one"])
    ada.open(other)
    ada.sees("one")
    ada.open(channel)
    announce(chat, other, ["two", f"three @{ada.name}"])
    link = ada.link(other)
    look_around(ada, link)
    expect(link).to_have_accessible_name(f"{other}, 2 unread, you are mentioned")
    expect(ada.page).to_have_title("(2!) Lambda Chat")
    ada.page.clock.resume()
    link.click()
    ada.channel = other
    ada.sees("one", "two", f"three @{ada.name}")
    expect(ada.log.get_by_role("separator", name="New messages")).to_have_count(1)
    expect(ada.page).to_have_title("Lambda Chat")
    expect(link).to_have_accessible_name(other)


def test_after_an_absence_all_that_is_unread_is_counted_and_marked(visit, chat, channel):
    announce(chat, channel, ["read"])
    ada = visit(clock=True)
    other = f"{channel}-two"
    only(ada, other, channel)
    ada.sign_in("Ada Lovelace")
    ada.sees("read")
    ada.open(other)
    ada.connected()
    write_rows(chat, channel, later(71))
    link = ada.link(channel)
    look_around(ada, link)
    expect(link).to_have_accessible_name(f"{channel}, 20+ unread")
    expect(ada.page).to_have_title("(20+) Lambda Chat")
    ada.page.clock.resume()
    link.click()
    separator = ada.log.get_by_role("separator", name="New messages")
    expect(separator).to_be_in_viewport()
    follows = "node => node.nextElementSibling.textContent"
    ada.until(lambda: "row 00" in separator.evaluate(follows))
    expect(ada.page.get_by_role("button", name="New messages")).to_contain_text("71")
    ada.page.reload()
    expect(separator).to_be_in_viewport()
    ada.until(lambda: "row 00" in separator.evaluate(follows))
    expect(ada.page.get_by_role("button", name="New messages")).to_contain_text("71")
    expect(ada.page).to_have_title("(71) Lambda Chat")


def look_around(person, link):
    """Pass time until something is unread: every ten seconds one channel is probed."""
    person.hold_time()
    for _ in range(20):
        person.pass_time(11, 11)
        if "unread" in link.get_attribute("aria-label"):
            break


def later(count):
    """Write so many messages, a second apart: a transcript holds the newest twenty."""
    now = datetime.now(UTC)
    sent = [now + timedelta(seconds=number) for number in range(count)]
    stamps = [time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for time in sent]
    return [(stamp, f"row {number:02}") for number, stamp in enumerate(stamps)]


def test_what_was_read_stays_read_and_what_came_meanwhile_is_marked(visit, chat, channel):
    ada = visit("Ada")
    announce(chat, channel, ["read"])
    ada.sees("read")
    ada.page.reload()
    ada.connected().sees("read")
    separator = ada.log.get_by_role("separator", name="New messages")
    expect(separator).to_have_count(0)
    ada.page.goto("about:blank")
    announce(chat, channel, [f"missed {number}" for number in range(3)])
    ada.open()
    ada.connected()
    expect(ada.lines).to_have_count(4)
    expect(separator).to_have_count(1)
    follows = separator.evaluate("node => node.nextElementSibling.textContent")
    assert "missed 0" in json.dumps(follows)

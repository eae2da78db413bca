"""Hostile texts and channel names, end to end: they stay text or are dropped.

They go from SNS through the table and the bucket to the page, and appear as a URL, as a new channel
and in the list of channels.
"""

import re
import time

from playwright.sync_api import expect

from local.testkit.events import operator_record
from messages import is_visible
from tests.browser.conftest import deliver, listed_channels, unique
from tests.browser.watched import Watched
from tests.support.chat.hostile import TEXTS
from tests.support.chat.people import Page
from tests.support.samples import ALL, sample
from tests.support.waiting import wait_for

SENDERS = 10
# ways to use a text, one for each in turn; the unit tests try all combinations
TYPED = TEXTS if ALL else TEXTS[::3]
CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
VALID = [text for text in TEXTS if CHANNEL.fullmatch(text)]  # such as "null"
SHAPES = sample(
    {"channels": [[name] for name in TEXTS]},
    {"channels": "x" * 10_000, "__proto__": {"polluted": True}},
    {"channels": [None, 5, True, {}, [], {"toString": "x"}]},
    more=[
        {"channels": {name: name for name in TEXTS}},
        {"channels": {"length": 1e9}},
        list(TEXTS),
        None,
    ],
)


def seen(text):
    """Return whether a text has a visible character."""
    return any(map(is_visible, text))


def test_hostile_texts_and_names_arrive_as_they_are_and_nothing_comes_of_them(
    visit, chat, channel, figure
):
    ada = visit("Ada")
    watched = Watched(ada, chat)
    people = [
        Page(chat, unique(TEXTS[number]), sub=f"{channel}-{number}") for number in range(SENDERS)
    ]
    for number, text in enumerate(TEXTS):
        people[number % SENDERS].send(message=text, channel=channel)
    wanted = sorted(text.replace("\0", "\ufffd") for text in TEXTS if seen(text))
    expect(ada.lines).to_have_count(len(wanted), timeout=90_000)
    texts = ada.page.evaluate(
        "[...document.querySelectorAll('.text')].map((node) => node.textContent)"
    )
    assert sorted(texts) == wanted
    watched.check()
    figure(f"bad input, texts from SNS to the page: {len(TEXTS)} tried, {len(texts)} shown as text")


def test_a_hostile_address_opens_no_channel_and_makes_no_element(visit, chat, figure):
    ada = visit("Ada")
    watched = Watched(ada, chat)
    for text in TYPED:
        ada.page.evaluate("text => { location.hash = text; }", text)
        ada.page.wait_for_timeout(20)
        now = ada.page.evaluate("location.hash").removeprefix("#")
        assert CHANNEL.fullmatch(now), now
    expect(ada.log).not_to_have_attribute("aria-busy", "true")
    watched.check()
    valid = [text for text in TYPED if CHANNEL.fullmatch(text)]
    figure(f"bad input, addresses of the page: {len(TYPED)} tried, {len(valid)} name a channel")


def test_a_channel_of_a_hostile_name_cannot_be_made(visit, chat, figure):
    ada = visit("Ada")
    watched = Watched(ada, chat)
    name = ada.page.get_by_role("textbox", name="New channel")
    for text in TYPED:
        name.fill(text)
        name.press("Enter")
        now = ada.page.evaluate("location.hash").removeprefix("#")
        assert CHANNEL.fullmatch(now), now
    names = ada.channels.evaluate_all("all => all.map((node) => node.dataset.channel)")
    assert all(CHANNEL.fullmatch(name) for name in names)
    watched.check()
    figure(f"bad input, names of new channels: {len(TYPED)} tried, {len(names)} channels listed")


def test_a_hostile_channel_that_is_sent_is_stored_and_listed_nowhere(chat, channel):
    marked = [f"{text}{channel}" for text in TEXTS]
    deliver(chat, [operator_record({"message": "x", "channel": text}) for text in marked])
    deliver(chat, [operator_record({"message": "x", "channel": channel})])
    config, s3 = chat.config, chat.client("s3")
    wait_for(lambda: channel in listed_channels(chat))
    names = listed_channels(chat)
    assert all(CHANNEL.fullmatch(name) for name in names)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=config.s3_bucket, Prefix="data/")
    keys = [item["Key"] for page in pages for item in page["Contents"] if channel in item["Key"]]
    valid = [text for text in marked if CHANNEL.fullmatch(text)]
    assert set(keys) <= {f"data/{name}.json" for name in [channel, *valid]}


def test_a_hostile_list_of_channels_makes_no_element_and_no_request(visit, chat, figure):
    ada = visit("Ada")
    watched = Watched(ada, chat)
    for number, shape in enumerate(({"channels": [*TEXTS, "default", "tea-room"]}, *SHAPES)):
        served = []

        def answer(route, shape=shape, served=served):
            served.append(route)
            route.fulfill(json=shape)

        ada.at_data("channels", answer)
        ada.page.reload()
        ada.connected()
        ada.until(lambda served=served: served)
        expect(ada.page.get_by_role("link", name="tea-room")).to_have_count(0 if number else 1)
        time.sleep(0.1)
        names = ada.channels.evaluate_all("all => all.map((node) => node.dataset.channel)")
        assert all(CHANNEL.fullmatch(name) for name in names), number
        assert number or {"tea-room", *VALID} <= set(names)
        watched.check()
        ada.page.unroute_all()
    figure(f"bad input, lists of channels: {1 + len(SHAPES)} tried, {len(TEXTS)} names in each")

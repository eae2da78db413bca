"""People who chat: what they write arrives, once, as text, in order."""

import json
import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.builders import operator_record

STORE = "Lambda-Chat-store-message"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p></article><iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "&lt;b&gt;&amp;",
    '"}]}\\u003cscript\\u003e{{identity_origin}}',
)


@pytest.fixture
def word():
    """A word that no other test's messages hold."""
    return uuid.uuid4().hex[:10]


def announce(chat, texts):
    """Let an operator write these texts, all in one event."""
    records = [operator_record({"message": text, "name": "The crew"}) for text in texts]
    answer = chat.client("lambda").invoke(
        FunctionName=STORE, Payload=json.dumps({"Records": records})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_two_people_chat_both_ways(visit, word):
    ada, grace = visit("Ada Lovelace"), visit("Grace Hopper")
    ada.say(f"Good morning {word}")
    expect(grace.line(f"Good morning {word}")).to_contain_text("Ada Lovelace")
    grace.say(f"Good evening {word}")
    expect(ada.line(f"Good evening {word}")).to_contain_text("Grace Hopper")
    for person in (ada, grace):
        texts = person.line(word).get_by_role("paragraph")
        expect(texts).to_have_text([f"Good morning {word}", f"Good evening {word}"])


def test_a_line_has_its_time_and_tells_ones_own_from_others(visit, word):
    ada, grace = visit("Ada Lovelace"), visit("Grace Hopper")
    ada.say(word)
    expect(ada.line(word)).to_have_class(re.compile(r"\bown\b"))
    expect(grace.line(word)).not_to_have_class(re.compile(r"\bown\b"))
    sent_at = ada.line(word).locator("time").get_attribute("datetime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sent_at)


def test_the_status_tells_of_a_message_until_it_is_on_screen(visit, word):
    ada = visit("Ada Lovelace")
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    expect(ada.box).to_have_value("")
    expect(ada.status).to_have_text("Connected as Ada Lovelace")


def test_markup_in_a_message_stays_text(visit, word):
    ada, grace = visit("Ada Lovelace"), visit("Grace Hopper")
    for markup in HOSTILE:
        text = f"{markup} {word}"
        ada.say(text)
        shown = grace.line(text).get_by_role("paragraph")
        expect(shown).to_have_text(text)
    assert grace.log.locator("script, img, iframe, b").count() == 0


def test_markup_in_a_name_stays_text(visit, word):
    name = f"<img src=x onerror=alert(1)>{word}"
    ada, grace = visit(name), visit("Grace Hopper")
    ada.say("Hello")
    expect(grace.line(word).locator(".sender")).to_have_text(name)


def test_lines_and_long_words_stay_as_written(visit, word):
    ada = visit("Ada Lovelace", viewport={"width": 320, "height": 640})
    text = f"{word}\n  second line\n{'w' * 400}"
    ada.say(text)
    expect(ada.line(word)).to_be_visible()
    assert ada.line(word).locator(".text").evaluate("node => node.textContent") == text
    assert not overflows(ada.page)


def test_enter_sends_and_shift_enter_breaks_the_line(visit, word):
    ada = visit("Ada Lovelace")
    ada.box.press_sequentially(f"{word} one")
    ada.box.press("Shift+Enter")
    ada.box.press_sequentially("two")
    expect(ada.box).to_have_value(f"{word} one\ntwo")
    ada.box.press("Enter")
    expect(ada.line(word).locator(".text")).to_have_text(f"{word} one\ntwo")
    expect(ada.box).to_have_value("")


def test_what_cannot_be_sent_leaves_send_disabled(visit):
    ada = visit("Ada Lovelace")
    expect(ada.send).to_be_disabled()
    ada.box.fill("  \n ")
    expect(ada.send).to_be_disabled()
    ada.box.fill("😀" * 2000)
    expect(ada.send).to_be_enabled()
    ada.box.fill("😀" * 2001)
    expect(ada.send).to_be_disabled()
    expect(ada.page.get_by_text("2001 / 2000")).to_be_visible()


def test_an_operator_speaks_in_an_announcement(visit, chat, word):
    ada = visit("Ada Lovelace")
    announce(chat, [f"Maintenance at noon {word}"])
    line = ada.line(word)
    expect(line).to_contain_text("The crew")
    expect(line).to_contain_text("Announcement")


def test_a_burst_is_shown_whole(visit, chat, word):
    ada = visit("Ada Lovelace")
    announce(chat, [f"{word} {number}" for number in range(60)])
    expect(ada.line(word)).to_have_count(60)


def test_more_than_a_transcript_holds_is_read_from_the_table(visit, chat, word):
    ada = visit("Ada Lovelace")
    ada.say(f"before {word}")
    expect(ada.line(word)).to_have_count(1)

    def newest_five_once_all_are_there(route):
        answer = route.fetch()
        if answer.status != 200 or f"{word} 59" not in answer.text():
            route.fulfill(status=304)
            return
        transcript = answer.json()
        transcript["messages"] = transcript["messages"][-5:]
        route.fulfill(response=answer, json=transcript)

    ada.page.route("**/data/default.json", newest_five_once_all_are_there)
    announce(chat, [f"{word} {number}" for number in range(60)])
    expect(ada.line(word)).to_have_count(61)


def test_a_message_that_could_not_be_sent_keeps_its_text(visit, word):
    ada = visit("Ada Lovelace")

    def is_publish(request):
        return request.method == "POST" and "Action=Publish" in (request.post_data or "")

    ada.page.route(
        lambda _: True,
        lambda route: route.abort() if is_publish(route.request) else route.fallback(),
    )
    ada.say(word)
    expect(ada.status).to_contain_text("Not sent, your text is kept. Offline")
    expect(ada.box).to_have_value(word)
    ada.page.unroute_all()
    ada.send.click()
    expect(ada.line(word)).to_have_count(1)
    expect(ada.box).to_have_value("")


def test_a_message_whose_answer_was_lost_is_shown_once(visit, word):
    ada = visit("Ada Lovelace")
    lost = []

    def lose_the_first_answer(route):
        if not lost and is_publish(route.request):
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.fallback()

    ada.page.route(lambda _: True, lose_the_first_answer)
    ada.say(word)
    expect(ada.status).to_contain_text("Not sent")
    expect(ada.line(word)).to_have_count(1)
    ada.send.click()
    expect(ada.box).to_have_value("")
    ada.say(f"{word} after")
    expect(ada.line(f"{word} after")).to_be_visible()
    assert lost == [200]
    expect(ada.line(word)).to_have_count(2)


def test_a_reader_of_old_lines_is_not_moved(visit, chat, word):
    ada = visit("Ada Lovelace", viewport={"width": 800, "height": 400})
    announce(chat, [f"{word} {number}" for number in range(20)])
    expect(ada.line(f"{word} 19")).to_be_in_viewport()
    ada.log.hover()
    ada.page.mouse.wheel(0, -5000)
    expect(ada.line(f"{word} 19")).not_to_be_in_viewport()
    before = ada.log.evaluate("node => node.scrollTop")
    announce(chat, [f"{word} later"])
    expect(ada.line(f"{word} later")).to_have_count(1)
    assert ada.log.evaluate("node => node.scrollTop") == before
    ada.say(f"{word} mine")
    expect(ada.line(f"{word} mine")).to_be_in_viewport()


def test_an_unchanged_transcript_costs_a_304(visit, word):
    ada = visit("Ada Lovelace")
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    with ada.page.expect_response(lambda answer: "/data/" in answer.url and answer.status == 304):
        pass


def test_the_page_says_when_it_is_offline_and_comes_back(visit, word):
    ada, grace = visit("Ada Lovelace"), visit("Grace Hopper")
    ada.page.context.set_offline(True)
    expect(ada.status).to_contain_text("Offline")
    grace.say(word)
    expect(grace.line(word)).to_be_visible()
    ada.page.context.set_offline(False)
    expect(ada.line(word)).to_be_visible()
    expect(ada.status).to_have_text("Connected as Ada Lovelace")


def test_a_wrong_clock_is_corrected(visit, word):
    ada = visit()
    ada.page.clock.install(time="2020-01-01T08:00:00")
    ada.open().sign_in("Ada Lovelace")
    ada.say(word)
    expect(ada.line(word)).to_be_visible()


def test_nothing_is_wider_than_a_narrow_screen(visit, word):
    ada = visit(viewport={"width": 320, "height": 568})
    expect(ada.status).to_have_text("Sign in to chat")
    assert not overflows(ada.page)
    ada.sign_in("Wolfeschlegelsteinhausenbergerdorff " * 2)
    ada.say(f"{word} {'https://example.com/' * 20}")
    expect(ada.line(word)).to_be_visible()
    assert not overflows(ada.page)


def is_publish(request):
    return request.method == "POST" and "Action=Publish" in (request.post_data or "")


def overflows(page):
    return page.evaluate(
        "() => [document.documentElement, document.getElementById('messages')]"
        ".some(node => node.scrollWidth > node.clientWidth)"
    )

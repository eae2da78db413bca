"""People chat: their messages arrive once, as text, in order."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from local.testkit.events import sns_record
from tests.browser.conftest import announce, deliver, held, refused, write_rows

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p></article><iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "&lt;b&gt;&amp;",
    '"}]}\\u003cscript\\u003e{{identity_origin}}',
)


def test_two_people_chat_both_ways(meet):
    ada, grace = meet("Ada", "Grace")
    ada.say("Good morning")
    expect(grace.line("Good morning")).to_contain_text(ada.name)
    grace.say("Good evening")
    for person in (ada, grace):
        person.sees("Good morning", "Good evening")
    expect(ada.line("Good morning")).to_have_class(re.compile(r"\bown\b"))
    expect(ada.line("Good evening")).not_to_have_class(re.compile(r"\bown\b"))
    sent_at = ada.line("Good evening").locator("time").get_attribute("datetime")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sent_at)
    ada.connected()


def test_markup_in_a_message_stays_text(meet):
    ada, grace = meet("Ada", "Grace")
    text = "\n".join(HOSTILE)
    ada.say(text)
    expect(grace.lines).to_have_count(1)
    assert grace.lines.locator(".text").evaluate("node => node.textContent") == text
    assert grace.log.locator("script, img, iframe, b").count() == 0


def test_markup_in_a_name_stays_text(visit, meet, word):
    grace = meet("Grace")
    name = f"<img src=x onerror=alert(1)>{word}"
    visit().sign_in(name).say("Hello")
    expect(grace.line("Hello").locator(".sender")).to_have_text(name)


def test_lines_and_long_words_stay_as_written_and_on_a_narrow_screen(visit):
    ada = visit(viewport={"width": 320, "height": 568})
    assert not overflows(ada.page)
    ada.sign_in("Wolfeschlegelsteinhausenbergerdorff " * 2 + "II")
    text = f"one\n  second line\n{'w' * 400}\n{'https://example.com/' * 20}"
    ada.say(text)
    expect(ada.line("one")).not_to_have_class(re.compile(r"\bpending\b"))
    assert ada.line("one").locator(".text").evaluate("node => node.textContent") == text
    assert not overflows(ada.page)


def test_an_operator_speaks_in_an_announcement(meet, chat, channel):
    ada = meet("Ada")
    announce(chat, channel, ["Maintenance at noon"])
    expect(ada.line("Maintenance at noon")).to_contain_text("The crew")
    expect(ada.line("Maintenance at noon")).to_contain_text("Announcement")


def test_a_burst_is_shown_whole(meet, chat, channel):
    ada = meet("Ada")
    texts = [f"burst {number:02}" for number in range(60)]
    announce(chat, channel, texts)
    expect(ada.lines).to_have_count(60)
    assert sorted(ada.lines.locator(".text").all_inner_texts()) == texts


def test_more_than_a_transcript_holds_is_read_from_the_table(visit, chat, channel):
    ada = visit("Ada", push=False)
    ada.say("before")
    ada.sees("before")
    queries = []

    def newest_five_once_all_are_there(route):
        answer = route.fetch()
        if answer.status != 200 or "later 59" not in answer.text():
            route.fulfill(status=304)
            return
        transcript = answer.json()
        transcript["messages"] = transcript["messages"][-5:]
        route.fulfill(response=answer, json=transcript)

    def throttle_the_first(route):
        queries.append(route)
        if len(queries) > 1:
            route.continue_()
        else:
            refused("ThrottlingException", as_json=True)(route)

    ada.at_data(channel, newest_five_once_all_are_there)
    ada.at_aws("Query", throttle_the_first)
    announce(chat, channel, [f"later {number:02}" for number in range(60)])
    expect(ada.lines).to_have_count(61)
    assert len(queries) == 2
    texts = ada.lines.locator(".text").all_inner_texts()
    assert texts[0] == "before"
    assert sorted(texts[1:]) == [f"later {number:02}" for number in range(60)]


def test_a_message_that_is_delivered_or_sent_twice_is_shown_once(meet, chat, channel):
    ada = meet("Ada")
    token = chat.token("Karen")
    record = {
        "body": {"message": "delivered twice", "channel": channel, "client_id": "c1"},
        "token": token,
    }
    later = {"Timestamp": "2026-01-01T12:00:03.000Z", "MessageId": "other"}
    deliver(chat, [sns_record(**record)])
    deliver(chat, [sns_record(**record), sns_record(**record, **later)])
    unnamed = {"body": {"message": "without an id", "channel": channel}, "token": token}
    deliver(chat, [sns_record(**unnamed), sns_record(**unnamed)])
    announce(chat, channel, ["the end"])
    expect(ada.line("the end")).to_be_visible()
    texts = ada.lines.locator(".text").all_inner_texts()
    assert sorted(texts) == ["delivered twice", "the end", "without an id"]


def test_earlier_messages_come_as_one_scrolls_up_and_nothing_jumps(visit, chat, channel):
    start = datetime.now(UTC) - timedelta(hours=1)
    times = [start + timedelta(seconds=10 * number) for number in range(140)]
    sent = [time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for time in times]
    write_rows(chat, channel, [(at, f"row {number:03}") for number, at in enumerate(sent)])
    ada = visit("Ada", viewport={"width": 800, "height": 500})
    expect(ada.line("row 139")).to_be_in_viewport()
    ada.log.hover()
    with held(ada, "Query"):
        ada.page.mouse.wheel(0, -3000)
        expect(ada.log.get_by_text("Loading earlier messages…")).to_be_visible()
        ada.page.evaluate(FOLLOW)
    expect(ada.line("row 020")).to_have_count(1)
    assert ada.page.evaluate("moved()") < 1
    ada.log.focus()
    ada.page.keyboard.press("Home")
    expect(ada.line("row 000")).to_have_count(1)
    expect(ada.log.get_by_text(f"Beginning of #{channel}")).to_have_count(1)
    expect(ada.lines).to_have_count(140)


# follows the line at the top of the screen, frame by frame
FOLLOW = """async () => {
  const log = document.querySelector("[role=log]");
  const top = (node) => node.getBoundingClientRect().top;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let calm = 0, last = -1; calm < 5; last = log.scrollTop) {
    await frame();
    calm = last === log.scrollTop ? calm + 1 : 0;
  }
  const kept = [...log.querySelectorAll("article")].find((node) => top(node) >= top(log));
  const place = top(kept);
  let most = 0;
  const follow = () => {
    most = Math.max(most, kept.isConnected ? Math.abs(top(kept) - place) : Infinity);
    requestAnimationFrame(follow);
  };
  follow();
  window.moved = () => most;
}"""


def test_a_reader_of_old_lines_is_not_moved(visit, chat, channel):
    ada = visit("Ada", viewport={"width": 800, "height": 400})
    announce(chat, channel, [f"old {number:02}" for number in range(20)])
    expect(ada.lines).to_have_count(20)
    expect(ada.lines.last).to_be_in_viewport()
    ada.log.hover()
    ada.page.mouse.wheel(0, -500)
    expect(ada.lines.last).not_to_be_in_viewport()
    before = ada.log.evaluate("node => node.scrollTop")
    announce(chat, channel, ["later"])
    newest = ada.page.get_by_role("button", name="New messages")
    expect(newest).to_be_visible()
    assert ada.log.evaluate("node => node.scrollTop") == before
    expect(ada.log.get_by_role("separator", name="New messages")).to_have_count(1)
    newest.click()
    expect(ada.line("later")).to_be_in_viewport()
    ada.page.mouse.wheel(0, -500)
    ada.say("mine")
    expect(ada.line("mine")).to_be_in_viewport()


def overflows(page):
    return page.evaluate(
        "() => [document.documentElement, document.querySelector('[role=log]')]"
        ".some(node => node && node.scrollWidth > node.clientWidth)"
    )

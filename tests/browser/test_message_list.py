"""The list of messages in given states: what moves, stays, is touched and is announced.

The page's own files are served without a chat behind them; list_harness.js stands in for main.js.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from local.testkit import page_files
from tests.support.chat.hostile import TEXTS

HARNESS = Path(__file__).with_name("list_harness.js")
NOW = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
PICTURE = "https://lh3.googleusercontent.com/a/grace=s96"


def message(number, text=None, **changes):
    """A message of a transcript; consecutive numbers are a minute apart."""
    sent_at = (NOW - timedelta(days=4) + timedelta(minutes=number)).isoformat("T", "milliseconds")
    sent_at = sent_at.replace("+00:00", "Z")
    user = ("grace", "karen", "ada")[number // 4 % 3]
    plain = {
        "id": f"{sent_at}#c{number}",
        "name": {"grace": "Grace Hopper", "karen": "Karen Jones", "ada": "Ada Lovelace"}[user],
        "message": text or f"Message {number}. " + "Some more words. " * (number % 9),
        "user": user,
        "sent_at": sent_at,
        "client_id": f"c{number}",
        "kind": "user",
    }
    return plain | changes


def messages(first, last):
    return [message(number) for number in range(first, last)]


def outgoing(client_id, state="sending", why=""):
    at = int(NOW.timestamp() * 1000)
    return {"clientId": client_id, "channel": "default", "text": f"text {client_id}"} | {
        "state": state,
        "why": why,
        "at": at,
    }


class Shown:
    """A page that shows the list in a given state."""

    def __init__(self, page):
        self.page = page
        self.log = page.get_by_role("log", name="Messages")
        self.lines = self.log.get_by_role("article")
        self.newest = page.locator("button.newest")
        self.requests = []
        self.problems = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog):
        self.problems.append(dialog.message)
        dialog.dismiss()

    def show(self, channel=None, **state):
        given = {"channel": channel or {}, "now": int(NOW.timestamp() * 1000)} | state
        self.page.evaluate("given => show(given)", given)

    def load(self, count):
        """Load that many messages, to be shown by {"range": [first, last]}."""
        self.page.evaluate("raw => load(raw)", messages(0, count))

    def scroll_to(self, top):
        self.page.evaluate("top => { log.scrollTop = top }", top)
        self.frame()

    def frame(self):
        """Let scroll events and observers run."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))"
        )

    def below(self):
        """Return how far the end of the list is below the screen, in px."""
        return self.page.evaluate("log.scrollHeight - log.scrollTop - log.clientHeight")

    def top_of(self, text):
        node = self.lines.filter(has_text=re.compile(rf"{re.escape(text)}(?!\d)"))
        return node.evaluate("n => n.getBoundingClientRect().top")

    def first_visible(self):
        """Return the text and the position of the line at the top of the screen."""
        return self.page.evaluate(
            """() => {
              const edge = log.getBoundingClientRect().top;
              const nodes = [...log.querySelectorAll("article")];
              const node = nodes.find((node) => node.getBoundingClientRect().bottom > edge);
              const text = node.querySelector(".text").textContent.split(".")[0];
              return [text, node.getBoundingClientRect().top];
            }"""
        )

    def calls(self, name):
        return self.page.evaluate("name => calls.filter((call) => call[0] === name)", name)

    def record(self):
        """Count the nodes added, removed or changed in the list from now on."""
        self.page.evaluate(
            """() => {
              window.records = [];
              window.observer?.disconnect();
              window.observer = new MutationObserver((all) => records.push(...all));
              observer.observe(document.getElementById("messages-area"), {
                subtree: true, childList: true, attributes: true, characterData: true,
              });
            }"""
        )

    def recorded(self):
        """Return what changed, and how many rows were touched."""
        return self.page.evaluate(
            """() => {
              const all = [...records, ...observer.takeRecords()];
              const isRow = (node) => node.parentElement?.className === "rows" || !node.isConnected;
              const nodes = all.flatMap((change) => [...change.addedNodes, ...change.removedNodes]);
              const rows = new Set(nodes.filter((node) => node.nodeType === 1 && isRow(node)));
              return { all: all.length, rows: rows.size };
            }"""
        )

    def announced(self):
        return self.page.locator("#messages-area [aria-live=polite] p").all_inner_texts()


@pytest.fixture(scope="module")
def lists(browser):
    """The harness, opened once for each set of options."""
    opened = {}

    def list_of(**options):
        key = str(options)
        if key not in opened:
            opened[key] = Shown(open_harness(browser, **options))
        return opened[key]

    yield list_of
    for chat in opened.values():
        chat.page.context.close()


@pytest.fixture
def shown(lists):
    """An empty list; a test may choose the size and the colours."""
    opened = []

    def open_list(width=390, height=800, **options):
        chat = lists(**options)
        chat.page.set_viewport_size({"width": width, "height": height})
        chat.page.mouse.move(0, 0)
        chat.page.evaluate("reset()")
        chat.page.unroute_all()
        chat.requests.clear()
        chat.problems.clear()
        opened.append(chat)
        return chat

    yield open_list
    for chat in opened:
        assert chat.problems == []


def open_harness(browser, **options):
    context = browser.new_context(locale="en-GB", timezone_id="UTC", **options)
    page = context.new_page()
    context.route(f"{page_files.ORIGIN}/**", lambda route: page_files.answer(route, HARNESS))
    context.route("https://accounts.google.com/**", lambda route: route.abort())
    page.goto(f"{page_files.ORIGIN}/index.html")
    page.wait_for_function("() => window.ready")
    return page


# Where the reader is


def test_a_channel_opens_at_its_end(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    assert chat.below() < 1
    expect(chat.lines.last).to_contain_text("Message 59")
    expect(chat.newest).to_be_hidden()
    assert chat.calls("onAtEnd") == [["onAtEnd", True]]


def test_a_channel_with_new_messages_opens_at_the_first_of_them(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60), "divider": message(20)["id"], "unread": 39})
    divider = chat.log.get_by_role("separator", name="New messages")
    expect(divider).to_be_in_viewport()
    assert 100 < divider.bounding_box()["y"] < 400
    expect(chat.newest).to_have_text("New messages39")
    assert chat.calls("onAtEnd") == [["onAtEnd", False]]


def test_switching_the_channel_opens_each_at_its_place(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    chat.scroll_to(0)
    chat.show({"messages": messages(100, 160)}, name="random")
    assert chat.below() < 1
    chat.show({"messages": messages(0, 61), "divider": message(30)["id"]})
    expect(chat.log.get_by_role("separator", name="New messages")).to_be_in_viewport()


def test_a_new_message_keeps_the_reader_at_the_end(shown):
    chat = shown()
    for last in range(40, 45):
        chat.show({"messages": messages(0, last)})
        chat.frame()
        assert chat.below() < 1


def test_a_new_message_does_not_move_who_reads_above(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    chat.scroll_to(700)
    before = chat.first_visible()
    chat.show({"messages": messages(0, 64), "unread": 4})
    chat.frame()
    assert chat.first_visible() == before
    expect(chat.newest).to_have_text("New messages4")


@pytest.mark.parametrize("scale", [1, 1.5])
def test_earlier_messages_do_not_move_the_line_that_is_read(shown, scale):
    chat = shown(device_scale_factor=scale)
    chat.load(660)
    chat.show({"range": [600, 660], "earlier": "more"})
    for first in range(550, 0, -50):
        chat.scroll_to(120)
        text, top = chat.first_visible()
        chat.show({"range": [first, 660], "earlier": "loading"})
        chat.show({"range": [first, 660], "earlier": "more"})
        chat.frame()
        assert abs(chat.top_of(text) - top) < 1


def test_the_whole_of_a_long_channel_can_be_scrolled_through_and_back(shown):
    chat = shown()
    chat.show({"messages": messages(0, 700)})
    counts = []
    for key, last in (("-", "Message 0."), ("", "Message 699.")):
        for _ in range(200):
            before = chat.first_visible()
            chat.page.evaluate(f"log.scrollTop += {key}1500")
            chat.frame()
            counts.append(chat.lines.count())
            if chat.first_visible() == before:
                break
        expect(chat.lines.filter(has_text=last)).to_be_in_viewport()
    assert max(counts) <= 300


def test_home_and_end_reach_the_oldest_and_the_newest(shown):
    chat = shown()
    chat.show({"messages": messages(0, 1500)})
    chat.log.focus()
    chat.page.keyboard.press("Home")
    expect(chat.lines.filter(has_text="Message 0.")).to_be_in_viewport()
    chat.page.keyboard.press("End")
    expect(chat.lines.filter(has_text="Message 1499.")).to_be_in_viewport()
    chat.page.keyboard.press("PageUp")
    expect(chat.newest).to_be_visible()


def test_the_button_leads_to_the_newest_and_hands_the_focus_on(shown):
    chat = shown()
    chat.show({"messages": messages(0, 1500)})
    chat.scroll_to(0)
    expect(chat.newest).to_have_text("Jump to newest")
    chat.newest.click()
    assert chat.below() < 1
    expect(chat.newest).to_be_hidden()
    expect(chat.log).to_be_focused()
    assert chat.calls("onAtEnd") == [["onAtEnd", at_end] for at_end in (True, False, True)]


def test_a_message_that_another_tab_left_does_not_move_the_reader(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    chat.scroll_to(300)
    before = chat.log.evaluate("node => node.scrollTop")
    chat.show({"messages": messages(0, 60)}, outbox=[outgoing("new")])
    chat.frame()
    assert chat.log.evaluate("node => node.scrollTop") == before
    expect(chat.lines.last).to_contain_text("text new")


def test_a_text_box_that_grows_or_a_keyboard_does_not_hide_the_last_line(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    for height in (420, 800, 500):
        chat.page.set_viewport_size({"width": 390, "height": height})
        chat.frame()
        assert chat.below() < 1


def test_turning_the_phone_keeps_the_line_that_is_read(shown):
    chat = shown()
    chat.show({"messages": messages(0, 200)})
    chat.scroll_to(4000)
    text, top = chat.first_visible()
    chat.page.set_viewport_size({"width": 800, "height": 390})
    chat.frame()
    assert abs(chat.top_of(text) - top) < 1


def test_a_list_that_was_covered_comes_back_where_it_was(shown):
    chat = shown()
    chat.show({"messages": messages(0, 200)})
    chat.scroll_to(4000)
    before = chat.first_visible()
    root = chat.page.locator("#messages-area")
    root.evaluate("node => { node.hidden = true }")
    chat.frame()
    chat.show({"messages": messages(0, 202)})
    root.evaluate("node => { node.hidden = false }")
    chat.frame()
    assert chat.first_visible() == before


def test_what_is_unread_before_the_loaded_messages_opens_at_its_beginning(shown):
    chat = shown()
    unread = {"divider": message(20)["id"], "lastRead": message(20)["id"], "earlier": "more"}
    some = {"messages": messages(180, 200), "unread": 20, "loaded": False, **unread}
    chat.show({"messages": messages(0, 60)}, name="random")
    chat.show(some)
    expect(chat.newest).to_have_text("New messages20+")
    expect(chat.page.locator(".skeleton")).to_be_hidden()
    assert chat.calls("onReachTop") == []
    chat.show({"messages": messages(0, 200), "unread": 179, **unread})
    divider = chat.log.get_by_role("separator", name="New messages")
    expect(divider).to_be_in_viewport()
    assert "Message 21" in divider.evaluate("node => node.nextElementSibling.textContent")
    expect(chat.newest).to_have_text("New messages99+")


def test_a_reader_whose_lines_are_gone_is_at_the_oldest_that_is_left(shown):
    chat = shown()
    chat.show({"messages": messages(0, 60)})
    chat.scroll_to(700)
    chat.show({"messages": messages(500, 560)})
    chat.frame()
    expect(chat.lines.first).to_be_in_viewport()


def test_a_list_filled_while_covered_opens_at_its_place(shown):
    chat = shown()
    root = chat.page.locator("#messages-area")
    root.evaluate("node => { node.hidden = true }")
    chat.show({"messages": messages(0, 200), "divider": message(100)["id"]})
    root.evaluate("node => { node.hidden = false }")
    chat.frame()
    expect(chat.log.get_by_role("separator", name="New messages")).to_be_in_viewport()


def test_the_top_is_reported_once_for_each_oldest_message(shown):
    chat = shown()
    chat.show({"messages": messages(50, 110), "earlier": "more"})
    assert chat.calls("onReachTop") == []
    for top in (300, 200, 0, 100, 0):
        chat.scroll_to(top)
    assert len(chat.calls("onReachTop")) == 1
    chat.show({"messages": messages(50, 110), "earlier": "loading"})
    chat.show({"messages": messages(20, 110), "earlier": "more"})
    chat.scroll_to(0)
    assert len(chat.calls("onReachTop")) == 2


def test_a_few_messages_ask_for_earlier_ones_by_themselves(shown):
    chat = shown()
    chat.show({"messages": messages(50, 52), "earlier": "more"})
    chat.frame()
    assert len(chat.calls("onReachTop")) == 1


# What is touched


def test_a_state_that_brings_nothing_touches_nothing(shown):
    chat = shown()
    channel = {"messages": messages(0, 400), "divider": message(390)["id"], "unread": 2}
    chat.show(channel, outbox=[outgoing("new")])
    chat.frame()
    chat.record()
    for draft in ("a", "ab"):
        chat.show(channel | {"draft": draft}, outbox=[outgoing("new")])
    chat.frame()
    assert chat.recorded() == {"all": 0, "rows": 0}


def test_one_message_more_touches_two_rows_however_many_there_are(shown):
    chat = shown()
    chat.load(5001)
    chat.show({"range": [0, 5000]})
    chat.frame()
    chat.record()
    chat.show({"range": [0, 5001]})
    chat.frame()
    # the new row is added, the first one in the DOM removed
    assert chat.recorded()["rows"] == 2


def test_a_message_is_confirmed_in_its_own_row(shown):
    chat = shown()
    chat.show({"messages": messages(0, 40)}, outbox=[outgoing("new")])
    row = chat.lines.last
    expect(row).to_have_class(re.compile(r"\bown\b.*\bpending\b"))
    row.evaluate("node => { window.kept = node }")
    place = row.bounding_box()
    stored = message(6000, "text new", user="ada", name="Ada Lovelace", client_id="new")
    chat.show({"messages": [*messages(0, 40), stored]})
    assert chat.page.evaluate(
        "kept.isConnected && kept === [...log.querySelectorAll('article')].at(-1)"
    )
    expect(row).not_to_have_class(re.compile(r"\bpending\b"))
    assert row.bounding_box() == place


# What is shown


def test_messages_are_grouped_and_the_sender_is_still_told(shown):
    chat = shown()
    chat.show({"messages": messages(0, 4)})
    expect(chat.lines.locator(".avatar")).to_have_count(1)
    expect(chat.lines.locator(".sender")).to_have_text(["Grace Hopper"] * 4)
    expect(chat.log.get_by_role("separator", name="Tuesday")).to_have_count(1)


def test_a_failed_message_says_why_and_offers_what_can_be_done(shown):
    chat = shown()
    chat.show({"messages": []}, outbox=[outgoing("new", "failed", "Not sent: too long.")])
    line = chat.lines.filter(has_text="Not sent: too long.")
    expect(line).to_have_attribute("data-state", "failed")
    line.get_by_role("button", name="Retry").click()
    line.get_by_role("button", name="Discard").click()
    assert chat.calls("onRetry") == [["onRetry", "new"]]
    assert chat.calls("onDiscard") == [["onDiscard", "new"]]
    chat.show({"messages": []}, outbox=[])
    expect(chat.log).to_be_focused()


def test_deleted_and_edited_messages_say_so(shown):
    chat = shown()
    gone = message(1, "secret", deleted_at="2026-03-10T00:00:00Z")
    changed = message(2, "better", edited_at="2026-03-10T00:00:00Z")
    chat.show({"messages": [message(0), gone, changed]})
    expect(chat.lines.nth(1).get_by_role("paragraph")).to_have_text("Message deleted")
    expect(chat.lines.nth(2)).to_contain_text("edited")
    expect(chat.log).not_to_contain_text("secret")


def test_each_time_has_its_full_date(shown):
    chat = shown()
    chat.show({"messages": messages(0, 2)})
    times = chat.lines.locator("time")
    expect(times.nth(1)).to_have_attribute("datetime", message(1)["sent_at"])
    expect(times.nth(1)).to_have_attribute("title", re.compile("Tuesday.*10 March 2026.*15:01"))
    chat.lines.nth(1).hover()
    expect(times.nth(1)).to_have_css("opacity", "1")


def test_a_mention_of_the_person_is_marked_but_not_in_their_own_words(shown):
    chat = shown()
    chat.show({"messages": [message(0, "hi @ada"), message(8, "hi @ada")]})
    expect(chat.lines.nth(0)).to_have_class(re.compile(r"\bmentioned\b"))
    expect(chat.lines.nth(0).locator("mark")).to_have_text("@ada")
    expect(chat.lines.nth(1).locator("mark")).to_have_count(0)


def test_a_link_opens_elsewhere_and_tells_nothing_of_this_page(shown):
    chat = shown()
    chat.show({"messages": [message(0, "see https://a.example/x, or https://\u0430pple.example")]})
    link, odd = chat.lines.get_by_role("link").all()
    expect(link).to_have_text("https://a.example/x")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow ugc")
    expect(link).to_have_attribute("target", "_blank")
    expect(odd).to_have_attribute("title", "https://xn--pple-43d.example/")


def test_code_is_shown_without_its_marks_and_kept_as_written(shown):
    chat = shown()
    text = "x `y`\n```js\nlet a = 1;\n```"
    chat.show({"messages": [message(0, text)]})
    paragraph = chat.lines.get_by_role("paragraph")
    assert paragraph.evaluate("node => node.textContent") == text
    assert paragraph.inner_text().split() == ["x", "y", "let", "a", "=", "1;"]


def test_a_picture_is_asked_for_without_a_referrer_and_falls_back_to_initials(shown):
    chat = shown()
    headers = []

    def refuse(route):
        headers.append(route.request.headers)
        route.abort()

    chat.page.route("https://lh3.googleusercontent.com/**", refuse)
    pictured = [message(number, picture=PICTURE) for number in range(2)]
    chat.show({"messages": pictured})
    avatar = chat.lines.nth(0).locator(".avatar")
    expect(avatar.locator("img")).to_have_count(0)
    expect(avatar).to_have_text("GH")
    assert len(headers) == 1
    assert "referer" not in headers[0]
    chat.problems.clear()


def test_each_state_of_the_list_has_its_words(shown):
    chat = shown()
    chat.show({"loaded": False})
    expect(chat.log).to_have_attribute("aria-busy", "true")
    expect(chat.log.locator(".skeleton")).to_be_visible()
    chat.show({"messages": []})
    expect(chat.log.get_by_text("No messages yet. Say hello!")).to_be_visible()
    chat.show({"messages": messages(0, 3), "earlier": "loading"})
    expect(chat.log.get_by_text("Loading earlier messages…")).to_be_visible()
    chat.show({"messages": messages(0, 3), "earlier": "none"})
    expect(chat.log.get_by_text("Beginning of #default")).to_be_visible()
    place = chat.lines.first.bounding_box()
    chat.show({"messages": messages(0, 3), "earlier": "failed"})
    assert chat.lines.first.bounding_box() == place
    chat.log.get_by_role("button", name="Try again").click()
    assert len(chat.calls("onReachTop")) == 1


# What is announced


def test_new_messages_of_others_are_announced_and_nothing_else(shown):
    chat = shown(color_scheme="dark")  # a page of its own, since the test sets its clock
    chat.page.clock.install()
    chat.show({"messages": messages(10, 40), "earlier": "more"})
    chat.page.clock.run_for(2000)
    chat.show({"messages": messages(0, 40)})
    chat.show({"messages": messages(0, 40)}, outbox=[outgoing("new")])
    own = message(40, "mine", user="ada")
    chat.show({"messages": [*messages(0, 40), own]})
    chat.show({"messages": messages(100, 105)}, name="random")
    chat.show({"messages": [*messages(0, 40), own]})
    chat.page.clock.run_for(2000)
    assert chat.announced() == []
    chat.show({"messages": [*messages(0, 40), own, message(48, "Hello " * 100)]})
    chat.page.clock.run_for(2000)
    assert chat.announced() == [f"Grace Hopper: {('Hello ' * 100)[:150]}…"]
    chat.show({"messages": [*messages(0, 40), own, message(48, "Hello " * 100), *messages(49, 54)]})
    chat.page.clock.run_for(2000)
    assert len(chat.announced()[0]) > 100
    chat.page.clock.run_for(15_000)
    assert chat.announced() == ["5 new messages"]
    expect(chat.log).to_have_attribute("aria-live", "off")


@pytest.mark.parametrize("after", [{"name": "random"}, {"person": None}])
def test_what_waits_to_be_said_is_not_said_in_another_channel_or_to_another_person(shown, after):
    chat = shown(color_scheme="dark")
    chat.page.clock.install()
    chat.show({"messages": messages(0, 3)})
    chat.show({"messages": messages(0, 4)})
    chat.page.clock.run_for(2000)
    chat.show({"messages": messages(0, 5)})
    assert len(chat.announced()) == 1  # the fifth waits until the fourth has been read out
    chat.show({"messages": [], "loaded": "name" in after}, **after)
    assert chat.announced() == []
    chat.page.clock.run_for(30_000)
    assert chat.announced() == []


def test_a_message_that_fails_is_said_once_with_the_reason(shown):
    chat = shown()
    sent = [outgoing("new", "sent"), outgoing("old", "failed", "Refused.")]
    chat.show({"messages": messages(0, 3)}, outbox=sent)
    assert chat.announced() == []
    failed = [outgoing("new", "failed", "You are not allowed to do this."), sent[1]]
    chat.show({"messages": messages(0, 3)}, outbox=failed)
    announced = chat.announced()
    assert len(announced) == 1
    assert announced[0].startswith("A message of yours failed. You are not allowed to do this. ")
    chat.page.evaluate("document.querySelector('[aria-live=polite] p').textContent = 'heard'")
    chat.show({"messages": messages(0, 3)}, outbox=[*failed, outgoing("more")])
    assert chat.announced() == ["heard"]


# Hostile texts


def test_hostile_texts_stay_text(shown):
    chat = shown()
    written = [message(number, text) for number, text in enumerate(TEXTS)]
    chat.show({"messages": written})
    texts = chat.page.evaluate("[...log.querySelectorAll('.text')].map((node) => node.textContent)")
    assert texts == [text for text in TEXTS if text]
    _nothing_came_of_it(chat)


def test_hostile_names_stay_text(shown):
    chat = shown()
    named = [message(number, "x", name=text, user=text) for number, text in enumerate(TEXTS)]
    chat.show({"messages": named})
    names = chat.page.evaluate(
        "[...log.querySelectorAll('.sender')].map((node) => node.textContent)"
    )
    assert len(names) == len(TEXTS)
    assert all(name in text for name, text in zip(names, TEXTS, strict=True) if name != "Someone")
    _nothing_came_of_it(chat)


def test_hostile_pictures_are_not_asked_for(shown):
    chat = shown()
    pictured = [message(4 * n, "x", user=f"u{n}", picture=text) for n, text in enumerate(TEXTS)]
    chat.show({"messages": pictured})
    expect(chat.log.locator("img")).to_have_count(0)
    _nothing_came_of_it(chat)


def test_hostile_ids_times_and_kinds_break_nothing(shown):
    chat = shown()
    odd = [
        message(number, "x", id=text, client_id=text, sent_at=text)
        for number, text in enumerate(TEXTS)
        if text
    ]
    chat.show({"messages": odd})
    chat.show({"messages": odd[::2]})
    chat.show({"messages": [*odd, *(message(500, kind=text) for text in TEXTS)]})
    assert chat.lines.count() == len(odd)
    _nothing_came_of_it(chat)


def _nothing_came_of_it(chat):
    chat.frame()
    allowed = {
        "article",
        "header",
        "bdi",
        "span",
        "time",
        "p",
        "div",
        "code",
        "a",
        "mark",
        "button",
    }
    tags = chat.page.evaluate(
        "[...document.querySelectorAll('#messages-area section *')].map((n) => n.localName)"
    )
    assert set(tags) <= allowed
    links = chat.page.evaluate(
        "[...log.querySelectorAll('a')].map((a) => a.protocol + a.username + a.password)"
    )
    assert set(links) <= {"http:", "https:"}
    assert chat.requests == []
    wide = chat.page.evaluate("[log.scrollWidth - log.clientWidth, Object.keys(Object.prototype)]")
    assert wide == [0, []]


def test_marks_piled_up_do_not_leave_their_bubble(shown):
    chat = shown()
    chat.show({"messages": [message(0, "a" + "\u0301" * 300), message(1, "b")]})
    bubble = chat.lines.first.locator(".bubble")
    assert "paint" in bubble.evaluate("node => getComputedStyle(node).contain")

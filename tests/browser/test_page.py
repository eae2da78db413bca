"""The whole page: requests, keyboard, assistive technology, light and dark, activity."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import announce, unique, write_rows


def test_axe_finds_no_violation_in_the_page_in_use(visit, chat, channel):
    ada = visit()
    violations = {"signed out": ada.axe()}
    ada.sign_in(unique("Ada"))
    ada.say("see https://example.com and `code`")
    announce(chat, channel, ["@ada look at this", "```\nand this\n```"])
    expect(ada.lines).to_have_count(3)
    violations["conversation"] = ada.axe()
    ada.settings()
    violations["settings"] = ada.axe()
    ada.page.keyboard.press("Escape")
    ada.page.get_by_role("button", name="Activity").click()
    expect(ada.page.locator("#activity dd").first).to_have_text(re.compile(r"\d"))
    violations["activity"] = ada.axe()
    assert {where: wrong for where, wrong in violations.items() if wrong} == {}


class Network:
    """Records the page's files that are transferred, without the digests in their names."""

    def __init__(self, person):
        self.folder = person.url.removesuffix("index.html")
        self.session = person.page.context.new_cdp_session(person.page)
        self.clear()
        self.session.on("Network.responseReceived", self._answered)
        self.session.on("Network.responseReceivedExtraInfo", self._received)
        self.session.on("Network.requestServedFromCache", self._cached)
        self.session.send("Network.enable")

    def clear(self):
        self._urls, self._status, self._from_cache = {}, {}, set()

    def _answered(self, event):
        self._urls[event["requestId"]] = event["response"]["url"]
        if event["response"]["fromDiskCache"]:
            self._cached(event)

    def _received(self, event):
        # the page sees 200 for a revalidated file; the server's status is here
        self._status[event["requestId"]] = event["statusCode"]

    def _cached(self, event):
        self._from_cache.add(event["requestId"])

    def transferred(self):
        """Return the files in order, with the status of each answer."""
        return [
            (re.sub(r"-[A-Z0-9]{8}(?=\.)", "", name), self._status.get(request))
            for request, url in self._urls.items()
            if request not in self._from_cache
            and (name := url.removeprefix(self.folder)).startswith(("css/", "js/", "index.html"))
        ]

    def scripts(self):
        return [name for name, _ in self.transferred() if name.startswith("js/")]


def test_a_first_view_is_five_files_and_what_is_used_later_is_loaded_then(visit, chat):
    ada = visit(fresh=True)
    ada.at_google()
    network = Network(ada)
    ada.page.goto("about:blank")
    network.session.send("Network.clearBrowserCache")
    network.clear()
    ada.page.goto(ada.url)
    ada.at_google()
    first = {"css/icon.svg", "css/main.css", "index.html", "js/chunk.js", "js/main.js"}
    assert {name for name, _ in network.transferred()} == first
    assert len(network.transferred()) <= 6  # the logo twice: also for the tab
    network.clear()
    ada.sign_in(unique("Ada"))
    loaded = ["js/broker.js"] if chat.config.push else []
    ada.settings()
    ada.until(lambda: sorted(network.scripts()) == [*loaded, "js/settings.js"])
    ada.page.keyboard.press("Escape")
    ada.page.get_by_role("button", name="Activity").click()
    expect(ada.page.locator("#activity dd").first).to_have_text(re.compile(r"\d"))
    assert sorted(network.scripts()) == ["js/activity.js", *loaded, "js/settings.js"]


def test_a_repeat_visit_transfers_the_304_of_the_page_and_nothing_else(visit):
    ada = visit(fresh=True)
    ada.at_google()
    network = Network(ada)
    for _ in range(2):
        ada.page.goto("about:blank")
        network.clear()
        ada.page.goto(ada.url)
        ada.at_google()
        assert network.transferred() == [("index.html", 304)]


def test_everything_can_be_done_by_keyboard(visit, channel):
    ada = visit(push=False)
    ada.at_data("channels", lambda route: route.fulfill(json={"channels": [channel]}))
    page, keyboard = ada.page, ada.page.keyboard
    ada.at_google()
    keyboard.press("Tab")
    ada.name = unique("Ada")
    keyboard.type(ada.name)
    keyboard.press("Enter")
    expect(ada.box).to_be_focused()
    ada.connected()
    keyboard.type("hello")
    keyboard.press("Enter")
    ada.sees("hello")

    tab_to(ada.log, "Shift+Tab")
    tab_to(page.get_by_role("textbox", name="New channel"), "Shift+Tab")
    keyboard.type(f"{channel}-two")
    keyboard.press("Enter")
    expect(ada.box).to_be_focused()
    tab_to(ada.link(channel), "Shift+Tab")
    keyboard.press("Enter")
    expect(ada.link(channel)).to_have_attribute("aria-current", "page")
    tab_to(page.get_by_role("button", name="Settings"), "Shift+Tab")
    keyboard.press("Enter")
    tab_to(page.get_by_role("button", name="Sign out"))
    keyboard.press("Enter")
    expect(ada.status).to_have_text("Sign in to chat")


def test_activity_and_earlier_messages_are_reached_by_keyboard(visit, chat, channel):
    start = datetime.now(UTC) - timedelta(hours=1)
    sent = [start + timedelta(seconds=10 * number) for number in range(60)]
    times = [time.isoformat(timespec="milliseconds").replace("+00:00", "Z") for time in sent]
    write_rows(chat, channel, [(time, f"row {number:02}") for number, time in enumerate(times)])
    ada = visit(viewport={"width": 1280, "height": 500}, push=False)
    ada.at_data("channels", lambda route: route.fulfill(json={"channels": [channel]}))
    ada.sign_in(unique("Ada"))
    page, keyboard = ada.page, ada.page.keyboard
    expect(ada.line("row 59")).to_be_in_viewport()
    expect(ada.box).to_be_focused()
    tab_to(ada.log, "Shift+Tab")
    for _ in range(20):
        keyboard.press("PageUp")
    expect(ada.line("row 00")).to_have_count(1)
    ada.log.evaluate(AT_REST)
    keyboard.press("Home")
    expect(ada.line("row 00")).to_be_in_viewport()
    keyboard.press("End")
    expect(ada.line("row 59")).to_be_in_viewport()
    tab_to(page.get_by_role("button", name="Activity"), "Shift+Tab")
    keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Activity")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    expect(panel.locator("dd").first).to_have_text(re.compile(r"\d"))
    tab_to(panel.locator("summary"))
    keyboard.press("Enter")
    expect(panel.get_by_role("table")).to_be_visible()
    keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Activity")).to_be_focused()


def tab_to(target, key="Tab"):
    """Move the focus there by TAB, and check that it is visible."""
    for _ in range(40):
        if target.evaluate("node => node === document.activeElement"):
            assert target.evaluate("node => node.matches(':focus-visible')")
            return
        target.page.keyboard.press(key)
    raise AssertionError("not reached by the keyboard")


# scrolling by a key takes the browser some frames
AT_REST = """async (log) => {
  for (let calm = 0, last = -1; calm < 10; last = log.scrollTop) {
    await new Promise((done) => requestAnimationFrame(done));
    calm = last === log.scrollTop ? calm + 1 : 0;
  }
}"""
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    shifts.push([value, ...sources.map(({ node }) => node?.id || node?.className || "")]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("size", [{"width": 390, "height": 800}, {"width": 1280, "height": 800}])
def test_nothing_shifts_from_the_load_to_the_first_messages(visit, chat, channel, size):
    announce(chat, channel, ["here already", "and this"])
    ada = visit(viewport=size)
    names = {"channels": [f"{letter}-team" for letter in "abcdefghijklmnopqrstuvwxyz"]}
    ada.at_data("channels", lambda route: route.fulfill(json=names))
    ada.page.add_init_script(SHIFTS)
    ada.page.reload()
    ada.at_google()
    ada.sign_in(unique("Ada"))
    expect(ada.lines).to_have_count(2)
    announce(chat, channel, ["a new one"])
    expect(ada.lines).to_have_count(3)
    ada.say("my own")
    expect(ada.lines).to_have_count(4)
    shifts = ada.page.evaluate("shifts")
    # even after input: no action explains a shift of the messages
    assert sum(value for value, *_ in shifts) < 0.1, shifts


def test_a_chosen_theme_stays_over_a_reload(visit):
    ada = visit("Ada", color_scheme="light")
    colour = "() => getComputedStyle(document.body).backgroundColor"
    light = ada.page.evaluate(colour)
    ada.settings().get_by_role("radio", name="Dark").check()
    dark = ada.page.evaluate(colour)
    assert dark != light
    ada.page.reload()
    ada.connected()
    assert ada.page.evaluate(colour) == dark


def test_activity_counts_what_is_said_and_tells_it_in_words(visit, channel):
    ada = visit("Ada", clock=True)
    ada.page.get_by_role("button", name="Activity").click()
    panel = ada.page.get_by_role("complementary", name="Activity")
    today = panel.locator("dt:text-is('Messages today') + dd")
    expect(today).to_have_text(re.compile(r"^\d"))
    before = number(today)
    for text in ("one", "two"):
        ada.say(text)
    ada.sees("one", "two")
    ada.page.clock.fast_forward(16_000)
    expect(today).not_to_have_text(f"{before:,}")
    assert number(today) >= before + 2
    chart = panel.get_by_role("figure", name="Messages a minute")
    expect(chart).to_contain_text(re.compile(r"\d+ in the last hour"))
    panel.locator("summary").click()
    expect(panel.get_by_role("table")).to_be_visible()


def number(locator):
    return int(re.sub(r"\D", "", locator.inner_text()))

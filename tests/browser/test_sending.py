"""Messages are shown at once, sent once and in order, and not lost on the way."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import held, refused

PENDING = re.compile(r"\bpending\b")
LIMIT = 2000


def test_a_message_is_shown_at_once_and_confirmed_in_its_place(meet):
    ada = meet("Ada")
    with held(ada, "Publish") as publishes:
        ada.say("hello")
        line = ada.line("hello")
        expect(line).to_have_class(PENDING)
        expect(ada.box).to_have_value("")
        line.evaluate("node => { window.kept = node }")
        ada.until(lambda: publishes)
        expect(line).to_have_class(PENDING)
    ada.sees("hello")
    row = "[...document.querySelectorAll('[role=log] article')]"
    assert ada.page.evaluate(f"{row}.length === 1 && {row}[0] === window.kept")


def test_a_failed_message_says_why_and_is_sent_once_more_or_discarded(meet):
    ada, grace = meet("Ada", "Grace")
    ada.at_aws("Publish", refused("AuthorizationError", 403))
    for text in ("again", "never"):
        ada.say(text)
        expect(ada.line(text)).to_contain_text("You are not allowed to do this.")
    ada.page.unroute_all()
    ada.line("never").get_by_role("button", name="Discard").click()
    expect(ada.line("never")).to_have_count(0)
    ada.line("again").get_by_role("button", name="Retry").click()
    ada.sees("again")
    grace.sees("again")


def test_a_message_whose_answer_was_lost_is_shown_once(meet):
    ada, grace = meet("Ada", "Grace")
    lost = []

    def lose_the_first_answer(route):
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    ada.at_aws("Publish", lose_the_first_answer)
    ada.say("first")
    ada.say("second")
    for person in (ada, grace):
        person.sees("first", "second")
    assert lost == [200]


def test_what_is_written_offline_goes_out_in_order_when_the_network_is_back(visit, meet):
    grace, ada = meet("Grace"), visit("Ada")
    ada.page.context.set_offline(True)
    expect(ada.status).to_contain_text("Offline")
    texts = [f"{number}. from the train" for number in range(3)]
    for text in texts:
        ada.say(text)
        expect(ada.line(text)).to_have_class(PENDING)
    expect(ada.status).to_have_text("Offline. 3 messages wait.")
    grace.say("are you there?")
    grace.sees("are you there?")
    ada.page.context.set_offline(False)
    # the emulator's times are whole seconds, so the other person's line may come before or after
    for person in (ada, grace):
        expect(person.lines).to_have_count(4)
        expect(person.lines.locator(".text", has_text="from the train")).to_have_text(texts)
        expect(person.page.locator(".pending")).to_have_count(0)
    ada.connected()


def test_what_waits_outlives_a_reload_and_goes_out_in_order(visit, meet):
    grace, ada = meet("Grace"), visit("Ada")
    ada.at_aws("Publish", lambda route: route.abort())
    for text in ("one", "two", "three"):
        ada.say(text)
    ada.page.reload()
    ada.connected()
    expect(ada.lines.locator(".text")).to_have_text(["one", "two", "three"])
    expect(ada.page.locator(".pending")).to_have_count(3)
    ada.page.unroute_all()
    for person in (ada, grace):
        person.sees("one", "two", "three")


def test_enter_sends_shift_enter_breaks_the_line_and_a_composition_is_left_alone(meet):
    ada = meet("Ada")
    ada.box.press_sequentially("one")
    ada.box.press("Shift+Enter")
    ada.box.press_sequentially("two")
    expect(ada.box).to_have_value("one\ntwo")
    ada.box.press("Enter")
    expect(ada.box).to_have_value("")
    keyboard = ada.page.context.new_cdp_session(ada.page)
    word = {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
    keyboard.send("Input.imeSetComposition", word)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    expect(ada.box).to_have_value("にほん")
    expect(ada.lines).to_have_count(1)
    keyboard.send("Input.insertText", {"text": "日本"})
    ada.box.press("Enter")
    ada.sees("one\ntwo", "日本")


def test_what_cannot_be_sent_is_not_and_the_limit_is_told(meet):
    ada = meet("Ada")
    expect(ada.send).to_be_disabled()
    ada.box.fill("  \n ")
    expect(ada.send).to_be_disabled()
    counter = ada.page.locator("#counter")
    heard = ada.page.locator("#limit")
    expect(heard).to_have_attribute("aria-live", "polite")
    for length, step in (
        (LIMIT // 2, ""),
        (LIMIT, "Near the limit"),
        (LIMIT + 1, "Over the limit"),
    ):
        ada.box.fill("😀" * length)
        expect(ada.send).to_be_enabled()
        expect(counter).to_have_text("" if length < LIMIT else f"{length} / {LIMIT}")
        expect(heard).to_have_text(re.compile(f"^{step}"))
    expect(ada.box).to_have_accessible_description(f"{LIMIT + 1} / {LIMIT}")
    for send in (lambda: ada.box.press("Enter"), ada.send.click):
        send()
        expect(ada.status).to_contain_text("Too long: at most 2000 characters.")
        expect(ada.box).to_have_value("😀" * (LIMIT + 1))
        expect(ada.lines).to_have_count(0)
        ada.box.fill("😀" * LIMIT)
        expect(ada.status).to_contain_text("Connected")
        ada.box.fill("😀" * (LIMIT + 1))
    ada.box.fill("")


def test_too_many_at_once_are_held_back_and_what_does_not_appear_is_told(visit):
    ada = visit("Ada", clock=True)
    ada.hold_time()
    gone = []

    def lose(route):
        gone.append(route)
        route.fulfill(body="<PublishResponse/>")

    ada.at_aws("Publish", lose)
    for number in range(11):
        ada.say(f"line {number:02}")
        ada.pass_time(0.05, 0.05)
    expect(ada.line("line 10")).to_contain_text("Too fast: sending in")
    assert len(gone) == 10
    ada.pass_time(10, 1)
    assert len(gone) == 11
    ada.pass_time(18, 3)
    expect(ada.line("It has not appeared: it may have been refused.")).to_have_count(11)
    ada.page.unroute_all()
    ada.line("line 10").get_by_role("button", name="Retry").click()
    for number in range(10):
        ada.line(f"line {number:02}").get_by_role("button", name="Discard").click()
    ada.page.clock.resume()
    ada.sees("line 10")


def test_megabytes_that_are_pasted_are_cut_to_what_fits_at_once_and_that_is_told(visit):
    ada = visit("Ada")
    ada.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ada.page.evaluate("() => navigator.clipboard.writeText('0123456789'.repeat(500_000))")
    ada.box.fill("before ")
    ada.box.press("Control+v")
    expect(ada.status).to_have_text("Only the first 20000 characters fit here.")
    text = ada.box.input_value()
    assert text == f"before {'0123456789' * 2_000}"[:20_000]
    ada.box.fill("short")
    ada.connected()


LEFT_BEHIND = """(channel) => {
  const key = Object.keys(localStorage).find((name) => name.includes("/tab/"));
  for (const tab of ["one", "two"]) {
    const outbox = Array.from({ length: 60 }, (_, number) => ({
      clientId: `${tab}-${number}`, channel, text: `${tab} ${number}`, state: "failed",
      why: "No.", at: Date.now(),
    }));
    localStorage.setItem(key.replace(/[^/]+$/, tab), JSON.stringify({ outbox, drafts: {} }));
  }
}"""
KEPT = """() => new Set(Object.entries(localStorage)
  .filter(([key]) => key.includes("/tab/"))
  .flatMap(([, value]) => JSON.parse(value).outbox.map(({ clientId }) => clientId))).size"""


def test_what_two_dead_tabs_left_outlives_reloads_although_it_does_not_fit_at_once(visit, channel):
    ada = visit("Ada", clock=True)
    ada.page.evaluate(LEFT_BEHIND, channel)
    ada.page.clock.fast_forward("00:31")
    expect(ada.lines).to_have_count(100)
    for _ in range(2):
        ada.page.reload()
        ada.connected()
        expect(ada.lines).to_have_count(100)
        assert ada.page.evaluate(KEPT) == 120

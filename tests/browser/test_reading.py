"""How messages look: sender, time, pictures, links, code, mentions, and the alerts about them."""

import re
from datetime import UTC, datetime

from playwright.sync_api import expect

from local.testkit.events import sns_record
from tests.browser.conftest import announce, deliver, unique
from tests.browser.test_sign_in import mint

PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
PICTURES = "https://lh3.googleusercontent.com/a"
HIDDEN_POLL_MS = 17_000
STUB = """
window.asked = 0;
window.notes = [];
window.sounds = 0;
window.Notification = class {
  static permission = "default";
  static async requestPermission() {
    window.asked += 1;
    return (this.permission = "granted");
  }
  constructor(title, { body }) { window.notes.push([title, body]); }
  close() {}
};
window.AudioContext = class extends AudioContext {
  createOscillator() {
    const tone = super.createOscillator();
    tone.addEventListener("ended", () => { window.sounds += 1; });
    return tone;
  }
};
"""


def test_messages_are_grouped_and_have_pictures_or_initials(visit, chat, channel):
    grace, ada = visit(), visit("Ada")
    asked = []

    def picture(route):
        asked.append(route.request)
        if route.request.url.endswith("/good"):
            route.fulfill(body=PIXEL, content_type="image/gif")
        else:
            route.fulfill(status=404)

    ada.page.route("https://*.googleusercontent.com/**", picture)
    mint(grace, picture=f"{PICTURES}/good")
    grace.sign_in(unique("Grace Hopper"))
    token = chat.token("Karen Jones", picture=f"{PICTURES}/gone")
    grace.say("first")
    grace.sees("first")
    grace.say("second")
    expect(ada.line("second")).to_be_visible()
    deliver(chat, [sns_record({"message": "third", "channel": channel}, token, Timestamp=now())])
    expect(ada.line("third").locator(".avatar")).to_have_text("KJ")
    shown = ada.line("first").locator(".avatar img")
    expect(shown).to_have_js_property("naturalWidth", 1)
    expect(ada.line("second").locator(".avatar")).to_have_count(0)
    expect(ada.line("second").locator(".sender")).to_have_text(grace.name)
    expect(ada.log.get_by_role("separator", name="Today")).to_have_count(1)
    expect(ada.line("first").locator("time")).to_have_attribute("title", re.compile(r"\b20\d\d\b"))
    assert [request.headers.get("referer") for request in asked] == [None] * len(asked)


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_links_code_mentions_and_right_to_left_text(meet):
    ada, grace = meet("Ada", "Grace")
    grace.say("see https://example.com/a?b=1, not javascript:alert(1)\n```\nx < y\n```\n`z`")
    grace.say(f"@{ada.name} hello, @ada")
    grace.say("שלום לכולם")
    line = ada.line("see https://example.com")
    link = line.get_by_role("link")
    expect(link).to_have_text("https://example.com/a?b=1")
    expect(link).to_have_attribute("href", "https://example.com/a?b=1")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(link).to_have_attribute("target", "_blank")
    assert [text.strip() for text in line.locator("code").all_inner_texts()] == ["x < y", "z"]
    expect(ada.line("hello").locator("mark")).to_have_text([f"@{ada.name}", "@ada"])
    expect(grace.line("hello").locator("mark")).to_have_count(0)
    expect(ada.line("שלום").locator(".text")).to_have_css("direction", "rtl")


def test_a_mention_is_notified_when_the_page_is_hidden_and_only_if_one_wants_that(visit, meet):
    grace, ada = meet("Grace"), visit(clock=True)
    ada.page.add_init_script(STUB)
    ada.page.reload()
    ada.sign_in(unique("Ada"))
    state = "[asked, notes.length, sounds]"
    ada.look_away()
    grace.say("@ada one")
    grace.sees("@ada one")
    ada.page.clock.fast_forward(HIDDEN_POLL_MS)
    expect(ada.page).to_have_title("(1!) Lambda Chat")
    assert ada.page.evaluate(state) == [0, 0, 0]
    ada.come_back()
    expect(ada.page).to_have_title("Lambda Chat")
    settings = ada.settings()
    expect(settings.get_by_role("switch", name="Sound")).not_to_be_checked()
    settings.get_by_role("switch", name="Notify me of mentions").click()
    expect(settings.get_by_role("switch", name="Notify me of mentions")).to_be_checked()
    ada.page.keyboard.press("Escape")
    grace.say("@ada two")
    expect(ada.line("@ada two")).to_be_visible()
    assert ada.page.evaluate(state) == [1, 0, 0]
    ada.look_away()
    grace.say("third")
    grace.say("@ada four")
    grace.sees("@ada one", "@ada two", "third", "@ada four")
    ada.page.clock.fast_forward(HIDDEN_POLL_MS)
    expect(ada.page).to_have_title("(2!) Lambda Chat")
    notes = [[f"{grace.name} in {ada.channel}", "@ada four"]]
    assert ada.page.evaluate("notes") == notes
    assert ada.page.evaluate(state) == [1, 1, 0]


def test_a_sound_is_played_for_who_wants_it_and_does_not_look(visit, meet):
    grace, ada = meet("Grace"), visit(clock=True)
    ada.page.add_init_script(STUB)
    ada.page.reload()
    ada.sign_in(unique("Ada"))
    settings = ada.settings()
    settings.get_by_role("switch", name="Sound").click()
    expect(settings.get_by_role("switch", name="Sound")).to_be_checked()
    ada.page.keyboard.press("Escape")
    grace.say("one")
    expect(ada.line("one")).to_be_visible()
    assert ada.page.evaluate("sounds") == 0
    ada.look_away()
    grace.say("two")
    grace.sees("one", "two")
    ada.page.clock.fast_forward(HIDDEN_POLL_MS)
    # two notes, to their end
    ada.until(lambda: ada.page.evaluate("sounds") == 2)


def test_new_messages_of_others_are_announced_without_flooding(visit, chat, channel):
    ada = visit("Ada")
    announced = ada.page.locator("[aria-live=polite] p")
    ada.page.evaluate(
        """() => {
          window.announced = [];
          const region = document.querySelector("#messages-area [aria-live=polite]");
          const keep = () => announced.push(...[...region.children].map((p) => p.textContent));
          new MutationObserver(keep).observe(region, { childList: true });
        }"""
    )
    ada.say("my own")
    ada.sees("my own")
    announce(chat, channel, ["hello"])
    expect(announced).to_have_text(["The crew: hello"])
    announce(chat, channel, [f"flood {number}" for number in range(30)])
    expect(announced).to_have_text([re.compile(r"^\d+ new messages$")])
    texts = ada.page.evaluate("announced")
    assert texts[0] == "The crew: hello"
    assert len(texts) <= 4
    expect(ada.log).to_have_attribute("aria-live", "off")

"""Every state of the page, from fixtures: accessible, within the screen, usable by keyboard."""

import base64
import hashlib
import re
import shutil
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from lambda_chat.site.build import build_site
from lambda_chat.site.page_config import placeholders
from lambda_chat.site.publish import plan
from local.testkit.page_files import GOOGLE, ORIGIN, SITE
from tests.browser.gallery import DESK, MAIN, PHONE, open_gallery, show
from tests.support.samples import sample

AXE = SITE / "node_modules/axe-core/axe.min.js"
PUBLIC = SITE / "public"
SMALLEST = {"width": 320, "height": 480}
# a screen of 1280 x 1024 at 200 % zoom
ZOOMED = {"width": 640, "height": 512}
SIZES = {"phone": PHONE, "desk": DESK, "smallest": SMALLEST, "zoomed": ZOOMED}


@pytest.fixture(scope="module")
def pages(browser):
    """A page for each size and scheme, opened when first needed; no script may fail."""
    pages = {}
    errors = []

    def page_of(size, scheme="light"):
        if (size, scheme) not in pages:
            page = open_gallery(browser, SIZES[size], scheme)
            page.on("pageerror", lambda error: errors.append(str(error)))
            pages[size, scheme] = page
        return pages[size, scheme]

    yield page_of
    for page in pages.values():
        page.context.close()
    assert errors == []


@pytest.fixture
def opened(pages):
    """Show a state in a page that tests share."""

    def open_page(size, name="conversation"):
        page = pages(size)
        page.set_viewport_size(SIZES[size])
        show(page, "signed out")
        page.evaluate("() => { calls.length = 0 }")
        show(page, name)
        return page

    return open_page


@pytest.fixture
def fresh(browser):
    """A page that no other test uses, for a test that reloads it."""
    page = open_gallery(browser, DESK)
    yield page
    page.context.close()


def calls(page, name):
    """Return the view's calls of this handler."""
    return page.evaluate("name => calls.filter((call) => call[0] === name)", name)


@pytest.mark.parametrize(
    ("size", "scheme", "rules"),
    sample(
        ("phone", "light", "all"),
        ("desk", "dark", "all"),
        ("smallest", "dark", "layout"),
        ("zoomed", "light", "layout"),
        more=[
            ("smallest", "dark", "all"),
            ("zoomed", "light", "all"),
            # the contents are the same in the other scheme
            ("phone", "dark", "colours"),
            ("desk", "light", "colours"),
        ],
    ),
)
def test_every_state_fits_the_screen_is_accessible_and_is_made_once(pages, size, scheme, rules):
    page = pages(size, scheme)
    wrong = {}
    for name in page.evaluate("states"):
        show(page, name)
        problems = {"axe": violations(page, RULES[rules])} if rules in RULES else {}
        if rules != "colours":
            problems |= {"touched": page.evaluate(TOUCHED), "beyond": page.evaluate(BEYOND)}
        wrong |= {f"{name}, {what}": problem for what, problem in problems.items() if problem}
    assert wrong == {}


RULES = {
    "all": {"rules": {"target-size": {"enabled": True}}},
    "colours": {"runOnly": ["color-contrast", "link-in-text-block"]},
}


def violations(page, rules=RULES["all"]):
    """Return axe-core's violations by rule."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    options = {"resultTypes": ["violations"], **rules}
    # of a thousand channels, each has the same kind of row
    parts = {"exclude": [".channel-list li:nth-child(n + 20)"]}
    run = "async ([parts, options]) => (await axe.run(parts, options)).violations"
    rules = page.evaluate(run, [parts, options])
    return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in rules}


# elements wider or higher than the screen
BEYOND = """() => {
  const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement;
  const parts = document.querySelectorAll(
    "button, input, textarea, .sign-in, #status, dialog[open]");
  const out = [...parts].filter((node) => {
    const { left, right, bottom, width } = node.getBoundingClientRect();
    const scrolls = node.closest("#messages, .channel-list, .panel-body, .settings");
    const low = document.body.classList.contains("inside") && bottom > innerHeight + 1;
    return width > 1 && !scrolls && node.checkVisibility()
      && (left < -1 || right > innerWidth + 1 || low);
  });
  const whole = scrollWidth > clientWidth || scrollHeight > clientHeight ? ["the page"] : [];
  return [...whole, ...out.map((node) => node.outerHTML.slice(0, 80))];
}"""
# elements that change when the same state is shown again
TOUCHED = """async () => {
  await new Promise((done) => setTimeout(done, 20));
  const seen = new MutationObserver(() => {});
  seen.observe(document.documentElement, {
    subtree: true, childList: true, characterData: true, attributeOldValue: true,
  });
  again();
  return seen.takeRecords()
    .filter(({ type, target, attributeName, oldValue }) =>
      type !== "attributes" || target.getAttribute(attributeName) !== oldValue)
    .map(({ type, target, attributeName }) =>
      `${type} ${attributeName} ${target.id || target.className}`);
}"""


def test_targets_on_a_phone_are_large_enough_for_a_thumb(pages):
    page = pages("phone")
    small = {}
    for name in ("conversation", "settings", "channels", "activity"):
        show(page, name)
        small[name] = page.evaluate(
            """() => [...document.querySelectorAll("button, .channel-list a, .switch, .segments")]
              .filter((node) => node.checkVisibility() && !node.matches(".skip"))
              .filter((node) => !node.closest("#messages-area, #activity-body"))
              .filter((node) => node.getBoundingClientRect().height < 44)
              .map((node) => node.outerHTML)"""
        )
    assert set(map(tuple, small.values())) == {()}, small


@pytest.mark.parametrize(("size", "least"), [("phone", 44), ("desk", 24)])
def test_what_can_be_done_with_a_message_is_large_enough_to_hit(pages, size, least):
    page = pages(size)
    show(page, "sending")
    page.get_by_role("button", name="Actions for your message").last.click()
    targets = page.locator("#messages-area button:visible")
    sizes = targets.evaluate_all(
        """all => all.map((node) => {
          const { width, height } = node.getBoundingClientRect();
          return [node.textContent, width, height];
        })"""
    )
    assert {"Retry", "Discard", "Edit", "Delete", "•••"} <= {name for name, *_ in sizes}
    # the menu's button is as high as the line that it belongs to
    small = [one for one in sizes if one[1] < least or one[2] < (24 if one[0] == "•••" else least)]
    assert small == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_who_does_not_want_that(browser, motion):
    page = open_gallery(browser, PHONE, motion=motion)
    moving = {}
    for name in ("loading channel", "sending", "signing in", "channels", "activity"):
        page.evaluate("name => show(name)", name)
        moving[name] = page.evaluate(
            "() => document.getAnimations().filter((item) => item.playState === 'running').length"
        )
    page.context.close()
    assert all((count == 0) == (motion == "reduce") for count in moving.values()), moving


# Safari does not focus a clicked button, and removes the focus from the previous element
AS_SAFARI = """() => addEventListener("mousedown", (event) => {
  if (!event.target.closest("button")) return;
  event.preventDefault();
  document.activeElement.blur();
}, true)"""


@pytest.fixture
def safari(browser):
    """A desk where a click focuses no button."""
    page = open_gallery(browser, DESK)
    page.evaluate(AS_SAFARI)
    yield page
    page.context.close()


def test_one_goes_on_to_write_after_send_by_mouse_and_by_space(opened):
    page = opened("desk", "draft")
    box = page.get_by_role("textbox", name="Message")
    page.get_by_role("button", name="Send").click()
    expect(box).to_be_focused()
    page.get_by_role("button", name="Send").press("Space")
    expect(box).to_be_focused()


def test_the_focus_is_where_one_goes_on_in_a_browser_that_focuses_no_button(safari):
    page = safari
    box = page.get_by_role("textbox", name="Message")
    for button in ("Cancel", "Save"):
        show(page, "editing")
        page.get_by_role("button", name=button).click()
        show(page, "conversation")
        expect(box).to_be_focused()
    activity = page.get_by_role("button", name="Activity")
    activity.click()
    page.get_by_role("complementary", name="Activity").get_by_role("button", name="Close").click()
    expect(activity).to_be_focused()
    settings = page.get_by_role("button", name="Settings")
    settings.click()
    page.keyboard.press("Escape")
    expect(settings).to_be_focused()
    page.set_viewport_size(PHONE)
    channels = page.get_by_role("button", name="Channels")
    channels.click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(channels).to_be_focused()


def test_two_people_of_one_name_are_told_apart_in_words(pages):
    page = pages("desk")
    show(page, "same names")
    heads = page.locator(".message:not(.continued) .head:has-text('race')")
    texts = [" ".join(text.split()) for text in heads.all_inner_texts()]
    assert {text.split(")")[0] for text in texts} == {"Grace Hopper (91c0", "grace hopper (04d1"}
    show(page, "conversation")
    assert "(" not in "".join(heads.all_inner_texts())


def test_a_long_name_of_a_channel_wraps_where_it_begins(pages):
    page = pages("phone")
    show(page, "long channel")
    words = page.get_by_text("Beginning of #")
    edges = words.evaluate(
        "node => [node.getBoundingClientRect().left, node.getBoundingClientRect().right]"
    )
    assert edges[0] >= 0
    assert edges[1] <= PHONE["width"]
    assert words.evaluate("node => node.scrollWidth <= node.clientWidth")


def test_the_frame_of_googles_button_has_its_size_without_inline_styles(fresh):
    page = fresh
    show(page, "signed out")
    before = page.locator("#status").bounding_box()
    page.evaluate(
        """() => document.getElementById("sign-in-slot")
          .replaceChildren(document.createElement("iframe"))"""
    )
    frame = page.locator("#sign-in-slot iframe").bounding_box()
    assert (frame["width"], frame["height"]) == (300, 44)
    assert page.locator("#status").bounding_box() == before


@pytest.mark.parametrize(("size", "focused"), [("phone", False), ("desk", True)])
def test_after_a_sign_in_one_can_type_but_on_a_phone_one_reads_first(opened, size, focused):
    page = opened(size, "signing in")
    show(page, "conversation")
    box = page.get_by_role("textbox", name="Message")
    assert box.evaluate("node => node === document.activeElement") == focused


@pytest.mark.parametrize(
    ("panel", "state"),
    [("Channels", "conversation"), ("Channels", "many channels"), ("Activity", "conversation")],
)
def test_on_a_phone_a_panel_takes_the_focus_and_gives_it_back(opened, panel, state):
    page = opened("phone", state)
    button = page.get_by_role("button", name=panel)
    button.press("Enter")
    sheet = page.get_by_role("dialog", name=panel)
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()


def test_a_tap_beside_the_drawer_closes_it(opened):
    page = opened("phone", "channels")
    page.mouse.click(380, 400)
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert calls(page, "onPanel") == [["onPanel", "none"]]


def test_on_a_desk_activity_stands_beside_and_escape_closes_it(opened):
    page = opened("desk")
    button = page.get_by_role("button", name="Activity")
    button.press("Enter")
    aside = page.get_by_role("complementary", name="Activity")
    expect(aside.get_by_role("button", name="Close")).to_be_focused()
    expect(page.get_by_role("textbox", name="Message")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(aside).to_be_hidden()
    expect(button).to_be_focused()


def test_a_panel_follows_when_the_window_gets_narrow(opened):
    page = opened("desk", "activity")
    page.set_viewport_size(PHONE)
    expect(page.get_by_role("dialog", name="Activity")).to_be_visible()
    page.set_viewport_size(DESK)
    expect(page.get_by_role("complementary", name="Activity")).to_be_visible()
    expect(page.get_by_role("navigation", name="Channels")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_settings_open_and_close_by_keyboard_and_by_a_click_beside(opened):
    page = opened("desk")
    button = page.get_by_role("button", name="Settings")
    popover = page.get_by_role("dialog", name="Settings")

    def reported(*panels):
        # the browser merges the events of quick openings and closings, so wait for each
        page.wait_for_function(
            "count => calls.filter(([name]) => name === 'onPanel').length >= count",
            arg=len(panels),
        )
        assert [panel for _, panel in calls(page, "onPanel")] == list(panels)

    button.press("Enter")
    expect(popover.get_by_role("radio", name="Auto")).to_be_focused()
    reported("settings")
    page.keyboard.press("Escape")
    expect(popover).to_be_hidden()
    expect(button).to_be_focused()
    reported("settings", "none")
    button.click()
    expect(popover).to_be_visible()
    reported("settings", "none", "settings")
    page.mouse.click(400, 300)
    expect(popover).to_be_hidden()
    reported("settings", "none", "settings", "none")


def test_from_settings_one_click_opens_activity(opened):
    page = opened("desk", "settings")
    page.get_by_role("button", name="Activity").click()
    expect(page.get_by_role("complementary", name="Activity")).to_be_visible()
    expect(page.get_by_role("dialog", name="Settings")).to_be_hidden()


def test_the_theme_is_chosen_and_colours_the_page(opened):
    page = opened("desk", "settings")
    colour = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("radio", name="Dark").check()
    assert page.evaluate(colour) != light
    bar = page.locator("meta[name=theme-color]").evaluate_all(
        "all => all.map((node) => node.media)"
    )
    assert bar == ["not all", "all"]
    page.get_by_role("radio", name="Auto").check()
    assert page.evaluate(colour) == light


def test_a_kept_theme_is_there_before_the_first_module(fresh):
    page = fresh
    page.evaluate("localStorage.setItem('lambda-chat/settings', JSON.stringify({theme: 'dark'}))")
    page.route("**/*.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("localStorage.setItem('lambda-chat/settings', '[broken')")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "auto")


def test_a_switch_shows_what_the_state_says(opened):
    page = opened("desk", "settings")
    notify = page.get_by_role("switch", name="Notify me of mentions")
    page.get_by_text("Notify me of mentions").click()
    expect(notify).not_to_be_checked()
    assert calls(page, "onNotifications") == [["onNotifications", True]]
    page.get_by_text("Sound").click()
    expect(page.get_by_role("switch", name="Sound")).to_be_checked()


def test_channels_tell_what_is_unread(pages):
    page = pages("desk")
    show(page, "conversation")
    channels = page.get_by_role("navigation", name="Channels").get_by_role("link")
    names = channels.evaluate_all("all => all.map((node) => node.ariaLabel)")
    mentioned = "release-notes, 12 unread, you are mentioned"
    assert names == ["default", "help", "random, 3 unread", mentioned]
    expect(channels.first).to_have_attribute("aria-current", "page")
    phone = pages("phone")
    show(phone, "conversation")
    expect(phone.get_by_role("button", name="Channels, 15 unread")).to_have_count(1)


def test_a_channel_opens_by_a_click_and_is_a_link_for_a_new_tab(opened):
    page = opened("desk")
    link = page.get_by_role("link", name="random")
    expect(link).to_have_attribute("href", "#random")
    link.click()
    assert calls(page, "onChannel") == [["onChannel", "random"]]
    expect(link).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


def test_choosing_a_channel_closes_the_drawer(opened):
    page = opened("phone", "channels")
    page.get_by_role("link", name="random").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert calls(page, "onChannel") == [["onChannel", "random"]]


def test_a_new_channel_is_made_refused_with_a_reason_or_proposed(opened):
    page = opened("desk")
    name = page.get_by_role("textbox", name="New channel")
    name.fill("!?")
    name.press("Enter")
    expect(name).to_have_accessible_description(re.compile("^Use lower-case letters"))
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_value("!?")
    name.fill("My Café!")
    expect(name).to_have_accessible_description("")
    page.get_by_role("button", name="Create channel").click()
    expect(name).to_have_accessible_description(re.compile("How about “my-cafe”"))
    expect(name).to_have_value("my-cafe")
    assert calls(page, "onChannel") == []
    name.press("Enter")
    expect(name).to_have_value("")
    assert calls(page, "onChannel") == [["onChannel", "my-cafe"]]


def test_among_many_channels_one_is_found_by_typing(opened):
    page = opened("desk", "many channels")
    channels = page.get_by_role("navigation", name="Channels").get_by_role("link")
    find = page.get_by_role("searchbox", name="Find a channel")
    find.fill("#TEAM-004")
    expect(channels).to_have_count(10)
    find.press("Enter")
    assert calls(page, "onChannel") == [["onChannel", "team-0040"]]
    find.fill("nowhere")
    expect(page.get_by_text("No matching channel.")).to_be_visible()
    show(page, "conversation")
    expect(find).to_be_hidden()
    expect(channels).to_have_count(4)


def test_the_skip_button_leads_to_the_message_box(opened):
    page = opened("desk")
    page.get_by_role("button", name="Activity").press("Shift+Tab")
    expect(page.get_by_role("button", name="Skip to the message box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message")).to_be_focused()


@pytest.mark.parametrize("grows", [True, False])
def test_the_text_box_grows_with_its_text(fresh, grows):
    page = fresh
    show(page, "conversation")
    if not grows:
        page.add_init_script("CSS.supports = (name) => name !== 'field-sizing'")
        page.reload()
        page.wait_for_function("() => 'show' in window")
        show(page, "conversation")
        page.locator("textarea").evaluate("node => { node.style.fieldSizing = 'fixed' }")
    box = page.get_by_role("textbox", name="Message")
    heights = []
    for lines in (1, 3, 40, 1):
        box.fill("\n".join(["line"] * lines))
        heights.append(round(box.bounding_box()["height"]))
    one, three, forty, again = heights
    assert one == again
    assert three == one + 48
    assert forty == 160


def test_settings_that_could_not_be_loaded_say_so_and_are_loaded_when_they_open_again(fresh):
    fresh.route("**/js/view/settings.js", lambda route: route.abort())
    show(fresh, "conversation")
    dialog = fresh.get_by_role("dialog", name="Settings")
    open_settings = fresh.get_by_role("button", name="Settings")
    open_settings.click()
    expect(dialog.get_by_role("alert")).to_have_text(
        "This could not be loaded. Close it and try again, or reload the page."
    )
    body = fresh.locator("#settings-body")
    expect(body).to_have_js_property("inert", True)  # its controls do not work yet
    fresh.keyboard.press("Escape")
    fresh.unroute("**/js/view/settings.js")
    open_settings.click()
    dialog.get_by_role("radio", name="Dark").check()
    assert calls(fresh, "onTheme") == [["onTheme", "dark"]]
    expect(body).to_have_js_property("inert", False)
    expect(dialog.get_by_role("alert")).to_have_count(0)


def test_a_panel_that_a_browser_loads_no_second_time_says_that_a_reload_helps(fresh):
    """Firefox and Safari remember a module that failed to load until the page is reloaded."""
    fresh.route("**/js/view/activity.js", lambda route: route.abort())
    show(fresh, "conversation")
    open_activity = fresh.get_by_role("button", name="Activity")
    panel = fresh.get_by_role("complementary", name="Activity")
    for _ in range(2):
        open_activity.click()
        expect(panel).to_contain_text("could not be loaded")
        expect(panel).to_contain_text("or reload the page")
        panel.get_by_role("button", name="Close").click()
    fresh.unroute("**/js/view/activity.js")
    fresh.reload()
    fresh.wait_for_function("() => 'show' in window")
    show(fresh, "activity")
    expect(panel).to_contain_text("Messages a minute")
    expect(panel).not_to_contain_text("could not be loaded")


def test_every_part_that_the_view_names_is_in_the_page(pages):
    named = (SITE / "types/js/parts.d.ts").read_text("utf-8")
    parts = re.findall(r'^  "?([\w-]+)"?: (HTML\w+);$', named, re.MULTILINE)
    assert len(parts) > 30
    is_wrong = "([id, type]) => !(document.getElementById(id) instanceof self[type])"
    assert pages("desk").evaluate(f"parts => parts.filter({is_wrong})", parts) == []


def test_the_policy_allows_the_one_script_that_is_in_the_page_and_no_other():
    text = (PUBLIC / "index.html").read_text("utf-8")
    digests = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    ]
    assert len(digests) == 1
    assert re.findall(r"'sha256-([^']+)'", text) == digests
    assert "unsafe" not in text


def test_a_page_that_was_opened_before_an_update_goes_on_to_load_its_own_files(browser, tmp_path):
    """The page as update.sh bundles it, with the gallery in place of main.js."""
    source = tmp_path / "public"
    shutil.copytree(PUBLIC, source)
    shutil.copyfile(MAIN, source / "js/main.js")
    bucket = {file.key: file for file in built(source, tmp_path / "first")}
    page = browser.new_context(viewport=DESK).new_page()
    page.route(f"{GOOGLE}/**", lambda route: route.fulfill(body=""))
    page.route(f"{ORIGIN}/**", lambda route: route.fulfill(path=path_of(route.request)))
    asked = []

    def path_of(request):
        asked.append(urlsplit(request.url).path.strip("/"))
        return bucket[asked[-1]].path

    page.goto(f"{ORIGIN}/index.html")
    page.wait_for_function("() => 'show' in window")
    for name in ("dom", "activity"):
        with (source / f"js/view/{name}.js").open("a") as script:
            script.write("globalThis.isNext = true;\n")
    files = built(source, tmp_path / "next")
    etags = {key: file.etag for key, file in bucket.items()}
    todo = plan(files, etags, "data/", {}, datetime.now(UTC))
    bucket |= {file.key: file for turn in todo.uploads for file in turn}
    for key in todo.removals:
        del bucket[key]
    del asked[:]
    show(page, "activity")
    assert page.get_by_role("complementary", name="Activity").locator("dd").all_inner_texts()
    [panel] = [key for key in asked if key.startswith("js/activity-")]
    assert panel not in {file.key for file in files}
    assert page.evaluate("globalThis.isNext") is None
    page.context.close()


def built(source, folder):
    values = placeholders([ORIGIN], GOOGLE)
    return build_site(source, folder, {}, values, SITE / "node_modules")

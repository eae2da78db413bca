"""Signing in, renewal, expiry and signing out: each is reported, and nothing is left behind."""

import json

from playwright.sync_api import expect

from tests.browser.conftest import Person, held, operation_of, unique

NAME = "Ada Lovelace"
MOST_OF_AN_HOUR = "55:30"
EXCHANGE = "AssumeRoleWithWebIdentity"


def mint(person, **claims):
    """Change the tokens that the sign-in issues from now on."""

    def ask(route):
        body = json.loads(route.request.post_data)
        route.continue_(post_data=json.dumps({**body, **claims}))

    person.page.unroute("**/token")
    person.page.route("**/token", ask)


def forget_at_google(person):
    """Make silent renewal impossible, like a sign-out at Google."""
    person.google.locator("body").evaluate("() => localStorage.clear()")


def test_before_sign_in_there_is_nothing_to_read_or_write(visit):
    ada = visit()
    expect(ada.status).to_have_text("Sign in to chat")
    for part in (ada.log, ada.box, ada.channels.first, ada.page.get_by_role("button")):
        expect(part).to_have_count(0)


def test_a_reload_signs_in_again_by_itself(visit):
    ada = visit("Ada")
    ada.say("hello")
    ada.sees("hello")
    ada.page.reload()
    ada.connected().sees("hello")
    expect(ada.lines).to_have_class("message own")


def test_signing_out_clears_the_screen_the_store_and_stops_the_polls(visit, word):
    ada = visit("Ada", clock=True)
    ada.say(f"{word} said")
    ada.sees(f"{word} said")
    ada.at_aws("Publish", lambda route: route.abort())
    ada.say(f"{word} waits")
    ada.box.fill(f"{word} half a thought")
    kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"
    assert f"{word} half" in ada.page.evaluate(kept)
    ada.sign_out()
    expect(ada.status).to_have_text("Sign in to chat")
    expect(ada.page.get_by_role("heading", name="Welcome")).to_be_focused()
    assert f"{word} " not in ada.page.content()
    assert f"{word} " not in ada.page.evaluate(kept)
    assert ada.page.locator("textarea").input_value() == ""
    ada.polls.clear()
    ada.hold_time()
    ada.pass_time(30, 5)
    assert ada.polls == []
    ada.page.reload()
    expect(ada.google.get_by_role("button", name="Sign in")).to_be_visible()
    ada.sign_in(unique("Grace"))
    expect(ada.box).to_have_value("")
    ada.sees(f"{word} said")
    expect(ada.line(f"{word} said")).to_have_class("message")


def test_a_poll_answered_after_the_sign_out_brings_nothing_back(visit, channel):
    ada = visit("Ada", push=False)
    routes = []
    ada.at_data(channel, routes.append)
    with ada.page.expect_request(f"**/data/{channel}.json"):
        pass
    ada.sign_out()
    late = {"id": "2026-01-01T12:00:00.000Z#1", "name": "Grace", "message": "late", "kind": "user"}
    for route in routes:
        route.fulfill(json={"messages": [late]})
    expect(ada.status).to_have_text("Sign in to chat")
    ada.page.evaluate("() => fetch('index.html').then((answer) => answer.text())")
    expect(ada.page.locator(".message")).to_have_count(0)


def test_a_sign_in_that_is_not_accepted_is_told(visit):
    ada = visit()
    mint(ada, aud="999999999999-other.apps.googleusercontent.com")
    ada.submit_sign_in(NAME)
    expect(ada.status).to_have_text("This Google sign-in is not accepted by this chat.")
    expect(ada.box).to_be_hidden()
    mint(ada, expires_in_s=-10)
    ada.submit_sign_in(NAME)
    expect(ada.status).to_have_text("That sign-in has expired. Sign in again.")
    mint(ada)
    ada.sign_in(NAME)


def test_sign_in_that_cannot_be_loaded_is_told(visit):
    ada = visit()
    ada.page.route("**/gsi/client", lambda route: route.abort())
    ada.page.reload()
    expect(ada.status).to_contain_text("Google's sign-in could not be loaded")


def test_a_sign_in_is_renewed_without_a_click(visit):
    ada = visit("Ada", clock=True)
    ada.box.fill("half a thought")
    # within one second the stand-in would return the same token again
    mint(ada, expires_in_s=3_590)
    with ada.page.expect_response(lambda answer: operation_of(answer.request) == EXCHANGE):
        ada.page.clock.fast_forward(MOST_OF_AN_HOUR)
    ada.box.press("Enter")
    ada.sees("half a thought")
    ada.page.clock.fast_forward("20:00")
    ada.connected()


def test_when_a_renewal_fails_one_is_warned_and_loses_nothing(visit, meet):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    ada.say("before")
    ada.sees("before")
    forget_at_google(ada)
    ada.page.clock.fast_forward(MOST_OF_AN_HOUR)
    ada.page.clock.fast_forward("01:00")
    expect(ada.status).to_have_text("Your sign-in ends soon. Sign in again to stay.")
    expect(ada.google.get_by_role("button", name="Sign in")).to_be_visible()
    ada.page.clock.fast_forward("05:00")
    expect(ada.status).to_contain_text("Your sign-in has ended")
    expect(ada.page.get_by_role("heading", name="Sign in again")).to_be_visible()
    ada.say("written after the end")
    ada.box.fill("half a thought")
    expect(ada.line("before")).to_be_visible()
    expect(ada.status).to_contain_text("1 message waits.")
    grace.sees("before")
    ada.sign_in(ada.name)
    expect(ada.box).to_have_value("half a thought")
    for person in (ada, grace):
        person.sees("before", "written after the end")


def test_who_comes_back_to_a_tab_that_ended_unseen_is_signed_in_without_a_click(visit):
    ada = visit("Ada", clock=True)
    ada.box.fill("half a thought")
    ada.look_away()
    ada.page.route("**/token", lambda route: route.abort())
    for time in (MOST_OF_AN_HOUR, "05:00", "02:00"):
        ada.page.clock.fast_forward(time)
    expect(ada.status).to_contain_text("Your sign-in has ended")
    mint(ada)
    ada.come_back()
    ada.connected()
    expect(ada.box).to_have_value("half a thought")


def test_two_tabs_of_one_person_work_side_by_side(visit, meet):
    grace, ada = meet("Grace"), visit("Ada", clock=True)
    tab = Person(ada.page.context.new_page(), ada.url, ada.channel, ada.pace)
    tab.name = ada.name
    tab.open().connected()
    ada.say("from one tab")
    ada.sees("from one tab")
    tab.sees("from one tab")
    with held(tab, "Publish"):
        tab.say("from the other")
        expect(tab.page.locator(".pending")).to_have_count(1)
    for person in (ada, tab, grace):
        person.sees("from one tab", "from the other")
    tab.at_aws("Publish", lambda route: route.abort())
    tab.say("left behind")
    expect(tab.page.locator(".pending")).to_have_count(1)
    tab.page.close()
    for _ in range(10):  # a closed tab's lock is released a moment later
        ada.page.clock.fast_forward("00:31")
        if ada.line("left behind").count():
            break
        ada.page.wait_for_timeout(100)
    for person in (ada, grace):
        person.sees("from one tab", "from the other", "left behind")


WRITES_AT_SIGN_OUT = """addEventListener("storage", ({ key, newValue }) => {
  if (!key.endsWith("/out") || !newValue) return;
  const tab = sessionStorage.getItem("lambda-chat/tab");
  const record = JSON.stringify({ outbox: [], drafts: { default: "half a thought" } });
  localStorage.setItem(key.replace(/out$/, `tab/${tab}`), record);
})"""


def test_what_a_tab_writes_while_another_signs_out_does_not_stay(visit):
    ada = visit("Ada", fresh=True)
    # before the page receives the event of the sign-out
    ada.page.context.add_init_script(WRITES_AT_SIGN_OUT)
    tab = Person(ada.page.context.new_page(), ada.url, ada.channel, ada.pace)
    tab.name = ada.name
    tab.open().connected()
    ada.sign_out()
    expect(tab.status).to_have_text("Sign in to chat")
    assert "half a thought" not in tab.page.evaluate("JSON.stringify({ ...localStorage })")
    tab.check()


def test_a_sign_out_in_one_tab_signs_the_other_out(visit):
    ada = visit("Ada")
    tab = Person(ada.page.context.new_page(), ada.url, ada.channel, ada.pace)
    tab.name = ada.name
    tab.open().connected()
    ada.sign_out()
    expect(tab.status).to_have_text("Sign in to chat")
    tab.check()


def test_a_sign_out_is_heard_by_a_tab_that_is_just_signing_in(visit):
    ada = visit("Ada")
    tab = Person(ada.page.context.new_page(), ada.url, ada.channel, ada.pace)
    asked = []

    def busy(route):
        asked.append(route)
        route.fulfill(status=503)

    tab.at_aws("AssumeRoleWithWebIdentity", busy)
    tab.open()
    tab.until(lambda: asked)
    ada.sign_out()
    expect(tab.status).to_have_text("Sign in to chat")
    tab.page.unroute_all()
    tab.page.reload()
    tab.at_google()
    expect(tab.status).to_have_text("Sign in to chat")
    tab.check()

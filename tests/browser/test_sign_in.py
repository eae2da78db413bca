"""Signing in, staying in, ending, signing out: told in words, and nothing left behind."""

import json
import uuid

import pytest
from playwright.sync_api import expect


@pytest.fixture
def word():
    """A word that no other test's messages hold."""
    return uuid.uuid4().hex[:10]


def mint(person, **claims):
    """Change the tokens that the sign-in gives from now on."""

    def ask(route):
        body = json.loads(route.request.post_data)
        route.continue_(post_data=json.dumps({**body, **claims}))

    person.page.unroute("**/token")
    person.page.route("**/token", ask)


def forget_at_google(person):
    """Take away what silent renewal needs, as a sign-out at Google does."""
    person.google.locator("body").evaluate("() => localStorage.clear()")


def test_before_sign_in_there_is_nothing_to_read_or_write(visit):
    ada = visit()
    expect(ada.status).to_have_text("Sign in to chat")
    expect(ada.log).to_be_hidden()
    expect(ada.box).to_be_hidden()
    expect(ada.sign_out).to_be_hidden()


def test_everything_can_be_done_by_keyboard(visit, word):
    ada = visit()
    expect(ada.google.get_by_role("textbox", name="Your name")).to_be_visible()
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.type("Ada Lovelace")
    ada.page.keyboard.press("Enter")
    expect(ada.box).to_be_focused()
    ada.page.keyboard.type(word)
    ada.page.keyboard.press("Enter")
    expect(ada.line(word)).to_be_visible()
    ada.page.keyboard.press("Shift+Tab")
    expect(ada.log).to_be_focused()
    ada.page.keyboard.press("Shift+Tab")
    expect(ada.sign_out).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.status).to_have_text("Sign in to chat")


def test_a_reload_signs_in_again_by_itself(visit, word):
    ada = visit("Ada Lovelace")
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    ada.page.reload()
    expect(ada.status).to_have_text("Connected as Ada Lovelace")
    expect(ada.line(word)).to_have_class("message own")


def test_signing_out_clears_the_screen_and_stops_the_polls(visit, word):
    ada, grace = visit("Ada Lovelace"), visit("Grace Hopper")
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    ada.box.fill("half a thought")
    ada.sign_out.click()
    polls = ada.transcript_polls()
    expect(ada.status).to_have_text("Sign in to chat")
    expect(ada.page.locator(".message")).to_have_count(0)
    expect(ada.page.locator("textarea")).to_have_value("")
    theirs = grace.transcript_polls()
    grace.say(f"{word} unseen")
    expect(grace.line(f"{word} unseen")).to_be_visible()
    while len(theirs) < 5:
        grace.page.wait_for_event("request")
    assert polls == []


def test_a_sign_out_outlives_a_reload(visit):
    ada = visit("Ada Lovelace")
    ada.sign_out.click()
    ada.page.reload()
    expect(ada.google.get_by_role("button", name="Sign in")).to_be_visible()
    expect(ada.status).to_have_text("Sign in to chat")


def test_a_poll_answered_after_the_sign_out_brings_nothing_back(visit):
    ada = visit("Ada Lovelace")
    held = []
    with ada.page.expect_request("**/data/default.json"):
        ada.page.route("**/data/default.json", lambda route: held.append(route))
    ada.sign_out.click()
    late = {"id": "2026-01-01T12:00:00.000Z#1", "name": "Grace", "message": "late", "kind": "user"}
    for route in held:
        route.fulfill(json={"messages": [late]})
    expect(ada.status).to_have_text("Sign in to chat")
    ada.page.evaluate("() => fetch('error.html').then((answer) => answer.text())")
    expect(ada.page.locator(".message")).to_have_count(0)


def test_one_may_sign_in_as_another_after_a_sign_out(visit, word):
    ada = visit("Ada Lovelace")
    ada.sign_out.click()
    ada.sign_in("Grace Hopper")
    ada.say(word)
    expect(ada.line(word)).to_contain_text("Grace Hopper")


def test_a_sign_in_for_another_chat_is_not_accepted(visit):
    ada = visit()
    mint(ada, aud="999999999999-other.apps.googleusercontent.com")
    ada.submit_sign_in("Ada Lovelace")
    expect(ada.status).to_have_text("This Google sign-in is not accepted by this chat.")
    expect(ada.box).to_be_hidden()
    mint(ada)
    ada.sign_in("Ada Lovelace")


def test_an_ended_sign_in_is_told(visit):
    ada = visit()
    mint(ada, expires_in_s=-10)
    ada.submit_sign_in("Ada Lovelace")
    expect(ada.status).to_have_text("That sign-in has ended already. Sign in again.")


def test_a_sign_in_is_renewed_without_a_click(visit, word):
    ada = visit()
    mint(ada, expires_in_s=6)
    ada.sign_in("Ada Lovelace")
    mint(ada)
    with ada.page.expect_response("**/token"):
        pass
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    expect(ada.status).to_have_text("Connected as Ada Lovelace")


def test_when_a_renewal_fails_one_is_warned_and_loses_nothing(visit, word):
    ada = visit()
    mint(ada, expires_in_s=6)
    ada.sign_in("Ada Lovelace")
    forget_at_google(ada)
    ada.say(word)
    expect(ada.line(word)).to_be_visible()
    ada.box.fill("half a thought")
    expect(ada.status).to_have_text("Your sign-in ends soon. Sign in again to stay.")
    expect(ada.status).to_contain_text("Your sign-in has ended")
    expect(ada.line(word)).to_be_visible()
    expect(ada.box).to_have_value("half a thought")
    expect(ada.send).to_be_disabled()
    mint(ada)
    ada.sign_in("Ada Lovelace")
    expect(ada.box).to_have_value("half a thought")
    expect(ada.send).to_be_enabled()


def test_sign_in_that_cannot_be_loaded_is_told(visit):
    ada = visit()
    ada.page.route("**/gsi/client", lambda route: route.abort())
    ada.open()
    expect(ada.status).to_contain_text("Google's sign-in could not be loaded")


def test_aws_that_cannot_be_reached_is_told(visit):
    ada = visit()

    def is_sts(request):
        return "AssumeRoleWithWebIdentity" in (request.post_data or "")

    ada.page.route(
        lambda _: True, lambda route: route.abort() if is_sts(route.request) else route.fallback()
    )
    ada.submit_sign_in("Ada Lovelace")
    expect(ada.status).to_have_text("Offline: the chat cannot be reached.")
    ada.page.unroute_all()
    ada.sign_in("Ada Lovelace")

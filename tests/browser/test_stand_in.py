"""The stand-in for Google, in the chat's pages and in another site's."""

from urllib.parse import urlencode

import pytest

from local import google
from local.gate import origins_at
from tests.support.chat import elsewhere

CLIENT = "1-a.apps.googleusercontent.com"
BLOCKED = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
});
"""
# what a page does with Google's script
BUTTON = """() => {
  const id = google.accounts.id;
  window.tokens = [];
  const callback = ({ credential }) => tokens.push(credential);
  id.initialize({ client_id: "1-a.apps.googleusercontent.com", callback, auto_select: true });
  const slot = document.body.appendChild(document.createElement("div"));
  slot.id = "sign-in-slot";
  id.renderButton(slot, {});
}"""
# `messages` holds what any frame posts to the page
FRAME = """(src) => new Promise((loaded) => {
  window.messages = [];
  addEventListener("message", (event) => messages.push(event.data));
  document.body.append(Object.assign(document.createElement("iframe"), { src, onload: loaded }));
}).then(() => {})"""


@pytest.fixture(scope="module")
def chat_port():
    with elsewhere.running() as port:
        yield port


@pytest.fixture(scope="module")
def identity(chat_port):
    with google.running(CLIENT, origins_at(chat_port)) as running:
        yield running


@pytest.fixture
def context(browser):
    context = browser.new_context()
    yield context
    context.close()


def sign_in(context, identity, port):
    """A page of the chat where Ann has signed in."""
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    page.add_script_tag(url=f"{identity.url}/gsi/client")
    page.evaluate(BUTTON)
    frame = page.frame_locator("#sign-in-slot iframe")
    frame.get_by_role("textbox", name="Your name").fill("Ann")
    frame.get_by_role("button", name="Sign in").click()
    page.wait_for_function("() => tokens.length === 1")
    return page


def button(identity, parent):
    query = {"mode": "auto", "client_id": CLIENT, "nonce": "n", "parent": parent}
    return f"{identity.url}/gsi/button?{urlencode(query)}"


def test_one_can_sign_in_where_the_browser_blocks_cookies(context, identity, chat_port):
    errors = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.add_init_script(BLOCKED)
    page = sign_in(context, identity, chat_port)
    page.evaluate("() => google.accounts.id.disableAutoSelect()")
    page.evaluate("() => google.accounts.id.prompt()")
    assert page.locator("iframe[hidden]").count() == 0
    assert errors == []


def test_the_remembered_person_is_signed_in_again_on_the_chats_page(context, identity, chat_port):
    sign_in(context, identity, chat_port)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{chat_port}/")
    page.evaluate(FRAME, button(identity, f"http://127.0.0.1:{chat_port}"))
    page.wait_for_function("() => messages.some((message) => message.credential)")


@pytest.mark.parametrize("named", ["itself", "the chat", "any"])
def test_another_page_gets_nothing_of_the_remembered_person(context, identity, chat_port, named):
    sign_in(context, identity, chat_port)
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    with elsewhere.running() as port:
        own = f"http://127.0.0.1:{port}"
        parents = {"itself": own, "the chat": f"http://127.0.0.1:{chat_port}", "any": "*"}
        page = context.new_page()
        page.goto(own)
        page.evaluate(FRAME, button(identity, parents[named]))
        assert page.evaluate("() => messages") == []
        assert f"{identity.url}/token" not in asked

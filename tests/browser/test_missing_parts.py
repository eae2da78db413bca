"""Browsers without a feature, or that block it: the page copes, or names what it needs."""

import pytest
from playwright.sync_api import expect

from local.testkit.page_files import GOOGLE, ORIGIN, answer
from tests.browser.gallery import DESK, MAIN

REFUSE = "() => { throw new DOMException('The operation is insecure.', 'SecurityError'); }"
# the stand-in for Google's script keeps its storage
STORAGE = f"""for (const name of ["localStorage", "sessionStorage"]) {{
  const real = window[name];
  const refuse = {REFUSE};
  const get = () => (new Error().stack.includes("/gsi/") ? real : refuse());
  Object.defineProperty(window, name, {{ get }});
}}"""
BROKEN = {
    "no BroadcastChannel": "delete window.BroadcastChannel",
    "BroadcastChannel refused": f"BroadcastChannel = function () {{ ({REFUSE})() }}",
    "storage refused": STORAGE,
    "no locks": "Object.defineProperty(Navigator.prototype, 'locks', { get() {} })",
    "locks refused": f"LockManager.prototype.request = async () => ({REFUSE})()",
}
BROKEN["all refused"] = ";".join(
    BROKEN[f"{one} refused"] for one in ("BroadcastChannel", "storage", "locks")
)
OLD = {
    "popover": "delete HTMLElement.prototype.popover",
    "AbortSignal.any": "delete AbortSignal.any",
    "AbortSignal": "delete window.AbortSignal",
    "toWellFormed": "delete String.prototype.toWellFormed",
    "light-dark()": "CSS.supports = (name, value) => !value.startsWith('light-dark(')",
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_tab_works_alone_in_a_browser_that_refuses_a_part(visit, part):
    ada = visit("Ada", script=f"if (window === top) {{ {BROKEN[part]} }}")
    ada.say("hello")
    ada.sees("hello")
    ada.sign_out()
    expect(ada.status).to_have_text("Sign in to chat")
    expect(ada.page.get_by_role("heading", name="Welcome")).to_be_focused()


def test_a_sign_out_is_one_whatever_googles_script_does(visit, word):
    ada = visit("Ada")
    ada.say(f"{word} said")
    ada.sees(f"{word} said")
    ada.page.evaluate(
        """() => {
          const broken = () => { throw new Error("Google's own"); };
          Object.assign(google.accounts.id, { cancel: broken, disableAutoSelect: broken });
        }"""
    )
    ada.sign_out()
    expect(ada.status).to_have_text("Sign in to chat")
    assert f"{word} said" not in ada.page.content()
    assert ada.errors == ["Google's own", "Google's own"]
    ada.errors.clear()


def test_a_script_of_google_that_cannot_draw_its_button_is_told(visit):
    ada = visit()
    broken = "window.google = { accounts: { id: { initialize() { throw new Error('old') } } } }"
    ada.page.route("**/gsi/client", lambda route: route.fulfill(body=broken))
    ada.page.reload()
    expect(ada.status).to_contain_text("Google's sign-in could not be loaded")
    assert ada.errors == ["old"]
    ada.errors.clear()


@pytest.mark.parametrize("part", OLD)
def test_a_browser_that_is_too_old_is_told_and_nothing_else_runs(browser, part):
    context = browser.new_context(viewport=DESK)
    context.add_init_script(OLD[part])
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(f"{ORIGIN}/**", lambda route: answer(route, MAIN))
    page.route(f"{GOOGLE}/**", lambda route: route.fulfill(body="window.google = 1"))
    page.goto(f"{ORIGIN}/index.html", wait_until="commit")
    words = page.get_by_text("This browser is too old for this chat. It needs Chrome 123,")
    expect(words).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate(
        "() => [document.body.children.length, 'show' in window, 'google' in window]"
    ) == [0, False, False]
    assert errors == []
    context.close()

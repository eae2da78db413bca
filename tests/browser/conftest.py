"""A Chromium, and people who use the page in it.

Uses the `chat` fixture: the whole chat as local mode starts it.
"""

import os
import re

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.chromium import MISSING, chromium_path, launch

# the emulated AWS starts a worker at the first message
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            missing = f"NO BROWSER TEST WAS RUN: {MISSING}"
            if os.environ.get("CI"):
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)
        browser = launch(playwright, path)
        yield browser
        browser.close()


class Person:
    """Somebody with the page open, by the names that assistive technology sees."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.log = page.get_by_role("log", name="Messages")
        self.lines = self.log.get_by_role("article")
        self.box = page.get_by_role("textbox", name="Message")
        self.send = page.get_by_role("button", name="Send")
        self.sign_out = page.get_by_role("button", name="Sign out")
        self.status = page.get_by_role("status")
        self.google = page.frame_locator("#sign-in-slot iframe")
        self.console = []
        self.errors = []
        self.dialogs = []
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._dismiss)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def open(self):
        self.page.goto(self.url)
        return self

    def submit_sign_in(self, name):
        self.google.get_by_role("textbox", name="Your name").fill(name)
        self.google.get_by_role("button", name="Sign in").click()

    def sign_in(self, name):
        self.submit_sign_in(name)
        expect(self.status).to_have_text(f"Connected as {name}")
        return self

    def say(self, text):
        self.box.fill(text)
        self.send.click()

    def line(self, text):
        return self.lines.filter(has_text=text)

    def transcript_polls(self):
        """The list of polls from now on; it grows."""
        polls = []
        self.page.on(
            "request", lambda request: polls.append(request) if "/data/" in request.url else None
        )
        return polls

    def check(self):
        """What no test may leave: a script error, a dialog, a breach of the page's CSP."""
        assert self.errors == []
        assert self.dialogs == []
        breaches = [text for text in self.console if re.search("Content.Security.Policy", text)]
        assert breaches == []


@pytest.fixture
def visit(browser, chat):
    """Open the page for one more person, each in a browser context of their own."""
    people = []

    def open_page(name=None, **options):
        context = browser.new_context(**options)
        person = Person(context.new_page(), chat.url)
        people.append((context, person))
        person.open()
        return person.sign_in(name) if name else person

    yield open_page
    for context, _ in people:
        context.close()
    for _, person in people:
        person.check()

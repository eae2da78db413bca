"""Chromium, and users of the page in it.

They use the `chat` fixture: the whole chat in local mode. Each test has its own channel, so tests
can run in parallel; a test that stops or breaks the emulator uses `alone`.
"""

import contextlib
import fcntl
import json
import os
import re
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from local.testkit import chromium
from local.testkit.chromium import MISSING, chromium_path, launch
from local.testkit.crowd import WITHOUT_PUSH
from local.testkit.events import operator_record
from tests.support.builders import row

# the emulated AWS starts a worker for the first message
PATIENCE_MS = 15_000
STORE = "Lambda-Chat-store-message"
AXE = Path(__file__).parents[2] / "s3-website/node_modules/axe-core/axe.min.js"


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


@pytest.fixture
def word():
    """A word that is in no other test's messages."""
    return uuid.uuid4().hex[:10]


@pytest.fixture
def channel(word):
    """A channel that no other test uses."""
    return f"test-{word}"


@pytest.fixture
def alone():
    """For a test that disturbs the emulator: no other test of the chat runs at the same time."""


@pytest.fixture(autouse=True)
def _side_by_side(request):
    """Tests of the chat share a lock; a test that uses `alone` holds it exclusively."""
    names = request.fixturenames
    if "chat" not in names and "visit" not in names:
        yield
        return
    config = Path(request.getfixturevalue("chat").env["LAMBDA_CHAT_CONFIG"])
    with (
        config.with_name("browser.door").open("w") as door,
        config.with_name("browser.lock").open("w") as lock,
    ):
        # A test that waits to be alone keeps the door locked, so that no other can overtake it.
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(lock, fcntl.LOCK_EX if "alone" in names else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


class Person:
    """A user with the page open; it finds elements by their accessible names."""

    def __init__(self, page, url, channel, pace=""):
        """`pace`: how the status line of a working page ends."""
        self.page = page
        self.url = url
        self.channel = channel
        self.pace = pace
        self.name = ""
        self.log = page.get_by_role("log", name="Messages")
        self.lines = self.log.get_by_role("article")
        self.box = page.get_by_role("textbox", name="Message")
        self.send = page.get_by_role("button", name="Send")
        self.status = page.locator("#status")
        self.google = page.frame_locator("#sign-in-slot iframe")
        self.channels = page.get_by_role("navigation", name="Channels").get_by_role("link")
        self.console = []
        self.errors = []
        self.dialogs = []
        self.polls = []
        self._waiting = set()
        self._listeners = {
            "console": lambda message: self.console.append(message.text),
            "pageerror": lambda error: self.errors.append(str(error)),
            "dialog": self._dismiss,
            "request": self._requested,
            "requestfinished": lambda request: self._waiting.discard(request),
            "requestfailed": lambda request: self._waiting.discard(request),
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _requested(self, request):
        self._waiting.add(request)
        if request.url.endswith(f"/data/{self.channel}.json"):
            self.polls.append(request)

    # coming and going

    def open(self, channel=None):
        """Open the page in a channel, by its address."""
        self.channel = channel or self.channel
        self.page.goto(f"{self.url}#{self.channel}")
        return self

    def leave(self, google):
        """Reset the page to a first visit's; `google` is the stand-in's origin."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        context = self.page.context
        for tab in context.pages:
            if tab is not self.page:
                tab.close()
        # a request may be waiting for its answer
        self.page.unroute_all(behavior="ignoreErrors")
        context.clear_permissions()
        context.clear_cookies()
        # a file of the same origin without scripts, so that nothing is stored meanwhile
        self.page.goto(self.url.replace("index.html", "data/channels.json"))
        self.page.evaluate("sessionStorage.clear()")
        session = context.new_cdp_session(self.page)
        for url in (origin(self.url), google):
            session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
        session.detach()

    def at_google(self):
        """Wait until the sign-in button is enabled."""
        chromium.at_google(self.page)

    def submit_sign_in(self, name):
        chromium.sign_in(self.page, name)

    def sign_in(self, name):
        self.submit_sign_in(name)
        self.name = name
        return self.connected()

    def connected(self):
        """Wait until the page is signed in and has read the channel; with push, is live."""
        expect(self.status).to_have_text(f"Connected as {self.name}{self.pace}")
        expect(self.log).not_to_have_attribute("aria-busy", "true")
        return self

    def settings(self):
        self.page.get_by_role("button", name="Settings").click()
        return self.page.get_by_role("dialog", name="Settings")

    def sign_out(self):
        self.settings().get_by_role("button", name="Sign out").click()

    def look_away(self, hidden=True):
        """Hide the page, as switching to another tab does."""
        self.page.evaluate(
            """hidden => {
              Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    def come_back(self):
        self.look_away(False)

    def renew_soon(self):
        """Move the clock until the page renews its token.

        For a page opened with `clock=True`.
        """

        # within the same second, the stand-in would issue the same token again
        def mint(route):
            body = {**json.loads(route.request.post_data), "expires_in_s": 3_590}
            route.continue_(post_data=json.dumps(body))

        self.page.route("**/token", mint)
        with self.page.expect_response("**/token"):
            self.page.clock.fast_forward("55:30")

    # talking

    def say(self, text):
        self.box.fill(text)
        self.send.click()

    def line(self, text):
        return self.lines.filter(has_text=text)

    def link(self, channel):
        """A channel's link in the list, with or without an unread count."""
        return self.page.locator(f"nav a[data-channel='{channel}']")

    def sees(self, *texts):
        """Wait until the page shows exactly these texts in this order, none pending."""
        expect(self.lines.locator(".text")).to_have_text(list(texts))
        expect(self.page.locator(".pending")).to_have_count(0)

    # the world around the page

    def at_aws(self, operation, answer):
        """Let `answer(route)` handle the page's calls of an AWS operation."""

        def choose(route):
            answer(route) if operation_of(route.request) == operation else route.fallback()

        self.page.route(f"{origin(self.url)}/", choose)

    def at_data(self, name, answer):
        """Let `answer(route)` handle the page's requests for an object of the data folder."""
        self.page.route(f"**/data/{name}.json", lambda route: answer(route))

    def pass_time(self, seconds, step_s):
        """Move the page's clock in steps, and wait for its requests after each.

        For a page opened with `clock=True`.
        """
        for _ in range(round(seconds / step_s)):
            self.page.clock.run_for(round(step_s * 1000))
            self.page.wait_for_timeout(20)  # time to sign a request
            self.until(lambda: not self._waiting)

    def until(self, condition):
        """Let the page run until a condition outside it holds."""
        ends = time.monotonic() + PATIENCE_MS / 1000
        while not condition():
            assert time.monotonic() < ends, "it took too long"
            self.page.wait_for_timeout(5)

    def hold_time(self):
        """Stop the page's clock: from now on only `pass_time` moves it."""
        # a time ahead of the clock, which runs until the call arrives
        self.page.clock.pause_at(self.page.evaluate("Date.now()") / 1000 + 5)
        self.pass_time(1, 1)

    def axe(self):
        """axe-core's violations on the page: the elements, by rule."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        rules = self.page.evaluate("async () => (await axe.run({ iframes: false })).violations")
        return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in rules}

    def check(self):
        """Assert that there were no script errors, dialogs or violations of the page's CSP."""
        assert self.errors == []
        assert self.dialogs == []
        breaches = [text for text in self.console if re.search("Content.Security.Policy", text)]
        assert breaches == []


@pytest.fixture(scope="session")
def free_pages(browser, chat):
    """Pages to reuse: that takes half as long as opening a new one."""
    pages = []
    yield pages
    for page in pages:
        close(page)


@pytest.fixture
def visit(request, browser, chat, channel, free_pages):
    """Open the page for another user, in a new browser context.

    With a name, the user is signed in. `clock=True` lets the test move the page's clock. `script`
    runs before the page's own. `fresh=True` is for a test that changes the context, or needs an
    unused browser; other tests may get a page that was reset after its last visit. `push=False` is
    for a test of polls: the page polls in a chat with push, too.
    """
    people = []  # each with whether the page may be reused

    def open_page(name=None, *, clock=False, script="", fresh=False, push=True, **options):
        pace = pace_of(chat)
        if pace and not push:
            pace, script = "", script + WITHOUT_PUSH
        plain = not (clock or script or fresh or options)
        if plain and free_pages:
            page = free_pages.pop()
        else:
            context = browser.new_context(locale="en-GB", **options)
            context.add_init_script(script)
            page = context.new_page()
        person = Person(page, chat.url, channel, pace)
        people.append((person, plain))
        if clock:
            person.page.clock.install()
        person.open()
        return person.sign_in(unique(name)) if name else person

    failed = request.session.testsfailed
    yield open_page
    for person, plain in people:
        if plain and request.session.testsfailed == failed and not person.errors:
            person.leave(chat.idp_url)
            free_pages.append(person.page)
        else:
            close(person.page)
    for person, _ in people:
        person.check()


@pytest.fixture(scope="session")
def regulars(browser, chat):
    """Users who stay signed in between tests: opening the page takes longer than most tests."""
    people = {}
    yield people
    for person in people.values():
        close(person.page)


@pytest.fixture
def meet(request, browser, chat, channel, regulars):
    """Bring signed-in users into the test's channel.

    For tests that leave only messages behind.
    """
    present = []

    def bring(*names):
        for name in names:
            if name not in regulars:
                page = browser.new_context(locale="en-GB").new_page()
                regulars[name] = Person(page, chat.url, channel, pace_of(chat))
                regulars[name].open().sign_in(unique(name))
            present.append(name)
            regulars[name].open(channel)
            expect(regulars[name].log.get_by_text("No messages yet.")).to_be_visible()
        return regulars[names[0]] if len(names) == 1 else [regulars[name] for name in names]

    failed = request.session.testsfailed
    yield bring
    for name in present:
        if request.session.testsfailed > failed or regulars[name].errors:
            person = regulars.pop(name)
            close(person.page)
        else:
            person = regulars[name]
            person.page.unroute_all()
        person.check()


def pace_of(chat):
    return ". Live" if chat.config.push else ""


def unique(name):
    """A unique full name: the rate limit is per user."""
    return f"{name} {uuid.uuid4().hex[:6]}"


def operation_of(request):
    """The AWS operation that a request calls, or ""."""
    target = request.headers.get("x-amz-target", "")
    return target.split(".")[-1] or parse_qs(request.post_data or "").get("Action", [""])[0]


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def close(page):
    """Close the page and its context, whatever requests wait for their answers."""
    page.unroute_all(behavior="ignoreErrors")
    page.context.close()


def listed_channels(chat):
    """The names in the list of channels that the page reads."""
    config = chat.config
    key = f"{config.data_prefix}channels.json"
    body = chat.client("s3").get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
    return json.loads(body)["channels"]


def announce(chat, channel, texts):
    """Post these texts as an operator, in one event."""
    records = [
        operator_record({"message": text, "name": "The crew", "channel": channel}) for text in texts
    ]
    deliver(chat, records)


def deliver(chat, records):
    """Invoke the function that stores messages with these records, as SNS does."""
    answer = chat.client("lambda").invoke(
        FunctionName=STORE, Payload=json.dumps({"Records": records})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def write_rows(chat, channel, rows):
    """Write messages, as `(sent_at, text)` pairs, to the table."""
    table = chat.config.dynamodb_table
    client = chat.client("dynamodb")
    puts = [
        {"PutRequest": {"Item": row(sent_at, str(number), channel, message=text)}}
        for number, (sent_at, text) in enumerate(rows)
    ]
    for start in range(0, len(puts), 25):
        client.batch_write_item(RequestItems={table: puts[start : start + 25]})


@contextlib.contextmanager
def held(person, operation):
    """Hold the requests for an operation until the end of the block."""
    routes, over = [], []
    person.at_aws(operation, lambda route: route.fallback() if over else routes.append(route))
    yield routes
    over.append(True)
    for route in routes:
        route.continue_()


def refused(code, status=400, *, as_json=False):
    """An error response of AWS, for `at_aws` and `at_data`."""
    body = (
        json.dumps({"__type": f"com.amazonaws#{code}", "message": "as the test wants"})
        if as_json
        else f"<Error><Code>{code}</Code><Message>as the test wants</Message></Error>"
    )
    return lambda route: route.fulfill(status=status, body=body)

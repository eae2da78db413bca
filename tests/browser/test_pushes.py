"""In a chat with push, pages are told at once; a push that is lost, repeated or late costs nothing.

These tests have a chat of their own. Some sit between a page and the broker (`Between`).
"""

import contextlib
import json
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from local import bootstrap
from local.testkit.listener import publication
from tests.browser.conftest import announce, close, listed_channels, origin, unique
from tests.browser.connections import Between, Received, Sockets
from tests.browser.test_moderation import GONE, act
from tests.browser.watched import Watched
from tests.conftest import EmulatedAws, RunningChat
from tests.support.builders import row
from tests.support.chat.hostile import TEXTS
from tests.support.chat.people import rows
from tests.support.samples import ALL

SOON_MS = 5_000
QUIET_S = 1.0
POLLING = ". Checking each second"
IDLE_S = 600
USED_S = 600 if ALL else 120
PROSE = "A message of about eighty letters, as people write them in the middle of a day,"
PICTURE = f"https://lh3.googleusercontent.com/a/{'x' * 54}=s96-c"
TOGETHER = 4  # hostile texts in a push
SENT = "2026-01-02T03:04:05.000Z"


@pytest.fixture(scope="module")
def chat():
    """A chat with push."""
    with bootstrap.chat(push=True, proxied=True, report=lambda _line: None) as running:
        yield RunningChat(running.env, EmulatedAws(running.emulator.endpoint_url))


@pytest.fixture(scope="module")
def free_pages():
    """The pages of this chat; see conftest.py."""
    pages = []
    yield pages
    for page in pages:
        close(page)


def join(visit, *, statistics=True, **options):
    """Let Ada sign in on a page with something between it and the broker.

    Without `statistics` nothing but pushes tells the page of messages.
    """
    ada = visit(fresh=True, **options)
    if not statistics:
        ada.at_data("stats", lambda route: route.fulfill(status=304))
    between = Between(ada.page)
    # from now on the page's connections are led there
    ada.page.reload()
    return ada.sign_in(unique("Ada")), between


def saying(frames, text):
    return [frame for frame in frames if text.encode() in frame]


def publish(chat, channel, payload):
    """Publish to a channel's pages with the account's own rights."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    chat.client("iot-data").publish(topic=topic_of(chat, channel), qos=0, payload=body)


def topic_of(chat, channel):
    return f"{chat.config.push_topics.removesuffix('*')}{channel}"


def counted(chat):
    """The messages of the day in each channel, as the statistics have them."""
    key = f"{chat.config.data_prefix}stats.json"
    body = chat.client("s3").get_object(Bucket=chat.config.s3_bucket, Key=key)["Body"].read()
    return json.loads(body)["today"]["channels"]


@contextlib.contextmanager
def requests_of(person):
    """The addresses that the page requests in the block."""
    urls = []

    def note(request):
        urls.append(request.url)

    person.page.on("request", note)
    yield urls
    person.page.remove_listener("request", note)


def readings(person, urls):
    """Those of the open channel: others are probed now and then."""
    return [url for url in urls if "/data/" not in url or f"/{person.channel}.json" in url]


def rest(person):
    """Wait until the page has read what it reads at first."""
    with requests_of(person) as urls:
        count = None
        while count != len(urls):
            count = len(urls)
            person.page.wait_for_timeout(QUIET_S * 1000)


def test_a_page_in_use_receives_at_most_a_fifth_of_what_one_that_polls_does(
    visit, chat, channel, figure
):
    # the first test here: the statistics, which the page reads, grow with each channel
    conversation = Conversation(chat, channel)
    for second in range(-100, 0, 5):
        conversation.write(second)
    ada, bob = visit(clock=True), visit(clock=True, push=False)
    received = []
    for person, name in ((ada, "Ada"), (bob, "Bob")):
        person.page.route("https://*.googleusercontent.com/**", lambda route: route.abort())
        person.sign_in(unique(name))
        expect(person.lines).to_have_count(20)
        conversation.join(person)
        rest(person)
        person.hold_time()
        received.append(Received(person.page))
    stored = ada.log.locator("article:not(.pending)")
    conversation.starts_s = ada.page.evaluate("Date.now()") / 1000
    count = 22
    # somebody else writes each 5 s, and the page's own person each 30 s
    for second in range(0, USED_S, 5):
        if second % 30:
            conversation.write(second)
        else:
            for person in (ada, bob):
                conversation.say(person, second)
        count += 1 if second % 30 else 2
        expect(stored).to_have_count(count)
        ada.pass_time(5, 5)
        bob.pass_time(3, 1 if second % 30 else 0.25)
        bob.pass_time(2, 1)
    push, polls = received
    assert polls.frames == 0 < push.frames
    assert push.total <= 0.2 * polls.total
    figure(
        f"push, a page in use for {USED_S} s: {push.frames:,} bytes by push and {push.answers:,} by"
        f" polls; {polls.total:,} without push; ratio {push.total / polls.total:.3f}"
    )


def test_what_one_person_does_is_on_the_others_page_without_a_reading(visit):
    ada, grace = visit("Ada"), visit("Grace")
    for person in (ada, grace):
        expect(person.status).to_have_text(f"Connected as {person.name}. Live")
        rest(person)
    with requests_of(grace) as urls:
        ada.say("helo")
        grace.sees("helo")
        act(ada, "helo", "Edit")
        ada.box.fill("hello")
        ada.page.get_by_role("button", name="Save").click()
        grace.sees("hello")
        expect(grace.line("hello")).to_contain_text("edited")
        act(ada, "hello", "Delete")
        ada.line("hello").get_by_role("button", name="Delete").click()
        grace.sees(GONE)
    assert readings(grace, urls) == []
    ada.sees(GONE)


def test_a_page_is_told_of_the_channel_that_it_opens_and_of_no_other(visit, chat, channel):
    ada, between = join(visit, statistics=False)
    other = f"{channel}-two"
    ada.open(other).connected()
    rest(ada)
    with between.holding() as frames:
        announce(chat, channel, ["not here"])
        announce(chat, other, ["in here"])
        ada.until(lambda: saying(frames, "in here"))
    assert not saying(frames, "not here")
    with requests_of(ada) as urls:
        between.send(frames[0])
        ada.sees("in here")
    assert readings(ada, urls) == []
    for name in (channel, other, channel):
        ada.open(name)
    ada.connected().sees("not here")
    with between.holding() as frames:
        announce(chat, channel, ["there and back"])
        ada.until(lambda: frames)
    between.send(frames[0])
    ada.sees("not here", "there and back")


def test_what_happens_in_other_channels_is_known_within_five_seconds(visit, chat, channel, word):
    """In one that Ada left, in one that she never opened, and in one that Grace makes."""
    left, unopened, new = (f"{name}-{word}" for name in ("left", "unopened", "new"))
    announce(chat, unopened, ["before anybody came"])
    ada, grace = visit(clock=True), visit("Grace")
    ada.open(left).sign_in(unique("Ada"))
    ada.open(channel).connected()
    expect(ada.link(unopened)).to_be_visible()
    rest(ada)
    ada.hold_time()
    with requests_of(ada) as urls:
        ada.until(lambda: any("/stats.json" in url for url in urls) or ada.pass_time(0.2, 0.2))
    ada.pass_time(1, 0.2)
    for name, text in ((left, "still here?"), (unopened, f"come, @{ada.name}"), (new, "made it")):
        grace.open(name).say(text)
        grace.log.get_by_text(text).wait_for()
    ada.until(lambda: {left, unopened, new} <= counted(chat).keys())
    with requests_of(ada) as urls:
        ada.pass_time(5, 0.2)
    assert len(urls) <= 5  # the statistics and these channels
    for name, unread in ((left, "1 unread"), (unopened, "1 unread, you are mentioned")):
        expect(ada.link(name)).to_have_accessible_name(f"{name}, {unread}")
    expect(ada.link(new)).to_have_accessible_name(f"{new}, 1 unread")
    ada.page.clock.resume()
    ada.link(unopened).click()
    ada.sees("before anybody came", f"come, @{ada.name}")
    announce(chat, unopened, ["told at once"])
    ada.sees("before anybody came", f"come, @{ada.name}", "told at once")


def test_a_sign_out_closes_the_connection_and_the_page_asks_for_nothing(visit, chat, channel):
    ada = visit()
    sockets = Sockets(ada.page)
    ada.sign_in(unique("Ada"))
    assert len(sockets.open) == 1
    rest(ada)
    ada.sign_out()
    expect(ada.status).to_have_text("Sign in to chat")
    ada.until(lambda: not sockets.open)
    with requests_of(ada) as urls:
        announce(chat, channel, ["not for her"])
        ada.page.wait_for_timeout(1_500)
    assert [url for url in urls if origin(url) == origin(chat.url)] == []
    assert len(sockets.all) == 1


def test_a_connection_that_breaks_costs_nothing_and_comes_back_by_itself(visit, chat, channel):
    ada, between = join(visit)
    texts = [f"text {number}" for number in range(7)]

    def tell(*numbers):
        for number in numbers:
            announce(chat, channel, [texts[number]])

    tell(0, 1)
    ada.sees(*texts[:2])
    between.drop()
    tell(2, 3)
    expect(ada.status).to_have_text(f"Connected as {ada.name}{POLLING}", timeout=SOON_MS)
    tell(4)
    ada.sees(*texts[:5])
    ada.until(lambda: between.refused)
    between.mend()
    tell(5)
    ada.connected()
    with between.holding() as frames:
        tell(6)
        ada.until(lambda: frames)
    between.send(frames[0])
    ada.sees(*texts)


def test_a_connection_that_goes_silent_costs_seconds_and_is_replaced(visit, chat, channel):
    ada, between = join(visit, clock=True)
    rest(ada)
    ada.hold_time()
    between.silent = True
    announce(chat, channel, ["unheard"])
    ada.until(lambda: channel in counted(chat))
    ada.pass_time(5, 1)
    ada.sees("unheard")
    ada.pass_time(55, 5)
    expect(ada.status).to_have_text(f"Connected as {ada.name}{POLLING}")
    between.silent = False
    live = f"Connected as {ada.name}. Live"
    ada.until(lambda: ada.status.inner_text() == live or ada.pass_time(1, 1))
    announce(chat, channel, ["heard again"])
    ada.sees("unheard", "heard again")


def test_pushes_that_come_late_twice_and_backwards_show_each_line_once_and_in_order(
    visit, chat, channel
):
    ada, between = join(visit, statistics=False)
    announce(chat, channel, ["one"])
    ada.sees("one")
    with between.holding() as frames:
        for count, text in enumerate(("two", "three", "four"), 1):
            announce(chat, channel, [text])
            ada.until(lambda count=count: len(frames) == count)
    ada.sees("one")
    for frame in reversed(frames):
        between.send(frame)
        between.send(frame)
    ada.sees("one", "two", "three", "four")
    for frame in frames:
        between.send(frame)
    announce(chat, channel, ["five"])
    ada.sees("one", "two", "three", "four", "five")


def test_an_older_edit_that_comes_late_does_not_undo_a_newer_one(visit, channel):
    ada, between = join(visit, statistics=False)
    grace = visit("Grace")
    with between.holding() as frames:
        grace.say("first draft")
        grace.sees("first draft")
        for old, new in (("first draft", "second draft"), ("second draft", "final text")):
            act(grace, old, "Edit")
            grace.box.fill(new)
            grace.page.get_by_role("button", name="Save").click()
            grace.sees(new)
        act(grace, "final text", "Delete")
        grace.line("final text").get_by_role("button", name="Delete").click()
        grace.sees(GONE)
        # a change is two rows, so it may be pushed twice: the second is held too, whenever it comes
        ada.until(lambda: saying(frames, "deleted_at"))
        between.send(saying(frames, "first draft")[0])
        ada.sees("first draft")
        between.send(saying(frames, "final text")[0])
        ada.sees("final text")
        for late in ("second draft", "first draft"):
            between.send(saying(frames, late)[0])
        between.send(saying(frames, "final text")[0])
        ada.page.wait_for_timeout(200)
        ada.sees("final text")
        between.send(saying(frames, "deleted_at")[0])
        ada.sees(GONE)
        for frame in reversed(frames):
            between.send(frame)
        ada.page.wait_for_timeout(200)
        ada.sees(GONE)


def test_a_push_that_was_lost_is_made_up_for_by_the_next_one_or_a_notice(visit, chat, channel):
    ada, between = join(visit, statistics=False)
    rest(ada)

    def lose(text):
        with between.holding() as frames:
            announce(chat, channel, [text])
            ada.until(lambda: frames)

    lose("lost")
    announce(chat, channel, ["not lost"])
    ada.sees("lost", "not lost")
    lose("too long to push")
    ada.sees("lost", "not lost")
    started = time.monotonic()
    publish(chat, channel, {"channel": channel, "changed": "2026-01-02T03:04:05Z"})
    ada.sees("lost", "not lost", "too long to push")
    assert time.monotonic() - started < 4  # pages wait up to two seconds, each for another time


def test_an_idle_page_reads_rarely_on_one_connection(visit, chat, channel, figure):
    ada = visit(clock=True)
    sockets = Sockets(ada.page)
    ada.sign_in(unique("Ada"))
    rest(ada)
    ada.hold_time()
    with requests_of(ada) as urls:
        for _ in range(IDLE_S // 5):
            ada.pass_time(5, 5)
            # its clock runs much faster than the broker's
            ada.until(lambda: sockets.pings == sockets.pongs)
    assert 10 <= len(urls) <= 25
    assert sockets.pings >= 10
    assert len(sockets.all) == len(sockets.open) == 1
    announce(chat, channel, ["hello"])
    ada.sees("hello")
    figure(f"push, an idle page for {IDLE_S} s: {len(urls)} requests, {sockets.pings} pings")


def test_what_is_pushed_with_bad_intent_stays_text_or_is_dropped(visit, chat, channel, figure):
    ada, between = join(visit)
    watched = Watched(ada, chat)
    announce(chat, channel, ["before"])
    ada.sees("before")
    [before] = rows(chat, channel)
    payloads = [*shapes(channel), *texts(channel, before["id"])]
    for payload in payloads:
        publish(chat, channel, payload)
    for name in ("stats", "__proto__", "a/b", "<img src=x>"):
        body = json.dumps({"channel": name, "changed": "now"}).encode()
        between.send(publication(topic_of(chat, name), body))
    announce(chat, channel, ["after"])
    expect(ada.line("after")).to_have_count(1)
    shown = ada.page.evaluate(
        "[...document.querySelectorAll('.text')].map((node) => node.textContent)"
    )
    assert shown == ["before", *TEXTS, "after"]
    watched.check()
    names = ada.channels.evaluate_all("all => all.map((node) => node.dataset.channel)")
    assert set(names) <= {channel, *listed_channels(chat)}
    # on the connection that it had
    assert len(between.open) == 1
    assert ada.status.inner_text() == f"Connected as {ada.name}. Live"
    figure(f"bad input, pushes: {len(payloads)} tried, {len(TEXTS)} texts shown as text")


def test_a_broker_that_talks_nonsense_is_left_for_polls_and_tried_again(visit):
    ada, between = join(visit)
    between.send(b"\x30\xff\xff\xff\xff\xff")
    expect(ada.status).to_have_text(f"Connected as {ada.name}{POLLING}", timeout=SOON_MS)
    ada.connected()


class Conversation:
    """Rows in a channel whose ids follow the pages' clock, which is faster than the emulator's."""

    def __init__(self, chat, channel):
        self.starts_s = time.time()
        self._chat = chat
        self._channel = channel
        self._users = {}
        self._published = []

    def write(self, second, client_id="", **attributes):
        """Write a row of that second after the start, by default somebody else's."""
        client_id = client_id or f"{second:020}-1"
        sent_at = datetime.fromtimestamp(self.starts_s + second, UTC)
        stamp = sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        about = {"message": f"{PROSE} {second}", "name": "Grace Hopper", "picture": PICTURE}
        stored = row(stamp, client_id, self._channel, **about | attributes)
        table = self._chat.config.dynamodb_table
        self._chat.client("dynamodb").put_item(TableName=table, Item=stored)

    def join(self, person):
        """From now on, write what this person publishes by `say`."""
        person.say(person.name)
        expect(person.page.locator(".pending")).to_have_count(0)
        (own,) = (one for one in rows(self._chat, self._channel) if one["message"] == person.name)
        self._users[person] = own["user"]

        def answer(route):
            body = parse_qs(route.request.post_data)["Message"][0]
            self._published.append(json.loads(body)["client_id"])
            route.fulfill(body="<PublishResponse/>")

        person.at_aws("Publish", answer)

    def say(self, person, second):
        text = f"{PROSE} {second}, {person.name}"
        person.say(text)
        person.until(lambda: self._published)
        client_id = self._published.pop()
        user = self._users[person]
        self.write(second, client_id, message=text, name=person.name, user=user)


def shapes(channel):
    """Payloads that are no push of this channel."""
    about = {"channel": channel, "generated_at": SENT}
    yield from (b"", b"\xff\xfe", b"null", b"[]", b'"x"', b"5", b"{", b"[" * 50_000, b" " * 100_000)
    yield {"channel": f"{channel}-other", "messages": [{"id": "x", "message": "x"}]}
    yield {"channel": {"toString": "x"}, "changed": SENT}
    yield {"__proto__": {"polluted": True}, **about, "changes": [{"__proto__": {"polluted": 1}}]}
    for value in (None, 5, "x", {"length": 1e9}, [None, 5, "x", [], {}], [[[]]] * 1000):
        yield {**about, "after": value, "messages": value, "edited": value, "changes": value}


def texts(channel, after):
    """Pushes that put each hostile text into every field of a message, and of its edit."""
    about = {"channel": channel, "generated_at": SENT}
    messages = [
        {
            "id": f"{after}-{number:03}",
            "message": f"{text} at first",
            **dict.fromkeys(("name", "user", "picture", "sent_at", "client_id"), text),
            "kind": "user",
        }
        for number, text in enumerate(TEXTS)
    ]
    for start in range(0, len(messages), TOGETHER):
        part = messages[start : start + TOGETHER]
        yield {**about, "after": after, "messages": part}
        after = part[-1]["id"]
    edits = [
        {**message, "message": text, "edited_at": text, "changed_by": f"~{text}"}
        for message, text in zip(messages, TEXTS, strict=True)
    ]
    for start in range(0, len(edits), TOGETHER):
        yield {**about, "edited": edits[start : start + TOGETHER]}
    changes = [{"id": f"~{text}", "target": text, "kind": text} for text in TEXTS]
    yield {**about, "changes": changes}

"""Many users of a chat in local mode: senders at a steady rate, and pages that record messages."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from playwright.sync_api import Browser, Page, expect

from kappa.errors import KappaError
from lambda_chat.config import ROOT, ChatConfig
from local.testkit.chromium import sign_in
from local.testkit.listener import Listener, listening
from local.testkit.web_identity import ANONYMOUS, assume_role, request_token

SENDERS = 8
WARM_CHANNELS, WARM_MESSAGES, WARM_RATE, WARM_DEADLINE_S = 4, 64, 16.0, 60.0
SUBSCRIBE_S = 10.0
# For each text: when the page first showed it, and the most copies shown at one time. The page
# removes lines that are scrolled far away, and adds them again later.
WATCH = """
window.shown = new Map();
window.at_once = new Map();
new MutationObserver(() => {
  const now = new Map();
  for (const text of document.querySelectorAll(".message .text"))
    now.set(text.textContent, 1 + (now.get(text.textContent) ?? 0));
  for (const [text, count] of now) {
    if (!window.shown.has(text)) window.shown.set(text, Date.now());
    window.at_once.set(text, Math.max(count, window.at_once.get(text) ?? 0));
  }
}).observe(document, { subtree: true, childList: true });
"""
# Before the page's script runs, its config says that there is no push.
WITHOUT_PUSH = """
new MutationObserver((_, observer) => {
  const config = document.querySelector("meta[name=config]");
  if (!config) return;
  config.content = JSON.stringify({ ...JSON.parse(config.content), push: null });
  observer.disconnect();
}).observe(document, { subtree: true, childList: true });
"""


@dataclass
class Sent:
    """The sent messages: by channel, each text and when (ms since the epoch)."""

    at_ms: dict[str, dict[str, float]]
    again: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    answered_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def send_again(self, text: str) -> None:
        """Send a message again with the same client id, as "Retry" does."""
        sns, message = self.bodies[text]
        sns.publish(**message)
        self.again[text] += 1


def credentials(config: ChatConfig, name: str) -> tuple[str, dict[str, Any]]:
    """A user's ID token, and their credentials as boto3's keywords."""
    token = request_token(os.environ["LAMBDA_CHAT_IDP_URL"], name)
    sts = boto3.client("sts", config=ANONYMOUS)
    return token, assume_role(sts, config.website_iam_role_arn, token)


def send_all(config: ChatConfig, channels: list[str], count: int, rate: float) -> Sent:
    """Send `count` messages in all, `rate` a second; each sender keeps its own schedule."""
    sent = Sent({channel: {} for channel in channels})
    starts_at = time.monotonic() + 1

    def write(number: int) -> None:
        token, keys = credentials(config, f"Sender {number}")
        sns = boto3.client("sns", **keys)
        attribute = {"id_token": {"DataType": "String", "StringValue": token}}
        for index in range(number, count, SENDERS):
            time.sleep(max(0.0, starts_at + index / rate - time.monotonic()))
            channel = channels[index // SENDERS % len(channels)]
            text = f"message {index} of {channel}"
            client_id = f"{time.time_ns()}-{number}"
            body = {"message": text, "channel": channel, "client_id": client_id}
            sent.at_ms[channel][text] = time.time() * 1000
            message = {"Message": json.dumps(body), "MessageAttributes": attribute}
            sent.bodies[text] = sns, {"TopicArn": config.sns_topic_arn, **message}
            began = time.perf_counter()
            try:
                sns.publish(**sent.bodies[text][1])
            except Exception as error:  # noqa: BLE001 - reported at the end; the others go on
                sent.errors.append(f"{text}: {error}")
            sent.answered_s.append(time.perf_counter() - began)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.seconds = time.monotonic() - starts_at
    return sent


def lift_the_rate_limit() -> None:
    """Deploy store_message without its rate limit: a few senders stand in for many."""
    path = Path(os.environ["LAMBDA_CHAT_CONFIG"])
    path.write_text(f"rate_limit: 0\n{path.read_text()}")
    deploy = ["kappa", str(ROOT / "lambda/sns/config.yml"), "deploy", "--wait"]
    subprocess.run(deploy, check=True, capture_output=True)


def warm_up(config: ChatConfig, prefix: str) -> None:
    """Start the functions' processes: the emulator uses one for each concurrent call.

    Raises: KappaError, if a channel gets no transcript.
    """
    channels = [f"{prefix}-warm-{number}" for number in range(WARM_CHANNELS)]
    send_all(config, channels, WARM_MESSAGES, WARM_RATE)
    s3, deadline = boto3.client("s3"), time.monotonic() + WARM_DEADLINE_S
    for channel in channels:
        key = f"{config.data_prefix}{channel}.json"
        while not s3.list_objects_v2(Bucket=config.s3_bucket, Prefix=key).get("Contents"):
            if time.monotonic() > deadline:
                raise KappaError(f"The channel {channel} has no transcript.")
            time.sleep(0.2)


def open_page(browser: Browser, channel: str, *, push: bool = True) -> Page:
    """Open the page in a channel and sign in; it records the messages that it shows.

    In a chat with push it has subscribed; without `push` it polls, as in a chat without.
    Raises: KappaError, if it does not subscribe.
    """
    page = browser.new_context().new_page()
    page.add_init_script(WATCH)
    frames: list[str | bytes] = []
    page.once(
        "websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame))
    )
    if not push:
        page.add_init_script(WITHOUT_PUSH)
    page.goto(f"{os.environ['LAMBDA_CHAT_URL']}#{channel}")
    sign_in(page, f"Reader of {channel}")
    expect(page.get_by_role("status")).to_contain_text("Connected")
    config = page.locator("meta[name=config]").get_attribute("content") or "{}"
    deadline = time.monotonic() + SUBSCRIBE_S
    # the broker accepts the connection, then the subscription
    while json.loads(config)["push"] and len(frames) < 2:
        if time.monotonic() > deadline:
            raise KappaError("The page did not subscribe.")
        page.wait_for_timeout(20)
    return page


def listen(config: ChatConfig, keys: Mapping[str, str], channel: str) -> closing[Listener]:
    """Subscribe to a channel, as the page of the user with these credentials does."""
    topics = config.push_topics.removesuffix("*")
    client_id = f"{topics.partition('/')[0]}-{uuid.uuid4()}"
    url = os.environ["AWS_ENDPOINT_URL"]
    return listening(url, config.push_endpoint, keys, client_id, f"{topics}{channel}")


def shown_ms(page: Page) -> dict[str, float]:
    """When the page first showed each text, in ms since the epoch."""
    times: dict[str, float] = page.evaluate("() => Object.fromEntries(window.shown)")
    return times


def most_at_once(page: Page) -> dict[str, int]:
    """The most copies of each text that the page showed at one time."""
    counts: dict[str, int] = page.evaluate("() => Object.fromEntries(window.at_once)")
    return counts

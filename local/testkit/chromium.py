"""Find and start Chromium, and sign in to the chat in it: for tests, screenshots, benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import (
    Browser,
    CDPSession,
    Error,
    FrameLocator,
    Page,
    Playwright,
    sync_playwright,
)

from kappa.errors import KappaError
from local.emulator import BROWSER

# The first is Chromium without windows, which needs a third of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "Chromium was not found. Install it (Debian: apt-get install chromium), or set "
    "LAMBDA_CHAT_CHROMIUM to its path."
)
# read at import: tests remove LAMBDA_CHAT_* from the environment
GIVEN = os.environ.get(BROWSER, "")


def chromium_path(playwright: Playwright) -> str | None:
    """The path in LAMBDA_CHAT_CHROMIUM, on PATH, or Playwright's own; None if there is none."""
    own = playwright.chromium.executable_path
    paths = [GIVEN, *(shutil.which(name) for name in NAMES), own]
    return next((path for path in paths if path and Path(path).is_file()), None)


def launch(playwright: Playwright, path: str, *arguments: str) -> Browser:
    """Start Chromium with the usual arguments and these."""
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """Start a browser, and close it after.

    Raises: KappaError, if there is none, or if an assertion or Playwright fails in the block.
    """
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            raise KappaError(MISSING)
        browser = launch(playwright, path)
        try:
            yield browser
        except (AssertionError, Error) as error:
            raise KappaError(f"The page did not behave as expected: {error}") from error
        finally:
            browser.close()


def at_google(page: Page) -> FrameLocator:
    """The stand-in's frame, once its button is enabled."""
    frame = page.frame_locator("#sign-in-slot iframe")
    frame.locator("button:enabled").wait_for()
    return frame


# Runs in the stand-in's frame. A locator would load Playwright's own script there, which takes a
# quarter of a sign-in's time.
SUBMIT = """async (name) => {
  const button = document.querySelector("button");
  if (button.disabled) {
    await new Promise((enabled) => {
      new MutationObserver(() => button.disabled || enabled()).observe(button, {attributes: true});
    });
  }
  document.querySelector("input").value = name;
  document.querySelector("form").requestSubmit();
}"""


def sign_in(page: Page, name: str) -> None:
    """Enter a name in the stand-in; the page is signed in a moment later."""
    element = page.wait_for_selector("#sign-in-slot iframe")
    frame = element.content_frame() if element else None
    assert frame
    frame.wait_for_url("**/gsi/button?*")
    frame.evaluate(SUBMIT, name)


def heap_bytes(cdp: CDPSession) -> int:
    """The size of the page's JavaScript heap after garbage collection.

    `cdp` has had Performance.enable.
    """
    cdp.send("HeapProfiler.collectGarbage")
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return int(next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize"))

"""Where a Chromium is, how it is started, how somebody signs in there.

For browser tests, screenshots, benchmarks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, FrameLocator, Page, Playwright, sync_playwright

from kappa.errors import KappaError

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
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
    "no Chromium was found. Install it (Debian: apt-get install chromium), or name one by "
    "LAMBDA_CHAT_CHROMIUM."
)
# read at import: a test's environment has no LAMBDA_CHAT_*
GIVEN = os.environ.get("LAMBDA_CHAT_CHROMIUM", "")


def chromium_path(playwright: Playwright) -> str | None:
    """The one that is named, one on PATH, or Playwright's own; None when there is none."""
    own = playwright.chromium.executable_path
    paths = [GIVEN, *(shutil.which(name) for name in NAMES), own]
    return next((path for path in paths if path and Path(path).is_file()), None)


def launch(playwright: Playwright, path: str, *arguments: str) -> Browser:
    """Start it, with more arguments than the usual ones."""
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])


@contextlib.contextmanager
def browsing() -> Iterator[Browser]:
    """A browser.

    Raises: KappaError, if there is none, or for what a page did not do.
    """
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            raise KappaError(f"Nothing was measured: {MISSING}")
        browser = launch(playwright, path)
        try:
            yield browser
        except (AssertionError, Error) as error:
            raise KappaError(f"The page did not do as it should: {error}") from error
        finally:
            browser.close()


def at_google(page: Page) -> FrameLocator:
    """The stand-in's frame, once it listens."""
    frame = page.frame_locator("#sign-in-slot iframe")
    frame.locator("button:enabled").wait_for()
    return frame


# In the stand-in's frame, once it listens. A locator would bring Playwright's own script there: a
# quarter of what a sign-in costs.
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
    """Give the stand-in a name; the page is signed in some moments later."""
    element = page.wait_for_selector("#sign-in-slot iframe")
    frame = element.content_frame() if element else None
    assert frame
    frame.wait_for_url("**/gsi/button?*")
    frame.evaluate(SUBMIT, name)

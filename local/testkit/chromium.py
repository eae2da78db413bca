"""Where a Chromium is, how it is started, how somebody signs in there.

For browser tests, screenshots, benchmarks.
"""

import os
import shutil
from pathlib import Path

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


def chromium_path(playwright):
    """The one that is named, one on PATH, or Playwright's own; None when there is none."""
    own = playwright.chromium.executable_path
    found = [GIVEN, *(shutil.which(name) for name in NAMES), own]
    return next((path for path in found if path and Path(path).is_file()), None)


def launch(playwright, path, *arguments):
    return playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])


def at_google(page):
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


def sign_in(page, name):
    """Give the stand-in a name; the page is signed in some moments later."""
    frame = page.wait_for_selector("#sign-in-slot iframe").content_frame()
    frame.wait_for_url("**/gsi/button?*")
    frame.evaluate(SUBMIT, name)

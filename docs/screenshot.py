"""Make docs/screenshot.png: two people who chat, one at a desk, one on a phone.

Run it beside a chat of its own: python -m local run -- python docs/screenshot.py
"""

import base64
import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from tests.chromium import MISSING, chromium_path, launch  # noqa: E402

DESK = {"width": 900, "height": 700}
PHONE = {"width": 390, "height": 700}
TALK = (
    ("Ada", "Morning! The new transcript code is up. Who reads it with me?"),
    ("Grace", "I do. Where does a message go after it has been stored?"),
    ("Ada", "The table's stream wakes a function.\nIt writes the newest twenty to one small file."),
    ("Grace", "And <script>alert(1)</script>?"),
    ("Ada", "Stays text, as you can see."),
)
NAMES = {"Ada": "Ada Lovelace", "Grace": "Grace Hopper"}
FRAME = """
<style>
  body {{ margin: 0; background: #d9deea; }}
  main {{ display: flex; gap: 28px; padding: 28px; width: max-content; }}
  img {{ display: block; border-radius: 14px; box-shadow: 0 10px 34px rgb(20 24 40 / 28%); }}
</style>
<main>{images}</main>
"""


def open_page(browser: Browser, name: str, scheme: str, size: dict[str, int]) -> Page:
    """Open the page for one person and sign in."""
    page = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=1.5
    ).new_page()
    page.goto(os.environ["LAMBDA_CHAT_URL"])
    frame = page.frame_locator("#sign-in-slot iframe")
    frame.get_by_role("textbox", name="Your name").fill(name)
    frame.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("status")).to_have_text(f"Connected as {name}")
    return page


def talk(pages: dict[str, Page]) -> None:
    """Let them say their lines, each after the other has seen the last."""
    for who, text in TALK:
        pages[who].get_by_role("textbox", name="Message").fill(text)
        pages[who].get_by_role("button", name="Send").click()
        for page in pages.values():
            expect(page.get_by_role("log", name="Messages")).to_contain_text(text)
    for who, page in pages.items():
        expect(page.get_by_role("status")).to_have_text(f"Connected as {NAMES[who]}")


def side_by_side(browser: Browser, pages: list[Page], target: Path) -> None:
    """Put their screens into one picture."""
    images = "".join(
        f'<img width="{size["width"]}" src="data:image/png;base64,{encoded}">'
        for page in pages
        if (size := page.viewport_size)
        and (encoded := base64.b64encode(page.screenshot()).decode())
    )
    sheet = browser.new_context(device_scale_factor=1.5).new_page()
    sheet.set_content(FRAME.format(images=images))
    sheet.locator("main").screenshot(path=target)


def main() -> None:
    """Make the picture."""
    if "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit("Run it as: python -m local run -- python docs/screenshot.py")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
        if path is None:
            sys.exit(f"No screenshot was made: {MISSING}")
        browser = launch(playwright, path)
        pages = {
            "Ada": open_page(browser, NAMES["Ada"], "light", DESK),
            "Grace": open_page(browser, NAMES["Grace"], "dark", PHONE),
        }
        talk(pages)
        side_by_side(browser, list(pages.values()), DOCS / "screenshot.png")
        browser.close()


if __name__ == "__main__":
    main()

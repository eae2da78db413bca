"""The page in any state, from fixtures: its real files except js/main.js, and no services.

Owns the opening of it, for tests and for the pictures in docs/screens.
"""

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page

from local.testkit.page_files import GOOGLE, ORIGIN, answer

HERE = Path(__file__).resolve().parent
MAIN = HERE / "gallery.js"
# as in gallery.js, whose messages are timed by it
NOW = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
PHONE = {"width": 390, "height": 800}
DESK = {"width": 1280, "height": 800}


def open_gallery(
    browser: Browser,
    size: dict[str, int],
    scheme: str = "light",
    scale: float = 1,
    motion: str = "reduce",
) -> Page:
    """Open the page; `show(page, name)` then shows a state."""
    context = browser.new_context(
        viewport=size,
        color_scheme=scheme,
        device_scale_factor=scale,
        locale="en-GB",
        timezone_id="UTC",
        has_touch=size["width"] < 500,
        reduced_motion=motion,
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.route(f"{ORIGIN}/**", lambda route: answer(route, MAIN))
    page.route(f"{GOOGLE}/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"{ORIGIN}/index.html")
    page.wait_for_function("() => 'show' in window")
    return page


def show(page: Page, name: str) -> None:
    """Show a state, and wait for what it loads and for its animations."""
    page.evaluate("name => show(name)", name)
    page.wait_for_selector(":is(#activity-body, #settings-note)[aria-busy]", state="detached")
    page.evaluate(
        "() => Promise.all(document.getAnimations().map((one) => one.playState === 'running' &&"
        " one.effect.getTiming().iterations !== Infinity ? one.finished : null))"
    )

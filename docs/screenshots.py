"""Take the pictures: docs/screenshot.png (two people chatting) and docs/screens (page states).

All of them, with a new chat: python -m local run -- python -m docs.screenshots
The states only, which need no chat: python -m docs.screenshots screens
"""

import base64
import os
import struct
import sys
import zlib
from array import array
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from kappa.errors import KappaError
from local.testkit.chromium import browsing, sign_in
from tests.browser.gallery import open_gallery, show

DOCS = Path(__file__).resolve().parent

DESK = {"width": 1080, "height": 720}
PHONE = {"width": 360, "height": 720}
STATES = (
    "signed out", "sign-in failed", "loading channel", "empty", "conversation", "sending",
    "too long", "unread", "channels", "trouble", "offline", "ended", "settings", "activity",
)  # fmt: skip
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
PIXELS = """async (url) => {
  const bitmap = await createImageBitmap(await (await fetch(url)).blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const reader = new FileReader();
  reader.readAsDataURL(new Blob([data]));
  await new Promise((done) => { reader.onload = done; });
  return [width, height, reader.result.split(",")[1]];
}"""


def data_url(png: bytes) -> str:
    """Return the picture as a data: URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def open_page(browser: Browser, name: str, scheme: str, size: dict[str, int]) -> Page:
    """Open the page for one person and sign in."""
    page = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=1.5
    ).new_page()
    page.goto(os.environ["LAMBDA_CHAT_URL"])
    sign_in(page, name)
    expect(page.get_by_role("status")).to_have_text(f"Connected as {name}")
    return page


def talk(pages: dict[str, Page]) -> None:
    """Send the lines of TALK, each once both pages show the previous one."""
    for person, text in TALK:
        pages[person].get_by_role("textbox", name="Message").fill(text)
        pages[person].get_by_role("button", name="Send").click()
        for page in pages.values():
            expect(page.get_by_role("log", name="Messages")).to_contain_text(text)
    for page in pages.values():
        expect(page.locator(".pending")).to_have_count(0)


def side_by_side(browser: Browser, pages: list[Page], target: Path, scale: float) -> None:
    """Write one picture with the pages' screens side by side."""
    images = "".join(
        f'<img width="{size["width"]}" src="{data_url(page.screenshot())}">'
        for page in pages
        if (size := page.viewport_size)
    )
    sheet = browser.new_context(device_scale_factor=scale).new_page()
    sheet.set_content(FRAME.format(images=images))
    target.write_bytes(small_png(sheet, sheet.locator("main").screenshot()))
    sheet.context.close()


def small_png(page: Page, png: bytes) -> bytes:
    """Return the picture in its 256 most frequent colours, which makes it a third of the size.

    Source: Portable Network Graphics specification, "Chunk specifications".
    """
    width, height, pixels = page.evaluate(PIXELS, data_url(png))
    colours = array("I", base64.b64decode(pixels))
    counts = Counter(colours)
    palette = [colour for colour, _ in counts.most_common(256)]
    parts = [colour.to_bytes(4, sys.byteorder) for colour in palette]
    index = {colour: nearest(colour.to_bytes(4, sys.byteorder), parts) for colour in counts}
    body = bytes(index[colour] for colour in colours)
    rows = b"".join(b"\0" + body[y * width : (y + 1) * width] for y in range(height))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(part[:3] for part in parts)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def nearest(colour: bytes, palette: list[bytes]) -> int:
    """Return the index of the nearest colour in the palette."""
    red, green, blue, _ = colour
    return min(
        range(len(palette)),
        key=lambda i: (
            (palette[i][0] - red) ** 2 + (palette[i][1] - green) ** 2 + (palette[i][2] - blue) ** 2
        ),
    )


def picture_of_chat(browser: Browser) -> None:
    """Write docs/screenshot.png."""
    pages = {
        "Ada": open_page(browser, NAMES["Ada"], "light", DESK),
        "Grace": open_page(browser, NAMES["Grace"], "dark", PHONE),
    }
    talk(pages)
    side_by_side(browser, list(pages.values()), DOCS / "screenshot.png", 1.5)


def pictures_of_states(browser: Browser) -> None:
    """Replace docs/screens: each state on a light desktop and on a dark phone."""
    folder = DOCS / "screens"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    pages = [open_gallery(browser, DESK, "light"), open_gallery(browser, PHONE, "dark")]
    for name in STATES:
        for page in pages:
            show(page, name)
        side_by_side(browser, pages, folder / f"{name.replace(' ', '-')}.png", 1)


def main() -> None:
    """Take the pictures."""
    screens_only = sys.argv[1:] == ["screens"]
    if not screens_only and "LAMBDA_CHAT_URL" not in os.environ:
        sys.exit(
            "Error: no chat is running. Run: python -m local run -- python -m docs.screenshots"
        )
    expect.set_options(timeout=15_000)
    try:
        with browsing() as browser:
            pictures_of_states(browser)
            if not screens_only:
                picture_of_chat(browser)
    except KappaError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()

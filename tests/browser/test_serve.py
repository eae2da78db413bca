"""`kappa serve` in a browser: a FastAPI app behind Mangum, and other pages that try to run it."""

import sys
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from local.testkit.chromium import chromium_path, launch
from tests.support.chat import elsewhere
from tests.support.kappa.serving import copy_packages, serving
from tests.support.waiting import wait_for

EVIL = "evil.test"  # a name that resolves to this machine
CONFIG = f"""\
region: us-east-1
lambda:
  name: shop
  path: code
  handler: app.handler
  runtime: python3.{sys.version_info.minor}
  timeout: 20
  memory_size: 512
"""
SHOP = """\
from base64 import b64decode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()
PIXEL = "R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
PAGE = \"\"\"<!doctype html><title>shop</title><h1>Tea for {name}</h1><img src="pixel.gif">
<form method="post" action="order"><input name="cups" value="3"><button>Order</button></form>
<output></output><script type="module">
const answer = await fetch("total", {{
  method: "POST",
  headers: {{"Content-Type": "application/json"}},
  body: JSON.stringify({{cups: 2, note: "grün"}}),
}});
document.querySelector("output").value = JSON.stringify(await answer.json());
</script>\"\"\"


class Order(BaseModel):
    cups: int
    note: str


@app.get("/", response_class=HTMLResponse)
def page(response: Response, name: str = "nobody"):
    response.set_cookie("seen", "yes")
    response.set_cookie("tea", "green")
    return PAGE.format(name=name)


@app.get("/pixel.gif")
def pixel():
    return Response(b64decode(PIXEL), media_type="image/gif")


@app.post("/total")
def total(order: Order, request: Request):
    return {"pence": order.cups * 150, "note": order.note, "cookies": sorted(request.cookies)}


@app.post("/order", response_class=HTMLResponse)
async def order(request: Request):
    return f"<p>{(await request.body()).decode()}</p>"


handler = Mangum(app, lifespan="off")
"""
COUNTING = """\
import pathlib

def handler(event, context):
    with pathlib.Path(FILE).open("a") as file:
        file.write(event["rawPath"] + " ")
    page = "<!doctype html><h1>run</h1>"
    return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": page}
"""
# What a page can do without being asked: each ends when its request is answered, or has failed.
ATTACKS = """\
(base) => {
  const ended = (element, address) => new Promise((resolve) => {
    element.onload = element.onerror = resolve;
    element.src = address;
    document.body.append(element);
  });
  const post = (path, options) => fetch(base + path, {method: "POST", ...options}).catch(() => 0);
  return Promise.all([
    ended(new Image(), base + "image"),
    ended(document.createElement("iframe"), base + "frame"),
    ended(document.createElement("script"), base + "script"),
    post("simple", {body: "x"}),
    post("opaque", {body: "x", mode: "no-cors"}),
    post("preflight", {headers: {"X-Mode": "x"}}),
  ]).then(() => true);
}"""
NAMES = ["frame", "image", "opaque", "preflight", "script", "simple"]


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def go_on(page, address):
    """Type an address, and go on from the question that kappa serve answers."""
    page.goto(address)
    with page.expect_navigation() as followed:
        page.get_by_role("link").click()
    return followed.value


def test_a_fastapi_app_is_used_broken_mended_and_changed(page, tmp_path):
    code = tmp_path / "code"
    copy_packages(["fastapi", "mangum"], code)
    (code / "app.py").write_text(SHOP)
    (tmp_path / "config.yml").write_text(CONFIG)
    with serving(tmp_path / "config.yml") as running:
        go_on(page, f"{running.url}?name=Ada%20%26%20Bob")
        expect(page.get_by_role("heading")).to_have_text("Tea for Ada & Bob")
        expect(page.locator("output")).to_have_text(
            '{"pence":300,"note":"grün","cookies":["seen","tea"]}'
        )
        assert page.locator("img").evaluate("image => image.naturalWidth") == 1
        page.get_by_role("button").click()
        expect(page.locator("p")).to_have_text("cups=3")

        running.edit("code/app.py", "class Order(", "class Order((")
        assert go_on(page, running.url).status == 502
        expect(page.locator("body")).to_contain_text("app.py:22: Python ")
        running.edit("code/app.py", "class Order((", "class Order(")
        running.edit("code/app.py", "Tea for", "Cocoa for")
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("Cocoa for nobody")


def test_no_other_page_runs_the_function(browser, tmp_path):
    runs = tmp_path / "runs"
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(COUNTING.replace("FILE", repr(str(runs))))
    (tmp_path / "config.yml").write_text(CONFIG)
    engine = SimpleNamespace(chromium=browser.browser_type)
    rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
    with serving(tmp_path / "config.yml") as running, elsewhere.running() as port:
        opened = launch(engine, chromium_path(engine), rules)
        try:
            page = opened.new_page()

            def ran():
                return sorted(runs.read_text().replace("/", "").split()) if runs.exists() else []

            # The attacks work: on the function's own page each runs it.
            go_on(page, f"{running.url}own")
            assert page.evaluate(ATTACKS, running.url)
            wait_for(lambda: ran() == sorted([*NAMES, "own"]), 20)
            runs.unlink()

            page.goto(f"http://{EVIL}:{port}/")
            assert page.evaluate(ATTACKS, running.url)
            rebound = running.url.replace("127.0.0.1", EVIL)
            assert page.evaluate(ATTACKS, rebound)
            assert page.goto(rebound).status == 403
            assert ran() == []

            # A typed address that redirects here looks like one that was typed: a person answers.
            page.goto(f"http://{EVIL}:{port}/?{running.url}redirected")
            expect(page.get_by_role("link", name="/redirected")).to_be_visible()
            assert ran() == []

            # A link leads to a question, which a person answers.
            page.goto(f"http://{EVIL}:{port}/")
            page.evaluate("(address) => { location = address; }", f"{running.url}back?code=1")
            link = page.get_by_role("link", name="/back?code=1")
            expect(link).to_be_visible()
            assert ran() == []
            link.click()
            expect(page.get_by_role("heading")).to_have_text("run")
            assert ran() == ["back"]
        finally:
            opened.close()

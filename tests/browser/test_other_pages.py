"""No other page that is open in the browser can do anything to local mode's servers.

Each attack first runs on the emulator's own page, where it succeeds: so it is the refusal that
stops it elsewhere.
"""

import base64
import io
import json
import urllib.request
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

import local.emulator
from local import bootstrap
from local.testkit.chromium import chromium_path, launch
from tests.conftest import EmulatedAws
from tests.support.chat import elsewhere
from tests.support.chat.elsewhere import BLANK
from tests.support.samples import sample

ATTACKS = Path(__file__).with_name("strangers.js").read_text("utf-8")
READABLE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bootstrap.BUCKET}/*",
        }
    ],
}
EVIL = "evil.test"  # a name that resolves to this machine
ACTIONS = ["image", "script", "style", "frame", "form", "events", "link", "anonymous"]
CODE = ["codeByCors", "codeBySimpleRequests"]


@pytest.fixture(scope="module")
def rebound(browser):
    """A Chromium that resolves EVIL to this machine."""
    engine = SimpleNamespace(chromium=browser.browser_type)
    rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
    opened = launch(engine, chromium_path(engine), rules)
    yield opened
    opened.close()


class Emulated:
    """An emulator with some content, and a view of what an attack may have changed."""

    def __init__(self, running, folder):
        self.port = running.port
        self.base = running.endpoint_url
        self.page = f"{self.base}{bootstrap.PAGE}"
        self.aws = EmulatedAws(running.endpoint_url)
        self.log = running.folder / "emulator.log"
        self.written = folder / "written"
        code = (
            f"def handler(event, _):\n    open({str(self.written)!r}, 'w').close()\n    return 42\n"
        )
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("stranger.py", code)
        self.zip = base64.b64encode(archive.getvalue()).decode()
        self.refill()

    def refill(self):
        """Undo what an attack has changed."""
        reset = urllib.request.Request(f"{self.base}/_ministack/reset", method="POST")
        urllib.request.urlopen(reset, timeout=30).close()
        self.written.unlink(missing_ok=True)
        s3 = self.aws.client("s3")
        s3.create_bucket(Bucket=bootstrap.BUCKET)
        s3.delete_public_access_block(Bucket=bootstrap.BUCKET)
        s3.put_bucket_policy(Bucket=bootstrap.BUCKET, Policy=json.dumps(READABLE))
        for name in ("index.html", "other.html"):
            s3.put_object(
                Bucket=bootstrap.BUCKET,
                Key=name,
                Body=BLANK,
                ContentType="text/html; charset=utf-8",
            )

    def refusals(self):
        """Return how many requests the gate has refused."""
        return self.log.read_text("utf-8").count(" refused: ")

    def state(self):
        iam, functions = self.aws.client("iam"), self.aws.client("lambda")
        return {
            "buckets": [item["Name"] for item in self.aws.client("s3").list_buckets()["Buckets"]],
            "roles": [item["RoleName"] for item in iam.list_roles()["Roles"]],
            "functions": [f["FunctionName"] for f in functions.list_functions()["Functions"]],
            "written": self.written.exists(),
        }


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    with local.emulator.running(page=bootstrap.PAGE) as running:
        yield Emulated(running, tmp_path_factory.mktemp("other-pages"))


@pytest.fixture(scope="module")
def other_port():
    with elsewhere.running() as port:
        yield port


class Page:
    """A page that contains the attacks."""

    def __init__(self, context, url):
        self.tab = context.new_page()
        self.frame = self.tab.main_frame
        self.tab.goto(url)
        self.frame.evaluate(ATTACKS)

    def into(self, frame):
        """Attack from a frame of the page."""
        self.frame = frame
        self.frame.evaluate(ATTACKS)

    def attack(self, name, base, zipped=""):
        call = "([name, base, zip]) => attacks[name](base, zip)"
        if name != "link":
            return self.frame.evaluate(call, [name, base, zipped])
        with self.tab.expect_popup() as opened:
            self.frame.evaluate(call, [name, base, zipped])
        opened.value.wait_for_load_state()
        opened.value.close()
        return None


@pytest.fixture
def own(rebound, emulated):
    """The chat's own page."""
    context = rebound.new_context()
    yield Page(context, emulated.page)
    context.close()


PLACES = ["another port", "localhost", "another site", "a frame without an origin", "rebound"]


@pytest.fixture(params=PLACES)
def stranger(request, rebound, emulated, other_port):
    """A page of another origin, and the URL by which it reaches the emulator."""
    context = rebound.new_context()
    base = emulated.base
    if request.param == "rebound":
        # the refusal's document has the origin of a page whose name was rebound to this machine
        base = f"http://{EVIL}:{emulated.port}"
        page = Page(context, base)
    elif request.param == "a frame without an origin":
        page = Page(context, f"http://127.0.0.1:{other_port}/")
        page.tab.evaluate(
            """() => new Promise((loaded) => {
              const frame = document.createElement("iframe");
              frame.sandbox = "allow-scripts allow-forms allow-popups";
              frame.srcdoc = "<body>";
              frame.onload = loaded;
              document.body.append(frame);
            })"""
        )
        page.into(page.tab.frames[1])
    else:
        host = {"another port": "127.0.0.1", "localhost": "localhost", "another site": EVIL}
        page = Page(context, f"http://{host[request.param]}:{other_port}/")
    yield SimpleNamespace(page=page, base=base)
    context.close()


@pytest.mark.parametrize("attack", CODE)
def test_on_the_chats_own_page_code_runs(own, emulated, attack):
    emulated.refill()
    answer = own.attack(attack, emulated.base, emulated.zip)
    assert answer == "42"
    assert emulated.state()["functions"] == ["stranger"]
    assert emulated.state()["written"]


@pytest.mark.parametrize("attack", sample(*ACTIONS[::3], more=[*ACTIONS[1::3], *ACTIONS[2::3]]))
def test_on_the_chats_own_page_an_action_is_done(own, emulated, attack):
    emulated.refill()
    own.attack(attack, emulated.base)
    assert emulated.state()["roles"] == [attack]


def test_on_the_chats_own_page_a_socket_opens_and_a_reset_resets(own, emulated):
    emulated.refill()
    assert own.attack("socket", emulated.base) == "open"
    own.attack("reset", emulated.base)
    assert emulated.state()["buckets"] == []


def test_another_page_changes_nothing_and_runs_nothing(stranger, emulated):
    emulated.refill()
    before = emulated.state()
    assert before == {
        "buckets": [bootstrap.BUCKET],
        "roles": [],
        "functions": [],
        "written": False,
    }
    for attack in (*CODE, *ACTIONS, "reset", "socket"):
        refusals = emulated.refusals()
        answer = stranger.page.attack(attack, stranger.base, emulated.zip)
        assert emulated.state() == before, attack
        assert emulated.refusals() > refusals, f"{attack} did not come as far as the gate"
        refused = (answer or "").startswith("Local mode refuses this request: ")
        assert refused or answer in (None, "", "error"), attack


@pytest.mark.parametrize(
    "stranger",
    sample("another site", "rebound", more=[PLACES[0], PLACES[1], PLACES[3]]),
    indirect=True,
)
def test_a_link_from_another_page_leads_to_the_chat_and_to_nothing_else(stranger, emulated):
    emulated.refill()
    page, other = emulated.page, emulated.page.replace("index.html", "other.html")
    for url, served in ((page, True), (other, False), (f"{page}?acl", False)):
        with stranger.page.tab.expect_popup() as opened:
            stranger.page.frame.evaluate("url => void window.open(url)", url)
        opened.value.wait_for_load_state()
        opened.value.reload()
        refused = opened.value.text_content("body").startswith("Local mode refuses this request: ")
        assert refused is not served
        opened.value.close()


@pytest.mark.parametrize("host", sample(EVIL, more=["127.0.0.1", "localhost"]))
def test_a_typed_address_that_leads_on_to_the_emulator_does_nothing(
    rebound, emulated, other_port, host
):
    emulated.refill()
    context = rebound.new_context()
    page = Page(context, f"http://{host}:{other_port}/")
    action = page.frame.evaluate("base => actions.createRole(base, 'typed')", emulated.base)
    page.tab.goto(f"http://{host}:{other_port}/?{quote(action, safe='')}")
    assert page.tab.url == action
    assert "Local mode refuses this request: " in page.tab.text_content("body")
    for again in (page.tab.reload, page.tab.go_back, page.tab.go_forward):
        again()
    assert page.tab.url == action
    page.tab.goto(f"http://{host}:{other_port}/?{quote(emulated.page, safe='')}")
    assert page.tab.text_content("body") == ""
    context.close()
    assert emulated.state()["roles"] == []

"""Stop resources.py and update.sh at each call to AWS; the same command then completes the work.

`make test` tries a fixed sample of the calls, `make interrupted` all of them.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import pytest
import yaml

import resources
from lambda_chat import command as commandline
from lambda_chat.config import build_folder
from lambda_chat.site import headers, publish
from lambda_chat.site.build import CONFIG_KEY
from local.testkit import proxy
from tests.support.builders import run_here
from tests.support.samples import ALL

ROOT = Path(__file__).resolve().parents[2]
OUTCOMES = ("kill", "lose", "deny", "drop")
CLIENT_ID = "1234-abcd.apps.googleusercontent.com"
COMMANDS = {
    "launch": ["launch", "--wait"],
    "update": ["update", "--wait"],
    "save": ["output", "--save"],
    "delete": ["delete", "--yes", "--wait"],
}
numbers = itertools.count(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) * 100_000)


class Chat:
    """A config in a new account, and both commands with it."""

    def __init__(self, folder, emulator, through):
        folder.mkdir()
        self.account = f"48{next(numbers):010d}"
        self.emulator, self.through, self.folder = emulator, through, folder
        self.bucket = f"page-{self.account}"
        self.path = folder / "config.yml"
        self.path.write_text(
            f"# mine\ns3_bucket: {self.bucket}  # why\ngoogle_oauth_client_id: {CLIENT_ID}\n"
        )
        self.path.chmod(0o640)
        self.env = emulator.env(self.account) | {
            "AWS_ENDPOINT_URL": through.url,
            "AWS_MAX_ATTEMPTS": "1",
            "LAMBDA_CHAT_CONFIG": str(self.path),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, main, before=None):
        self.through.operations.clear()
        self.through.before = before
        return run_here(main, self.env)

    def killed(self, words, at):
        """Run a process that is killed at its call number `at`."""
        self.through.operations.clear()
        self.through.before = nth(at, "kill")
        with subprocess.Popen(
            [sys.executable, *words], env=self.env, stderr=subprocess.PIPE, text=True
        ) as process:
            self.through.process = process
            return process.communicate(timeout=60)[1]

    def stopped(self, main, words, outcome, at):
        """Stop a command at a call; return its stderr. It may succeed or end with an error."""
        if outcome == "kill":
            stderr = self.killed(words, at)
        else:
            done = self.run(main, nth(at, outcome))
            stderr = done.stderr
            assert done.returncode in (0, 1), stderr
        assert "Traceback" not in stderr
        return stderr

    def client(self, service):
        return self.emulator.client(service, self.account)

    def resources(self, command):
        return self.run(partial(resources.main, COMMANDS[command]))

    def must(self, command):
        done = self.resources(command)
        assert done.returncode == 0, done.stderr

    def state(self):
        """The stack, the bucket and the config, as text without the account's id."""
        cloudformation = self.client("cloudformation")
        stacks = cloudformation.list_stacks(
            StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE"]
        )["StackSummaries"]
        parts = {
            "stacks": [(stack["StackName"], stack["StackStatus"]) for stack in stacks],
            "resources": [
                (resource["LogicalResourceId"], resource["ResourceStatus"])
                for stack in stacks
                for resource in cloudformation.list_stack_resources(StackName=stack["StackName"])[
                    "StackResourceSummaries"
                ]
            ],
            "parameters": [
                cloudformation.describe_stacks(StackName=stack["StackName"])["Stacks"][0][
                    "Parameters"
                ]
                for stack in stacks
            ],
            "buckets": [bucket["Name"] for bucket in self.client("s3").list_buckets()["Buckets"]],
            "config": self.path.read_text(),
            "mode": self.path.stat().st_mode,
            "files": [path.name for path in self.folder.glob("*.yml")],
        }
        text = json.dumps(parts, default=str).replace(self.account, "ACCOUNT")
        # CloudFormation's suffixes of the names that it generates
        return re.sub(r"(Lambda-Chat-\w+?-|stream/)[\w:.-]+", r"\1X", text)

    def page(self):
        """Each object's bytes and headers, without those that differ between runs."""
        s3 = self.client("s3")
        listed = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        objects = {}
        names = ("ContentType", "CacheControl", "ContentEncoding")
        for key in (item["Key"] for item in listed):
            answer = s3.get_object(Bucket=self.bucket, Key=key)
            body = b"" if key == publish.RUN_KEY else answer["Body"].read()
            # the page's config names the account's own bucket and topic
            text = body.replace(self.account.encode(), b"") if key != CONFIG_KEY else b""
            objects[key] = (text, [answer.get(name) for name in names])
        return objects


def nth(number, outcome):
    counted = itertools.count(1)

    def before(_operation):
        return outcome if next(counted) == number else None

    return before


def calls_to_stop(total, name, outcome):
    """The numbers of the calls at which to stop a command: all, or in a sample one per row."""
    if ALL:
        return range(1, total + 1)
    row = sum(map(ord, name)) + OUTCOMES.index(outcome)
    return [1 + row % total]


def rows(names):
    """Every way to stop each command; a third of them in a sample."""
    pairs = list(itertools.product(names, OUTCOMES))
    return pairs if ALL else pairs[::3]


@pytest.fixture(scope="module")
def through(emulator):
    with proxy.running(emulator.endpoint_url) as running:
        yield running


@pytest.fixture(scope="module")
def chats(tmp_path_factory, emulator, through):
    folder, made = tmp_path_factory.mktemp("chats"), []

    def new():
        made.append(Chat(folder / str(len(made)), emulator, through))
        return made[-1]

    yield new
    for chat in made:  # a killed run leaves its folder
        shutil.rmtree(build_folder(chat.path), ignore_errors=True)


def prepare(chat, command):
    """Bring an account into the state in which the command has most to do."""
    if command != "launch":
        chat.must("launch")
    if command == "update":
        chat.path.write_text(chat.path.read_text() + "data_prefix: talk/\n")
    if command == "delete":
        chat.client("s3").put_object(Bucket=chat.bucket, Key="data/a.json", Body=b"{}")


@pytest.fixture(scope="module")
def undisturbed(chats):
    """The number of calls of an uninterrupted command, and the state after it."""

    @cache
    def of(command):
        chat = chats()
        prepare(chat, command)
        chat.must(command)
        return len(chat.through.operations), chat.state()

    return of


@pytest.mark.parametrize(("command", "outcome"), rows(COMMANDS))
def test_a_command_of_the_stack_that_is_stopped_at_a_call_is_ended_by_the_next(
    chats, undisturbed, command, outcome, figure
):
    calls, wanted = undisturbed(command)
    stopped = calls_to_stop(calls, command, outcome)
    for number in stopped:
        chat = chats()
        prepare(chat, command)
        words = [ROOT / "resources.py", *COMMANDS[command]]
        main = partial(resources.main, COMMANDS[command])
        said = chat.stopped(main, words, outcome, number)
        where = f"{command}, {outcome} at call {number} of {calls}: {said}"
        assert yaml.safe_load(chat.path.read_text())["s3_bucket"] == chat.bucket, where
        again = chat.resources(command)
        assert again.returncode == 0, f"{where}-- again:\n{again.stderr}"
        assert chat.state() == wanted, where
    figure(f"resources.py {command}, stopped by {outcome}: {len(stopped)} of {calls} calls")


# update.sh with a small page instead of public/
PUBLISH = """\
import sys
from pathlib import Path
from lambda_chat import command as commandline
from lambda_chat.site import publish
source = Path(sys.argv[1])
sys.exit(commandline.run(publish.__doc__, [], lambda _: print(publish.publish(source)) or 0, ""))
"""


PAGE = '<link rel="stylesheet" href="css/a.css"><script type="module" src="js/main.js"></script>{}'


def sources(folder, changed):
    """The page as first published, and the changed page."""
    files = {
        "index.html": PAGE.format("Hello"),
        "js/main.js": "export const version = 1;",
        "js/old.js": "export const old = 1;",
        "css/a.css": "p { color: red }",
    }
    if changed:
        del files["js/old.js"]
        files |= {
            "index.html": PAGE.format("Hello again"),
            "js/main.js": "import './new.js';",
            "js/new.js": "console.log('fresh');",
            "js/panel.js": "export const panel = 1;",
        }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    return {name: sources(folder / name, name == "changed") for name in ("first", "changed")}


def publishing(source):
    return partial(
        commandline.run, publish.__doc__, [], lambda _: print(publish.publish(source)) or 0, ""
    )


def has_page(chat):
    listed = chat.client("s3").list_objects_v2(Bucket=chat.bucket).get("Contents", [])
    return {"index.html", CONFIG_KEY} <= {item["Key"] for item in listed}


@pytest.fixture(scope="module")
def published(chats, pages):
    """The chat, its number of calls and its page after an uninterrupted run."""

    @cache
    def of(begin):
        chat = chats()
        begin_with(chat, begin, pages)
        assert chat.run(publishing(pages["changed"])).returncode == 0
        return chat, len(chat.through.operations), chat.page()

    return of


def begin_with(chat, begin, pages):
    """Leave only a transcript in the bucket, or a page published with other header rules."""
    if not chat.client("s3").list_buckets()["Buckets"]:
        chat.must("launch")
        chat.must("save")
    s3 = chat.client("s3")
    for item in s3.list_objects_v2(Bucket=chat.bucket).get("Contents", []):
        s3.delete_object(Bucket=chat.bucket, Key=item["Key"])
    s3.put_object(Bucket=chat.bucket, Key="data/default.json", Body=b"{}")
    if begin == "first":
        return
    assert chat.run(publishing(pages["first"])).returncode == 0
    s3.put_object(Bucket=chat.bucket, Key=headers.HEADERS_KEY, Body=b"{}")


@pytest.mark.parametrize(("begin", "outcome"), rows(["changed", "first"]))
def test_update_sh_that_is_stopped_at_a_call_is_ended_by_the_next(
    pages, published, begin, outcome, figure
):
    chat, calls, wanted = published(begin)
    stopped = calls_to_stop(calls, begin, outcome)
    words = ["-c", PUBLISH, pages["changed"]]
    main = publishing(pages["changed"])
    for number in stopped:
        begin_with(chat, begin, pages)
        said = chat.stopped(main, words, outcome, number)
        where = f"update.sh, {outcome} at call {number} of {calls}: {said}"
        assert has_page(chat) or begin == "first", where
        again = chat.run(main)
        assert again.returncode == 0, f"{where}-- again:\n{again.stderr}"
        assert chat.page() == wanted, where
    figure(f"update.sh ({begin}), stopped by {outcome}: {len(stopped)} of {calls} calls")


def test_the_first_page_of_a_chat_is_complete_before_anybody_can_open_it(published, pages):
    """index.html is published after everything that it loads."""
    chat, _, _ = published("first")
    begin_with(chat, "first", pages)
    order = []
    chat.run(publishing(pages["changed"]), before=order.append)
    puts = [call.rsplit("/", 1)[1] for call in order if call.startswith("PUT ")]
    assert puts[-3:] == ["index.html", "headers.json", publish.RUN_KEY]

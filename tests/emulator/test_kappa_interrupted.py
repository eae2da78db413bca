"""Each command, stopped at each of its calls to AWS: the same command again ends as if undisturbed.

In `make test` a fixed sample of the calls is taken, in `make interrupted` each one.
"""

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from tests import projects, proxy
from tests.accounts import snapshot
from tests.projects import POLICY

ALL = os.environ.get("KAPPA_INTERRUPTED") == "all"
# How far apart the calls of the sample are, for each way to stop a command.
STRIDES = {"kill": 43, "lose": 59, "deny": 61, "drop": 67}
NAME = "greeter"
CONFIG = """\
  timeout: 5
  log_retention_days: 14
  environment: {{GREETING: good day}}
  tags: {{team: tea}}
  reserved_concurrency: 3
  publish: true
  alias: live
  keep_versions: 2
  async: {{maximum_retry_attempts: 1}}
  permissions:
    - statement_id: shop
      principal: "123456789012"
  url: {{auth: NONE}}
  event_sources:
    - arn: {topic}
    - arn: {queue}
    - arn: {stream}
      starting_position: LATEST
    - arn: arn:aws:s3:::{bucket}
      events: ["s3:ObjectCreated:*"]
    - name: nightly
      schedule: rate(1 day)
"""
COMMANDS = ("create", "deploy", "add_event_sources", "update_code", "delete")
numbers = itertools.count(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) * 100_000)


class Project(projects.Project):
    """A function with everything that a config can say, in an account of its own."""

    def __init__(self, folder, emulator, through):
        account = f"47{next(numbers):010d}"
        super().__init__(folder, emulator, account, NAME)
        self.through = through
        self.env |= {"AWS_ENDPOINT_URL": through.url, "AWS_MAX_ATTEMPTS": "1"}
        self.bucket = f"bucket-{account}"
        sqs, s3 = self.client("sqs"), self.client("s3")
        sqs.create_queue(QueueName="orders")
        s3.create_bucket(Bucket=self.bucket)
        table = self.client("dynamodb").create_table(
            TableName="chat",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        self.stream = table["TableDescription"]["LatestStreamArn"]
        self.config(
            projects.OWN_ROLE.format(name=NAME)
            + CONFIG.format(
                topic=self.client("sns").create_topic(Name="news")["TopicArn"],
                queue=f"arn:aws:sqs:us-east-1:{account}:orders",
                stream=self.stream,
                bucket=self.bucket,
            )
        )

    def change(self):
        """Change settings, code, document and sources, as a developer does."""
        self.config(self.text.replace("timeout: 5", "timeout: 7").replace("day}", "night}"))
        self.write("code/extra.py", "TEA = 1\n")
        self.write("policy.json", json.dumps(POLICY).replace('"logs:CreateLogStream", ', ""))

    def kappa(self, *args, before=None):
        self.through.operations.clear()
        self.through.before = before
        return super().kappa(*args)

    def killed(self, *args, at):
        """Run a command in a process of its own, which ends with its call number `at`."""
        self.through.operations.clear()
        self.through.before = nth(at, "kill")
        words = [sys.executable, "-m", "kappa", self.folder / "config.yml", *args]
        with subprocess.Popen(words, env=self.env, stderr=subprocess.PIPE, text=True) as process:
            self.through.process = process
            return process.communicate(timeout=60)[1]

    def has(self):
        """What the account has; two accounts have the same but for names that AWS gave them."""
        text = json.dumps(snapshot(self.client, NAME, self.bucket), default=str, sort_keys=True)
        text = text.replace(self.stream, "STREAM").replace(self.account, "ACCOUNT")
        # A statement's id ends in a digest of the source's ARN.
        found = json.loads(re.sub(r"(kappa-(?:sns|s3|events)-[\w-]+)-[0-9a-f]{8}", r"\1", text))
        for url in found.get("urls", []):
            url["FunctionUrl"] = "URL"
        return found

    def forget_url(self):
        """Remove the URL of a function that is gone: on AWS it goes with the function."""
        if not self.there():
            aws = self.client("lambda")
            with contextlib.suppress(aws.exceptions.ResourceNotFoundException):
                aws.delete_function_url_config(FunctionName=NAME, Qualifier="live")

    def assert_deletes_everything(self):
        done = self.kappa("delete")
        assert (done.returncode, done.errors) == (0, []), done.stderr
        assert self.has() == {}


def nth(number, outcome):
    counted = itertools.count(1)

    def before(_operation):
        return outcome if next(counted) == number else None

    return before


@pytest.fixture(scope="module")
def through(emulator):
    with proxy.running(emulator.endpoint_url) as running:
        yield running


@pytest.fixture
def projects_of(tmp_path, emulator, through):
    count = itertools.count()
    return lambda: Project(tmp_path / f"p{next(count)}", emulator, through)


def prepare(project, command):
    """Bring an account to where the command has most to do."""
    if command in ("add_event_sources", "update_code"):
        assert project.kappa("create").returncode == 0
    if command in ("again", "delete"):
        assert project.kappa("deploy").returncode == 0
    if command in ("again", "update_code"):
        project.change()
    return "deploy" if command == "again" else command


def calls_to_stop(total, outcome):
    """Number the calls at which the command is stopped; each way begins its sample elsewhere."""
    stride = STRIDES[outcome]
    return range(1, total + 1) if ALL else range(stride % 13, total + 1, stride)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, emulator, through):
    """How many calls a command makes that nobody stops, and what the account has then."""

    @cache
    def of(command):
        folder = tmp_path_factory.mktemp("undisturbed") / command
        project = Project(folder, emulator, through)
        words = prepare(project, command)
        done = project.kappa(words)
        assert done.returncode == 0, done.stderr
        return words, len(project.through.operations), project.has()

    return of


@pytest.mark.parametrize("outcome", STRIDES)
@pytest.mark.parametrize("command", [*COMMANDS, "again"])
def test_a_command_that_is_stopped_at_a_call_is_completed_by_the_next(
    projects_of, undisturbed, command, outcome, figure
):
    words, calls, wanted = undisturbed(command)
    stopped = calls_to_stop(calls, outcome)
    for number in stopped:
        project = projects_of()
        prepare(project, command)
        where = f"{command}, {outcome} at call {number} of {calls}"
        if outcome == "kill":
            said = project.killed(words, at=number)
        else:
            done = project.kappa(words, before=nth(number, outcome))
            said = done.stderr
            assert done.returncode in (0, 1), f"{where}: {said}"
        assert "Traceback" not in said, f"{where}: {said}"
        again = project.kappa(words)
        assert again.returncode == 0, f"{where}: {said}\n-- again:\n{again.stderr}"
        assert project.has() == wanted, f"{where}: {said}\n-- again:\n{again.stderr}"
        if ALL or number == stopped[-1]:
            project.assert_deletes_everything()
    figure(f"kappa {command}, stopped by {outcome}: {len(stopped)} of {calls} calls")


PAIRS = [
    pair
    for pair in itertools.combinations_with_replacement(COMMANDS, 2)
    if ALL or pair in (("deploy", "deploy"), ("create", "deploy"), ("delete", "delete"))
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_commands_at_once_lose_nothing_and_one_more_run_ends_well(projects_of, one, other):
    project = projects_of()
    if {one, other} & {"delete", "add_event_sources", "update_code"}:
        assert project.kappa("deploy" if "delete" in (one, other) else "create").returncode == 0
    project.through.before = None
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "kappa", project.folder / "config.yml", command],
            env=project.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in (one, other)
    ]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert "Traceback" not in said, said
        assert process.returncode in (0, 1), said
    project.forget_url()
    done = project.kappa("deploy")
    assert done.returncode == 0, done.stderr
    again = project.kappa("deploy")
    assert (again.returncode, again.stderr) == (0, "No changes.\n")
    undisturbed = projects_of()
    assert undisturbed.kappa("deploy").returncode == 0
    found, wanted = project.has(), undisturbed.has()
    for one_ in (found, wanted):
        # A function that both have updated may have been published once more.
        one_["aliases"] = [name for name, _ in one_["aliases"]]
    assert found == wanted
    project.assert_deletes_everything()

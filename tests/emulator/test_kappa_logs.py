"""kappa's logs, metrics and invocations of a running function on the emulator."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.kappa import projects
from tests.support.waiting import wait_for

ACCOUNT = "461000000005"
NAME = "teller"
KAPPA = Path(sys.executable).parent / "kappa"
CODE = """\
import json, os, time

def handler(event, context):
    print(json.dumps({"level": "INFO", "event": "told", "what": event.get("what")}))
    time.sleep(event.get("sleep_s", 0))
    if event.get("boom"):
        raise ValueError("the kettle is cold")
    return {"told": event.get("what"), "version": context.function_version}
"""


class Teller(projects.Project):
    """A function that logs its event."""

    def __init__(self, folder, emulator, name=NAME):
        super().__init__(folder, emulator, ACCOUNT, name)
        self.lambda_ = self.client("lambda")
        self.write("code/greeter.py", CODE)
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        self.config(projects.GIVEN_ROLE.format(name=name, role=role))

    def make(self):
        super().make(projects.role_in(self.emulator, ACCOUNT, self.name), Timeout=5)
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=self.name)

    def tell(self, what, **event):
        payload = json.dumps({"what": what, **event})
        self.lambda_.invoke(FunctionName=self.name, Payload=payload)


@pytest.fixture(scope="module")
def teller(tmp_path_factory, emulator):
    teller = Teller(tmp_path_factory.mktemp("told") / "teller", emulator)
    teller.make()
    return teller


def test_a_request_stands_together_under_its_header(teller):
    teller.tell("a story")
    lines = teller.run("logs", "--pretty").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "what=" in line and "story" in line)
    assert lines[at].split()[-4:] == ["info", "told", 'what="a', 'story"']
    assert "billed" in lines[at - 1]
    assert "MB" in lines[at - 1]
    assert not any("RequestId:" in line for line in lines)


def test_tail_prints_each_line_as_it_was_written(teller):
    teller.tell("plain")
    lines = teller.run("tail").stdout.splitlines()
    told = next(line for line in lines if '"plain"' in line)
    assert told.split(" ", 1)[1] == '{"level": "INFO", "event": "told", "what": "plain"}'
    assert sum("START RequestId" in line for line in lines) == sum("REPORT" in x for x in lines)


def test_json_gives_one_object_a_line_with_its_request(teller):
    teller.tell("objects")
    lines = [json.loads(line) for line in teller.run("logs", "--json").stdout.splitlines()]
    told = next(line for line in lines if '"objects"' in line["message"])
    whole = [line["message"] for line in lines if line["request_id"] == told["request_id"]]
    assert [message.split()[0] for message in whole if "Request" in message] == [
        "START",
        "END",
        "REPORT",
    ]
    assert told["level"] == "INFO"


def test_errors_says_when_there_are_none(tmp_path, emulator):
    quiet = projects.Project(tmp_path / "quiet", emulator, ACCOUNT)
    role = projects.role_in(emulator, ACCOUNT, f"{quiet.name}-role")
    quiet.config(projects.GIVEN_ROLE.format(role=role, name=quiet.name))
    quiet.run("create")
    quiet.run("invoke", "--data", "{}")
    wait_for(quiet.log)
    assert "No errors in the " in quiet.run("logs", "--errors").stderr


def test_errors_shows_failed_requests_only(teller):
    teller.tell("fine")
    teller.tell("wrong", boom=True)
    output = teller.run("logs", "--errors", "--pretty").stdout
    assert "ValueError: the kettle is cold" in output
    assert "wrong" in output
    assert "fine" not in output


def test_filter_is_cloudwatchs_own(teller):
    teller.tell("needle")
    lines = teller.run("tail", "--filter", '"needle"').stdout.splitlines()
    assert len(lines) == 1
    assert "needle" in lines[0]


def test_since_and_until_limit_the_time(teller):
    teller.tell("early")
    # the emulator writes a request's lines after its answer, with the time of writing
    wait_for(lambda: "early" in teller.run("tail").stdout)
    between = datetime.now(UTC)
    time.sleep(0.01)
    teller.tell("later")
    before = teller.run("tail", "--until", between.isoformat()).stdout
    after = teller.run("tail", "--since", between.isoformat()).stdout
    assert ("early" in before, "later" in before) == (True, False)
    assert ("early" in after, "later" in after) == (False, True)


def test_following_waits_for_the_log_and_gives_each_line_once(tmp_path, emulator):
    teller = Teller(tmp_path / "teller", emulator, "follower")
    teller.make()
    output = tmp_path / "output"
    with (
        output.open("w") as file,
        subprocess.Popen(
            [KAPPA, teller.folder / "config.yml", "tail", "--follow", "--since", "1m"],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=teller.env | {"PYTHONUNBUFFERED": "1"},
        ) as following,
    ):
        assert following.stderr.readline().startswith("Waiting for the first log:")
        for number in range(3):
            teller.tell(f"number {number}")
            wait_for(lambda number=number: f"number {number}" in output.read_text())
        os.kill(following.pid, signal.SIGINT)
        assert following.wait(10) == 0
    told = [line for line in output.read_text().splitlines() if '"told"' in line]
    assert [line.rsplit("number ", 1)[1] for line in told] == ['0"}', '1"}', '2"}']


def test_inline_json_is_sent(teller):
    done = teller.run("invoke", "--data", '{"what": "inline"}')
    assert json.loads(done.stdout)["told"] == "inline"


def test_a_qualifier_names_the_version_that_runs(teller):
    version = teller.lambda_.publish_version(FunctionName=NAME)["Version"]
    teller.lambda_.create_alias(FunctionName=NAME, Name="current", FunctionVersion=version)
    done = teller.run("invoke", "--data", "{}", "--qualifier", "current", "--json")
    said = json.loads(done.stdout)
    assert said["payload"]["version"] == version
    teller.run("dryrun", "--data", "{}", "--qualifier", version)
    failed = teller.kappa("invoke", "--data", "{}", "--qualifier", "nope")
    assert (failed.returncode, "invoking teller:nope" in failed.stderr) == (1, True)


def test_a_throttled_function_says_so(tmp_path, emulator):
    teller = Teller(tmp_path / "teller", emulator, "throttled")
    teller.make()
    teller.lambda_.put_function_concurrency(
        FunctionName="throttled", ReservedConcurrentExecutions=0
    )
    done = teller.kappa("invoke", "--data", "{}")
    assert (done.returncode, "raise its concurrency" in done.stderr) == (1, True)


def test_metrics_are_the_functions_own(teller):
    teller.tell("counted")
    teller.emulator.client("cloudwatch", ACCOUNT).put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "IteratorAge",
                "Dimensions": [{"Name": "FunctionName", "Value": NAME}],
                "Timestamp": datetime.now(UTC),
                "Value": 1500,
                "Unit": "Milliseconds",
            }
        ],
    )
    found = json.loads(teller.run("metrics", "--json").stdout)["metrics"]
    assert found["invocations"]["value"] >= 1
    assert found["duration_p50_ms"]["value"] <= found["duration_max_ms"]["value"]
    assert found["iterator_age_ms"]["value"] == 1500
    rows = [line.split() for line in teller.run("metrics").stdout.splitlines()]
    assert ["iterator", "age", "1.50", "s"] in [row[:4] for row in rows]


def test_metrics_of_a_function_that_never_ran_are_dashes(tmp_path, emulator):
    idle = Teller(tmp_path / "teller", emulator, "idle")
    rows = [line.split() for line in idle.run("metrics").stdout.splitlines()[1:]]
    assert all(row[-1] == "-" for row in rows)

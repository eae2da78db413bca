"""What a running function shows: log, calls, numbers, against the emulator."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from kappa.cli import cli
from kappa.errors import AwsError, FunctionFailed, NotFound

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
CONFIG = f"""\
region: us-east-1
iam:
  role:
    arn: arn:aws:iam::{ACCOUNT}:role/teller
lambda:
  name: {{name}}
  path: code
  handler: teller.handler
  runtime: python3.13
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def zipped(code):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("teller.py", code)
    return file.getvalue()


class Teller:
    """A function that tells what it is told, and the kappa command for it."""

    def __init__(self, folder, emulator, name=NAME):
        self.emulator, self.name = emulator, name
        self.config = folder / "config.yml"
        (folder / "code").mkdir()
        (folder / "code" / "teller.py").write_text(CODE)
        self.config.write_text(CONFIG.format(name=name))
        self.env = emulator.env(ACCOUNT)
        self.lambda_ = emulator.client("lambda", ACCOUNT)

    def make(self):
        role = self.emulator.client("iam", ACCOUNT).create_role(
            RoleName=self.name, AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]
        self.lambda_.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role["Arn"],
            Handler="teller.handler",
            Code={"ZipFile": zipped(CODE)},
            Timeout=5,
        )
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=self.name)

    def kappa(self, *args, stdin=None):
        """Run a command in this process; an error of kappa's is raised."""
        args = [str(self.config), *args]
        done = CliRunner().invoke(cli, args, input=stdin, env=self.env, standalone_mode=False)
        if done.exception:
            done.exception.output = done.stdout
            raise done.exception
        return done

    def tell(self, what, **event):
        payload = json.dumps({"what": what, **event})
        self.lambda_.invoke(FunctionName=self.name, Payload=payload)


def eventually(read, deadline_s=15):
    """Poll until there is something."""
    deadline = time.monotonic() + deadline_s
    while not (found := read()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def teller(tmp_path_factory, emulator):
    teller = Teller(tmp_path_factory.mktemp("teller"), emulator)
    teller.make()
    return teller


def test_a_request_stands_together_under_its_header(teller):
    teller.tell("a story")
    lines = teller.kappa("logs", "--pretty").stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "what=" in line and "story" in line)
    assert lines[at].split()[-4:] == ["info", "told", 'what="a', 'story"']
    assert "billed" in lines[at - 1]
    assert "MB" in lines[at - 1]
    assert not any("RequestId:" in line for line in lines)


def test_tail_prints_each_line_as_it_was_written(teller):
    teller.tell("plain")
    lines = teller.kappa("tail").stdout.splitlines()
    told = next(line for line in lines if '"plain"' in line)
    assert told.split(" ", 1)[1] == '{"level": "INFO", "event": "told", "what": "plain"}'
    assert sum("START RequestId" in line for line in lines) == sum("REPORT" in x for x in lines)


def test_json_gives_one_object_a_line_with_its_request(teller):
    teller.tell("objects")
    lines = [json.loads(line) for line in teller.kappa("logs", "--json").stdout.splitlines()]
    told = next(line for line in lines if '"objects"' in line["message"])
    whole = [line["message"] for line in lines if line["request_id"] == told["request_id"]]
    assert [message.split()[0] for message in whole if "Request" in message] == [
        "START",
        "END",
        "REPORT",
    ]
    assert told["level"] == "INFO"


def test_errors_shows_failed_requests_only(teller):
    teller.tell("fine")
    teller.tell("wrong", boom=True)
    output = teller.kappa("logs", "--errors", "--pretty").stdout
    assert "ValueError: the kettle is cold" in output
    assert "wrong" in output
    assert "fine" not in output


def test_filter_is_cloudwatchs_own(teller):
    teller.tell("needle")
    lines = teller.kappa("tail", "--filter", '"needle"').stdout.splitlines()
    assert len(lines) == 1
    assert "needle" in lines[0]


def test_since_and_until_limit_the_time(teller):
    teller.tell("early")
    between = datetime.now(UTC)
    time.sleep(0.01)
    teller.tell("later")
    before = teller.kappa("tail", "--until", between.isoformat()).stdout
    after = teller.kappa("tail", "--since", between.isoformat()).stdout
    assert ("early" in before, "later" in before) == (True, False)
    assert ("early" in after, "later" in after) == (False, True)


def test_following_waits_for_the_log_and_gives_each_line_once(tmp_path, emulator):
    teller = Teller(tmp_path, emulator, "follower")
    teller.make()
    output = tmp_path / "output"
    with (
        output.open("w") as file,
        subprocess.Popen(
            [KAPPA, teller.config, "tail", "--follow", "--since", "1m"],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=teller.env | {"PYTHONUNBUFFERED": "1"},
        ) as following,
    ):
        assert following.stderr.readline().startswith("Waiting for the first log:")
        for number in range(3):
            teller.tell(f"number {number}")
            eventually(lambda number=number: f"number {number}" in output.read_text())
        os.kill(following.pid, signal.SIGINT)
        assert following.wait(10) == 0
    told = [line for line in output.read_text().splitlines() if '"told"' in line]
    assert [line.rsplit("number ", 1)[1] for line in told] == ['0"}', '1"}', '2"}']


def test_inline_json_is_sent(teller):
    done = teller.kappa("invoke", "--data", '{"what": "inline"}')
    assert json.loads(done.stdout)["told"] == "inline"


def test_many_calls_are_summed_up(teller):
    args = ("invoke", "--data", "-", "--repeat", "12", "--concurrency", "4")
    found = json.loads(teller.kappa(*args, "--json", stdin='{"sleep_s": 0.05}').stdout)
    assert (found["calls"], found["failed"]) == (12, 0)
    assert found["client_ms"]["min"] >= 50
    # Four at once: all of them one after another would take 0.6 s more than starting does.
    table = teller.kappa(*args, stdin="{}").stdout
    assert table.splitlines()[0].startswith("calls       12 in ")
    assert ["min", "median", "p95", "max"] in [line.split() for line in table.splitlines()]


def test_many_calls_of_which_some_fail_end_in_an_error(teller):
    with pytest.raises(FunctionFailed, match="3 of 3 calls of teller failed") as caught:
        teller.kappa("invoke", "--data", '{"boom": true}', "--repeat", "3")
    assert ": the kettle is cold" in caught.value.output


def test_a_qualifier_names_the_version_that_runs(teller):
    version = teller.lambda_.publish_version(FunctionName=NAME)["Version"]
    teller.lambda_.create_alias(FunctionName=NAME, Name="current", FunctionVersion=version)
    done = teller.kappa("invoke", "--data", "{}", "--qualifier", "current", "--json")
    said = json.loads(done.stdout)
    assert said["payload"]["version"] == version
    assert teller.kappa("dryrun", "--data", "{}", "--qualifier", version).exit_code == 0
    with pytest.raises(NotFound, match="invoking teller:nope"):
        teller.kappa("invoke", "--data", "{}", "--qualifier", "nope")


def test_a_throttled_function_says_so(tmp_path, emulator):
    teller = Teller(tmp_path, emulator, "throttled")
    teller.make()
    teller.lambda_.put_function_concurrency(
        FunctionName="throttled", ReservedConcurrentExecutions=0
    )
    with pytest.raises(AwsError) as caught:
        teller.kappa("invoke", "--data", "{}")
    assert "raise its concurrency" in caught.value.hint
    with pytest.raises(FunctionFailed) as caught:
        teller.kappa("invoke", "--data", "{}", "--repeat", "2")
    assert "2  throttled" in caught.value.output


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
    found = json.loads(teller.kappa("metrics", "--json").stdout)["metrics"]
    assert found["invocations"]["value"] >= 1
    assert found["duration_p50_ms"]["value"] <= found["duration_max_ms"]["value"]
    assert found["iterator_age_ms"]["value"] == 1500
    rows = [line.split() for line in teller.kappa("metrics").stdout.splitlines()]
    assert ["iterator", "age", "1.50", "s"] in [row[:4] for row in rows]


def test_metrics_of_a_function_that_never_ran_are_dashes(tmp_path, emulator):
    idle = Teller(tmp_path, emulator, "idle")
    rows = [line.split() for line in idle.kappa("metrics").stdout.splitlines()[1:]]
    assert all(row[-1] == "-" for row in rows)

"""A function with every kind of setting and source; kappa reaches AWS through a test's proxy."""

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys

from tests.support.kappa import projects
from tests.support.kappa.projects import POLICY
from tests.support.kappa.snapshot import snapshot

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
    """A function with every kind of setting and source, in its own account."""

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
        """Change settings, code and the policy document, as a developer does."""
        self.config(self.text.replace("timeout: 5", "timeout: 7").replace("day}", "night}"))
        self.write("code/extra.py", "TEA = 1\n")
        self.write("policy.json", json.dumps(POLICY).replace('"logs:CreateLogStream", ', ""))

    def kappa(self, *args, before=None):
        self.through.operations.clear()
        self.through.before = before
        return super().kappa(*args)

    def killed(self, *args, at):
        """Run a command in a new process that is killed at its call number `at`."""
        self.through.operations.clear()
        self.through.before = nth(at, "kill")
        words = [sys.executable, "-m", "kappa", self.folder / "config.yml", *args]
        with subprocess.Popen(words, env=self.env, stderr=subprocess.PIPE, text=True) as process:
            self.through.process = process
            return process.communicate(timeout=60)[1]

    def contents(self):
        """The account's content, without the names that AWS generates."""
        text = json.dumps(snapshot(self.client, NAME, self.bucket), default=str, sort_keys=True)
        text = text.replace(self.stream, "STREAM").replace(self.account, "ACCOUNT")
        # A statement's id ends with a digest of the source's ARN.
        content = json.loads(re.sub(r"(kappa-(?:sns|s3|events)-[\w-]+)-[0-9a-f]{8}", r"\1", text))
        for url in content.get("urls", []):
            url["FunctionUrl"] = "URL"
        return content

    def forget_url(self):
        """Delete the URL of a deleted function: AWS deletes it with the function."""
        if not self.existing():
            aws = self.client("lambda")
            with contextlib.suppress(aws.exceptions.ResourceNotFoundException):
                aws.delete_function_url_config(FunctionName=NAME, Qualifier="live")

    def assert_deletes_everything(self):
        done = self.kappa("delete")
        assert (done.returncode, done.errors) == (0, []), done.stderr
        assert self.contents() == {}


def nth(number, outcome):
    counted = itertools.count(1)

    def before(_operation):
        return outcome if next(counted) == number else None

    return before

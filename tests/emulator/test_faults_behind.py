"""AWS fails while the deployed functions run; no message is lost.

The functions of a new chat reach DynamoDB, S3 and STS through a proxy that makes calls fail. The
emulator delivers each message to its function only once. So senders send a missing message again
with the same client_id, as "Retry" does.
"""

import json
import threading
import time
import uuid

import pytest

from local import bootstrap
from local.testkit import proxy
from tests.conftest import EmulatedAws, RunningChat
from tests.support.aws.processes import emulator_at, kill_workers
from tests.support.chat.people import Page, rows
from tests.support.chat.privileges import FUNCTIONS
from tests.support.samples import ALL, sample
from tests.support.waiting import wait_for

LED = ("DYNAMODB", "S3", "STS")
SENDERS, MESSAGES = 2, 3  # of each
RETRY_AFTER_S = 3.0
SLOW_S = 5.5  # longer than the functions wait for an answer
WRITE, QUERY = "TransactWriteItems", "Query"
ASK = "AssumeRoleWithWebIdentity"
PUT = "PUT "
THROTTLED = "ProvisionedThroughputExceededException"
STORE, PUBLISH = FUNCTIONS


class Stage:
    """A new chat whose functions reach AWS through a proxy."""

    def __init__(self, running, between):
        self.chat = RunningChat(running.env, EmulatedAws(running.emulator.endpoint_url))
        self.between = between
        self.emulator = emulator_at(running.emulator.port)
        for function in FUNCTIONS:
            self._lead(f"{self.chat.config.stack_name}-{function}")

    def _lead(self, name):
        client = self.chat.client("lambda")
        given = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        given |= {f"AWS_ENDPOINT_URL_{service}": self.between.url for service in LED}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": given})
        client.get_waiter("function_updated_v2").wait(FunctionName=name)

    def log(self, function):
        """Return the lines of a function's log."""
        group = f"/aws/lambda/{self.chat.config.stack_name}-{function}"
        paginator = self.chat.client("logs").get_paginator("filter_log_events")
        pages = paginator.paginate(logGroupName=group)
        return [event["message"].strip() for page in pages for event in page["events"]]


class Crowd:
    """Some users in their own channel, and the messages that they have sent."""

    def __init__(self, stage):
        self.chat = stage.chat
        self.room = f"test-{uuid.uuid4().hex[:12]}"
        self.people = [Page(self.chat, f"Ada {uuid.uuid4().hex}") for _ in range(SENDERS)]
        self.sent, self.again, self.seen = {}, 0, set()

    def talk(self):
        """Let each user send; SNS accepts all messages."""
        for number in range(MESSAGES):
            for person in self.people:
                text = f"text {number} {uuid.uuid4().hex}"
                client_id = person.send(message=text, channel=self.room)
                self.sent[client_id] = (person, text)

    def shown(self):
        """Return the transcript's messages: client_id to text."""
        config, s3 = self.chat.config, self.chat.client("s3")
        key = f"{config.data_prefix}{self.room}.json"
        try:
            body = s3.get_object(Bucket=config.s3_bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return {}
        found = {one["client_id"]: one["message"] for one in json.loads(body)["messages"]}
        assert len(found) == len(json.loads(body)["messages"]), "a line is there twice"
        assert self.seen <= set(found), "a message that was confirmed has gone"
        self.seen |= set(found)
        return found

    def failures(self, stage, function):
        """Return the log's lines about failures of these users' messages."""
        ids = {one for person in self.people for one in person.message_ids}
        lines = [json.loads(line) for line in stage.log(function) if line.startswith("{")]
        return [
            line
            for line in lines
            if line["event"] == "failed"
            and (line.get("message_id") in ids or line.get("channel") == self.room)
        ]

    def insist(self):
        """Wait for all messages; send missing ones again, as their senders would."""
        retry_at = time.monotonic() + RETRY_AFTER_S

        def complete():
            nonlocal retry_at
            missing = set(self.sent) - set(self.shown())
            if missing and time.monotonic() > retry_at:
                retry_at = time.monotonic() + RETRY_AFTER_S
                for client_id in missing:
                    person, text = self.sent[client_id]
                    person.send(message=text, channel=self.room, client_id=client_id)
                    self.again += 1
            return not missing

        wait_for(complete)

    def check(self):
        """Assert that table and transcript contain each sent message once and unchanged."""
        wanted = {client_id: text for client_id, (_, text) in self.sent.items()}
        found = rows(self.chat, self.room)
        assert sorted((one["client_id"], one["message"]) for one in found) == sorted(wanted.items())
        assert self.shown() == wanted
        return f"{len(wanted)} messages sent, {len(found)} stored, {len(self.shown())} shown"


class Faults:
    """Make an AWS operation fail until it is healed."""

    def __init__(self, between, operation, answer):
        self.between = between
        self.operation = operation
        self.answer = answer
        self.injected = 0
        between.before = self.meet

    def meet(self, operation):
        if not operation.startswith(self.operation):
            return None
        self.injected += 1
        return self.answer() if callable(self.answer) else self.answer

    def heal(self):
        self.between.before = None


@pytest.fixture(scope="module")
def stage():
    with (
        bootstrap.chat(proxied=True, report=lambda _line: None) as running,
        proxy.running(running.emulator.endpoint_url) as between,
    ):
        yield Stage(running, between)


def slow():
    time.sleep(SLOW_S)


@pytest.mark.parametrize(
    ("function", "operation", "answer", "logged"),
    sample(
        (STORE, WRITE, "lose", "ConnectionClosedError"),
        (STORE, ASK, proxy.query_error("InternalFailure", 500), "InternalFailure"),
        (PUBLISH, QUERY, proxy.json_error(THROTTLED), THROTTLED),
        (PUBLISH, PUT, proxy.xml_error("SlowDown", 503), "SlowDown"),
        more=[
            (STORE, WRITE, proxy.json_error("InternalServerError", 500), "InternalServerError"),
            (STORE, WRITE, slow, "ReadTimeoutError"),
            (STORE, WRITE, proxy.json_error("ServiceUnavailable", 503), "ServiceUnavailable"),
            (STORE, WRITE, proxy.json_error(THROTTLED), THROTTLED),
            (PUBLISH, QUERY, proxy.json_error("InternalServerError", 500), "InternalServerError"),
            (PUBLISH, PUT, proxy.xml_error("InternalError", 500), "InternalError"),
            (PUBLISH, PUT, slow, "ReadTimeoutError"),
            (PUBLISH, PUT, "lose", "ConnectionClosedError"),
        ],
    ),
)
def test_a_fault_of_aws_loses_and_doubles_nothing_and_is_told_in_the_log(
    stage, figure, function, operation, answer, logged
):
    crowd = Crowd(stage)
    faults = Faults(stage.between, operation, answer)
    crowd.talk()
    enough = 1 if answer is slow else 2  # a call that gets no answer takes 8 s or 16 s to fail
    wait_for(lambda: len(crowd.failures(stage, function)) >= enough)
    faults.heal()
    crowd.insist()
    told = crowd.check()
    lines = crowd.failures(stage, function)
    assert {line["error"] for line in lines} == {logged}
    assert all(line["request_id"] for line in lines)
    figure(
        f"faults behind the page, {operation.strip()} {logged}: {faults.injected} faults injected,"
        f" {told}, {crowd.again} sent again"
    )


def test_workers_that_are_killed_in_the_middle_of_their_calls_lose_and_double_nothing(
    stage, figure
):
    crowd = Crowd(stage)
    held, go_on = [], threading.Event()

    def hold(operation):
        if operation == WRITE or (operation.startswith(PUT) and crowd.room in operation):
            held.append(operation)
            go_on.wait(60)

    killed = 0
    rounds = 3 if ALL else 1
    for _ in range(rounds):
        go_on.clear()
        stage.between.before = hold
        crowd.talk()
        wait_for(lambda: held)
        killed += kill_workers(stage.emulator)
        stage.between.before = None
        go_on.set()  # AWS carries out the calls that it has received, though no one gets the answer
        held.clear()
    assert killed >= rounds
    crowd.insist()
    figure(
        f"faults behind the page, workers killed: {killed} killed, {crowd.check()},"
        f" {crowd.again} sent again"
    )

"""How replay.py keeps what it received from a queue, for as long as it runs."""

import base64
import io
import json

import pytest

from kappa.errors import AwsError
from local.testkit.events import ACCOUNT, id_token, sns_record
from tests.support.builders import NOW_S, failed_invocation

FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:Lambda-Chat-store-message"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/chat-failures"


class Account:
    """A queue and a function as AWS documents them, on a clock that invocations move."""

    def __init__(self, number, invoke_s=0.0, answer=None):
        self.now_s = 0.0
        self.visible_at_s = {f"m{n}": 0.0 for n in range(number)}
        self.handles = {}
        self.invoked = []
        self.shown = set()  # what others could receive although the run holds it
        self.invoke_s = invoke_s
        self.answer = answer or (lambda name: {"refused": 1})

    def call(self, service, operation, doing, params):
        assert (service, params["QueueUrl"]) == ("sqs", URL)
        return getattr(self, operation)(params)

    def receive_message(self, params):
        """Hide what it gives, each time under another handle."""
        seen = [name for name, at in self.visible_at_s.items() if at <= self.now_s]
        seen = seen[: params["MaxNumberOfMessages"]]
        for name in seen:
            self.visible_at_s[name] = self.now_s + params["VisibilityTimeout"]
            self.handles[name] = f"{name} at {self.now_s}"
        return {"Messages": [self.message(name) for name in seen]} if seen else {}

    def message(self, name):
        record = sns_record(None, id_token(exp=int(NOW_S) + 60), MessageId=name)
        body = json.dumps(failed_invocation(record))
        return {"MessageId": name, "ReceiptHandle": self.handles[name], "Body": body}

    def change_message_visibility_batch(self, params):
        """Refuse each handle whose message is visible, or was received again since."""
        failed = []
        for entry in params["Entries"]:
            name = entry["ReceiptHandle"].split()[0]
            hidden = self.visible_at_s.get(name, 0.0) > self.now_s
            if hidden and self.handles[name] == entry["ReceiptHandle"]:
                self.visible_at_s[name] = self.now_s + entry["VisibilityTimeout"]
            else:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": "NotInflight"})
        return {"Failed": failed}

    def delete_message(self, params):
        del self.visible_at_s[params["ReceiptHandle"].split()[0]]
        return {}

    def call_once(self, service, operation, doing, params, timeout_s):
        """Invoke the function: it takes its time, and answers as the test says."""
        (record,) = json.loads(params["Payload"])["Records"]
        name = record["Sns"]["MessageId"]
        self.invoked.append(name)
        assert len(self.invoked) < 100, "the same records again and again"
        self.now_s += self.invoke_s
        self.shown |= {one for one in self.handles if self.visible_at_s.get(one, 1e9) <= self.now_s}
        payload = io.BytesIO(json.dumps(self.answer(name)).encode())
        return {"Payload": payload, "LogResult": base64.b64encode(b"").decode()}

    def run(self, replay):
        queue = replay.Queue(self, URL, lambda: self.now_s)
        return replay.replay_all(
            self, FUNCTION, queue.failures(), queue, lambda: NOW_S, operator=False, dry_run=False
        )

    @property
    def hidden(self):
        return [name for name, at in self.visible_at_s.items() if at > self.now_s]


@pytest.mark.parametrize("number", [12, 30])
def test_a_run_of_more_than_15_minutes_sees_each_record_once(replay, capsys, number):
    account = Account(number, invoke_s=100.0)
    assert account.run(replay) == number
    assert account.now_s > replay.HIDDEN_S
    assert account.shown == set()
    assert sorted(account.invoked) == sorted(account.visible_at_s)
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == number
    assert output.err == f"{number} left.\n"
    assert account.hidden == []


def test_a_record_that_the_queue_gives_twice_is_left_once(replay, capsys):
    """SQS may bring a message again at any time, and lets none be hidden for over 12 hours."""
    account = Account(12, invoke_s=replay.HIDDEN_S + 1.0)
    assert account.run(replay) == 12
    assert sorted(account.invoked) == sorted(account.visible_at_s)
    assert capsys.readouterr().err == "12 left.\n"
    assert account.hidden == []


def test_a_run_that_ends_in_an_error_counts_and_gives_all_back(replay, capsys):
    def answer(name):
        if name == "m2":
            raise AwsError("invoking it: Rate exceeded")
        return {"stored": 1}

    account = Account(12, answer=answer)
    with pytest.raises(AwsError, match="Rate exceeded"):
        account.run(replay)
    assert capsys.readouterr().err == "2 stored, 1 left.\n"
    assert sorted(account.visible_at_s) == sorted(f"m{n}" for n in range(2, 12))
    assert account.hidden == []


def test_what_cannot_be_given_back_is_said_and_hides_no_error(replay, capsys):
    account = Account(2, answer=lambda name: {"stored": 1} if name == "m0" else {"refused": 1})

    def unreachable(params):
        raise AwsError("changing the queue: no connection")

    account.change_message_visibility_batch = unreachable
    assert account.run(replay) == 1
    output = capsys.readouterr().err.splitlines()
    assert output[0] == "1 stored, 1 left."
    assert output[1].startswith("The rest is visible in the queue again within 15 minutes: ")

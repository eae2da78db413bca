"""What republish.py asks of publish_transcript, and how it ends."""

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kappa.errors import AwsError, ConfigError, Denied, NotFound
from stream_batch import read_channel

SCRIPT = Path("lambda/dynamodb/republish.py")
FUNCTION = "Lambda-Chat-publish-transcript"
CONFIG = SimpleNamespace(data_prefix="data/", s3_bucket="chat-page", dynamodb_table="Messages")


@pytest.fixture(scope="module")
def script():
    """The script as a module; it lies in no package."""
    spec = importlib.util.spec_from_file_location("republish", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


class Aws:
    """Lambda and S3, as far as they are asked; each invocation's answer is the next of a list."""

    def __init__(self, *answers, listed=None, stored=()):
        self.answers = list(answers)
        self.listed = listed
        self.stored = stored
        self.batches = []

    def call_once(self, _service, _operation, _doing, params, _timeout_s):
        records = json.loads(params["Payload"])["Records"]
        self.batches.append([read_channel(one) for one in records])
        answer = self.answers.pop(0) if self.answers else {}
        payload = {"batchItemFailures": []} if "FunctionError" not in answer else answer["content"]
        payload = answer.get("content", payload)
        return {"Payload": io.BytesIO(json.dumps(payload).encode())} | answer

    def call(self, _service, operation, doing, params):
        if operation == "query":
            if self.stored is None:
                raise Denied(f"{doing}: AccessDenied")
            channel = params["ExpressionAttributeValues"][":channel"]["S"]
            return {"Items": [{"id": {"S": "1"}}] if channel in self.stored else []}
        if self.listed is None:
            raise NotFound(f"{doing}: NoSuchKey")
        return {"Body": io.BytesIO(self.listed)}


def failures(*places):
    return {"content": {"batchItemFailures": [{"itemIdentifier": str(one)} for one in places]}}


def test_all_channels_are_published_some_at_a_time(script, capsys):
    aws = Aws()
    names = [f"c{number}" for number in range(120)]
    assert script.republish(aws, FUNCTION, names) == 0
    assert [len(batch) for batch in aws.batches] == [50, 50, 20]
    assert [name for batch in aws.batches for name in batch] == names
    output = capsys.readouterr()
    assert output.out.splitlines() == [f"published  {name}" for name in names]
    assert output.err == "120 published, 0 failed.\n"


def test_a_channel_that_fails_is_told_and_the_others_are_published(script, capsys):
    aws = Aws(failures(2))
    assert script.republish(aws, FUNCTION, ["a", "b", "c"]) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        "published  a",
        "failed  b: see the function's log",
        "published  c",
    ]
    assert output.err == "2 published, 1 failed.\n"


def test_a_batch_that_fails_is_told_and_the_next_is_tried(script, capsys):
    aws = Aws({"FunctionError": "Unhandled", "content": {"errorType": "NotPublished"}})
    assert script.republish(aws, FUNCTION, [f"c{number}" for number in range(51)]) == 50
    assert "failed  c49: NotPublished\npublished  c50\n" in capsys.readouterr().out


def test_the_listed_channels_are_read(script):
    aws = Aws(listed=b'{"channels": ["default", "tea", "tea"]}')
    assert script.read_listed(aws, CONFIG) == ["default", "tea"]


@pytest.mark.parametrize(
    "listed", [None, b"", b"[]", b"{}", b'{"channels": 5}', b'{"channels": ["../x"]}']
)
def test_a_list_that_is_missing_or_broken_is_said(script, listed):
    with pytest.raises(AwsError, match=r"data/channels.json") as caught:
        script.read_listed(Aws(listed=listed), CONFIG)
    assert "Name the channels" in str(caught.value)


@pytest.mark.parametrize(
    ("listed", "stored", "skipped"),
    [
        (b'{"channels": ["default"]}', ["tea"], ["tee"]),
        (None, ["default", "tea"], ["tee"]),
        (None, [], ["default", "tea", "tee"]),
        (None, None, []),  # who may not look publishes
    ],
)
def test_a_channel_that_is_not_listed_and_has_no_messages_is_left_out(
    script, listed, stored, skipped
):
    aws = Aws(listed=listed, stored=stored)
    assert script.without_messages(aws, CONFIG, ["default", "tea", "tee"]) == skipped


@pytest.mark.parametrize(
    "arguments", [["--all"], ["../x"], ["Tea"], ["channels"], ["stats"], [""], ["tea", "a" * 65]]
)
def test_what_is_no_channel_or_option_is_exit_code_2(arguments):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["channels", "stats"])
def test_a_reserved_name_is_called_reserved(script, name):
    with pytest.raises(ConfigError, match=f"^'{name}' is reserved: it is not a channel.$"):
        script.check_channels(["default", name])

"""Invocations: what is sent, what an answer means."""

import io
import os
import re

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    ResponseStreamingError,
)
from botocore.response import StreamingBody

from kappa.aws.errors import translated
from kappa.commands.invocation import LOST, Answer, await_ready, read_payload, send
from kappa.errors import AwsError, ConfigError, Denied
from kappa.plan.step import Clock, Step
from tests.support.builders import assert_valid, kappa_config


def config_in(folder, test_data="input.json"):
    from msgspec.structs import replace

    return replace(kappa_config({"test_data": test_data}), file=folder / "config.yml")


def test_test_data_is_found_beside_the_config(tmp_path):
    (tmp_path / "input.json").write_text('{"a": 1}')
    assert read_payload(config_in(tmp_path), "", io.BytesIO()) == b'{"a": 1}'


def test_nothing_to_send_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"names no lambda\.test_data"):
        read_payload(config_in(tmp_path, ""), "", io.BytesIO())


@pytest.mark.parametrize("data", ["", "event"])
def test_a_fifo_is_refused_and_never_waited_for(tmp_path, data):
    os.mkfifo(tmp_path / "event")
    with pytest.raises(ConfigError, match="Not a regular file"):
        read_payload(config_in(tmp_path, "event"), data and str(tmp_path / data), io.BytesIO())


def test_what_a_shell_makes_of_a_command_is_read(tmp_path):
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(b"[1]")
    assert read_payload(config_in(tmp_path), f"/dev/fd/{reader}", io.BytesIO()) == b"[1]"
    os.close(reader)


def test_a_file_that_is_missing_is_named_with_its_key(tmp_path):
    with pytest.raises(ConfigError, match=r"lambda\.test_data: .*nowhere\.json: No such") as error:
        read_payload(config_in(tmp_path, "nowhere.json"), "", io.BytesIO())
    assert error.value.hint == "Correct the path."


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ("5", b"5"),
        ('"hello"', b'"hello"'),
        ("null", b"null"),
        (' {"a": 1}', b' {"a": 1}'),
        ("[" + "9" * 5000 + "]", b"[" + b"9" * 5000 + b"]"),
        ("event.json", b"[1]"),
        ("./5", b"[2]"),
        ("nowhere.json", "nowhere.json: No such file or directory. --data:1: not valid JSON"),
        ('{"a": ', '{"a": : No such file or directory. --data:1: not valid JSON'),
        ('["\udcff"]', "--data:1: not valid JSON"),
        ("[" * 100_000, "[[[...: File name too long. --data:1: nested too deeply"),
        ("broken.json", "broken.json:1: not valid JSON"),
    ],
    ids=range(12),
)
def test_data_is_json_or_else_a_file(tmp_path, monkeypatch, data, outcome):
    monkeypatch.chdir(tmp_path)
    for name, content in (("event.json", "[1]"), ("5", "[2]"), ("broken.json", "{")):
        (tmp_path / name).write_text(content)
    if isinstance(outcome, bytes):
        assert read_payload(config_in(tmp_path), data, io.BytesIO()) == outcome
        return
    with pytest.raises(ConfigError, match=re.escape(outcome)):
        read_payload(config_in(tmp_path), data, io.BytesIO())


NOT_JSON = "standard input:1: not valid JSON"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1]", None),
        # Lambda has no limit of digits or size of a number, as Python has
        (b"[1e999, " + b"9" * 5000 + b"]", None),
        (b"", NOT_JSON),
        (b"{", NOT_JSON),
        (b"\xff\xfe", NOT_JSON),
        (b"[" * 100_000, "nested too deeply"),
        # what only Python takes for JSON
        (b"[NaN]", NOT_JSON),
        (b"[-Infinity]", NOT_JSON),
        (b'{"a": 1, "a": 2}', NOT_JSON),
        (b"\xef\xbb\xbf[1]", NOT_JSON),
        ("[1]".encode("utf-16"), NOT_JSON),
        ("[1]".encode("utf-32-le"), NOT_JSON),
    ],
    ids=range(12),
)
def test_a_dash_reads_standard_input(tmp_path, content, reason):
    if reason is None:
        assert read_payload(config_in(tmp_path), "-", io.BytesIO(content)) == content
        return
    with pytest.raises(ConfigError, match=reason):
        read_payload(config_in(tmp_path), "-", io.BytesIO(content))


def test_an_error_says_type_message_and_traceback():
    payload = {
        "errorType": "ValueError",
        "errorMessage": "boom",
        "stackTrace": ['  File "/var/task/a.py", line 3, in handler\n    raise ValueError\n'],
    }
    answer = Answer(200, payload, error="Unhandled")
    assert answer.problem == "ValueError: boom"
    assert answer.traceback == '  File "/var/task/a.py", line 3, in handler\n    raise ValueError'


def test_the_trace_of_another_runtime_is_shown_too():
    assert Answer(200, {"trace": ["Error: x", "    at y"]}).traceback == "Error: x\n    at y"


@pytest.mark.parametrize("payload", [None, "text", {"errorMessage": "Task timed out"}, {}])
def test_an_error_without_a_trace_says_what_there_is(payload):
    answer = Answer(200, payload, error="Unhandled")
    assert answer.traceback == ""
    assert isinstance(answer.problem, str)


def test_more_than_lambda_takes_is_not_sent(tmp_path):
    content = b'"' + b"x" * (6 * 1024 * 1024 - 1) + b'"'
    with pytest.raises(ConfigError, match=r"standard input has 6\.0 MB, and Lambda takes 6 MB"):
        read_payload(config_in(tmp_path), "-", io.BytesIO(content))
    assert read_payload(config_in(tmp_path), "-", io.BytesIO(content[:-2] + b'"'))


class FakeAws:
    """Answers an invocation, or raises."""

    max_timeout_s = 900

    def __init__(self, answer):
        self.answer = answer

    def call_once(self, service, operation, doing, params, timeout_s):
        self.params = params
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_what_is_sent_is_valid_with_a_qualifier_and_without(kind):
    aws = FakeAws({"StatusCode": 200, "Payload": io.BytesIO(b"3"), "ExecutedVersion": "7"})
    answer = send(aws, "greeter", b"{}", kind, "current")
    assert (answer.payload, answer.version, aws.params["Qualifier"]) == (3, "7", "current")
    assert_valid([Step("lambda", "invoke", aws.params, "", "")])
    send(aws, "greeter", b"{}", kind)
    assert "Qualifier" not in aws.params


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("TooManyRequestsException", "raise its concurrency"),
        ("RequestTooLargeException", "Put the data in S3"),
    ],
)
def test_what_lambda_refuses_has_a_hint(code, hint):
    with pytest.raises(AwsError) as caught:
        send(FakeAws(AwsError("no", code=code)), "greeter", b"{}", "RequestResponse")
    assert hint in caught.value.hint


class Changing:
    """A function that Lambda is still making; each look is one answer."""

    max_timeout_s = 900

    def __init__(self, *answers):
        self.left = list(answers)

    def call_once(self, *_params):
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


READY = {"State": "Active", "LastUpdateStatus": "Successful"}


@pytest.mark.parametrize("busy", [{"State": "Pending"}, {"LastUpdateStatus": "InProgress"}])
def test_a_call_comes_after_what_lambda_is_still_making(busy):
    aws, naps = Changing(READY | busy, READY | busy, READY), []
    await_ready(aws, "greeter", Clock(now=lambda: sum(naps), sleep=naps.append))
    assert (aws.left, naps) == ([], [0.1, 0.2])


def test_a_call_is_not_held_up_for_more_than_a_minute():
    aws, naps = Changing(*[{"State": "Pending"}] * 99), []
    await_ready(aws, "greeter", Clock(now=lambda: sum(naps), sleep=naps.append))
    assert 60 <= sum(naps) <= 62


def test_who_may_only_call_does_so_without_a_look():
    await_ready(Changing(Denied("no")), "greeter", Clock())


@pytest.mark.parametrize("content", [b"9" * 5000, b"[" * 5000 + b"]" * 5000])
def test_a_result_beyond_all_limits_is_shown_as_text(content):
    aws = FakeAws({"StatusCode": 200, "Payload": io.BytesIO(content)})
    assert send(aws, "greeter", b"{}", "RequestResponse").payload == content.decode()


class Cut:
    """A body that breaks off."""

    def read(self):
        raise ResponseStreamingError(error="cut")


@pytest.mark.parametrize(
    "answer",
    [
        {"Payload": Cut()},
        {"Payload": StreamingBody(io.BytesIO(b"[1"), 4)},
        {"Payload": io.BytesIO(b"1"), "LogResult": "U1RBUlQ"},
        {"Payload": io.BytesIO(b"1"), "LogResult": "U1R\u00e4UlQ="},
    ],
)
def test_an_answer_that_is_cut_is_one_clear_error(answer):
    with pytest.raises(AwsError) as caught:
        send(FakeAws({"StatusCode": 200, **answer}), "greeter", b"{}", "RequestResponse")
    assert caught.value.message.startswith("The answer did not come whole: ")
    assert "The function may have run" in caught.value.hint
    assert caught.value.code == LOST


@pytest.mark.parametrize("sent", [True, False])
def test_a_call_that_got_no_answer_says_whether_the_function_may_have_run(sent):
    error = ConnectionClosedError if sent else EndpointConnectionError
    with pytest.raises(AwsError) as broken, translated("invoking greeter"):
        raise error(endpoint_url="https://lambda.us-east-1.amazonaws.com")
    with pytest.raises(AwsError) as caught:
        send(FakeAws(broken.value), "greeter", b"{}", "RequestResponse")
    assert (caught.value.code == LOST) is sent
    assert ("may have run" in caught.value.hint) is sent


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_result_that_is_no_json_is_shown_as_text(number):
    aws = FakeAws({"StatusCode": 200, "Payload": io.BytesIO(f"[{number}]".encode())})
    assert send(aws, "greeter", b"{}", "RequestResponse").payload == f"[{number}]"

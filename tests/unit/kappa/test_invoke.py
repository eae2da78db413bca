"""Invocations: what is sent, what an answer means."""

import io

import pytest

from kappa.errors import ConfigError
from kappa.invoke import Answer, read_payload
from tests.builders import kappa_config


def config_in(folder, test_data="input.json"):
    from msgspec.structs import replace

    return replace(kappa_config({"test_data": test_data}), file=folder / "config.yml")


def test_test_data_is_found_beside_the_config(tmp_path):
    (tmp_path / "input.json").write_text('{"a": 1}')
    assert read_payload(config_in(tmp_path), "", io.BytesIO()) == b'{"a": 1}'


def test_a_dash_reads_standard_input(tmp_path):
    assert read_payload(config_in(tmp_path), "-", io.BytesIO(b"[1]")) == b"[1]"


def test_nothing_to_send_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"names no lambda\.test_data"):
        read_payload(config_in(tmp_path, ""), "", io.BytesIO())


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_payload(config_in(tmp_path), "", io.BytesIO())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_what_is_no_json_is_not_sent(tmp_path, content):
    with pytest.raises(ConfigError, match="not valid JSON"):
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

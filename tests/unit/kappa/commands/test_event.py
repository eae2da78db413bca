"""event on the command line: JSON on stdout alone, ready for --data -."""

import json

from kappa.commands.invocation import read_payload
from kappa.config.read import read_config
from tests.support.kappa.configs import append

SOURCES = """
  event_sources:
    - arn: arn:aws:sqs:eu-west-1:123456789012:orders
"""


def test_the_event_of_the_only_source_is_what_invoke_takes(run, tmp_path):
    append(tmp_path, SOURCES)
    done = run("event", "--body", "tea")
    assert (done.exception, done.stderr) == (None, "")
    config = read_config(tmp_path / "config.yml")
    (record,) = json.loads(read_payload(config, done.stdout, None))["Records"]
    assert (record["body"], record["awsRegion"]) == ("tea", "eu-west-1")


def test_a_secret_within_the_input_of_a_schedule_leaves_it_an_object(run, tmp_path, monkeypatch):
    from kappa.commands import values

    append(
        tmp_path,
        """
  event_sources:
    - {name: tick, schedule: rate(1 day), input: '{"a": "${secret:x#token}", "n": 1}'}
    - {name: tock, schedule: rate(1 day), input: "${secret:x}"}
""",
    )
    secret = json.dumps({"token": "hunter2-s3cret", "n": 4711})
    monkeypatch.setitem(values._READ, "secret", lambda *_: secret)
    assert json.loads(run("event", "tick").stdout) == {"a": "${secret:x#token}", "n": 1}
    assert json.loads(run("event", "tock").stdout) == "${secret:x}"


def test_a_note_about_a_generic_event_goes_to_stderr(run):
    done = run("event", "url", "--region", "eu-west-3")
    assert "eu-west-3" in json.loads(done.stdout)["headers"]["host"]
    assert "has no url source, so this is a generic event." in done.stderr

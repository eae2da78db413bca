"""Several mistakes in a config: all are said at once, by line, each with its own hint."""

import pytest

from kappa.config.error_list import MAX_SHOWN
from kappa.config.read import read_config
from kappa.errors import ConfigError

GOOD = """\
iam:
  role: {name: r}
lambda:
  name: greeter
  path: code
  handler: greeter.handler
  runtime: python3.13
"""
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.fixture
def said(tmp_path):
    """Read a config with mistakes; what is said, by line."""

    def error_of(text):
        file = tmp_path / "config.yml"
        file.write_text(text)
        with pytest.raises(ConfigError) as error:
            read_config(file)
        assert error.value.exit_code == 2
        return [line.replace(f"{file}:", "") for line in str(error.value).splitlines()]

    return error_of


def test_every_value_of_the_wrong_kind_is_said_at_once(said):
    text = f"{GOOD}  timeout: 9001\n  memmory_size: 9\n  tracing: maybe\n"
    assert said(text.replace("{name: r}", "{name: 'a b'}")) == [
        "2: iam.role.name is 'a b'.",
        "  Allowed: 1 to 64 letters, digits and +=,.@_-.",
        "8: lambda.timeout is '9001'.",
        "  Allowed: 1 to 5400 (seconds).",
        "9: unknown key lambda.memmory_size.",
        "  Did you mean `memory_size`?",
        "10: lambda.tracing is 'maybe'.",
        "  Allowed: Active (or true), PassThrough (or false).",
    ]


def test_mistakes_in_items_of_a_list_keep_their_own_numbers(said):
    sources = "".join(f"    - {{arn: {TOPIC}{n}, batch_size: {n}}}\n" for n in (0, 1, 0, 2, 0))
    lines = said(f"{GOOD}  event_sources:\n{sources}")
    assert [line for line in lines if line[0] != " "] == [
        f"{9 + n}: lambda.event_sources[{n}].batch_size is '0'." for n in (0, 2, 4)
    ]


def test_mistakes_between_keys_are_said_at_once(said):
    more = "  build_inputs: [a]\n  environment: {AWS_REGION: x}\n"
    sources = f"  event_sources:\n    - arn: {TOPIC}\n      batch_size: 1\n    - name: n\n"
    lines = said(f"{GOOD}{more}{sources}".replace("name: r", "name: r, arn: 'arn:aws:x:::y'"))
    assert [line.split(":")[0] for line in lines if line[0] != " "] == ["2", "8", "9", "12", "13"]


def test_every_name_without_a_value_is_said_at_once(said):
    assert said(f"{GOOD}  description: ${{one}} and\n  mode: ${{two}}\n") == [
        "8: lambda.description: ${one} has no value.",
        "  Add `one` to a file that `include:` names.",
        "9: lambda.mode: ${two} has no value.",
        "  Add `two` to a file that `include:` names.",
    ]


def test_a_misspelled_key_is_one_mistake_though_the_right_one_is_missing(said):
    assert said(GOOD.replace("  name: greeter", "  nam: greeter")) == [
        "4: unknown key lambda.nam.",
        "  Did you mean `name`?",
    ]


def test_what_is_wrong_and_wanted_is_one_mistake(said):
    assert said(GOOD.replace("greeter\n", "'a b'\n")) == [
        "4: lambda.name is 'a b'.",
        "  Allowed: 1 to 64 letters, digits, - and _.",
    ]


def test_two_sections_that_lack_something_are_both_said(said):
    lines = said("iam: {role: {name: r}, policy: {name: []}}\nlambda: {path: c}\n")
    assert [line for line in lines if line[0] != " "] == [
        "1: iam.policy.name is of the wrong kind.",
        "2: lambda.name is missing.",
    ]


def test_mistakes_in_a_file_of_0_7_are_said_at_once(said):
    text = "environments: {dev: {regoin: x}}\ntset: x\nlambda: {handler: a.b, runtime: r}\n"
    assert [line for line in said(text) if line[0] != " "] == [
        "1: unknown key environments.dev.regoin.",
        "2: unknown key tset.",
    ]


def test_a_file_that_is_something_else_is_not_answered_with_pages(said):
    lines = said(GOOD + "".join(f"k{n}: 1\n" for n in range(100)))
    assert len([line for line in lines if "unknown" in line]) == MAX_SHOWN
    assert (
        lines[-1] == f"  ... and {100 - MAX_SHOWN} more."
        or lines[-1] == f"... and {100 - MAX_SHOWN} more."
    )

"""The config file: what reads, and what is said of what does not."""

import json
import os
import re
import traceback
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kappa.arn import Place
from kappa.config.read import place_policy_document, read_config, read_policy_document
from kappa.errors import ConfigError
from lambda_chat.config import SAVED
from tests.support.builders import MINIMAL

DATA = Path(__file__).parents[3] / "data" / "kappa"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


@pytest.fixture
def write(tmp_path):
    def write_config(text=MINIMAL, more=""):
        file = tmp_path / "config.yml"
        file.write_text(text + more)
        return file

    return write_config


def error_of(file):
    with pytest.raises(ConfigError) as error:
        read_config(file)
    assert error.value.exit_code == 2
    return str(error.value).replace(f"{file}:", "")


def source(*lines):
    return "  event_sources:\n    - " + "\n      ".join(lines) + "\n"


@pytest.mark.parametrize("sample", ["sns", "kinesis", "s3", "chat-sns", "chat-dynamodb"])
def test_the_configs_of_kappa_0_3_read_unchanged(sample):
    config = read_config(DATA / sample / "config.yml")
    assert config.function.runtime == "nodejs"
    assert len(config.function.event_sources) == 1


def test_the_configs_of_this_repository_read(write, monkeypatch, tmp_path):
    outputs = tmp_path / "chat.yml"
    names = (*SAVED, "s3_bucket", "region", "google_oauth_client_id")
    values = {"dynamodb_stream_arn": TABLE, "region": "us-east-1"}
    outputs.write_text("".join(f"{name}: {values.get(name, TOPIC)}\n" for name in names))
    monkeypatch.setenv("LAMBDA_CHAT_CONFIG", str(outputs))
    root = Path(__file__).parents[4] / "lambda"
    for file in root.glob("*/config.yml"):
        config = read_config(file)
        assert read_policy_document(config)["Statement"]


def test_a_relative_include_of_the_environment_is_found_beside_its_default(monkeypatch, tmp_path):
    below = tmp_path / "lambda" / "sns"
    below.mkdir(parents=True)
    config = below / "config.yml"
    config.write_text(f"include: ${{MY_VALUES:-../../config.yml}}\nregion: ${{region}}\n{MINIMAL}")
    (tmp_path / "config.prod.yml").write_text("region: eu-west-1\n")
    (tmp_path / "config.yml").write_text("region: eu-north-1\n")
    monkeypatch.chdir(below)
    monkeypatch.setenv("MY_VALUES", "config.prod.yml")
    assert read_config(config).region == "eu-west-1"
    monkeypatch.setenv("MY_VALUES", "config.yml")  # here that is the config itself
    assert read_config(config).region == "eu-north-1"
    monkeypatch.setenv("MY_VALUES", "none.yml")
    with pytest.raises(ConfigError, match=f"{below}/none.yml does not exist"):
        read_config(config)


def test_a_slash_after_a_streams_arn_is_dropped():
    config = read_config(DATA / "chat-dynamodb" / "config.yml")
    assert config.function.event_sources[0].arn.endswith("7b9f5f0c")


def test_what_is_not_said_stays_unsaid(write):
    function = read_config(write()).function
    assert (function.memory_size, function.timeout, function.environment) == (None, None, None)


def test_a_config_without_iam_names_no_role(write):
    config = read_config(write("lambda:" + MINIMAL.split("lambda:")[1]))
    assert (config.role.name, config.role.arn, config.policy) == ("", "", None)


def test_paths_are_relative_to_the_config_file(write):
    config = read_config(write())
    assert config.beside(config.function.path) == config.file.parent / "code"


def test_environment_values_are_taken_as_they_are_written(write):
    more = "  environment: {VERSION: 1.10, AGENT: 007, FLAG: on, EMPTY: '', DAY: 2026-01-01}\n"
    assert read_config(write(more=more)).function.environment == {
        "VERSION": "1.10",
        "AGENT": "007",
        "FLAG": "on",
        "EMPTY": "",
        "DAY": "2026-01-01",
    }


def test_an_account_keeps_its_leading_zero(write):
    more = (
        "  permissions:\n    - {statement_id: s3, principal: s3.amazonaws.com, "
        "source_account: 012345670123}\n"
    )
    assert read_config(write(more=more)).function.permissions[0].source_account == "012345670123"


def test_a_key_without_a_value_is_as_if_absent(write):
    assert read_config(write(more="  event_sources:\n")).function.event_sources == ()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("  timeout: 5401\n", "9: lambda.timeout is '5401'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: soon\n", "9: lambda.timeout is 'soon'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: 3.5\n", "9: lambda.timeout is '3.5'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: yes\n", "9: lambda.timeout is 'yes'.\n  Allowed: 1 to 5400 (seconds)."),
        ("  timeout: [3]\n", "9: lambda.timeout is of the wrong kind."),
        ("  memory_size: 64\n", "9: lambda.memory_size is '64'.\n  Allowed: 128 to 32768 (MB)."),
        (
            "  memmory_size: 64\n",
            "9: unknown key lambda.memmory_size.\n  Did you mean `memory_size`",
        ),
        ("  zzz: 1\n", "9: unknown key lambda.zzz.\n  Allowed: alias, architectures,"),
        ("  timeout: 3\n  timeout: 4\n", "10: lambda.timeout is given twice (first: line 9)."),
        ("  architectures: [arm]\n", "architectures[0] is 'arm'.\n  Allowed: arm64, x86_64."),
        ("  architectures: [arm64, x86_64]\n", "9: a function has one architecture."),
        ("  log_retention_days: 31\n", "9: lambda.log_retention_days is 31.\n  Allowed: 1, 3, 5"),
        ("  environment: {9A: x}\n", "9: '9A' is no name of a variable."),
        ("  environment: {AWS_REGION: x}\n", "9: AWS_REGION is set by Lambda itself."),
        ("  environment: {NAME: }\n", "9: lambda.environment.NAME must be one value."),
        ("  environment: {NAME: [1]}\n", "9: lambda.environment.NAME must be one value."),
        # As AWS measures it: {"NAME":"xxx..."} has 11 bytes besides.
        (f"  environment: {{NAME: {'x' * 4086}}}\n", "has 4097 bytes as JSON; Lambda takes 4096"),
        ("  async: {maximum_retry_attempts: 3}\n", "is '3'.\n  Allowed: 0 to 2."),
        ("  permissions: [{statement_id: a}]\n", "permissions[0].principal is missing."),
        (
            "  permissions:\n    - {statement_id: a, principal: b}\n"
            "    - {statement_id: a, principal: c}\n",
            "11: lambda.permissions[1].statement_id 'a' is given twice.",
        ),
        (
            source("arn: nonsense"),
            "10: lambda.event_sources[0].arn is 'nonsense'.\n  Allowed: an",
        ),
        (source("arn: arn:aws:ec2:us-east-1:123456789012:i"), "10: ec2 cannot be an event source"),
        (source(f"arn: {TOPIC}", "batch_size: 1"), "11: lambda.event_sources[0].batch_size: a"),
        (
            source(f"arn: {STREAM}", "batch_size: 0"),
            "lambda.event_sources[0].batch_size is '0'",
        ),
        (source(f"arn: {STREAM}", "starting_position: NOW"), "Allowed: LATEST, TRIM_HORIZON, AT_"),
        (source(f"arn: {STREAM}", "starting_position: AT_TIMESTAMP"), "go together"),
        (source(f"arn: {TABLE}", "starting_position: AT_TIMESTAMP"), "for Kinesis only"),
        (source(f"arn: {STREAM}", "maximum_record_age_s: 5"), "-1, or 60 to 604800"),
        (source("arn: arn:aws:s3:::bucket"), "10: a source of s3 needs events."),
        (
            source(f"arn: {STREAM}") + f"    - arn: {STREAM}\n",
            f"11: the event source {STREAM} is given twice.",
        ),
        (
            source(
                f"arn: {STREAM}",
                "starting_position: AT_TIMESTAMP",
                "starting_position_timestamp: noon",
            ),
            "A time such as",
        ),
    ],
)
def test_a_wrong_value_is_said_with_line_key_and_what_is_allowed(write, more, said):
    assert said in error_of(write(more=more))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file must hold `key: value` lines."),
        ("just words", "1: the file must hold"),
        ("- a\n- b\n", "1: the file must hold"),
        ("a: [1\nb: 2\n", "2: not valid YAML"),
        ("a: 'open\n", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("\tlambda: 1\n", "1: not valid YAML"),
        ("lambda: !!python/object/apply:os.system [ls]\n", "1: "),
        ("lambda: !!binary aGk=\n", "1: a tag, which begins with !, is not allowed here."),
        ("lambda: &a {b: *a}\n", "an alias repeats too much"),
        ("? [a, b]\n: c\n", "1: a key must be a plain word."),
        ("lambda: {}\n", "is missing"),
        ("resources: r.json\nlambda: 3\niam: 4\n", "is '"),
        (
            "iam: {role: {}}\nlambda: {name: a, path: b, handler: c, runtime: d}\n",
            "1: iam.role needs",
        ),
    ],
)
def test_a_broken_file_is_one_clear_error(write, text, said):
    assert said in error_of(write(text))


def test_aliases_that_explode_are_refused(write):
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "an alias repeats too much" in error_of(write("\n".join(lines)))


def test_deep_nesting_is_refused(write):
    assert "nested too deeply" in error_of(write("a: " + "[" * 900 + "]" * 900))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "config.yml").write_bytes(b"lambda: \xff\xfe\x00")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_config(tmp_path / "config.yml")


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "nowhere.yml")


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["iam", "lambda", "role", "name", "event_sources", "arn", "path"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_yaml_reads_or_is_a_config_error(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("any") / "config.yml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    message = ""
    try:
        read_config(file)
    except ConfigError as error:
        message = error.message
    assert message == "" or re.match(rf"{file}(:\d+)?: ", message)


ROLE = "  role:\n    name: r\n"


@pytest.mark.parametrize(
    ("iam", "said"),
    [
        ("  policy: {name: p}\n", "iam.role is missing"),
        (ROLE + "    arn: arn:aws:iam::123456789012:role/r\n", "a name, or an arn, not both"),
        ("  role:\n    arn: arn:aws:sns:us-east-1:123456789012:t\n", "not a role"),
        (ROLE + "  policy: {}\n", "iam.policy needs a name, or an arn"),
        (ROLE + "  policy: {arn: 'arn:aws:iam::aws:policy/P', document: p.json}\n", "no document"),
        (ROLE + "  policy: {arn: 'arn:aws:iam::aws:role/P'}\n", "no policy"),
        (
            "  role: {arn: 'arn:aws:iam::123456789012:role/r'}\n"
            "  policy: {name: p, document: p.json}\n",
            "kappa would attach no policy to it",
        ),
        (ROLE + "  policy: {name: 'a b'}\n", "1 to 128 letters"),
        (ROLE + "    path: kappa\n", "begins and ends with /"),
    ],
)
def test_a_wrong_iam_section_is_said(write, iam, said):
    text = MINIMAL.replace("  role:\n    name: greeter-role\n", iam)
    assert said in error_of(write(text))


@pytest.fixture
def included(write, tmp_path):
    def write_both(values, more="", include="values.yml"):
        (tmp_path / "values.yml").write_text(values)
        return write(f"include: {include}\n{MINIMAL}{more}")

    return write_both


def test_included_values_are_filled_in(included):
    more = "  description: ${who:-nobody} and ${where}\n  timeout: ${seconds}\n"
    function = read_config(included("where: here\nseconds: 7\n", more)).function
    assert (function.description, function.timeout) == ("nobody and here", 7)


@pytest.mark.parametrize("listed", ["[a.org, b.org]", "\n  - a.org\n  - b.org"])
def test_an_included_list_is_one_text_and_never_taken_for_absent(included, listed):
    more = "  description: ${domains:-everybody}\n"
    assert (
        read_config(included(f"domains: {listed}\n", more)).function.description == "a.org, b.org"
    )


@pytest.mark.parametrize("name", ["{fifo}", "~nobody-of-this-name/x", "x" * 300])
def test_an_include_that_is_no_file_is_one_clear_error(included, tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    said = error_of(included("", include=name.format(fifo=tmp_path / "fifo")))
    assert "Not a regular file" in said or "does not exist" in said


@pytest.mark.parametrize("value", ["", "TODO", "''"])
def test_a_value_that_is_empty_or_todo_is_missing(included, value):
    said = error_of(included(f"where: {value}\n", "  description: ${where}\n"))
    assert "10: ${where} has no value.\n  Add `where:` to" in said


def test_the_hint_of_the_included_file_says_how_to_get_what_is_missing(included):
    text = "# hint: Run `make outputs`.\na: b\n# hint: not this one\n"
    said = error_of(included(text, "  description: ${topic}\n"))
    assert "${topic} has no value.\n  Run `make outputs`. Or add `topic:` to" in said


def test_that_hint_is_shown_for_the_document_and_beside_an_environment(included, tmp_path):
    document = '{"Statement": [{"Resource": "${topic}"}]}'
    (tmp_path / "p.json").write_text(document)
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    file = tmp_path / "environments.yml"
    file.write_text(f"include: values.yml\n{text}environments: {{dev: {{}}}}\n")
    (tmp_path / "values.yml").write_text("# hint: Run `make outputs`.\na: b\n")
    with pytest.raises(ConfigError) as caught:
        read_policy_document(read_config(file, "dev"))
    assert caught.value.hint.startswith("Run `make outputs`. Or add `topic:`")


def test_a_boolean_value_keeps_its_type(included):
    more = source(f"arn: {STREAM}", "enabled: ${on_or_off}")
    assert read_config(included("on_or_off: false\n", more)).function.event_sources[0].enabled is (
        False
    )


def test_iam_variables_are_left_alone(included, tmp_path):
    (tmp_path / "policy.json").write_text(
        '{"Statement": [{"Resource": "${where}/${aws:username}/${*}"}]}'
    )
    file = included("where: here\n")
    file.write_text(
        file.read_text().replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    )
    document = read_policy_document(read_config(file))
    assert document == {"Statement": [{"Resource": "here/${aws:username}/${*}"}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "1: not valid JSON"),
        ('{\n "Statement": [\n}', "3: not valid JSON"),
        ("[]", "1: a policy document needs a Statement."),
        ('{\n"Statement": "${nope}"}', "2: ${nope} has no value."),
    ],
)
def test_a_wrong_policy_document_is_said_with_its_line(write, tmp_path, document, said):
    (tmp_path / "p.json").write_text(document)
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    with pytest.raises(ConfigError, match=re.escape(f"p.json:{said}")):
        read_policy_document(read_config(write(text)))


def test_what_only_aws_knows_is_filled_in_later(write, tmp_path):
    (tmp_path / "p.json").write_text('{"Statement": "${partition} ${region} ${account_id}"}')
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    document = read_policy_document(read_config(write(text)))
    placed = place_policy_document(document, Place("aws", "eu-west-1", "123456789012"))
    assert placed == {"Statement": "aws eu-west-1 123456789012"}


def test_a_missing_policy_document_is_said(write):
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    with pytest.raises(ConfigError, match=r"p\.json: No such file"):
        read_policy_document(read_config(write(text)))


def test_the_path_of_an_include_may_come_from_the_environment(included, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.yml").write_text("where: elsewhere\n")
    file = included("where: default\n", "  description: ${where}\n", "${WHICH:-values.yml}")
    assert read_config(file).function.description == "default"
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("WHICH", "mine.yml")
    assert read_config(file).function.description == "elsewhere"


def test_an_include_without_its_variable_is_said(included):
    assert "1: the environment variable WHICH is not set." in error_of(
        included("a: b\n", include="${WHICH}")
    )


def test_a_missing_include_is_said(included):
    assert "1: the included file" in error_of(included("a: b\n", include="nowhere.yml"))


OWN_POLICY = """\
include: values.yml
iam:
  policy: {name: p, document: policy.json}
  role: {name: r}
lambda: {name: greeter, path: code, handler: greeter.handler, runtime: python3.13}
"""


@pytest.fixture
def with_policy(tmp_path):
    """Write a config with a policy file, and what it includes; the config."""

    def write_all(text, values="who: me\n"):
        (tmp_path / "values.yml").write_text(values)
        (tmp_path / "policy.json").write_text(text)
        (tmp_path / "config.yml").write_text(OWN_POLICY)
        return read_config(tmp_path / "config.yml")

    return write_all


PLACE = Place("aws", "us-east-1", "123456789012")


@pytest.mark.parametrize("value", ["${x}", "${region}", "${aws:username}", "$${who}", "a${b:-c}d"])
@pytest.mark.parametrize("inline", [True, False])
def test_an_included_value_is_filled_in_once_and_never_read_again(with_policy, value, inline):
    document = json.dumps({"Statement": "${who}/${region}/${none:-${x}}"})
    config = with_policy(document, f"who: {value}\n")
    if inline:
        config.file.write_text(OWN_POLICY.replace("policy.json", document))
        config = read_config(config.file)
    placed = place_policy_document(read_policy_document(config), PLACE)
    assert placed == {"Statement": f"{value}/us-east-1/${{x}}"}


def test_a_value_that_a_policy_lacks_is_said_with_the_policys_own_line(with_policy):
    config = with_policy('{"Statement": [\n"${who}",\n"${lost}"]}')
    with pytest.raises(ConfigError, match=r"policy.json:3: \$\{lost\} has no value"):
        read_policy_document(config)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, "policy.json:1: nested too deeply."),
        ('{"Statement": ' + "9" * 5000 + "}", "policy.json:1: not valid JSON"),
    ],
)
def test_a_policy_that_is_no_policy_is_one_clear_error(with_policy, content, said):
    with pytest.raises(ConfigError) as error:
        read_policy_document(with_policy(content))
    assert said in str(error.value)


def test_a_policy_that_is_a_fifo_is_said_with_the_configs_line(with_policy, tmp_path):
    config = with_policy("{}")
    (tmp_path / "policy.json").unlink()
    os.mkfifo(tmp_path / "policy.json")
    with pytest.raises(ConfigError, match=r"config.yml:3: .*policy.json: Not a regular file"):
        read_policy_document(config)


def test_a_policy_that_is_no_utf_8_is_said_with_its_line(with_policy, tmp_path):
    config = with_policy("{}")
    (tmp_path / "policy.json").write_bytes(b'{"Statement":\n"\xff"}')
    with pytest.raises(ConfigError, match=r"policy.json:2: not valid JSON"):
        read_policy_document(config)


def test_an_input_of_a_hundred_thousand_levels_is_one_clear_error(write):
    deep = f"input: '{'[' * 100_000}{']' * 100_000}'"
    rule = source("name: n", "schedule: rate(1 minute)", deep)
    assert "input is not JSON" in error_of(write(more=rule))


def test_an_input_of_a_thousand_levels_is_read_or_one_clear_error(write):
    """How deep JSON may be is Python's rule: 3.13 reads a thousand levels, 3.11 does not."""
    rule = source("name: n", "schedule: rate(1 minute)", f"input: '{'[' * 1000}{']' * 1000}'")
    try:
        read_config(write(more=rule))
    except ConfigError as error:
        assert "input is not JSON" in str(error)  # noqa: PT017 - it may be read, too


def test_an_error_does_not_repeat_a_value_of_many_pages(write):
    assert len(error_of(write(more=f"  timeout: {'9' * 100_000}\n"))) < 600
    assert len(error_of(write(more=f"  {'k' * 5000}: 1\n"))) < 1600


@pytest.mark.parametrize(
    "lines",
    [
        "  environment: |\n    DB_PASSWORD=hunter2\n",
        '  environment: "SECRET=hunter2"\n',
        "  environment: [SECRET=hunter2]\n",
        "  timeout: ${db_password}\ninclude: secrets.yml\n",
        "  timeout: a-${db_password}\ninclude: secrets.yml\n",
        "  tags: ${db_password}\ninclude: secrets.yml\n",
    ],
)
def test_an_error_never_shows_a_variable_or_an_included_value(tmp_path, write, lines):
    (tmp_path / "secrets.yml").write_text("db_password: hunter2\n")
    error = error_of(write(more=lines))
    assert "hunter2" not in error
    if "timeout" in lines:
        assert "${db_password}'" in error


def test_an_error_of_a_rule_shows_no_included_value_either(tmp_path, write):
    (tmp_path / "secrets.yml").write_text(f"topic: {TOPIC}\n")
    text = MINIMAL.replace("name: greeter-role", "arn: ${topic}") + "include: secrets.yml\n"
    assert "iam.role.arn is '${topic}', not a role." in error_of(write(text))


@pytest.mark.parametrize("value", ["DB_PASSWORD=hunter2", "[DB_PASSWORD=hunter2]"])
def test_the_later_layouts_errors_show_no_variable(tmp_path, value):
    file = tmp_path / "kappa.yml"
    file.write_text(
        f"name: greeter\nenvironments:\n  dev:\n    environment_variables: {value}\n"
        "lambda: {handler: a.handler, runtime: python3.13}\n"
    )
    with pytest.raises(ConfigError) as caught:
        read_config(file, "dev")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            '{"Statement": [{"Condition": {"a": "b"},\n"Condition": {}}]}',
            '2: not valid JSON: "Condition" is given twice.',
        ),
        (
            '{"Statement": "{\\"Statement\\": 1}",\n\n "St\\u0061tement": []}',
            '3: not valid JSON: "St\\u0061tement" is given twice.',
        ),
        (
            '{"Statement": [{"Sid": "null",\n"Condition":\nnull}]}',
            "3: null is no value of a policy.",
        ),
        ('{"Statement": "NaN",\n"x": [NaN]}', "2: not valid JSON: NaN is no number of JSON."),
        ('{"Statement": NaNo}', "1: not valid JSON: NaN is no number of JSON."),
    ],
)
def test_a_policy_of_which_something_would_get_lost_is_said_with_its_line(
    with_policy, document, said
):
    with pytest.raises(ConfigError, match=re.escape(f"policy.json:{said}")):
        read_policy_document(with_policy(document))


def test_equal_keys_of_different_mappings_are_fine(with_policy):
    document = {"Statement": [{"Sid": "a"}, {"Sid": "b", "Condition": {"Sid": "}"}}]}
    assert read_policy_document(with_policy(json.dumps(document))) == document


INLINE = """\
iam:
  role: {name: r}
  policy:
    name: p
    document:
      Statement:
        - Effect: Allow
          Condition: %s
lambda: {name: greeter, path: code, handler: greeter.handler, runtime: python3.13}
"""
AT = "iam.policy.document.Statement[0].Condition"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("", f"8: {AT} has no value."),
        ("{StringEquals: {aws:PrincipalOrgID: }}", f"8: {AT}.StringEquals.aws:PrincipalOrgID has"),
        ("{StringEquals: {aws:x: [NO]}}", f"8: {AT}.StringEquals.aws:x[0] is NO, which YAML reads"),
        ("{Bool: {aws:x: on}}", f"8: {AT}.Bool.aws:x is on, which YAML reads as true."),
    ],
)
def test_a_document_in_the_config_never_loses_a_condition(write, condition, said):
    assert error_of(write(INLINE % condition)).startswith(said)


def test_a_document_in_the_config_keeps_what_is_clear(write):
    config = read_config(write(INLINE % "{Bool: {aws:x: true}, StringEquals: {aws:y: ['NO', 7]}}"))
    (statement,) = read_policy_document(config)["Statement"]
    assert statement["Condition"] == {
        "Bool": {"aws:x": True},
        "StringEquals": {"aws:y": ["NO", "7"]},
    }


@pytest.mark.parametrize("key", ["source_arn", "source_account", "principal_org_id"])
def test_a_permission_never_loses_a_condition(write, key):
    more = (
        f"  permissions:\n    - statement_id: a\n      principal: s3.amazonaws.com\n      {key}:\n"
    )
    assert error_of(write(more=more)).startswith(f"12: lambda.permissions[0].{key} has no value.")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("filter_policy: {country: [NO]}", "filter_policy.country[0] is NO, which YAML reads as"),
        (
            """filter_policy: '{"a": ["b"], "a": ["c"]}'""",
            "filter_policy is not JSON.\n  Write a ma",
        ),
        ("""filter_policy: '{"a": [NaN]}'""", "filter_policy is not JSON.\n  Write a mapping, or"),
    ],
)
def test_a_filter_of_which_something_would_get_lost_is_refused(write, line, said):
    more = source(f"arn: {TOPIC}", line)
    assert error_of(write(more=more)).startswith(f"11: lambda.event_sources[0].{said}")


def test_the_callers_account_is_never_the_included_one(with_policy):
    document = json.dumps({"Statement": "${account_id} ${partition} ${region} ${account_id:-x}"})
    config = with_policy(document, "account_id: 999999999999\npartition: aws-cn\nregion: mars\n")
    for text in ("policy.json", document):
        config.file.write_text(OWN_POLICY.replace("policy.json", text))
        read = read_policy_document(read_config(config.file))
        assert place_policy_document(read, PLACE) == {
            "Statement": "123456789012 aws mars 123456789012"
        }


@pytest.mark.parametrize(
    "lines",
    [
        ("starting_position: AT_TIMESTAMP", "starting_position_timestamp: ${pw}"),
        ("filter_criteria: ['${pw}']",),
    ],
)
def test_not_even_a_traceback_shows_an_included_value(tmp_path, write, lines):
    (tmp_path / "values.yml").write_text("pw: Tr0ub4dor\n")
    file = write(more=source(f"arn: {STREAM}", *lines) + "include: values.yml\n")
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert "Tr0ub4dor" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("region: <your region here>", "is '<your region here>'.\n  Allowed: an AWS region"),
        ("region: us-east1", "is 'us-east1'.\n  Allowed: an AWS region, such as us-east-1."),
        ("region: nowhere-1", "is 'nowhere-1'.\n  Allowed: an AWS region"),
        ("region: us-esat-1", "is 'us-esat-1', which is not an AWS region.\n  Did you mean `us-e"),
        ("profile: <your profile here>", "is '<your profile here>'.\n  Allowed: the name of a pro"),
    ],
)
def test_a_placeholder_or_a_mistyped_region_is_named_with_its_line(write, line, said):
    key = line.split(":")[0]
    assert error_of(write(MINIMAL, f"{line}\n")).startswith(f"9: {key} {said}")


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "nz-north-1", "us-east-9"])
def test_a_region_that_may_well_exist_is_taken(write, region):
    assert read_config(write(MINIMAL, f"region: {region}\n")).region == region


def statement(resource):
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}


@pytest.mark.parametrize(
    ("resource", "blank"),
    [
        ("<arn>", "<arn>"),
        ("arn:aws:s3:::<your bucket>/*", "<your bucket>"),
        (["*", "arn:aws:sns:us-east-1:<account>:news"], "<account>"),
    ],
)
def test_a_blank_in_a_policys_resource_is_named_with_file_and_line(
    write, tmp_path, resource, blank
):
    document = {"Statement": [statement("*"), statement(resource)]}
    (tmp_path / "policy.json").write_text(json.dumps(document, indent=1))
    with_policy = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    with pytest.raises(ConfigError) as error:
        read_policy_document(read_config(write(with_policy)))
    lines = (tmp_path / "policy.json").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if blank in line)
    assert error.value.message.startswith(f"{tmp_path}/policy.json:{at}: a statement is about '")
    assert error.value.hint == f"Put in place of {blank} what is meant."
    here = with_policy.replace("policy.json", json.dumps(document))
    assert error_of(write(here)).startswith("2: iam.policy.document.Statement[1].Resource")


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:s3:::photos/${aws:username}/<draft>*",
        "arn:*:logs:*:*:*",
        "arn:aws:dynamodb:${region}:${account_id}:table/?ews*",
    ],
)
def test_what_iam_allows_of_a_resource_is_never_refused(write, tmp_path, resource):
    (tmp_path / "policy.json").write_text(json.dumps({"Statement": statement(resource)}))
    with_policy = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    assert (
        read_policy_document(read_config(write(with_policy)))["Statement"]["Resource"] == resource
    )


def test_code_that_is_in_s3_already_is_said_not_to_be_taken(write):
    said = error_of(write(MINIMAL, "  code: {bucket: b, key: k, version: v}\n"))
    assert said.startswith("9: lambda.code: kappa takes no code that is in S3 already.\n  Name the")
    assert "path: function.zip" in said


@pytest.mark.parametrize(
    ("runtime", "newer"),
    [("python2.7", "python3.13"), ("nodejs", "nodejs22.x"), ("java8", "java21")],
)
def test_a_runtime_that_aws_has_deprecated_is_noted_with_its_line(write, runtime, newer):
    (note,) = read_config(write(MINIMAL.replace("python3.13", runtime))).notes
    assert f"config.yml:8: AWS has deprecated the runtime {runtime}" in note
    assert f"Use {newer}" in note
    assert read_config(write()).notes == ()

"""What is checked, printed and known of a config whose references are not read."""

import pytest

from kappa.config.read import read_config
from kappa.config.references import Value
from kappa.config.uses import PARTS
from kappa.config.value_origins import value_origins
from kappa.config.write import as_yaml, plain_config
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of

TOPIC = "arn:aws:sns:us-east-1:123456789012:"
MORE = f"""\
  timeout: ${{ssm:/t}}
  vpc: {{subnet_ids: ["${{cf:Net.A}}"], security_group_ids: [sg-1]}}
  environment: {{AA: "${{secret:a}}", BB: plain}}
  tags: {{owner: "${{ssm:/owner}}"}}
  permissions:
    - {{statement_id: "${{ssm:/id}}", principal: sns.amazonaws.com}}
    - {{statement_id: second, principal: sqs.amazonaws.com}}
  event_sources:
    - arn: ${{cf:Chat.Topic}}
    - arn: {TOPIC}second
    - arn: ${{cf:Chat.Queue}}
      batch_size: 5
    - arn: {TOPIC}fourth
"""


def test_what_is_read_is_there_and_what_is_not_is_left_out(write):
    function = read_config(write(more=MORE)).function
    assert [source.short for source in function.event_sources] == ["second", "fourth"]
    assert [permission.statement_id for permission in function.permissions] == ["second"]
    assert (function.timeout, function.vpc) == (None, None)
    assert function.environment == {"AA": "${secret:a}", "BB": "plain"}


def test_what_is_printed_is_the_whole_config_and_reads_as_the_same(write, tmp_path):
    config = read_config(write(more=MORE))
    (tmp_path / "again.yml").write_text(as_yaml(plain_config(config)))
    again = read_config(tmp_path / "again.yml")
    assert dict(again.unread) == dict(config.unread)
    assert again.function.event_sources == config.function.event_sources
    assert again.function.tags == {"owner": "${ssm:/owner}"}


def test_the_rest_is_still_checked_and_errors_name_the_files_own_items(write):
    wrong = MORE.replace("second\n", "second\n      batch_size: 3\n")
    said = error_of(write(more=wrong))
    assert "lambda.event_sources[1].batch_size: a source of sns has no such setting" in said
    assert said.count("\n  ") == 1
    assert "is not a valid variable name" in error_of(write(more=MORE.replace("BB:", "B-:")))


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace("name: greeter-role", "arn: ${cf:Chat.Role}"),
        MINIMAL.replace("path: code", "path: ${ssm:/path}"),
        MINIMAL.replace("python3.13", "${ssm:/runtime}"),
        "iam: {role: {name: r}}\nlambda: {name: g, image: {uri: '${ssm:/image}'}}\n",
        f"{MINIMAL}  tags: '${{ssm:/tags}}'\n",
        f"{MINIMAL}  build: make '${{ssm:/target}}'\n  build_inputs: [src]\n",
    ],
)
def test_what_may_be_right_is_no_error(write, text):
    config = read_config(write(text))
    assert len(config.unread_texts) == 1


def test_where_values_come_from_is_listed_by_line(write, tmp_path):
    (tmp_path / "values.yml").write_text("team: tea\n")
    more = (
        "  description: ${team}\n  environment: {AA: '${secret:a}', BB: '${env:NO:-x}-${team}'}\n"
    )
    rows = value_origins(read_config(write(f"include: values.yml\n{MINIMAL}", more)))
    file = str(tmp_path / "values.yml")
    assert [(row["line"], row["key"], row["from"], row["is_asked"]) for row in rows] == [
        (10, "lambda.description", [file], False),
        (11, "lambda.environment.AA", ["secret"], True),
        (11, "lambda.environment.BB", ["env", file], False),
    ]


def test_a_list_whose_items_are_left_out_is_listed_as_the_file_has_it(write, tmp_path):
    (tmp_path / "values.yml").write_text("queue: tea-queue\n")
    more = f"""\
  event_sources:
    - arn: ${{ssm:/queue}}
    - arn: {TOPIC}my-${{queue}}
"""
    rows = value_origins(read_config(write(f"include: values.yml\n{MINIMAL}", more)))
    assert [(row["line"], row["key"], row["is_asked"]) for row in rows] == [
        (11, "lambda.event_sources[0].arn", True),
        (12, "lambda.event_sources[1].arn", False),
    ]


def test_included_values_beside_what_is_not_read_are_printed_as_written(write, tmp_path):
    (tmp_path / "values.yml").write_text("queue: tea-queue\n")
    more = f"""\
  event_sources:
    - arn: {TOPIC}my-${{queue}}
      enabled: ${{ssm:/enabled}}
"""
    config = read_config(write(f"include: values.yml\n{MINIMAL}", more))
    assert "tea-queue" not in as_yaml(plain_config(config, show_values=False))
    assert f"arn: {TOPIC}my-tea-queue" in as_yaml(plain_config(config))


def test_references_of_the_documents_file_are_listed_too(write, tmp_path):
    (tmp_path / "policy.json").write_text('{"Statement": [\n{"Resource": "${cf:Chat.Arn}"}]}')
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    (row,) = value_origins(read_config(write(text)))
    assert (row["file"], row["line"], row["value"]) == (
        str(tmp_path / "policy.json"),
        2,
        "${cf:Chat.Arn}",
    )


def test_what_is_deleted_is_all_there_whatever_its_content(write):
    answers = {"cf:Chat.Role": Value("arn:aws:iam::123456789012:role/r")}
    text = f"""\
{MINIMAL.replace("name: greeter-role", "arn: ${cf:Chat.Role}")}
  event_sources:
    - {{name: tick, schedule: rate(1 day), input: {{token: "${{secret:a}}"}}}}
"""
    config = read_config(write(text), uses=PARTS, read=lambda *_: answers)
    assert config.role.arn.endswith("role/r")
    assert [source.name for source in config.function.event_sources] == ["tick"]
    assert config.unread == {}

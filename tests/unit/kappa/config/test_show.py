"""What is checked, printed and known of a config whose references are not read."""

from pathlib import Path

import pytest

from kappa.config.read import read_config
from kappa.config.show import as_yaml, plain, shown_config, value_origins
from kappa.config.uses import ALL, NAMES
from kappa.config.values import Value
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of

SAMPLES = sorted(Path(__file__).parents[3].glob("data/kappa/*/*.yml"))
TOPIC = "arn:aws:sns:us-east-1:123456789012:"
MORE = f"""\
  timeout: ${{ssm:/t}}
  vpc: {{subnet_ids: ["${{cf:Net.A}}", subnet-1], security_group_ids: [sg-1]}}
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


def test_a_key_whose_value_is_not_known_is_taken_as_not_set(write):
    config = read_config(write(more=MORE))
    function = config.function
    assert [source.arn for source in function.event_sources] == [
        "",
        f"{TOPIC}second",
        "",
        f"{TOPIC}fourth",
    ]
    assert [permission.statement_id for permission in function.permissions] == ["second"]
    assert (function.timeout, function.vpc.subnet_ids) == (None, ())
    assert function.environment == {"AA": "${secret:a}", "BB": "plain"}
    assert ("lambda", "vpc", "subnet_ids") in config.left_out


def test_what_is_printed_is_the_whole_config_and_reads_as_the_same(write, tmp_path):
    config = read_config(write(more=MORE))
    (tmp_path / "again.yml").write_text(as_yaml(shown_config(config)))
    again = read_config(tmp_path / "again.yml")
    assert again.left_out == config.left_out
    assert again.function.event_sources == config.function.event_sources
    assert again.function.tags == {"owner": "${ssm:/owner}"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "second\n",
            "second\n      batch_size: 3\n",
            "[1].batch_size: a source of sns has no such",
        ),
        ("BB:", "B-:", "is not a valid variable name"),
        ("principal: sqs", "principle: sqs", "permissions[1].principle"),
    ],
)
def test_what_is_certain_is_checked_beside_what_is_not_known(write, old, new, said):
    assert said in error_of(write(more=MORE.replace(old, new)))


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
    assert len(read_config(write(text)).left_out) == 1


VALUES = "team: tea\nwait: 7\n"
SHOWN = """\
  description: in ${environment} of ${team} $${x}
  timeout: ${wait}
  memory_size: 256
  publish: yes
  tags: {one: "${team}-${secret:a}", two: 007, four: "${env:NO:-x}"}
environments: {prod: {}}
"""


@pytest.mark.parametrize(
    ("show_values", "description", "timeout", "one", "four"),
    [
        (False, "in prod of ${team} $${x}", "${wait}", "${team}-${secret:a}", "${env:NO:-x}"),
        (True, "in prod of tea $${x}", "7", "${team}-${secret:a}", "x"),
    ],
)
def test_values_stand_as_they_are_written_and_secrets_always_do(
    write, tmp_path, show_values, description, timeout, one, four
):
    (tmp_path / "values.yml").write_text(VALUES)
    file = write(f"include: values.yml\n{MINIMAL}", SHOWN)
    secret = {"secret:a": Value("hunter2", is_secret=True)}
    config = read_config(file, "prod", uses=ALL, read=lambda *_: secret)
    assert config.function.tags["one"] == "tea-hunter2"
    function = shown_config(config, show_values=show_values)["lambda"]
    assert (function["description"], function["timeout"]) == (description, timeout)
    assert (function["memory_size"], function["publish"]) == (256, True)
    assert function["tags"] == {"one": one, "two": "007", "four": four}


def test_where_values_come_from_is_listed_by_line(write, tmp_path):
    (tmp_path / "values.yml").write_text("team: tea\n")
    more = (
        "  description: ${team}\n  environment: {AA: '${secret:a}', BB: '${env:NO:-x}-${team}'}\n"
        f"  event_sources:\n    - arn: ${{ssm:/queue}}\n    - arn: {TOPIC}my-${{team}}\n"
    )
    rows = value_origins(read_config(write(f"include: values.yml\n{MINIMAL}", more)))
    file = str(tmp_path / "values.yml")
    assert [(row["line"], row["key"], row["from"], row["is_asked"]) for row in rows] == [
        (10, "lambda.description", [file], False),
        (11, "lambda.environment.AA", ["secret"], True),
        (11, "lambda.environment.BB", ["env", file], False),
        (13, "lambda.event_sources[0].arn", ["ssm"], True),
        (14, "lambda.event_sources[1].arn", [file], False),
    ]


def test_references_of_the_documents_file_are_listed_too(write, tmp_path):
    (tmp_path / "policy.json").write_text(
        '{"Statement": [\n{"Resource": "${cf:Chat.Arn}/${account_id}"}]}'
    )
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
    config = read_config(write(text), uses=NAMES, read=lambda *_: answers)
    assert config.role.arn.endswith("role/r")
    assert [source.name for source in config.function.event_sources] == ["tick"]
    assert config.left_out == ()


def test_texts_that_look_like_numbers_stay_texts():
    assert as_yaml(plain({"a": "007", "b": "on", "c": ("x", 1)})) == (
        "a: '007'\nb: 'on'\nc:\n- x\n- 1\n"
    )


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.parent.name)
def test_what_validate_prints_reads_as_the_same_config(tmp_path, file):
    config = read_config(file)
    (tmp_path / "again.yml").write_text(as_yaml(shown_config(config, show_values=True)))
    again = read_config(tmp_path / "again.yml")
    for part in ("function", "role", "policy", "profile", "region"):
        assert plain(getattr(again, part)) == plain(getattr(config, part))

"""What an included file gives: where its values go, and what is missing."""

import os
import traceback
from pathlib import Path

import pytest

from kappa.config.include import is_dotenv
from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.errors import ConfigError
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of, source

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


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
    assert "10: lambda.description: ${where} has no value.\n  Add `where` to" in said


def test_the_hint_of_the_included_file_says_how_to_get_what_is_missing(included):
    text = "# hint: Run `make outputs`.\na: b\n# hint: not this one\n"
    said = error_of(included(text, "  description: ${topic}\n"))
    assert "${topic} has no value.\n  Run `make outputs`. Or add `topic` to" in said


def test_a_hint_without_a_full_stop_gets_one(included):
    said = error_of(included("# hint: run make outputs\na: b\n", "  description: ${topic}\n"))
    assert "  run make outputs. Or add `topic` to a file that `include:` names." in said


def test_that_hint_is_shown_for_the_document_and_beside_an_environment(tmp_path):
    document = '{"Statement": [{"Resource": "${topic}"}]}'
    (tmp_path / "p.json").write_text(document)
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    file = tmp_path / "environments.yml"
    file.write_text(f"include: values.yml\n{text}environments: {{dev: {{}}}}\n")
    (tmp_path / "values.yml").write_text("# hint: Run `make outputs`.\na: b\n")
    with pytest.raises(ConfigError) as caught:
        read_policy_document(read_config(file, "dev"))
    assert caught.value.hint.startswith("Run `make outputs`. Or add `topic`")


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


def test_of_several_includes_the_last_value_counts(included, tmp_path):
    (tmp_path / "more.yml").write_text("where: there\n")
    file = included(
        "who: Ada\nwhere: here\n", "  description: ${who} ${where}\n", "[values.yml, more.yml]"
    )
    config = read_config(file)
    assert config.function.description == "Ada there"
    assert [config.values.source_of(name) for name in ("who", "where")] == [
        str(tmp_path / "values.yml"),
        str(tmp_path / "more.yml"),
    ]


@pytest.mark.parametrize("include", ["[values.yml, nowhere.yml]", "[values.yml, 7.5, '']", "[[a]]"])
def test_what_is_wrong_with_one_of_several_includes_is_said(included, include):
    assert "1: " in error_of(included("a: b\n", include=include))


def test_names_of_an_env_file_may_have_capitals(included, tmp_path):
    (tmp_path / ".env").write_text("DB_HOST=db.local\nstage=prod\n")
    more = "  description: ${DB_HOST} ${stage} ${where} ${NO:-none}\n"
    config = read_config(included("where: here\n", more, "[values.yml, .env]"))
    assert config.function.description == "db.local prod here none"


def test_the_environment_wins_over_an_env_file_and_the_file_may_be_missing(
    included, tmp_path, monkeypatch
):
    (tmp_path / ".env").write_text("HOST=file\nPORT=1\n")
    file = included("", "  description: ${HOST}:${PORT}\n", ".env?")
    assert read_config(file).function.description == "file:1"
    monkeypatch.setenv("HOST", "variable")
    assert read_config(file).function.description == "variable:1"
    (tmp_path / ".env").unlink()
    assert "10: lambda.description: ${PORT} has no value." in error_of(file)
    monkeypatch.setenv("PORT", "2")
    assert read_config(file).function.description == "variable:2"


def test_without_an_env_file_the_environment_gives_no_name(included, monkeypatch):
    monkeypatch.setenv("HOST", "variable")
    assert "10: lambda.description: ${HOST} has no value." in error_of(
        included("a: b\n", "  description: ${HOST}\n")
    )


def test_a_file_is_known_by_its_name():
    names = (".env", ".env.prod", "prod.env", "values.yml", "env", "env.yml")
    assert [is_dotenv(Path(name)) for name in names] == [True, True, True, False, False, False]

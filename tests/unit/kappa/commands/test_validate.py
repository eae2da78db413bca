"""validate on the command line: what it prints, hides and refuses, without AWS."""

import json
import os

import pytest

from kappa.config.read import read_config
from kappa.config.show import plain
from kappa.errors import ConfigError
from tests.support.kappa.configs import append


def test_validate_prints_the_chosen_environment(run, tmp_path):
    append(tmp_path, "environments:\n  prod:\n    lambda:\n      timeout: 9\n")
    said = json.loads(run("validate", "--env", "prod", "--json").stdout)
    assert said["lambda"]["timeout"] == 9
    assert "environments" not in said


def test_validate_reads_the_policy_and_the_code_too(run, tmp_path):
    (tmp_path / "policy.json").write_text("{}")
    assert isinstance(run("validate").exception, ConfigError)
    (tmp_path / "policy.json").write_text('{"Statement": []}')
    assert run("validate").exception is None
    (tmp_path / "code" / "greeter.py").unlink()
    error = run("validate").exception
    assert isinstance(error, ConfigError)
    assert error.exit_code == 2


def test_validate_installs_nothing(run, tmp_path):
    (tmp_path / "code" / "requirements.txt").write_text("there-is-no-such-package==0\n")
    assert run("validate").exception is None


def test_validate_hides_the_values_of_variables_and_still_prints_a_config(run, tmp_path):
    append(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: s3cret}\n")
    done = run("validate")
    assert "s3cret" not in done.output
    assert "lambda.environment (GREETING, KEY)" in done.stderr
    (tmp_path / "again.yml").write_text(done.stdout)
    assert read_config(tmp_path / "again.yml").function.environment is None


def test_validate_shows_the_values_of_variables_when_asked(run, tmp_path):
    append(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: s3cret}\n")
    done = run("validate", "--show-values", "--json")
    assert json.loads(done.stdout)["lambda"]["environment"]["KEY"] == "s3cret"
    assert "s3cret" not in run("validate", "--json").output


def test_validate_says_what_deploy_would_say_of_the_region(run, tmp_path):
    queue = "arn:aws:sqs:eu-west-1:123456789012:q"
    append(tmp_path, f"  dead_letter: {queue}\n")
    said = run("validate", "--region", "us-east-1").exception.message
    assert "lambda.dead_letter is in eu-west-1, the function in us-east-1" in said


def test_a_value_that_looks_like_a_name_is_printed_so_that_it_reads_as_itself(run, tmp_path):
    (tmp_path / "values.yml").write_text("who: ${nobody}\n")
    file = tmp_path / "config.yml"
    file.write_text("include: values.yml\n" + file.read_text())
    append(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: '${who}'}\n")
    (tmp_path / "again.yml").write_text(run("validate", "--show-values").stdout)
    assert read_config(tmp_path / "again.yml").function.environment["KEY"] == "${nobody}"


def including(folder, text, values):
    (folder / "values.yml").write_text(values)
    file = folder / "config.yml"
    file.write_text("include: values.yml\n" + file.read_text())
    append(folder, text)


SAID = """
environments:
  dev:
    lambda:
      description: ${secret}
      tags: {owner: "team-${secret}", plain: mine, level: "${level}"}
      timeout: ${wait}
      event_sources:
        - name: nightly
          schedule: rate(1 day)
          input: {token: "${secret}", at: ["${other}"], n: 1}
        - arn: arn:aws:sns:us-east-1:123456789012:news
          filter_policy: '{"kind": ["${secret}"]}'
"""
VALUES = "secret: s3cret-value\nother: other-value\nlevel: 1\nwait: 7\n"


def test_validate_hides_values_of_the_included_file_wherever_they_stand(run, tmp_path):
    including(tmp_path, SAID, VALUES)
    for format_ in ((), ("--json",)):
        done = run("validate", *format_)
        assert done.exception is None
        assert "s3cret" not in done.output
        assert "other-value" not in done.output
    assert "Values of values.yml stand as ${name}" in done.stderr
    said = json.loads(done.stdout)
    assert said["lambda"]["tags"] == {
        "owner": "team-${secret}",
        "plain": "mine",
        "level": "${level}",
    }
    assert said["lambda"]["timeout"] == "${wait}"
    assert "s3cret-value" in run("validate", "--show-values").stdout


def test_what_validate_prints_without_values_reads_as_the_same_config(run, tmp_path):
    including(tmp_path, SAID, VALUES)
    (tmp_path / "again.yml").write_text(run("validate").stdout)
    again, config = (read_config(tmp_path / name) for name in ("again.yml", "config.yml"))
    assert again.function.description == "s3cret-value"
    assert again.function.tags == config.function.tags
    assert plain(again.function.event_sources) == plain(config.function.event_sources)


def test_the_name_of_the_environment_is_no_value_of_a_file(run, tmp_path):
    text = "environments:\n  prod:\n    lambda:\n      description: in ${environment}\n"
    including(tmp_path, text, VALUES)
    said = json.loads(run("validate", "--env", "prod", "--json").stdout)
    assert said["lambda"]["description"] == "in prod"


def test_an_error_about_the_region_hides_an_included_value(run, tmp_path):
    text = "environments:\n  dev:\n    lambda:\n      kms_key: ${key}\n"
    key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-s3cret"
    including(tmp_path, text, f"key: {key}\n")
    said = run("validate", "--region", "us-east-1").exception.message
    assert "s3cret" not in said


def test_validate_hides_what_logs_in_to_an_index_of_packages(run, tmp_path):
    lines = ["--index-url https://me:secret@host/simple", "--find-links https://$${TOKEN}@host"]
    append(tmp_path, f"  requirements: {json.dumps(lines)}\n")
    said = json.loads(run("validate", "--json").stdout)["lambda"]["requirements"]
    assert said == ["--index-url https://****@host/simple", lines[1]]
    said = json.loads(run("validate", "--json", "--show-values").stdout)
    assert said["lambda"]["requirements"] == lines


@pytest.mark.parametrize("what", ["policy.json", "values.yml", "config.yml"])
def test_a_pipe_in_place_of_a_file_is_refused(run, tmp_path, what):
    append(tmp_path, "include: values.yml\n")
    (tmp_path / "values.yml").write_text("a: b\n")
    (tmp_path / what).unlink()
    os.mkfifo(tmp_path / what)
    error = run("validate").exception
    assert isinstance(error, ConfigError)
    assert f"{what}: Not a regular file" in error.message


ASKED = """
environments:
  dev:
    lambda:
      environment: {TOKEN: "${secret:db#password}", STAGE: "${env:STAGE}"}
      timeout: ${ssm:/wait}
"""


def test_validate_lists_what_would_be_asked_and_asks_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGE", "from-here")
    append(tmp_path, ASKED)
    done = run("validate")
    assert done.exception is None
    place = f"{tmp_path / 'config.yml'}:"
    assert [
        line.partition(place)[2] for line in done.stderr.splitlines() if "Not read" in line
    ] == [
        "45: lambda.environment.TOKEN is ${secret:db#password}",
        "46: lambda.timeout is ${ssm:/wait}",
    ]
    assert "timeout: ${ssm:/wait}" in done.stdout
    assert "from-here" not in done.output


def test_validate_names_the_source_of_each_value_in_json(run, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGE", "from-here")
    append(tmp_path, ASKED)
    rows = json.loads(run("validate", "--json").stdout)["values"]
    assert [(row["key"], row["from"], row["is_asked"]) for row in rows] == [
        ("lambda.environment.STAGE", ["env"], False),
        ("lambda.environment.TOKEN", ["secret"], True),
        ("lambda.timeout", ["ssm"], True),
    ]
    assert "values" not in json.loads(run("validate", "--json", "--env", "prod").stdout or "{}")


def test_validate_shows_values_that_were_read_when_asked_and_no_others(run, tmp_path, monkeypatch):
    monkeypatch.setenv("STAGE", "from-here")
    append(tmp_path, ASKED)
    said = json.loads(run("validate", "--json", "--show-values").stdout)["lambda"]["environment"]
    assert (said["STAGE"], said["TOKEN"]) == ("from-here", "${secret:db#password}")


def test_validate_packs_nothing_of_a_path_that_is_not_known(run, tmp_path):
    append(tmp_path, "environments:\n  dev:\n    lambda:\n      path: ${ssm:/path}\n")
    assert run("validate").exception is None


def add_build(folder, command):
    """Let a command make the folder dist, which is packed."""
    file = folder / "config.yml"
    file.write_text(file.read_text().replace("  path: code", "  path: dist"))
    append(folder, f"  build: {command}\n")


def test_validate_runs_no_build(run, tmp_path):
    add_build(tmp_path, "cp -r code dist")
    done = run("validate")
    assert "note       the code is not checked: lambda.build makes it" in done.stderr
    assert "  build: cp -r code dist\n" in done.stdout
    assert not (tmp_path / "dist").exists()
    assert "building   code of greeter\n" in run("package").stderr


def test_validate_knows_a_build_whose_command_is_not_known(run, tmp_path):
    add_build(tmp_path, "make ${ssm:/target}")
    assert run("validate").exception is None

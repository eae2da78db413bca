"""validate, package and init on the command line; none of them needs AWS."""

import json
import os
import re
import sys

import pytest
from click.testing import CliRunner

from kappa.cli.main import cli
from kappa.config.read import read_config
from kappa.errors import ArchiveError, ConfigError


@pytest.fixture
def run(tmp_path):
    """Run kappa on the config of a new project, or on others in its folder."""

    def run_command(*args, configs=("config.yml",)):
        files = [str(tmp_path / name) for name in configs]
        return CliRunner().invoke(cli, [*files, *args], standalone_mode=False)

    made = run_command("init", "greeter")
    assert made.exception is None
    return run_command


def add(folder, text):
    file = folder / "config.yml"
    file.write_text(file.read_text() + text)


def test_init_says_what_it_wrote_and_what_is_next(tmp_path):
    done = CliRunner().invoke(cli, [str(tmp_path / "new" / "c.yml"), "init"], standalone_mode=False)
    assert [line.split()[0] for line in done.stderr.splitlines()] == [
        *["created"] * 5,
        "Next:",
        "Then:",
    ]
    assert "c.yml deploy\n" in done.stderr


def test_validate_prints_the_chosen_environment(run, tmp_path):
    add(tmp_path, "environments:\n  prod:\n    lambda:\n      timeout: 9\n")
    said = json.loads(run("validate", "--env", "prod", "--json").stdout)
    assert said["lambda"]["timeout"] == 9
    assert "environments" not in said


def test_env_may_stand_before_the_config_too(run, tmp_path):
    add(tmp_path, "environments:\n  prod:\n    region: eu-west-1\n")
    args = ["--env", "prod", str(tmp_path / "config.yml"), "validate"]
    done = CliRunner().invoke(cli, args, standalone_mode=False)
    assert "region: eu-west-1\n" in done.stdout


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


def test_package_lists_what_is_in_the_zip(run, tmp_path):
    data = json.loads(run("package", "--list", "--json").stdout)
    assert list(data["names"]) == ["greeter.py"]
    assert data["size_bytes"] == (tmp_path / "greeter.zip").stat().st_size


def test_package_writes_one_file_for_one_config(run, tmp_path):
    (tmp_path / "other.yml").write_text((tmp_path / "config.yml").read_text())
    done = run("package", "--output", "x.zip", configs=("config.yml", "other.yml"))
    assert "--output is for one config file." in done.stderr


BROKEN = "def handler(event, context)\n    return event\n"


@pytest.mark.parametrize("command", ["package", "validate"])
def test_a_syntax_error_is_warned_of_and_refused_where_one_is_strict(run, tmp_path, command):
    # Good for whatever Python runs kappa: the runtime's own may not be here.
    file = tmp_path / "config.yml"
    file.write_text(re.sub("python3.[0-9]+", f"python3.{sys.version_info.minor}", file.read_text()))
    (tmp_path / "code" / "tea.py").write_text(BROKEN)
    done = run(command)
    assert done.exception is None
    assert "warning    tea.py:1: " in done.stderr
    refused = run(command, "--strict").exception
    assert isinstance(refused, ConfigError)
    assert "tea.py:1" in refused.message


def test_strict_stops_several_configs_before_anything_is_asked(run, tmp_path):
    (tmp_path / "bad").mkdir()
    text = (tmp_path / "config.yml").read_text()
    python = f"python3.{sys.version_info.minor}"
    text = re.sub("python3.[0-9]+", python, text).replace("name: greeter", "name: other")
    (tmp_path / "bad.yml").write_text(text.replace("path: code", "path: bad"))
    (tmp_path / "bad" / "greeter.py").write_text(BROKEN)
    done = run("deploy", "--strict", configs=("config.yml", "bad.yml"))
    assert done.return_value == 2
    assert "Error: Python cannot read greeter.py:1" in done.stderr


@pytest.mark.parametrize("what", ["policy.json", "values.yml", "config.yml"])
def test_a_pipe_in_place_of_a_file_is_refused(run, tmp_path, what):
    add(tmp_path, "include: values.yml\n")
    (tmp_path / "values.yml").write_text("a: b\n")
    (tmp_path / what).unlink()
    os.mkfifo(tmp_path / what)
    error = run("validate").exception
    assert isinstance(error, ConfigError)
    assert f"{what}: Not a regular file" in error.message


def test_a_container_image_is_not_packed(run, tmp_path):
    file = tmp_path / "config.yml"
    kept = [
        line
        for line in file.read_text().splitlines()
        if not line.strip().startswith(("path:", "handler:", "runtime:"))
    ]
    image = "  image:\n    uri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1\n"
    file.write_text("\n".join(kept) + "\n" + image)
    assert isinstance(run("package").exception, ArchiveError)
    assert run("validate").exception is None


def test_validate_hides_the_values_of_variables_and_still_prints_a_config(run, tmp_path):
    add(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: s3cret}\n")
    done = run("validate")
    assert "s3cret" not in done.output
    assert "lambda.environment (GREETING, KEY)" in done.stderr
    (tmp_path / "again.yml").write_text(done.stdout)
    assert read_config(tmp_path / "again.yml").function.environment is None


def test_validate_shows_the_values_of_variables_when_asked(run, tmp_path):
    add(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: s3cret}\n")
    done = run("validate", "--show-values", "--json")
    assert json.loads(done.stdout)["lambda"]["environment"]["KEY"] == "s3cret"
    assert "s3cret" not in run("validate", "--json").output


def test_validate_says_what_deploy_would_say_of_the_region(run, tmp_path):
    queue = "arn:aws:sqs:eu-west-1:123456789012:q"
    add(tmp_path, f"  dead_letter: {queue}\n")
    said = run("validate", "--region", "us-east-1").exception.message
    assert "lambda.dead_letter is in eu-west-1, the function in us-east-1" in said


def test_a_value_that_looks_like_a_name_is_printed_so_that_it_reads_as_itself(run, tmp_path):
    (tmp_path / "values.yml").write_text("who: ${nobody}\n")
    file = tmp_path / "config.yml"
    file.write_text("include: values.yml\n" + file.read_text())
    add(tmp_path, "environments:\n  dev:\n    lambda:\n      environment: {KEY: '${who}'}\n")
    (tmp_path / "again.yml").write_text(run("validate", "--show-values").stdout)
    assert read_config(tmp_path / "again.yml").function.environment["KEY"] == "${nobody}"


def test_init_of_a_link_to_itself_is_an_error_in_words(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    file = tmp_path / "loop" / "config.yml"
    done = CliRunner().invoke(cli, [str(file), "init"], standalone_mode=False)
    assert isinstance(done.exception, ConfigError)


@pytest.mark.parametrize("name", ["policy.json", "input.json", "Policy.JSON", "kappa.schema.json"])
@pytest.mark.parametrize("more", [[], ["--from", "greeter"]])
def test_init_refuses_a_config_named_like_a_file_of_its_own(tmp_path, name, more):
    done = CliRunner().invoke(cli, [str(tmp_path / name), "init", *more], standalone_mode=False)
    assert isinstance(done.exception, ConfigError)
    assert "config.yml" in done.exception.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["queue", "json", "class", "None"])
def test_init_makes_no_module_that_hides_pythons_own(tmp_path, name):
    file = tmp_path / name / "config.yml"
    done = CliRunner().invoke(cli, [str(file), "init"], standalone_mode=False)
    assert done.exception is None
    assert read_config(file).function.handler == f"{name}_function.handler"
    assert (file.parent / "code" / f"{name}_function.py").is_file()


def test_a_files_name_makes_no_line_of_its_own_in_a_list(run, tmp_path):
    (tmp_path / "code" / "a\nconfig.zip: 1 B").write_text("x")
    lines = run("package", "--list").stdout.splitlines()
    assert len(lines) == 3
    assert any(line.endswith(r"a\nconfig.zip: 1 B") for line in lines)


def including(folder, text, values):
    (folder / "values.yml").write_text(values)
    file = folder / "config.yml"
    file.write_text("include: values.yml\n" + file.read_text())
    add(folder, text)


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
    assert said["lambda"]["tags"] == {"owner": "team-${secret}", "plain": "mine", "level": "1"}
    assert said["lambda"]["timeout"] == 7
    assert "s3cret-value" in run("validate", "--show-values").stdout


def test_what_validate_prints_without_values_reads_as_the_same_config(run, tmp_path):
    including(tmp_path, SAID, VALUES)
    (tmp_path / "again.yml").write_text(run("validate").stdout)
    again, config = (read_config(tmp_path / name) for name in ("again.yml", "config.yml"))
    assert again.function.description == "s3cret-value"
    assert again.function.tags == config.function.tags
    assert again.function.event_sources == config.function.event_sources


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
    lines = ["--index-url https://me:secret@host/simple", "--find-links https://${TOKEN}@host"]
    add(tmp_path, f"  requirements: {json.dumps(lines)}\n")
    said = json.loads(run("validate", "--json").stdout)["lambda"]["requirements"]
    assert said == ["--index-url https://****@host/simple", lines[1]]
    said = json.loads(run("validate", "--json", "--show-values").stdout)
    assert said["lambda"]["requirements"] == lines

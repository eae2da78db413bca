"""init on the command line: what it writes, and what it refuses."""

import pytest
from click.testing import CliRunner

from kappa.commands.main import cli
from kappa.commands.templates import TEMPLATES
from kappa.config.read import read_config
from kappa.errors import ConfigError
from tests.support.kappa.existing import SETTINGS


def test_init_says_what_it_wrote_and_what_is_next(tmp_path):
    done = CliRunner().invoke(cli, [str(tmp_path / "new" / "c.yml"), "init"], standalone_mode=False)
    assert [line.split()[0] for line in done.stderr.splitlines()] == [
        *["created"] * 5,
        "Next:",
        "Then:",
    ]
    assert "c.yml deploy\n" in done.stderr


RUNTIMES = {
    "python": "python3.13",
    "node": "nodejs24.x",
    "typescript": "nodejs24.x",
    "bootstrap": "provided.al2023",
    "http": "python3.13",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_init_writes_the_template_that_is_asked_for(tmp_path, template):
    file = tmp_path / "own" / "config.yml"
    args = [str(file), "init", "--template", template]
    assert CliRunner().invoke(cli, args, standalone_mode=False).exception is None
    for name in TEMPLATES[template].files:
        assert (file.parent / name.replace("{module}", "own")).is_file()
    assert read_config(file).function.runtime == RUNTIMES[template]


def test_a_template_is_not_for_a_function_that_exists(tmp_path):
    args = [str(tmp_path / "config.yml"), "init", "--from", "greeter", "--template", "node"]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 2
    assert "--template is for a new function" in done.stderr


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


@pytest.mark.parametrize(
    "name",
    [
        "function:live",
        "greeter:live",
        "123456789012:function:greeter:1",
        f"{SETTINGS['FunctionArn']}:live",
    ],
)
def test_a_version_or_an_alias_is_not_adopted(tmp_path, name):
    args = [str(tmp_path / "config.yml"), "init", "--from", name]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 2
    assert f"Give --from {name.rpartition(':')[0]}." in done.stderr
    assert list(tmp_path.iterdir()) == []

"""A command that kappa advises acts on what the command at hand acted on."""

import ast
import re
from pathlib import Path

import pytest

import kappa
from kappa.commands.session import open_session
from kappa.config import advised_commands
from tests.support.builders import kappa_config

# function/aliases.py writes a mark into AWS; commands/templates.py writes comments into a file.
_NO_ADVICE = {"function/aliases.py", "commands/templates.py"}
FOLDER = Path(kappa.__file__).parent


def modules():
    return sorted(FOLDER.rglob("*.py"))


def texts(module):
    """Each text of a module, a filled-in value as {}."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                one.value if isinstance(one, ast.Constant) else "{}" for one in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w+\}", "{}", node.value)


def test_no_command_is_advised_but_by_the_one_place_that_words_them():
    elsewhere = [
        f"{module.name}: {text}"
        for module in modules()
        if module.relative_to(FOLDER).as_posix() not in _NO_ADVICE
        for text in texts(module)
        if "kappa {} " in text
    ]
    assert elsewhere == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "kappa c.yml deploy"),
        (advised_commands.options(env="prod", region=None), "kappa c.yml deploy --env prod"),
        (
            advised_commands.options(env="", profile="my work", region="eu-west-1"),
            "kappa c.yml deploy --profile 'my work' --region eu-west-1",
        ),
    ],
)
def test_an_advised_command_repeats_the_options_that_were_given(given, said):
    assert advised_commands.kappa_command("deploy", "c.yml", given=given) == said


def test_an_advised_command_can_be_pasted_into_a_shell():
    assert (
        advised_commands.kappa_command("diff", Path("my app/c.yml"), "d.yml")
        == "kappa 'my app/c.yml' d.yml diff"
    )


def test_a_config_advises_its_own_environment():
    config = kappa_config(environment="prod")
    assert config.command("create") == "kappa config.yml create --env prod"


FILE = """\
region: us-east-1
iam: {role: {name: r}}
lambda: {name: "g-${environment}", path: code, handler: a.b, runtime: python3.13}
environments: {dev: {}, prod: {}}
"""


@pytest.mark.parametrize(
    ("profile", "region", "environment", "said"),
    [
        (None, None, "", "--env dev"),
        ("work", "eu-west-1", "prod", "--env prod --profile work --region eu-west-1"),
    ],
)
def test_what_the_command_line_gave_is_given_again(tmp_path, profile, region, environment, said):
    file = tmp_path / "g.yml"
    file.write_text(FILE)
    session = open_session(file, profile, region, environment=environment)
    assert session.config.command("create") == f"kappa {file} create {said}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "--profile own --region us-east-1"),
        (advised_commands.options(profile="work"), "--profile work --region us-east-1"),
        (advised_commands.options(region="eu-west-1"), "--profile own --region eu-west-1"),
    ],
)
def test_a_command_of_the_aws_cli_acts_in_the_same_account_and_region(given, said):
    config = kappa_config(profile="own", region="us-east-1", given=given)
    assert config.aws("lambda list-functions") == f"aws lambda list-functions {said}"
    assert kappa_config().aws("sts get-caller-identity") == "aws sts get-caller-identity"


def test_no_command_of_the_aws_cli_is_advised_but_by_the_same_place():
    elsewhere = [
        f"{module.name}: {text}"
        for module in modules()
        for text in texts(module)
        if re.search(r"\baws (lambda|iam|s3|sns) [a-z]+-", text)
    ]
    assert elsewhere == []

"""The environments of a config: which one is meant, and what it changes."""

import msgspec
import pytest

from kappa.config.read import read_config
from tests.support.kappa.configs import TWO_ENVIRONMENTS, error_of


def test_an_environment_is_merged_key_by_key(write):
    config = read_config(write(TWO_ENVIRONMENTS), "prod")
    assert (config.profile, config.region, config.environment) == ("live", "eu-west-1", "prod")
    assert config.function.memory_size == 512
    assert config.function.environment == {"GREETING": "good evening", "STAGE": "1.10"}
    assert config.function.name == "greeter-prod"


def test_dev_is_meant_when_none_is_named_as_in_0_7(write):
    config = read_config(write(TWO_ENVIRONMENTS))
    assert (config.function.name, config.function.memory_size) == ("greeter-dev", 128)


def test_without_a_dev_one_must_be_named(write):
    said = error_of(write(TWO_ENVIRONMENTS.replace("dev:", "test:")))
    assert said == "14: which environment?\n  Name one with --env: test, prod."


def test_an_unknown_environment_is_guessed(write):
    assert error_of(write(TWO_ENVIRONMENTS), "prd").endswith("Did you mean `prod`?")


def test_env_for_a_file_without_environments_is_an_error(write):
    said = error_of(
        write(TWO_ENVIRONMENTS.split("environments")[0].replace("-${environment}", "")), "dev"
    )
    assert "has no environments" in said


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("environments: [dev]", "14: environments must map names"),
        ("environments: {}", "14: environments must map names"),
        ("environments: {dev: yes}", "14: environments.dev must be a mapping"),
        ("environments:\n  dev:\n    lambda:\n      memry_size: 1", "17: unknown key"),
        ("environments:\n  dev:\n    lambda:\n      timeout: 5401", "17: lambda.timeout is '5401'"),
        ("environments:\n  dev:\n    regoin: x", "16: unknown key regoin."),
    ],
)
def test_what_is_wrong_in_an_environment_is_said_with_its_own_line(write, section, said):
    assert error_of(
        write(TWO_ENVIRONMENTS.split("environments:\n")[0] + section + "\n")
    ).startswith(said)


def test_what_another_environment_lacks_is_no_error(write):
    text = TWO_ENVIRONMENTS.replace("profile: live", "profile: ${missing}")
    assert read_config(write(text), "dev").profile is None
    assert "missing" in error_of(write(text), "prod")


def test_an_environment_may_include_a_file_of_its_own(write, tmp_path):
    (tmp_path / "prod.yml").write_text("where: eu-west-3\n")
    text = TWO_ENVIRONMENTS.replace("region: eu-west-1", "include: prod.yml\n    region: ${where}")
    assert read_config(write(text), "prod").region == "eu-west-3"


@pytest.mark.parametrize("section", ["dev: {include: inc.yml}", "dev: {}"])
def test_an_included_environment_never_takes_the_place_of_the_one_that_is_meant(
    write, tmp_path, section
):
    (tmp_path / "inc.yml").write_text("environment: prod\n")
    text = TWO_ENVIRONMENTS.split("environments:\n")[0]
    file = write(f"include: inc.yml\n{text}environments: {{{section}, prod: {{}}}}\n")
    assert read_config(file, "dev").function.name == "greeter-dev"
    assert read_config(file, "prod").function.name == "greeter-prod"


def test_without_environments_an_included_environment_is_a_value_like_others(write, tmp_path):
    (tmp_path / "inc.yml").write_text("environment: prod\n")
    text = TWO_ENVIRONMENTS.split("environments:\n")[0]
    assert read_config(write(f"include: inc.yml\n{text}")).function.name == "greeter-prod"


LAYOUT = """
lambda: {{name: {name}, path: code, handler: greeter.handler, runtime: python3.13{more}}}
iam: {{role: {{arn: "arn:aws:iam::123456789012:role/r"}}}}
environments: {{dev: {dev}, prod: {prod}}}
"""


def other_aliases_of(tmp_path, environment="dev", name="greeter", more="", dev="{}", prod="{}"):
    file = tmp_path / "config.yml"
    file.write_text(LAYOUT.format(name=name, more=more, dev=dev, prod=prod))
    return set(read_config(file, environment).other_aliases)


def test_environments_with_functions_of_their_own_share_nothing(tmp_path):
    more = ", alias: live"
    assert other_aliases_of(tmp_path, name='"greeter-${environment}"', more=more) == set()
    assert other_aliases_of(tmp_path, prod="{lambda: {name: other, alias: prod}}") == set()


@pytest.mark.parametrize("alias", ['"${environment}"', '"${environment:-x}"'])
def test_an_alias_named_like_the_environment_is_its_own(tmp_path, alias):
    assert other_aliases_of(tmp_path, more=f", alias: {alias}") == {"prod"}
    assert other_aliases_of(tmp_path, "prod", more=f", alias: {alias}") == {"dev"}


def test_environments_without_an_alias_share_the_function_itself(tmp_path):
    assert other_aliases_of(tmp_path) == {"prod"}
    assert other_aliases_of(tmp_path, dev="{lambda: {alias: dev}}") == {"prod", ""}
    assert other_aliases_of(tmp_path, "prod", dev="{lambda: {alias: dev}}") == {"dev"}


def test_another_regions_or_accounts_function_itself_is_another_function(tmp_path):
    own = "{lambda: {alias: dev}}"
    for other in ("{region: eu-west-1}", "{profile: live}"):
        assert other_aliases_of(tmp_path, dev=own, prod=other) == {"prod"}


def test_what_is_wrong_in_another_environment_is_no_error(tmp_path):
    more = ', alias: "${environment}"'
    for other in ("{lambda: {name: [1]}}", "3", '{lambda: {alias: "${nope}"}}', "null"):
        assert other_aliases_of(tmp_path, more=more, prod=other) == {"prod"}


def test_environments_of_kappa_0_7_share_the_function(tmp_path):
    file = tmp_path / "kappa.yml"
    file.write_text(
        "name: shop\nlambda: {handler: a.b, runtime: python3.13}\n"
        "environments: {dev: {}, prod: {}, ci: {}}"
    )
    assert set(read_config(file, "dev").other_aliases) == {"prod", "ci"}


def test_the_alias_that_a_command_names_is_its_own(tmp_path):
    file = tmp_path / "config.yml"
    file.write_text(LAYOUT.format(name="greeter", more="", dev="{}", prod="{}"))
    config = read_config(file, "dev")
    assert set(config.others) == {"prod"}
    named = msgspec.structs.replace(config.function, alias="prod")
    assert set(msgspec.structs.replace(config, function=named).others) == set()

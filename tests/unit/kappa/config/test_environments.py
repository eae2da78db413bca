"""The environments of a config: which one is meant, and what it changes."""

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

"""The layout of kappa 0.7."""

from pathlib import Path

import pytest

from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.errors import ConfigError
from kappa.package.handler import check_files
from kappa.package.pack import read_archive
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import TWO_ENVIRONMENTS, error_of

LATER = Path(__file__).parents[3] / "data" / "kappa" / "later" / "kappa.yml"
SHORT = """\
environments:
  dev:
    region: us-east-1
    policy:
      resources:
        - arn: arn:aws:logs:*:*:*
          actions: ["*"]
lambda:
  handler: simple.handler
  runtime: python3.13
"""


def test_the_layout_of_0_7_reads():
    config = read_config(LATER)
    function = config.function
    assert (function.name, function.path) == ("kappa-python-sample", "_src")
    assert (function.alias, function.publish) == ("dev", True)
    assert (function.log_retention_days, function.dependencies) == (7, ("lib",))
    assert function.environment == {"key_one": "potatoes", "second_key": "Strawberries"}
    assert function.vpc.subnet_ids == ("subnet-12345678", "subnet-23456789")
    assert [one.batch_size for one in function.event_sources] == [100]
    assert (config.profile, config.region) == ("personal", "us-west-2")
    assert (config.role.name, config.role.path) == ("kappa-python-sample_dev", "/kappa/")


def test_the_policy_of_0_7_is_made_of_resources_and_actions():
    assert read_config(LATER).policy.name == "kappa-python-sample_dev"
    assert read_policy_document(read_config(LATER)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
                "Resource": "arn:aws:dynamodb:us-west-2:123456789012:table/foo",
            },
            {"Effect": "Allow", "Action": ["logs:*"], "Resource": "arn:aws:logs:*:*:*"},
        ],
    }


def test_a_role_that_exists_is_used_as_in_0_7():
    config = read_config(LATER, "prod")
    assert (config.role.name, config.policy, config.makes_role) == ("some-role-name", None, False)


def test_the_zip_of_0_7_holds_dependencies_and_the_environments_config():
    names = read_archive(read_config(LATER)).names
    assert names == ("config.json", "dev_config.json", "greeting.py", "simple.py")


def test_0_7_installed_nothing_and_so_do_we_and_say_so(write, tmp_path):
    file = write(SHORT)
    (tmp_path / "_src" / "requirements.txt").write_text("there-is-no-such-package\n")
    config = read_config(file)
    archive = read_archive(config)
    assert archive.names == ("requirements.txt", "simple.py")
    (remark,) = archive.notes
    assert "requirements: _src/requirements.txt" in remark
    asked = read_config(write(f"{SHORT}  requirements: _src/requirements.txt\n"))
    assert asked.function.requirements == "_src/requirements.txt"
    assert read_archive(read_config(write(f"{SHORT}  requirements: []\n"))).notes == ()


@pytest.mark.parametrize("value", ["default", "none", "[a.txt]"])
def test_what_the_newest_kappa_left_out_may_be_named(write, value):
    text = f"{SHORT}  excluded_dirs: {value}\n  excluded_files: {value}\n"
    function = read_config(write(text)).function
    expected = ("a.txt",) if "[" in value else ()
    assert (function.excluded_dirs, function.excluded_files) == (expected, expected)


def test_a_file_of_0_7_without_a_name_is_named_by_its_folder(write, tmp_path):
    name = read_config(write(SHORT)).function.name
    assert name == tmp_path.name


def test_place_values_and_statements_in_a_policy_of_0_7_are_kept(write):
    text = SHORT.replace("arn:aws:logs:*:*:*", "arn:${partition}:logs:${region}:${account_id}:*")
    text = text.replace(
        "      resources:", "      statements:\n        - Effect: Deny\n      resources:"
    )
    first, second = read_policy_document(read_config(write(text)))["Statement"]
    assert first["Resource"] == "arn:${partition}:logs:${region}:${account_id}:*"
    assert first["Action"] == ["logs:*"]
    assert second == {"Effect": "Deny"}


def test_a_rule_of_0_7_is_a_rule_still(write):
    rule = "arn:aws:events:us-east-1:123456789012:rule/kappa-cron-dev"
    sources = f"    event_sources:\n      - {{arn: '{rule}', schedule: rate(1 minute)}}\n"
    text = SHORT.replace("    policy:\n", f"{sources}    policy:\n")
    (source,) = read_config(write(text)).function.event_sources
    assert (source.service, source.schedule) == ("events", "rate(1 minute)")


def test_permissions_of_0_7_get_an_id(write):
    text = f"{SHORT}  permissions:\n    - principal: s3.amazonaws.com\n"
    assert read_config(write(text)).function.permissions[0].statement_id == "kappa-1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"restapi: {{}}\n{SHORT}", "1: kappa makes no REST APIs."),
        (f"nam: x\n{SHORT}", "1: unknown key nam.\n  Did you mean `name`?"),
        (SHORT.replace("actions", "action"), "7: unknown key environments.dev.policy.resources"),
        (SHORT.replace("region", "regoin"), "3: unknown key environments.dev.regoin.\n  Did you"),
        (SHORT.replace("runtime", "runtme"), "10: unknown key lambda.runtme."),
        (SHORT.replace("lambda:\n", "lambda: x\nx:\n"), "9: unknown key x"),
        (SHORT.split("lambda")[0] + "lambda: x\n", "8: lambda must be a mapping"),
    ],
)
def test_what_is_wrong_in_a_file_of_0_7_is_said_with_its_line(write, text, said):
    assert error_of(write(text)).startswith(said)


def test_an_environment_without_variables_clears_those_of_the_one_before(write):
    assert read_config(write(SHORT)).function.environment == {}
    empty = SHORT.replace("    policy:", "    environment_variables:\n    policy:")
    assert read_config(write(empty)).function.environment == {}


def test_variables_of_the_function_are_kept_where_the_environment_has_none(write):
    text = f"{SHORT}  environment: {{GREETING: good day}}\n"
    assert read_config(write(text)).function.environment == {"GREETING": "good day"}


def test_resources_beside_the_policy_have_no_effect_and_a_note(write):
    text = SHORT.replace("    policy:", "    resources:\n      - arn: x\n    policy:")
    config = read_config(write(text))
    assert config.notes == (
        f"{config.file}:4: environments.dev.resources has no effect; "
        "environments.dev.policy.resources has.",
    )
    assert len(read_policy_document(config)["Statement"]) == 1


def test_a_stream_is_read_from_where_the_kappa_of_its_layout_began(write):
    assert read_config(write(SHORT)).default_position == "LATEST"
    assert read_config(write(TWO_ENVIRONMENTS)).default_position == "TRIM_HORIZON"


def test_a_file_of_0_2_is_said_to_be_one(write):
    text = "cloudformation: {template: roles.cf}\nlambda: {zipfile_name: a.zip, mode: event}\n"
    assert error_of(write(text)).startswith("1: this is a file of kappa 0.2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SHORT.replace("    policy:", "    role: {name: a b}\n    policy:"),
            "environments.dev.role.name is 'a b'",
        ),
        (SHORT.replace("dev", "'a b'"), "2: environments.a b is not a valid environment name."),
        ("name: a b\n" + SHORT, "1: name is 'a b'"),
        (SHORT + "  log_retention_policy: 2\n", "lambda.log_retention_policy is 2."),
        (
            SHORT.replace("    policy:", "    environment_variables: {AWS_REGION: x}\n    policy:"),
            "4: AWS_REGION is set by Lambda itself.",
        ),
        (
            SHORT.replace("    policy:", "    event_sources: [{arn: x}]\n    policy:"),
            "4: environments.dev.event_sources[0].arn is 'x'",
        ),
        (SHORT + "  timeout: 0\n", "lambda.timeout is '0'"),
    ],
)
def test_what_is_wrong_in_a_file_of_0_7_is_said_in_its_own_words(write, text, said):
    assert said in error_of(write(text), "a b" if "'a b':" in text else "")


def test_code_that_is_missing_is_said_in_the_words_of_0_7(write):
    config = read_config(write(f"source: nowhere\n{SHORT}"))
    with pytest.raises(ConfigError, match=r"config.yml:1: source: .*nowhere does not exist"):
        check_files(config)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Condition:", "7: environments.dev.policy.statements[0].Condition has no value."),
        ("Sid: no", "7: environments.dev.policy.statements[0].Sid is no, which YAML reads as"),
    ],
)
def test_a_statement_of_0_7_never_loses_a_condition(write, condition, said):
    statement = f"      statements:\n        - Effect: Allow\n          {condition}\n"
    text = SHORT.replace("      resources:", f"{statement}      resources:")
    assert error_of(write(text)).startswith(said)


def test_a_container_image_works_in_the_layout_of_0_7(write):
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/greeter:1"
    text = SHORT.split("lambda:")[0] + f"lambda: {{image: {{uri: {image}}}}}\n"
    function = read_config(write(text)).function
    assert (function.image.uri, function.path) == (image, "")
    said = error_of(write(f"source: src\n{text}"))
    assert said.startswith("1: source does not go with lambda.image")


def test_a_key_is_named_as_the_file_does_and_values_are_quoted_as_they_stand(write):
    said = error_of(write(SHORT.replace("us-east-1", "region")))
    assert said.startswith("3: environments.dev.region is 'region'.")


@pytest.mark.parametrize(
    ("arn", "hint"),
    [
        ("<arn>", "Put in place of <arn> what is meant."),
        ("arn:aws:dynamodb:us-east-1:1:table/<your table>", "Put in place of <your table>"),
        ("my-table", "Allowed: an ARN, such as"),
    ],
)
def test_a_resource_that_is_no_arn_is_named_with_its_line(write, arn, hint):
    said = error_of(write(SHORT.replace("arn:aws:logs:*:*:*", f'"{arn}"')))
    assert said.startswith(f"6: environments.dev.policy.resources[0].arn is {arn!r}.\n  {hint}")


def test_a_blank_in_a_statement_of_0_7_is_named_with_its_line(write):
    text = SHORT.replace("      resources:\n", "      statements:\n")
    text = text.replace('arn: arn:aws:logs:*:*:*\n          actions: ["*"]', "Resource: <arn>")
    assert error_of(write(text)).startswith("6: environments.dev.policy.statements[0].Resource is")


@pytest.mark.parametrize("arn", ["'*'", "arn:*:logs:*:*:*", "'arn:aws:s3:::b/${environment}/*'"])
def test_a_resource_of_0_7_may_be_what_iam_allows(write, arn):
    text = SHORT.replace("arn:aws:logs:*:*:*", arn)
    assert read_policy_document(read_config(write(text)))["Statement"][0]["Resource"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SHORT.replace("dev", "<your_env>"),
            "2: environments.<your_env> is not a valid environment name",
        ),
        (SHORT.replace("dev", "'12'"), "2: environments.12 is not a valid environment name."),
        (f"name: <function name>\n{SHORT}", "1: name is '<function name>'."),
    ],
)
def test_one_bad_name_is_one_mistake(write, text, said):
    environment = {"<your_env>": "<your_env>", "'12'": "12"}
    wanted = next((name for key, name in environment.items() if f"{key}:" in text), "")
    told = error_of(write(text), wanted)
    assert told.startswith(said)
    assert len(told.splitlines()) == 2


def test_a_folder_whose_name_no_function_can_have_is_one_mistake(tmp_path):
    file = tmp_path / "my app" / "kappa.yml"
    file.parent.mkdir()
    file.write_text(SHORT)
    said = error_of(file)
    assert said.startswith("1: name is missing, and the folder's name, 'my app', is not a valid")
    assert len(said.splitlines()) == 2


def test_the_source_folder_that_0_7_takes_unless_told_is_asked_for(write, tmp_path):
    config = read_config(write(SHORT))
    (tmp_path / "_src" / "simple.py").unlink()
    (tmp_path / "_src").rmdir()
    with pytest.raises(ConfigError) as error:
        check_files(config)
    assert "the folder of the code, " in error.value.message
    assert error.value.hint == "Make the folder _src, or name another one with `source:`."


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


def test_code_that_is_in_s3_already_is_said_not_to_be_taken(write):
    said = error_of(write(MINIMAL, "  code: {bucket: b, key: k, version: v}\n"))
    assert said.startswith("9: lambda.code: kappa takes no code that is in S3 already.\n  Name the")
    assert "path: function.zip" in said

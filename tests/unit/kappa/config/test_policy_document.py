"""The policy document: what is filled in when, and what is refused with its line."""

import json
import os
import re

import pytest

from kappa.arn import Place
from kappa.config.policy_document import place_policy_document, read_policy_document
from kappa.config.read import read_config
from kappa.config.uses import ALL
from kappa.config.values import Value
from kappa.errors import ConfigError
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "1: not valid JSON"),
        ('{\n "Statement": [\n}', "3: not valid JSON"),
        ("[]", "1: a policy document needs a Statement."),
        ('{\n"Statement": "${nope}"}', "2: ${nope} has no value."),
    ],
)
def test_a_wrong_policy_document_is_said_with_its_line(write, tmp_path, document, said):
    (tmp_path / "p.json").write_text(document)
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    with pytest.raises(ConfigError, match=re.escape(f"p.json:{said}")):
        read_policy_document(read_config(write(text)))


def test_what_only_aws_knows_is_filled_in_later(write, tmp_path):
    (tmp_path / "p.json").write_text('{"Statement": "${partition} ${region} ${account_id}"}')
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    config = read_config(write(text))
    document = read_policy_document(config)
    placed = place_policy_document(
        document, config.values, Place("aws", "eu-west-1", "123456789012")
    )
    assert placed == {"Statement": "aws eu-west-1 123456789012"}


@pytest.mark.parametrize(
    ("function", "included", "log_group"),
    [
        ("name: f", "other: x\n", "/aws/lambda/f"),
        ("name: f-${environment}", "other: x\n", "/aws/lambda/f-prod"),
        ("name: f\n  logging: {group: all}", "other: x\n", "all"),
        ("name: f", "log_group: own\n", "own"),
    ],
)
def test_a_document_names_the_functions_log_group(write, tmp_path, function, included, log_group):
    (tmp_path / "p.json").write_text('{"Statement": "${log_group}"}')
    (tmp_path / "values.yml").write_text(included)
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    text = f"include: values.yml\nenvironments: {{prod: {{}}}}\n{text}"
    config = read_config(write(text.replace("name: greeter\n", f"{function}\n")), "prod")
    assert read_policy_document(config) == {"Statement": log_group}


def test_a_missing_policy_document_is_said(write):
    text = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: p.json}\n")
    with pytest.raises(ConfigError, match=r"p\.json: No such file"):
        read_policy_document(read_config(write(text)))


OWN_POLICY = """\
include: values.yml
iam:
  policy: {name: p, document: policy.json}
  role: {name: r}
lambda: {name: greeter, path: code, handler: greeter.handler, runtime: python3.13}
"""


@pytest.fixture
def with_policy(tmp_path):
    """Write a config with a policy file, and what it includes; the config."""

    def write_all(text, values="who: me\n"):
        (tmp_path / "values.yml").write_text(values)
        (tmp_path / "policy.json").write_text(text)
        (tmp_path / "config.yml").write_text(OWN_POLICY)
        return read_config(tmp_path / "config.yml")

    return write_all


PLACE = Place("aws", "us-east-1", "123456789012")
KNOWN = {
    "account_id": Value(PLACE.account),
    "partition": Value(PLACE.partition),
    "region": Value(PLACE.region),
}


@pytest.mark.parametrize("value", ["${x}", "${region}", "${aws:username}", "$${who}", "a${b:-c}d"])
@pytest.mark.parametrize("inline", [True, False])
def test_an_included_value_is_filled_in_once_and_never_read_again(with_policy, value, inline):
    document = json.dumps({"Statement": "${who}/${region}/${none:-$${x}}"})
    config = with_policy(document, f"who: {value}\n")
    if inline:
        config.file.write_text(OWN_POLICY.replace("policy.json", document))
        config = read_config(config.file, uses=ALL, read=lambda *_: KNOWN)
    placed = place_policy_document(read_policy_document(config), config.values, PLACE)
    assert placed == {"Statement": f"{value}/us-east-1/${{x}}"}


def test_a_value_that_a_policy_lacks_is_said_with_the_policys_own_line(with_policy):
    config = with_policy('{"Statement": [\n"${who}",\n"${lost}"]}')
    with pytest.raises(ConfigError, match=r"policy.json:3: \$\{lost\} has no value"):
        read_policy_document(config)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, "policy.json:1: nested too deeply."),
        ('{"Statement": ' + "9" * 5000 + "}", "policy.json:1: not valid JSON"),
    ],
)
def test_a_policy_that_is_no_policy_is_one_clear_error(with_policy, content, said):
    with pytest.raises(ConfigError) as error:
        read_policy_document(with_policy(content))
    assert said in str(error.value)


def test_a_policy_that_is_a_fifo_is_said_with_the_configs_line(with_policy, tmp_path):
    config = with_policy("{}")
    (tmp_path / "policy.json").unlink()
    os.mkfifo(tmp_path / "policy.json")
    with pytest.raises(ConfigError, match=r"config.yml:3: .*policy.json: Not a regular file"):
        read_policy_document(config)


def test_a_policy_that_is_no_utf_8_is_said_with_its_line(with_policy, tmp_path):
    config = with_policy("{}")
    (tmp_path / "policy.json").write_bytes(b'{"Statement":\n"\xff"}')
    with pytest.raises(ConfigError, match=r"policy.json:2: not valid JSON"):
        read_policy_document(config)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            '{"Statement": [{"Condition": {"a": "b"},\n"Condition": {}}]}',
            '2: not valid JSON: "Condition" is given twice.',
        ),
        (
            '{"Statement": "{\\"Statement\\": 1}",\n\n "St\\u0061tement": []}',
            '3: not valid JSON: "St\\u0061tement" is given twice.',
        ),
        (
            '{"Statement": [{"Sid": "null",\n"Condition":\nnull}]}',
            "3: a policy cannot contain null.",
        ),
        ('{"Statement": "NaN",\n"x": [NaN]}', "2: not valid JSON: NaN is not a JSON number."),
        ('{"Statement": NaNo}', "1: not valid JSON: NaN is not a JSON number."),
    ],
)
def test_a_policy_of_which_something_would_get_lost_is_said_with_its_line(
    with_policy, document, said
):
    with pytest.raises(ConfigError, match=re.escape(f"policy.json:{said}")):
        read_policy_document(with_policy(document))


def test_equal_keys_of_different_mappings_are_fine(with_policy):
    document = {"Statement": [{"Sid": "a"}, {"Sid": "b", "Condition": {"Sid": "}"}}]}
    assert read_policy_document(with_policy(json.dumps(document))) == document


def test_the_callers_account_is_never_the_included_one(with_policy):
    document = json.dumps({"Statement": "${account_id} ${partition} ${region} ${account_id:-x}"})
    config = with_policy(document, "account_id: 999999999999\npartition: aws-cn\nregion: mars\n")
    for text in ("policy.json", document):
        config.file.write_text(OWN_POLICY.replace("policy.json", text))
        config = read_config(config.file, uses=ALL, read=lambda *_: KNOWN)
        document = read_policy_document(config)
        assert place_policy_document(document, config.values, PLACE) == {
            "Statement": "123456789012 aws mars 123456789012"
        }


def statement(resource):
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}


@pytest.mark.parametrize(
    ("resource", "blank"),
    [
        ("<arn>", "<arn>"),
        ("arn:aws:s3:::<your bucket>/*", "<your bucket>"),
        (["*", "arn:aws:sns:us-east-1:<account>:news"], "<account>"),
    ],
)
def test_a_blank_in_a_policys_resource_is_named_with_file_and_line(
    write, tmp_path, resource, blank
):
    document = {"Statement": [statement("*"), statement(resource)]}
    (tmp_path / "policy.json").write_text(json.dumps(document, indent=1))
    with_policy = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    with pytest.raises(ConfigError) as error:
        read_policy_document(read_config(write(with_policy)))
    lines = (tmp_path / "policy.json").read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if blank in line)
    assert error.value.message.startswith(f"{tmp_path}/policy.json:{at}: a statement is about '")
    assert error.value.hint == f"Put in place of {blank} what is meant."
    here = with_policy.replace("policy.json", json.dumps(document))
    assert error_of(write(here)).startswith("2: iam.policy.document.Statement[1].Resource")


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "arn:aws:s3:::photos/${aws:username}/<draft>*",
        "arn:*:logs:*:*:*",
        "arn:aws:dynamodb:${region}:${account_id}:table/?ews*",
    ],
)
def test_what_iam_allows_of_a_resource_is_never_refused(write, tmp_path, resource):
    (tmp_path / "policy.json").write_text(json.dumps({"Statement": statement(resource)}))
    with_policy = MINIMAL.replace("iam:\n", "iam:\n  policy: {name: p, document: policy.json}\n")
    assert (
        read_policy_document(read_config(write(with_policy)))["Statement"]["Resource"] == resource
    )

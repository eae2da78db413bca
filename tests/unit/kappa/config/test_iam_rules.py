"""The iam section, and policy documents in the config: no right is wider than it looks."""

import pytest

from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.config.uses import ALL
from kappa.config.values import Value
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import TWO_ENVIRONMENTS, error_of

ROLE = "  role:\n    name: r\n"


@pytest.mark.parametrize(
    ("iam", "said"),
    [
        ("  policy: {name: p}\n", "iam.role is missing"),
        (ROLE + "    arn: arn:aws:iam::123456789012:role/r\n", "a name, or an arn, not both"),
        ("  role:\n    arn: arn:aws:sns:us-east-1:123456789012:t\n", "not a role"),
        (ROLE + "  policy: {}\n", "iam.policy needs a name, or an arn"),
        (ROLE + "  policy: {arn: 'arn:aws:iam::aws:policy/P', document: p.json}\n", "no document"),
        (ROLE + "  policy: {arn: 'arn:aws:iam::aws:role/P'}\n", "not a policy"),
        (
            "  role: {arn: 'arn:aws:iam::123456789012:role/r'}\n"
            "  policy: {name: p, document: p.json}\n",
            "kappa would attach no policy to it",
        ),
        (ROLE + "  policy: {name: 'a b'}\n", "1 to 128 letters"),
        (ROLE + "    path: kappa\n", "begins and ends with /"),
    ],
)
def test_a_wrong_iam_section_is_said(write, iam, said):
    text = MINIMAL.replace("  role:\n    name: greeter-role\n", iam)
    assert said in error_of(write(text))


INLINE = """\
iam:
  role: {name: r}
  policy:
    name: p
    document:
      Statement:
        - Effect: Allow
          Condition: %s
lambda: {name: greeter, path: code, handler: greeter.handler, runtime: python3.13}
"""
AT = "iam.policy.document.Statement[0].Condition"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("", f"8: {AT} has no value."),
        ("{StringEquals: {aws:PrincipalOrgID: }}", f"8: {AT}.StringEquals.aws:PrincipalOrgID has"),
        ("{StringEquals: {aws:x: [NO]}}", f"8: {AT}.StringEquals.aws:x[0] is NO, which YAML reads"),
        ("{Bool: {aws:x: on}}", f"8: {AT}.Bool.aws:x is on, which YAML reads as true."),
    ],
)
def test_a_document_in_the_config_never_loses_a_condition(write, condition, said):
    assert error_of(write(INLINE % condition)).startswith(said)


def test_a_document_in_the_config_keeps_what_is_clear(write):
    config = read_config(write(INLINE % "{Bool: {aws:x: true}, StringEquals: {aws:y: ['NO', 7]}}"))
    (statement,) = read_policy_document(config)["Statement"]
    assert statement["Condition"] == {
        "Bool": {"aws:x": True},
        "StringEquals": {"aws:y": ["NO", "7"]},
    }


def statement(resource):
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}


def test_a_document_may_stand_in_the_config(write):
    text = TWO_ENVIRONMENTS.split("environments:\n")[0].replace("-${environment}", "") + ""
    policy = (
        "  policy:\n    name: p\n    document:\n      Version: 2012-10-17\n      Statement:\n"
        "        - {Effect: Allow, Action: 's3:*', Resource: 'arn:${partition}:s3:::${who:-me}'}\n"
    )
    file = write(text.replace("iam:\n", f"iam:\n{policy}"))
    config = read_config(file, uses=ALL, read=lambda *_: {"partition": Value("aws-cn")})
    document = read_policy_document(config)
    assert document["Version"] == "2012-10-17"
    assert document["Statement"][0]["Resource"] == "arn:aws-cn:s3:::me"


def test_a_document_in_the_config_needs_a_statement(write):
    text = TWO_ENVIRONMENTS.replace("iam:\n", "iam:\n  policy: {name: p, document: {Version: x}}\n")
    assert error_of(write(text)).startswith("3: a policy document needs a Statement")

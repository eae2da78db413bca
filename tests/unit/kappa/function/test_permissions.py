"""The function's resource policy: what AWS answers, and what is planned for it.

The statements are as AWS writes them. Source: localstack's recorded answers of AWS,
test_lambda_api, TestLambdaPermissions.
"""

import json

import pytest
from msgspec.structs import replace

from kappa.config.advised_commands import aws_command
from kappa.config.model import Permission
from kappa.config.read import read_config
from kappa.errors import AwsError, ConfigError, Conflict, NotFound
from kappa.function.permissions import (
    as_statement,
    grants,
    plan_grant,
    plan_revoke,
    read_statement,
    read_statements,
)
from kappa.plan.apply import apply
from kappa.plan.step import Note
from tests.support.builders import assert_valid
from tests.support.kappa.account import clock

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:greeter"
TOPIC = "arn:aws:sns:eu-west-1:111111111111:news"


def raw(**changes):
    """A statement as AWS has it; a value of None leaves the key out."""
    default = {
        "Sid": "any",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {"ArnLike": {"AWS:SourceArn": TOPIC}},
    }
    return {key: value for key, value in (default | changes).items() if value is not None}


def wanted(**changes):
    default = {"statement_id": "any", "principal": "sns.amazonaws.com", "source_arn": TOPIC}
    return Permission(**default | changes)


def plan_of(permission, statements, alias=""):
    return plan_grant("greeter", permission, statements, alias, aws_command)


def equals(**conditions):
    return {"StringEquals": conditions}


WHOLE = {
    "a topic": (raw(), wanted()),
    "an account, as the ARN of its root": (
        raw(Principal={"AWS": "arn:aws:iam::222222222222:root"}, Condition=None),
        wanted(principal="222222222222", source_arn=""),
    ),
    "a role": (
        raw(Principal={"AWS": "arn:aws:iam::222222222222:role/r"}, Condition=None),
        wanted(principal="arn:aws:iam::222222222222:role/r", source_arn=""),
    ),
    "anyone of an account's sources": (
        raw(Principal="*", Condition=equals(**{"AWS:SourceAccount": "111111111111"})),
        wanted(principal="*", source_arn="", source_account="111111111111"),
    ),
    "an organization, on the URL": (
        raw(
            Principal="*",
            Action="lambda:InvokeFunctionUrl",
            Condition={
                "StringEquals": {
                    "AWS:SourceAccount": "111111111111",
                    "lambda:FunctionUrlAuthType": "NONE",
                    "aws:PrincipalOrgID": "o-1234567890",
                },
                "ArnLike": {"AWS:SourceArn": TOPIC},
            },
        ),
        wanted(
            principal="*",
            action="lambda:InvokeFunctionUrl",
            source_account="111111111111",
            principal_org_id="o-1234567890",
            function_url_auth_type="NONE",
        ),
    ),
    "a skill": (
        raw(Principal="*", Condition=equals(**{"lambda:EventSourceToken": "amzn1.ask.skill.x-y"})),
        wanted(principal="*", source_arn="", event_source_token="amzn1.ask.skill.x-y"),
    ),
    "an account, through the URL": (
        raw(
            Principal={"AWS": "arn:aws:iam::222222222222:root"},
            Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
        wanted(principal="222222222222", source_arn="", invoked_via_function_url=True),
    ),
    "texts alone in lists": (
        raw(Principal={"Service": ["sns.amazonaws.com"]}, Action=["lambda:InvokeFunction"]),
        wanted(),
    ),
}
FOREIGN = {
    "a denial": raw(Effect="Deny"),
    "two principals": raw(Principal={"AWS": ["111111111111", "222222222222"]}),
    "two kinds of principals": raw(Principal={"AWS": "1" * 12, "Service": "sns.amazonaws.com"}),
    "a principal of another kind": raw(Principal={"Federated": "accounts.google.com"}),
    "a user that was deleted": raw(Principal={"AWS": "AIDAJQABLZS4A3QDU576Q"}),
    "all but a principal": raw(Principal=None, NotPrincipal={"AWS": "111111111111"}),
    "two actions": raw(Action=["lambda:InvokeFunction", "lambda:GetFunction"]),
    "all but an action": raw(Action=None, NotAction="lambda:InvokeFunction"),
    "another resource": raw(Resource=f"{ARN}:live"),
    "any resource": raw(Resource="*"),
    "no id": raw(Sid=None),
    "a key that is not known": raw(Later="x"),
    "a token in another case": raw(
        Condition={"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "o"}}
    ),
    "a pattern of texts": raw(Condition={"StringLike": {"AWS:SourceArn": TOPIC}}),
    "all but one source": raw(Condition={"ArnNotLike": {"AWS:SourceArn": TOPIC}}),
    "a source if there is one": raw(Condition={"ArnLikeIfExists": {"AWS:SourceArn": TOPIC}}),
    "no source": raw(Condition={"Null": {"AWS:SourceArn": "true"}}),
    "two sources": raw(Condition={"ArnLike": {"AWS:SourceArn": [TOPIC, f"{TOPIC}2"]}}),
    "one source twice": raw(Condition={"ArnLike": {"AWS:SourceArn": "a", "aws:SourceArn": "b"}}),
    "an address": raw(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    "a source and more": raw(
        Condition={"ArnLike": {"AWS:SourceArn": TOPIC}, "Bool": {"aws:SecureTransport": "true"}}
    ),
    "not through the URL": raw(Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}),
}


@pytest.mark.parametrize(("has", "permission"), WHOLE.values(), ids=WHOLE)
def test_a_statement_that_a_config_can_express_is_read_whole(has, permission):
    statement = read_statement(has, "greeter")
    assert statement.foreign == ""
    assert grants(statement, permission)
    assert plan_of(permission, (statement,)) == [
        Note("exists", f"permission any for {permission.principal.replace('*', 'anyone')}")
    ]


@pytest.mark.parametrize(("has", "permission"), WHOLE.values(), ids=WHOLE)
def test_a_permission_is_added_with_all_its_conditions(has, permission):
    (step,) = plan_of(permission, ())
    assert_valid([step])
    names = {
        "SourceArn": "AWS:SourceArn",
        "SourceAccount": "AWS:SourceAccount",
        "PrincipalOrgID": "aws:PrincipalOrgID",
        "EventSourceToken": "lambda:EventSourceToken",
        "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
        "InvokedViaFunctionUrl": "lambda:InvokedViaFunctionUrl",
    }
    sent = {
        names[key]: str(value).replace("True", "true")
        for key, value in step.params.items()
        if key in names
    }
    conditions = has.get("Condition", {}).values()
    assert sent == {key: value for one in conditions for key, value in one.items()}


@pytest.mark.parametrize(("has", "permission"), WHOLE.values(), ids=WHOLE)
def test_a_statement_grants_no_other_permission(has, permission):
    statement = read_statement(has, "greeter")
    others = [one for _, one in WHOLE.values() if one != permission]
    assert [one for one in others if grants(statement, one)] == []


@pytest.mark.parametrize("has", FOREIGN.values(), ids=FOREIGN)
def test_a_statement_that_a_config_cannot_express_counts_for_no_permission(has):
    statement = read_statement(has, "greeter")
    assert json.loads(statement.foreign) == has
    for _, permission in WHOLE.values():
        assert not grants(statement, permission)


@pytest.mark.parametrize("has", FOREIGN.values(), ids=FOREIGN)
def test_deploy_never_replaces_such_a_statement(has):
    statement = read_statement(has, "greeter")
    if not statement.statement_id:
        assert [step.operation for step in plan_of(wanted(), (statement,))] == ["add_permission"]
        return
    with pytest.raises(Conflict) as raised:
        plan_of(wanted(), (statement,), "live")
    assert statement.foreign in raised.value.message
    assert "--function-name greeter --qualifier live --statement-id any" in raised.value.hint


def test_such_a_statement_is_not_removed_even_by_the_id_that_kappa_gives():
    statement = read_statement(raw(Effect="Deny"), "greeter")
    assert [one.mark for one in plan_revoke("greeter", "any", (statement,))] == ["kept"]


def test_a_statement_of_the_id_that_differs_is_replaced():
    has = read_statement(raw(Condition=None), "greeter")
    assert [step.operation for step in plan_of(wanted(), (has,))] == [
        "remove_permission",
        "add_permission",
    ]


class Refusing:
    """A policy behind Aws.call, which refuses a principal; `gone` has been removed meanwhile."""

    def __init__(self, refused, gone=False):
        self.refused, self.gone, self.added = refused, gone, []

    def __call__(self, service, operation, doing, params):
        if operation == "remove_permission":
            if self.gone:
                raise NotFound("gone", code="ResourceNotFoundException")
            return {}
        if params["Principal"] in self.refused:
            raise AwsError("The principal was invalid.", "", "InvalidParameterValueException")
        self.added.append(params)
        return {}


ACCOUNT_MAY = raw(Principal={"AWS": "arn:aws:iam::222222222222:root"}, Condition=None)
TYPO = {"principal": "arn:aws:iam::222222222222:role/typo", "source_arn": ""}


def replacing(call):
    plan = plan_of(wanted(**TYPO), (read_statement(ACCOUNT_MAY, "greeter"),))
    reports = []
    with pytest.raises(AwsError, match="principal was invalid") as error:
        apply(plan, call, reports.append, clock())
    return [one.mark for one in reports], error.value.hint


def test_a_permission_that_aws_refuses_leaves_the_one_that_it_was_to_replace():
    call = Refusing({TYPO["principal"]})
    assert replacing(call) == (["removed", "restored"], "")
    assert call.added == [
        {
            "FunctionName": "greeter",
            "StatementId": "any",
            "Action": "lambda:InvokeFunction",
            "Principal": "222222222222",
        }
    ]


def test_a_permission_that_cannot_be_put_back_is_said():
    marks, hint = replacing(Refusing({TYPO["principal"], "222222222222"}))
    assert marks == ["removed"]
    assert "could not be put back: The principal was invalid" in hint


def test_a_permission_that_somebody_removed_meanwhile_is_not_put_back():
    call = Refusing({TYPO["principal"]}, gone=True)
    assert (replacing(call)[0], call.added) == (["gone"], [])


@pytest.mark.parametrize("said", [one for _, one in WHOLE.values()])
def test_every_permission_that_a_config_can_say_can_be_put_back(said):
    has = as_statement(replace(said, statement_id="any"))
    other = wanted(principal="111111111111", source_arn="", source_account="333333333333")
    _, add = plan_of(other, (has,))
    assert_valid([add.undo])
    (alone,) = plan_of(replace(said, statement_id="any"), ())
    assert add.undo.params == alone.params


@pytest.mark.parametrize(
    "pattern", ["arn:aws:sns:eu-west-1:111111111111:*", "arn:aws:sns:*:*:news"]
)
def test_a_statement_with_a_wildcard_is_not_wide_enough(pattern):
    has = read_statement(raw(Condition={"ArnLike": {"AWS:SourceArn": pattern}}), "greeter")
    assert not grants(has, wanted())
    assert grants(has, wanted(source_arn=pattern))


def test_a_statement_without_the_account_is_not_wide_enough():
    assert not grants(read_statement(raw(), "greeter"), wanted(source_account="111111111111"))


def test_the_policy_of_an_alias_is_the_aliases_own():
    has = raw(Resource=f"{ARN}:live")
    assert grants(read_statement(has, "greeter:live"), wanted())


class Answers:
    """AWS, with one policy."""

    def __init__(self, statements):
        self.policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}

    def call(self, service, operation, doing, params):
        return {"Policy": json.dumps(self.policy)}


@pytest.mark.parametrize("statements", [raw(), [raw()]])
def test_a_policy_of_one_statement_may_be_no_list(statements):
    (statement,) = read_statements(Answers(statements), "greeter")
    assert grants(statement, wanted())


CONFIG = """\
iam: {{role: {{name: r}}}}
lambda:
  name: greeter
  path: code
  handler: greeter.handler
  runtime: python3.13
  permissions:
    - {{statement_id: any, {permission}}}
"""


def read(folder, permission):
    (folder / "config.yml").write_text(CONFIG.format(permission=permission))
    (permission,) = read_config(folder / "config.yml").function.permissions
    return permission


@pytest.mark.parametrize(
    "more",
    [
        "",
        ", function_url_auth_type: NONE, action: 'lambda:InvokeFunctionUrl'",
        ", invoked_via_function_url: true",
        ", public: false",
        ", source_arn: 'arn:aws:s3:::*'",
        ", source_arn: 'arn:aws:*:*:*:*'",
        ", source_arn: 'arn:aws:sns:us-east-1:*:news'",
        ", source_arn: 'arn:aws:s3:::?*/*'",
    ],
)
def test_everybody_is_let_in_only_by_a_config_that_means_it(tmp_path, more):
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, f"principal: '*'{more}")
    assert raised.value.message.endswith(
        "config.yml:8: lambda.permissions[0] lets every AWS account invoke the function."
    )
    assert "`public: true`" in raised.value.hint
    assert read(
        tmp_path, f"principal: '*'{more.replace(', public: false', '')}, public: true"
    ).public


@pytest.mark.parametrize(
    "more",
    [
        "source_arn: 'arn:aws:s3:::b'",
        "source_arn: 'arn:aws:s3:::b*'",
        "source_arn: 'arn:aws:sns:*:123456789012:*'",
        "source_account: 123456789012",
        "principal_org_id: o-1234567890",
        "event_source_token: amzn1.ask.skill.x",
    ],
)
def test_a_narrowed_permission_for_anyone_is_not_public(tmp_path, more):
    assert read(tmp_path, f"principal: '*', {more}").principal == "*"
    with pytest.raises(ConfigError, match="is not public"):
        read(tmp_path, f"principal: '*', {more}, public: true")


@pytest.mark.parametrize(
    ("more", "action"),
    [
        ("function_url_auth_type: AWS_IAM", "lambda:InvokeFunctionUrl"),
        ("invoked_via_function_url: true, action: 'lambda:GetFunction'", "lambda:InvokeFunction"),
    ],
)
def test_the_conditions_of_a_url_go_with_its_actions(tmp_path, more, action):
    with pytest.raises(ConfigError, match=f"goes with action: {action} only"):
        read(tmp_path, f"principal: 123456789012, {more}")


@pytest.mark.parametrize("principal", ["12345678901", "1234567890123", "12"])
def test_an_account_with_a_digit_too_few_or_too_many_is_said(tmp_path, principal):
    with pytest.raises(ConfigError, match=r"config\.yml:8: .*principal .*an account has 12 digits"):
        read(tmp_path, f"principal: {principal}")


@pytest.mark.parametrize("name", ["kappa-url", "kappa-url-invoke", "kappa-url-live"])
def test_the_names_of_a_urls_permissions_are_kappas_own(tmp_path, name):
    text = CONFIG.format(permission="principal: '123456789012'").replace("any,", f"{name},")
    (tmp_path / "config.yml").write_text(text)
    assert read_config(tmp_path / "config.yml").function.permissions
    (tmp_path / "config.yml").write_text(text + "  url: {auth: NONE}\n")
    with pytest.raises(ConfigError) as raised:
        read_config(tmp_path / "config.yml")
    assert f"config.yml:8: lambda.permissions[0] has the name {name}," in raised.value.message

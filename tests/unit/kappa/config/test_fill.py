"""`${...}` is filled in once: config text, environment, files, AWS's values, level -> result."""

import json

import pytest

from kappa.config.policy_document import read_policy_document
from kappa.config.read import read_config
from kappa.config.uses import ALL, NAMES, OFFLINE
from kappa.config.values import NoValue, Value
from kappa.errors import AwsError, ConfigError, Denied, Unavailable
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import source

TOPIC = "arn:aws:sns:us-east-1:123456789012:news"
CALLER = {
    "account_id": Value("123456789012"),
    "partition": Value("aws"),
    "region": Value("eu-west-1"),
}


class Aws:
    """Answers for references from a table, and keeps what was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = dict(CALLER), []
        for kind, texts in answers.items():
            for name, text in texts.items():
                answer = Value(text, kind == "secret") if isinstance(text, str) else text
                self.answers[f"{kind}:{name}"] = answer

    def __call__(self, names, region, profile):
        self.asked.append((sorted(names), region, profile))
        absent = NoValue("there is none.", "Create it.")
        return {name: self.answers.get(name, absent) for name in names}


@pytest.fixture
def around(write, tmp_path, monkeypatch):
    """Write a config that includes a file, beside a text file, in an environment."""
    monkeypatch.setenv("STAGE", "prod")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("ODD", "${env:HOME} {a: 1} *x")
    monkeypatch.delenv("NO", raising=False)
    (tmp_path / "motto.txt").write_text("tea first\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "values.yml").write_text("team: tea\nblank: ''\ntodo: TODO\nlist: [a, b]\n")

    def write_around(more, text=MINIMAL):
        return write(f"include: values.yml\nregion: eu-west-1\n{text}", more)

    return write_around


def variable(text):
    return f"  environment:\n    VALUE: '{text}'\n"


def value_of(config):
    return config.function.environment["VALUE"]


def read(file, aws=None, uses=ALL, environment=""):
    return read_config(file, environment, uses=uses, read=aws or Aws())


def error_of(file, aws=None, uses=ALL):
    with pytest.raises(ConfigError) as caught:
        read(file, aws, uses)
    return str(caught.value).replace(f"{file}:", "")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain $5 $HOME $ {x} }{", "plain $5 $HOME $ {x} }{"),
        ("${team} and ${list}", "tea and a, b"),
        ("${env:STAGE}/${file:motto.txt}", "prod/tea first"),
        ("${ssm:/chat/db} ${cf:Chat.TopicArn}", f"d {TOPIC}"),
        ("pg://${secret:db#user}:${secret:db#password}@h", "pg://ada:pw@h"),
        ("arn:${partition}:sqs:${region}:${account_id}:q", "arn:aws:sqs:eu-west-1:123456789012:q"),
        # a name in a reference
        ("${ssm:/${team}/${env:STAGE}}", "nested"),
        # defaults: for what is missing or empty, and nested
        ("${no:-x}${todo:-y}${blank:-z}", "xyz"),
        ("${env:EMPTY:-dev}${env:NO:-}${env:STAGE:-dev}", "devprod"),
        ("${ssm:/no:-d:-e}${file:no:-f}", "d:-ef"),
        ("${NO:-${env:STAGE}}", "prod"),
        ("${env:NO:-${ssm:/no:-${team}}}!", "tea!"),
        ('${no:-{"a": {}}}', '{"a": {}}'),
        ("${team:-${nope}}", "tea"),
        # literals
        ("$${team} $$${team} $${env:NO}", "${team} $${team} ${env:NO}"),
        ("${no:-$${x}}", "${x}"),
        # a value is never looked at again
        ("${env:ODD}|${secret:odd}", "${env:HOME} {a: 1} *x|${ssm:/x} $${a} # no"),
        # in JSON a value stays one text of it
        ('{"a": "${secret:quoted}"}', '{"a": "a\\"b\\\\c\\n"}'),
    ],
)
def test_a_text_is_filled_in_once(around, text, filled):
    aws = Aws(
        ssm={"/chat/db": "d", "/tea/prod": "nested"},
        cf={"Chat.TopicArn": TOPIC},
        secret={
            "db#user": "ada",
            "db#password": "pw",
            "odd": "${ssm:/x} $${a} # no",
            "quoted": 'a"b\\c\n',
        },
    )
    assert value_of(read(around(variable(text)), aws)) == filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # names
        ("${NOPE}", "${NOPE} has no value.\n  Did you mean `${env:NOPE}`?"),
        ("${nope}", "${nope} has no value.\n  Add `nope` to a file that `include:` names."),
        ("${taem}", "${taem} has no value.\n  Did you mean `${team}`?"),
        ("${acount_id}", "${acount_id} has no value.\n  Did you mean `${account_id}`?"),
        ("${todo}", "${todo} has no value."),
        ("${environment}", "${environment} has no value."),
        # other tools' words
        ("${env.FOO}", "${env.FOO} is not a reference.\n  Did you mean `${env:FOO}`?"),
        ("${ENV:FOO}", "${ENV:FOO} is not a reference.\n  Did you mean `${env:FOO}`?"),
        ("${self:custom.x}", "is not a reference.\n  Did you mean `${x}`?"),
        ("${AWS::Region}", "is not a reference.\n  Did you mean `${region}`?"),
        ("${AWS::AccountId}", "is not a reference.\n  Did you mean `${account_id}`?"),
        ("${opt:stage}", "is not a reference.\n  Did you mean `${environment}`?"),
        ("${cfn:S.O:-x}", "is not a reference.\n  Did you mean `${cf:S.O}`?"),
        ("${secrets:x}", "is not a reference.\n  Did you mean `${secret:x}`?"),
        ("${aws:username}", "is not a reference.\n  For a text with ${ in it, write $${."),
        ("${java:x}", "is not a reference.\n  For a text with ${ in it, write $${."),
        # what no reference can be
        ("${}", "${} has no name."),
        ("${env:HOME", "${env:HOME has no end."),
        ("${team:-x", "${team:-x has no end."),
        ("${env:a b}", "${env:a b} is not a reference: env: takes NAME"),
        ("${ssm:/a b}", "${ssm:/a b} is not a reference: ssm: takes /PATH"),
        ("${secret:db#}", "is not a reference: secret: takes ID or ID#KEY"),
        ("${cf:Output}", "is not a reference: cf: takes STACK.OUTPUT"),
        # without a value
        (
            "${env:NO}",
            "the environment variable NO is not set.\n  Set it. Or give a default: ${env:NO:-",
        ),
        (
            "${env:EMPTY}",
            "${env:EMPTY} is empty.\n  Give it a value, or write ${env:EMPTY:-default}.",
        ),
        ("${file:code}", "Is a directory"),
        ("${file:bytes:-x}", "not a text"),
        ("${ssm:/a}", "${ssm:/a} has no value: there is none.\n  Create it. Or give a default"),
        ("${ssm:/${nope}/db:-x}", "${nope} has no value."),
        ("${no:-${nope}}", "${nope} has no value."),
    ],
)
def test_what_cannot_be_filled_in_is_an_error_with_its_line_and_what_was_meant(around, text, said):
    error = error_of(around(variable(text)))
    assert error.startswith("12: lambda.environment.VALUE: ")
    assert said in error


@pytest.mark.parametrize(
    ("uses", "asked", "group", "value"),
    [
        (ALL, ["secret:a", "ssm:/group"], "/logs", "s-hunter2"),
        (NAMES, ["ssm:/group"], "/logs", "s-${secret:a}"),
        (OFFLINE, None, "/aws/lambda/greeter", "s-${secret:a}"),
    ],
)
def test_aws_is_asked_once_and_only_for_what_the_level_needs(around, uses, asked, group, value):
    text = f"  logging: {{group: '${{ssm:/group}}'}}\n{variable('s-${secret:a}')}"
    aws = Aws(ssm={"/group": "/logs"}, secret={"a": "hunter2"})
    config = read(around(text), aws, uses)
    assert [names for names, *_ in aws.asked] == ([asked] if asked else [])
    assert (config.function.log_group, value_of(config)) == (group, value)


def test_a_command_that_needs_names_does_not_mind_what_else_has_no_value(around):
    file = around(variable("${env:NO} ${nope}"))
    assert value_of(read(file, uses=NAMES)) == "${env:NO} ${nope}"
    for uses in (ALL, OFFLINE):
        assert "12: lambda.environment.VALUE: ${nope} has no value." in error_of(file, uses=uses)


def test_the_region_is_asked_of_nobody_and_the_account_only_where_it_is_used(around):
    aws = Aws()
    read(around(variable("${region}")), aws, NAMES)
    read(around(variable("${account_id}")), aws, NAMES)
    read(around(variable("x")), aws)
    assert [names for names, *_ in aws.asked] == [["region"]]


def test_a_value_is_asked_of_the_configs_region_and_profile(write, monkeypatch):
    monkeypatch.setenv("WHERE", "eu-west-3")
    aws = Aws(ssm={"/a": "x"})
    read(write(f"region: ${{env:WHERE}}\nprofile: me\n{MINIMAL}", variable("${ssm:/a}")), aws)
    assert aws.asked == [(["ssm:/a"], "eu-west-3", "me")]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("region", "${ssm:/x}"),
        ("profile", "${region}"),
        ("region", "${region}"),
        ("name", "${account_id}"),
    ],
)
def test_what_decides_where_to_ask_cannot_come_from_there(write, key, text):
    config = MINIMAL.replace("name: greeter\n", f"name: {text}\n")
    file = write(config if key == "name" else f"{key}: {text}\n{MINIMAL}")
    assert f"{key}: it cannot come from AWS, since it decides where or what to ask." in error_of(
        file
    )


def test_a_name_may_have_the_region_in_it(write):
    file = write(MINIMAL.replace("name: greeter\n", "name: greeter-${region}\n"))
    assert read(file, uses=NAMES).function.name == "greeter-eu-west-1"
    with pytest.raises(ConfigError, match=r"lambda\.name: the region in"):
        read_config(file)


def test_text_becomes_what_its_key_takes(write):
    more = "  timeout: ${ssm:/t}\n" + source("arn: ${cf:S.T}", "enabled: ${env:ON:-false}")
    function = read(write(more=more), Aws(ssm={"/t": "7"}, cf={"S.T": TOPIC})).function
    (topic,) = function.event_sources
    assert (function.timeout, topic.arn, topic.enabled) == (7, TOPIC, False)


def test_what_is_wrong_with_a_value_names_the_reference_and_not_the_value(write):
    said = error_of(write(more="  timeout: ${secret:db}\n"), Aws(secret={"db": "hunter2-s3cret"}))
    assert "9: lambda.timeout is '${secret:db}'." in said


def test_a_secret_in_a_description_is_refused(write):
    aws = Aws(secret={"db": "hunter2-s3cret"})
    said = error_of(write(more="  description: of ${secret:db}\n"), aws)
    assert (
        "9: lambda.description: of ${secret:db} has a secret, and AWS shows descriptions." in said
    )
    plain = read(write(more="  description: of ${ssm:/a}\n"), Aws(ssm={"/a": "tea"}))
    assert plain.function.description == "of tea"


def test_the_texts_with_a_secret_are_known_so_that_they_are_not_shown(around):
    aws = Aws(secret={"tea-db#password": "hunter2"}, ssm={"/a": "open"})
    file = around(variable("pg:${secret:${team}-db#password}") + "  description: ${ssm:/a}\n")
    assert read(file, aws).values.secrets == {
        "hunter2": "${secret:tea-db#password}",
        "pg:hunter2": "pg:${secret:${team}-db#password}",
    }


def test_a_refusal_is_never_a_default_and_keeps_its_kind(write):
    denied = Denied("AWS refused", "Ask for ssm:GetParameter.", "AccessDeniedException")
    file = write(more="  environment: {AA: '${ssm:/a:-x}',\n    BB: '${ssm:/b}'}\n")
    with pytest.raises(Denied) as caught:
        read(file, Aws(ssm={"/a": denied, "/b": denied}))
    assert caught.value.message.splitlines() == [
        f"{file}:9: lambda.environment.AA: ${{ssm:/a}} has no value: AWS refused",
        f"{file}:10: lambda.environment.BB: ${{ssm:/b}} has no value: AWS refused",
    ]
    assert (caught.value.hint, caught.value.exit_code) == ("Ask for ssm:GetParameter.", 1)


def test_without_a_network_it_is_said_once(write):
    lost = Unavailable("no network")
    with pytest.raises(AwsError) as caught:
        read(
            write(more="  environment: {AA: '${ssm:/a}', BB: '${ssm:/b}'}\n"),
            Aws(ssm={"/a": lost, "/b": lost}),
        )
    assert caught.value.message.count("no network") == 1


def document_config(write, tmp_path, resource, inline):
    document = json.dumps({"Statement": [{"Resource": resource}]})
    (tmp_path / "policy.json").write_text(document)
    at = document if inline else "policy.json"
    return write(MINIMAL.replace("iam:\n", f"iam:\n  policy: {{name: p, document: {at}}}\n"))


def resource_of(config, aws):
    document = read_policy_document(config, lambda names: aws(names, "", ""))
    return document["Statement"][0]["Resource"]


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${cf:Chat.TableArn}/*", "${account_id}/*"),
        ("arn:${partition}:x:${region}:${account_id}", "arn:aws:x:eu-west-1:123456789012"),
        ("$${aws:username}", "${aws:username}"),
        # IAM's own variables
        *[
            (text, text)
            for text in (
                "${aws:username}",
                "${aws:PrincipalTag/team}",
                "${aws:username, 'company'}",
                "${www.amazon.com:user_id}",
                "${cognito-identity.amazonaws.com:sub}",
                "${saml:sub}",
                "${s3:prefix}",
                "${ssm:resourceTag/team}",
                "${secretsmanager:ResourceTag/a}",
                "a${*}b${?}c${$}",
            )
        ],
    ],
)
def test_a_policy_document_is_filled_in_and_keeps_the_variables_of_iam(
    write, tmp_path, text, filled, inline
):
    aws = Aws(cf={"Chat.TableArn": "${account_id}"})
    assert resource_of(read(document_config(write, tmp_path, text, inline), aws), aws) == filled


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${cf:Chat.TableArn}", "${cf:Chat.TableArn} has no value: there is none."),
        ("${NOPE}", "${NOPE} has no value.\n  Did you mean `${env:NOPE}`?"),
        ("arn:${AWS::Partition}:s3", "Did you mean `${partition}`?"),
        ("${ENV:FOO}", "Did you mean `${env:FOO}`?"),
        ("${self:custom.x}", "Did you mean `${x}`?"),
    ],
)
def test_what_a_document_cannot_be_filled_in_with_is_an_error(write, tmp_path, text, said, inline):
    with pytest.raises(ConfigError) as caught:
        resource_of(read(document_config(write, tmp_path, text, inline)), Aws())
    assert str(caught.value).startswith(str(tmp_path))
    assert said in str(caught.value)


def test_the_layout_of_07_takes_them_too(write):
    file = write(
        "name: simple\n"
        "environments:\n"
        "  dev:\n"
        "    region: ${env:NO:-eu-west-1}\n"
        "    policy: {resources: [{arn: '${cf:S.Arn}', actions: ['*']}]}\n"
        "    environment_variables: {VALUE: '${secret:t}', COST: '$5 $$ $HOME'}\n"
        "lambda: {handler: simple.handler, runtime: python3.13}\n"
    )
    aws = Aws(cf={"S.Arn": TOPIC}, secret={"t": "hunter2"})
    config = read(file, aws, NAMES)
    assert aws.asked == [(["cf:S.Arn", "secret:t"], "eu-west-1", "")]
    assert config.function.environment == {"VALUE": "hunter2", "COST": "$5 $$ $HOME"}
    assert TOPIC in str(config.policy.document)
    assert value_of(read_config(file)) == "${secret:t}"

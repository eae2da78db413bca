"""Values that a config takes from AWS: deployed as they are, and never printed."""

import json

import pytest

from tests.support.kappa.projects import OWN_ROLE, Project

ACCOUNT = "461000000081"
TEMPLATE = {
    "Resources": {"News": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"NewsArn": {"Value": {"Ref": "News"}}},
}
CONFIG = """\
  description: of ${ssm:/values/motto}
  environment:
    TOKEN: ${ssm:/values/token}
    DATABASE: postgres://greeter:${secret:values-db#password}@db/x
    STAGE: ${env:VALUES_STAGE:-dev}
  event_sources:
    - arn: ${cf:Values.NewsArn}
      filter_policy: {token: ["${secret:values-db#password}"]}
    - {name: clock, schedule: rate(5 minutes), input: "${secret:values-db}"}
"""
TOKEN = 'tok-1 "${env:HOME}" \\ {a: 1}'
SECRET, NEXT = "hunter2-s3cret", "hunter3-s3cret"
PIN, NEXT_PIN = 4711_0815, 815_04711
SECRETS = (TOKEN, "tok-1", SECRET, NEXT, str(PIN), str(NEXT_PIN))


def as_secret(password, pin):
    return json.dumps({"password": password, "pin": pin})


@pytest.fixture(scope="module")
def account(emulator):
    """An account with a value of each kind."""
    ssm = emulator.client("ssm", ACCOUNT)
    ssm.put_parameter(Name="/values/motto", Value="tea", Type="String")
    ssm.put_parameter(Name="/values/token", Value=TOKEN, Type="SecureString")
    secrets = emulator.client("secretsmanager", ACCOUNT)
    secrets.create_secret(Name="values-db", SecretString=as_secret(SECRET, PIN))
    stacks = emulator.client("cloudformation", ACCOUNT)
    stacks.create_stack(StackName="Values", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(
        StackName="Values", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return ACCOUNT


@pytest.fixture
def project(account, emulator, tmp_path):
    """A function that uses them."""
    project = Project(tmp_path / "greeter", emulator, account)
    project.config(OWN_ROLE.format(name=project.name) + CONFIG)
    return project


def test_values_of_aws_are_deployed_compared_and_never_printed(project):
    printed = []

    def kappa(*args, code=0):
        done = project.kappa(*args)
        assert done.returncode == code, done.stderr
        printed.append(done.stdout + done.stderr)
        return done

    kappa("validate")
    kappa("deploy", "--debug", "--json")
    settings = project.settings()
    assert settings["Description"] == "of tea"
    assert settings["Environment"]["Variables"] == {
        "TOKEN": TOKEN,
        "DATABASE": f"postgres://greeter:{SECRET}@db/x",
        "STAGE": "dev",
    }
    topic = project.client("sns").list_topics()["Topics"][0]["TopicArn"]
    (subscription,) = project.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["TopicArn"] == topic
    assert "No changes." in kappa("deploy").stderr

    value = as_secret(NEXT, NEXT_PIN)
    project.client("secretsmanager").put_secret_value(SecretId="values-db", SecretString=value)
    for options in ((), ("--json",), ("--show-values",)):
        said = kappa("diff", *options, code=3).stdout
        assert "DATABASE" in said
        assert "TOKEN" not in said
    kappa("deploy")
    assert NEXT in project.settings()["Environment"]["Variables"]["DATABASE"]
    for command in ("diff", "status", "package", "invoke --data {}", "event clock", "event sns"):
        kappa(*command.split())
    kappa("delete", "--yes", "--debug")
    for text in printed:
        assert not [secret for secret in SECRETS if secret in text], text


def test_what_is_missing_or_refused_is_an_error_before_anything_is_made(project):
    project.config(project.text.replace("/values/token", "/values/tokn"))
    done = project.kappa("deploy")
    line = project.text.splitlines().index("    TOKEN: ${ssm:/values/tokn}") + 1
    assert done.returncode == 2
    place = f"config.yml:{line}: lambda.environment.TOKEN: "
    assert f"{place}${{ssm:/values/tokn}} has no value: there is no parameter" in done.stderr
    assert project.existing() == []

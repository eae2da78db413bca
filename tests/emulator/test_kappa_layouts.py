"""Functions from configs of kappa 0.3 and 0.7 that leave something out."""

import pytest

from tests.support.kappa.projects import GIVEN_ROLE, Project, role_in

ACCOUNT = "461000000071"
LATER = """\
name: {name}
environments:
  dev:
    region: us-east-1
    environment_variables: {{GREETING: good day}}
    role: {{name: {name}-role}}
  bare:
    region: us-east-1
    role: {{name: {name}-role}}
lambda:
  handler: greeter.handler
  runtime: python3.13
"""


@pytest.fixture
def project(emulator, tmp_path):
    return Project(tmp_path / "project", emulator, ACCOUNT)


def test_variables_of_another_environment_do_not_stay(project):
    (project.folder / "code").rename(project.folder / "_src")
    project.config(LATER.format(name=project.name))
    project.run("deploy")
    assert project.settings()["Environment"]["Variables"] == {"GREETING": "good day"}
    project.run("deploy", "--env", "bare")
    assert not project.settings().get("Environment", {}).get("Variables")


def test_a_function_that_is_not_made_yet_is_advised_with_its_own_environment(project):
    (project.folder / "code").rename(project.folder / "_src")
    project.config(LATER.format(name=project.name))
    make = f"Make it: kappa {project.folder}/config.yml deploy --env bare --region us-east-1"
    for words in (["update_code"], ["invoke", "--data", "{}"], ["add_event_sources"]):
        done = project.kappa("--env", "bare", "--region", "us-east-1", *words)
        assert (done.returncode, make in done.stderr) == (1, True), done.stderr


def test_an_alias_that_is_not_made_yet_is_asked_for_where_the_function_is_there(project):
    (project.folder / "code").rename(project.folder / "_src")
    project.config(LATER.format(name=project.name))
    project.run("deploy")
    done = project.kappa("--env", "bare", "invoke", "--data", "{}")
    status = f"kappa {project.folder}/config.yml status --env bare"
    assert f"Is there such a version or alias? {status}" in done.stderr


SHARED = """\
name: {name}
environments:
  dev: &here
    region: us-east-1
    environment_variables: {{GREETING: dev}}
    role: {{name: {name}-role}}
    event_sources: [{{arn: "{topic}"}}]
  prod:
    <<: *here
    environment_variables: {{GREETING: prod}}
lambda:
  handler: greeter.handler
  runtime: python3.13
  keep_versions: 5
  url: {{auth: NONE}}
"""


def test_environments_that_share_a_function_leave_each_other_alone(project):
    (project.folder / "code").rename(project.folder / "_src")
    topic = project.client("sns").create_topic(Name=project.name)["TopicArn"]
    project.config(SHARED.format(name=project.name, topic=topic))
    aws, name = project.client("lambda"), {"FunctionName": project.name}

    def of(alias):
        """An alias's version, greeting, URL and subscriptions."""
        has = aws.get_function_configuration(**name, Qualifier=alias)
        url = aws.get_function_url_config(**name, Qualifier=alias)["FunctionUrl"]
        ends = project.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        own = [one for one in ends if one["Endpoint"].endswith(f"{project.name}:{alias}")]
        return has["Version"], has["Environment"]["Variables"]["GREETING"], url, len(own)

    project.run("--env", "prod", "deploy")
    refused = project.kappa("--env", "dev", "create")
    assert (refused.returncode, "(Environment)" in refused.stderr) == (1, True), refused.stderr
    first = of("prod")
    project.run("--env", "dev", "deploy")
    source = project.folder / "_src" / "greeter.py"
    source.write_text(source.read_text() + "# release 2\n")
    project.run("--env", "prod", "deploy")
    for number in (2, 3):
        source.write_text(source.read_text() + f"# work {number}\n")
        project.run("--env", "dev", "deploy")
    refused = project.kappa("--env", "prod", "rollback")
    assert (refused.returncode, "Name the version with --to." in refused.stderr) == (1, True)
    project.run("--env", "prod", "rollback", "--to", "1")
    assert of("prod") == first == ("1", "prod", first[2], 1)
    dev = of("dev")
    assert dev[1:] == ("dev", dev[2], 1)
    project.run("--env", "dev", "remove_event_sources")
    assert of("prod") == first
    project.run("--env", "dev", "delete")
    assert project.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_role_without_a_policy_is_made_and_stays(project):
    (project.folder / "code").rename(project.folder / "_src")
    project.config(LATER.format(name=project.name))
    assert f"created    role {project.name}-role" in project.run("deploy").stderr
    assert "No changes." in project.run("deploy").stderr
    project.run("delete")
    assert project.existing() == [f"{project.name}-role"]


def test_without_iam_a_function_that_exists_keeps_its_role(project, emulator):
    role = role_in(emulator, ACCOUNT, f"{project.name}-given")
    project.make(role)
    whole = GIVEN_ROLE.format(name=project.name, role=role)
    project.config("region: us-east-1\nlambda:" + whole.split("lambda:")[1] + "  timeout: 9\n")
    project.run("deploy", "--adopt")
    assert (project.settings()["Role"], project.settings()["Timeout"]) == (role, 9)
    for words in (["status"], ["invoke", "--data", "{}"], ["tail"], ["event_source_status"]):
        project.run(*words)
    project.run("delete")
    assert project.existing() == [f"{project.name}-given"]


def test_without_iam_a_function_that_does_not_exist_is_refused_with_what_is_missing(project):
    whole = GIVEN_ROLE.format(name=project.name, role="")
    project.config("region: us-east-1\nlambda:" + whole.split("lambda:")[1])
    for command in ("create", "deploy", "diff"):
        done = project.kappa(command)
        assert done.returncode == 2
        assert "kappa needs a role" in done.stderr
        assert "Add `iam:`" in done.stderr
    assert project.existing() == []

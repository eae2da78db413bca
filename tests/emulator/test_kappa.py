"""The real `kappa` command against the emulator; boto3 reads the results."""

import json
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from kappa.package.zip import pack
from local.testkit import proxy
from tests.support.kappa import projects
from tests.support.kappa.projects import CODE, POLICY, user_in
from tests.support.waiting import wait_for

ACCOUNT = "461000000001"
KAPPA = Path(sys.executable).parent / "kappa"
OTHER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}],
}
CONFIG = """\
  architectures: [arm64]
  memory_size: 128
  timeout: 5
  environment:
    GREETING: good day
  test_data: input.json
"""


class Project(projects.Project):
    """A function with a greeting."""

    def __init__(self, folder, emulator):
        super().__init__(folder, emulator, ACCOUNT)
        self.write("input.json", '{"tea": 1}')
        self.config(projects.OWN_ROLE.format(name=self.name) + CONFIG)

    def add_source(self, *lines):
        self.config(f"{self.text}  event_sources:\n    - " + "\n      ".join(lines) + "\n")


@pytest.fixture
def project(tmp_path, emulator):
    return Project(tmp_path / "greeter", emulator)


@pytest.fixture(scope="module")
def created(tmp_path_factory, emulator):
    """A function shared by the tests that only use it."""
    project = Project(tmp_path_factory.mktemp("created") / "greeter", emulator)
    project.run("create", "--wait")
    return project


def topic_for(project):
    return project.client("sns").create_topic(Name=project.name)["TopicArn"]


def table_for(project):
    answer = project.client("dynamodb").create_table(
        TableName=project.name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return answer["TableDescription"]["LatestStreamArn"]


def test_create_makes_policy_role_and_function(created):
    lambda_, iam = created.client("lambda"), created.client("iam")
    settings = lambda_.get_function_configuration(FunctionName=created.name)
    role = f"{created.name}-role"
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    arn = f"arn:aws:iam::{ACCOUNT}:policy/kappa/{created.name}-policy"
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    assert settings["State"] == "Active"
    assert settings["Role"] == f"arn:aws:iam::{ACCOUNT}:role/kappa/{role}"
    assert settings["Architectures"] == ["arm64"]
    assert [one["PolicyArn"] for one in attached] == [arn]
    assert f"us-east-1:{ACCOUNT}:log-group" in document["Statement"][0]["Resource"]


def test_create_completes_one_that_was_stopped_half_way(project):
    project.run("create")
    project.client("lambda").delete_function(FunctionName=project.name)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/kappa/{project.name}-policy"
    project.client("iam").detach_role_policy(RoleName=f"{project.name}-role", PolicyArn=arn)
    assert project.marks("create") == ["exists", "exists", "attached", "created"]


def test_create_interrupted_says_so_and_is_completed_by_the_next(project):
    with proxy.running(project.env["AWS_ENDPOINT_URL"]) as through:
        process = subprocess.Popen(
            [KAPPA, "config.yml", "create"],
            cwd=project.folder,
            env=project.env | {"AWS_ENDPOINT_URL": through.url},
            stderr=subprocess.PIPE,
            text=True,
        )

        def interrupt(operation):
            if operation == "CreateRole":
                process.send_signal(signal.SIGINT)
                process.wait(30)  # it does not wait for the answer

        through.before = interrupt
        said = process.communicate(timeout=60)[1]
    assert (process.returncode, "run the same command again to finish" in said) == (130, True)
    assert project.name not in project.existing()
    project.run("create")
    assert len(project.existing()) == 3


def test_invoke_prints_the_result_to_stdout_and_the_log_to_stderr(created):
    done = created.run("invoke")
    assert json.loads(done.stdout) == {"greeting": "good day", "event": {"tea": 1}}
    assert 'seen {"tea": 1}' in done.stderr


def test_invoke_of_a_failing_function_shows_its_traceback_and_exits_1(created):
    done = created.kappa("invoke", "--data", "-", stdin='{"boom": 1}')
    assert (done.returncode, done.stdout) == (1, "")
    assert "ValueError: the kettle is cold" in done.stderr
    assert "line 6, in handler" in done.stderr
    assert f"Error: The function {created.name} failed" in done.stderr


def test_invoke_as_json_has_the_error_too(created):
    done = created.kappa("invoke", "--json", "--data", "-", stdin='{"boom": 1}')
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error"]) == (1, "Unhandled")
    assert answer["payload"]["errorMessage"] == "the kettle is cold"


def test_invoke_async_runs_the_function_later(created):
    word = uuid.uuid4().hex
    done = created.run("invoke-async", "--data", "-", stdin=json.dumps({"word": word}))
    assert "Accepted" in done.stderr
    wait_for(lambda: word in created.log())


def test_tail_prints_times_and_lines_in_order(created):
    created.client("lambda").invoke(FunctionName=created.name, Payload=b'{"tea": 1}')
    wait_for(lambda: 'seen {"tea": 1}' in created.log())
    lines = created.run("tail").stdout.splitlines()
    assert lines == sorted(lines, key=lambda line: line[:24])
    assert any(line.endswith('seen {"tea": 1}') for line in lines)


def test_status_of_nothing_says_missing(project):
    data = json.loads(project.run("status", "--json").stdout)
    assert (data["policy"], data["role"], data["function"]) == (None, None, None)


def test_update_code_uploads_what_differs(project):
    project.run("create")
    project.write("code/greeter.py", CODE.replace('"event": event', '"event": "new"'))
    project.write("policy.json", json.dumps(POLICY).replace('"logs:CreateLogStream", ', ""))
    project.config(project.text.replace("good day", "hello").replace("128", "256"))
    assert project.marks("update_code") == ["updated", "updated", "updated"]
    settings = project.client("lambda").get_function_configuration(FunctionName=project.name)
    answer = json.loads(project.run("invoke").stdout)
    assert settings["MemorySize"] == 256
    assert answer == {"greeting": "hello", "event": "new"}


def test_update_code_makes_room_among_five_policy_versions(project):
    project.run("create")
    iam = project.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:policy/kappa/{project.name}-policy"
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(OTHER_POLICY))
    project.write("policy.json", json.dumps(POLICY).replace("/x:*", "/y:*"))
    assert project.marks("update_code") == ["removed", "updated", "unchanged", "unchanged"]
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    default = [one["VersionId"] for one in versions if one["IsDefaultVersion"]]
    assert (len(versions), default) == (5, ["v6"])


def test_update_code_without_a_function_says_how_to_make_it(project):
    done = project.kappa("update_code")
    assert done.returncode == 1
    assert "config.yml deploy" in done.stderr


def test_the_life_of_a_function_behind_a_topic(project):
    topic = topic_for(project)
    project.add_source(f"arn: {topic}")
    project.run("create")
    assert project.marks("add_event_sources") == ["created", "created"]
    assert project.marks("add_event_sources") == ["exists"]
    project.client("sns").publish(TopicArn=topic, Message="tea is ready")
    wait_for(lambda: "tea is ready" in project.log())
    project.client("sns").delete_topic(TopicArn=topic)
    assert "removed" in project.marks("delete")
    assert project.existing() == []
    assert set(project.marks("delete")) == {"gone", "kept"}


def test_the_life_of_a_function_behind_a_table(project):
    stream = table_for(project)
    project.add_source(f"arn: {stream}", "batch_size: 10", "starting_position: TRIM_HORIZON")
    project.run("create")
    assert project.marks("add_event_sources") == ["created"]
    assert project.marks("add_event_sources") == ["exists"]
    word = uuid.uuid4().hex
    project.client("dynamodb").put_item(TableName=project.name, Item={"id": {"S": word}})
    wait_for(lambda: word in project.log())
    project.config(project.text.replace("batch_size: 10", "batch_size: 7\n      enabled: false"))
    assert project.marks("update_event_sources") == ["updated"]
    (mapping,) = project.mappings()
    assert (mapping["BatchSize"], mapping["State"]) == (7, "Disabled")
    assert project.marks("update_event_sources") == ["unchanged"]
    project.client("dynamodb").delete_table(TableName=project.name)
    assert "removed" in project.marks("delete")
    assert (project.existing(), project.mappings()) == ([], [])
    assert set(project.marks("delete")) == {"gone", "kept"}


def test_delete_keeps_a_role_used_by_another_function(project):
    project.run("create")
    lambda_ = project.client("lambda")
    settings = lambda_.get_function_configuration(FunctionName=project.name)
    lambda_.create_function(
        FunctionName=f"{project.name}-2",
        Role=settings["Role"],
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": pack(project.folder / "code").data},
    )
    done = project.run("delete")
    assert f"kept       role {project.name}-role (used by {project.name}-2)" in done.stderr
    assert project.client("iam").get_role(RoleName=f"{project.name}-role")


def test_a_managed_policy_is_attached_by_name_and_never_deleted(project):
    text = project.text.replace(f"{project.name}-policy", "AWSLambdaBasicExecutionRole")
    project.config(text.replace("    document: policy.json\n", ""))
    project.run("create")
    role = f"{project.name}-role"
    iam = project.client("iam")
    (attached,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert attached["PolicyArn"].endswith(":aws:policy/service-role/AWSLambdaBasicExecutionRole")
    done = project.run("delete")
    assert "kept       policy AWSLambdaBasicExecutionRole (not made by kappa)" in done.stderr


def test_asynchronous_settings_and_log_retention_are_set(project):
    topic = topic_for(project)
    project.config(
        f"{project.text}  log_retention_days: 14\n  async:\n    maximum_retry_attempts: 1\n"
        f"    maximum_event_age_s: 60\n    on_failure: {topic}\n"
    )
    project.run("create")
    lambda_, logs = project.client("lambda"), project.client("logs")
    invocations = lambda_.get_function_event_invoke_config(FunctionName=project.name)
    (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{project.name}")[
        "logGroups"
    ]
    assert invocations["MaximumRetryAttempts"] == 1
    assert invocations["DestinationConfig"]["OnFailure"]["Destination"] == topic
    assert group["retentionInDays"] == 14
    assert {"exists", "unchanged"} == set(project.marks("create"))


def test_without_credentials_there_is_one_clear_error(project):
    env = {name: text for name, text in project.env.items() if "KEY" not in name}
    env |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    done = project.kappa("create", env=env)
    assert done.returncode == 1
    assert "No AWS credentials" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_profile_is_one_clear_error(project):
    done = project.kappa("status", "--profile", "nobody")
    assert done.returncode == 2
    assert "nobody" in done.stderr


@pytest.fixture
def stranger(project):
    """A user who may only read functions and roles."""
    may = ["iam:Get*", "iam:List*", "lambda:Get*", "lambda:List*", "sts:GetCallerIdentity"]
    statement = {"Effect": "Allow", "Action": may, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return project.env | user_in(project.emulator, ACCOUNT, project.name, document)


def test_a_denied_call_is_one_clear_line_and_changes_nothing(project, stranger):
    done = project.kappa("create", env=stranger)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert f"creating policy {project.name}-policy" in line
    assert "iam:CreatePolicy" in line
    assert "Traceback" not in done.stderr
    assert project.existing() == []


def test_a_wrong_config_is_said_before_anything_is_asked_of_aws(project):
    project.config(project.text.replace("timeout: 5", "timeout: 6000"))
    done = project.kappa("create", env={"PATH": project.env["PATH"]})
    assert done.returncode == 2
    assert "lambda.timeout is '6000'" in done.stderr


def test_progress_as_json_is_for_scripts(created):
    reports = json.loads(created.run("create", "--json").stdout)
    assert {report["mark"] for report in reports} == {"exists"}

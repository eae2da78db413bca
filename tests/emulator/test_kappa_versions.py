"""Function settings, versions and aliases set by kappa; boto3 reads the results."""

import json

import pytest

from tests.support.kappa import projects

ACCOUNT = "461000000012"
CODE = 'def handler(event, context):\n    return {"edition": 1}\n'


class Project(projects.Project):
    """A function in several editions, each of which returns its number."""

    def __init__(self, folder, emulator, role):
        super().__init__(folder, emulator, ACCOUNT)
        self.lambda_ = self.client("lambda")
        self.code(1)
        self.head = projects.GIVEN_ROLE.format(name=self.name, role=role)
        self.says()

    def code(self, edition):
        self.write("code/greeter.py", CODE.replace("1", str(edition)))

    def says(self, *lines):
        """Write the config, with these lines added to its lambda section."""
        self.config(self.head + "".join(f"  {line}\n" for line in lines))

    def deploy(self, *args):
        """Deploy twice: the second deploy has nothing to do."""
        done = self.run("deploy", *args)
        assert "No changes." in self.run("deploy", *args).stderr
        return done.stderr

    def numbers(self):
        found = self.lambda_.list_versions_by_function(FunctionName=self.name)["Versions"]
        return [one["Version"] for one in found if one["Version"] != "$LATEST"]

    def alias(self, name="current"):
        return self.lambda_.get_alias(FunctionName=self.name, Name=name)["FunctionVersion"]

    def edition(self, qualifier):
        answer = self.lambda_.invoke(FunctionName=self.name, Qualifier=qualifier)
        return json.load(answer["Payload"])["edition"]

    def publish(self, *editions, alias="current"):
        for edition in editions:
            self.code(edition)
            self.run("deploy", "--publish", "--alias", alias)


@pytest.fixture(scope="module")
def role(emulator):
    return projects.role_in(emulator, ACCOUNT)


@pytest.fixture
def project(tmp_path, emulator, role):
    return Project(tmp_path / "greeter", emulator, role)


@pytest.fixture(scope="module")
def layer(emulator, role):
    content = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    made = emulator.client("lambda", ACCOUNT).publish_layer_version(
        LayerName="tools", Content=content
    )
    return made["LayerVersionArn"]


@pytest.fixture(scope="module")
def queue(emulator):
    sqs = emulator.client("sqs", ACCOUNT)
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-1111-2222-3333-444455556666"
SETTINGS = """\
vpc: {subnet_ids: [subnet-1], security_group_ids: [sg-1]}
layers: [LAYER]
tracing: Active
ephemeral_storage_mb: 512
logging: {format: JSON, application_level: WARN, group: /our/logs}
dead_letter: QUEUE
kms_key: KEY
snap_start: true
environment: {GREETING: hello}
"""
EMPTY = """\
vpc: {}
layers: []
tracing: false
ephemeral_storage_mb: 1024
logging: {}
dead_letter: ''
kms_key: ''
snap_start: false
environment: {}
"""


def shown(project):
    """The settings in the two configs above, read from the function."""
    found = project.settings()
    logging = found["LoggingConfig"]
    return {
        "vpc": found.get("VpcConfig", {}).get("SubnetIds"),
        "layers": [one["Arn"] for one in found.get("Layers", [])],
        "tracing": found["TracingConfig"]["Mode"],
        "ephemeral_storage_mb": found["EphemeralStorage"]["Size"],
        "logging": [logging["LogFormat"], logging.get("ApplicationLogLevel"), logging["LogGroup"]],
        "dead_letter": found.get("DeadLetterConfig", {}).get("TargetArn", ""),
        "kms_key": found.get("KMSKeyArn", ""),
        "snap_start": found["SnapStart"]["ApplyOn"],
        "environment": found.get("Environment", {}).get("Variables", {}),
    }


def test_every_setting_is_made_kept_removed_and_made_again(project, layer, queue):
    said = SETTINGS.replace("LAYER", layer).replace("QUEUE", queue).replace("KEY", KEY)
    wanted = {
        "vpc": ["subnet-1"],
        "layers": [layer],
        "tracing": "Active",
        "ephemeral_storage_mb": 512,
        "logging": ["JSON", "WARN", "/our/logs"],
        "dead_letter": queue,
        "kms_key": KEY,
        "snap_start": "PublishedVersions",
        "environment": {"GREETING": "hello"},
    }
    project.says(*said.splitlines())
    project.deploy()
    assert shown(project) == wanted
    project.says()
    assert "No changes." in project.run("deploy").stderr
    project.says(*EMPTY.splitlines())
    project.deploy()
    assert shown(project) == {
        "vpc": [],
        "layers": [],
        "tracing": "PassThrough",
        "ephemeral_storage_mb": 1024,
        "logging": ["Text", None, f"/aws/lambda/{project.name}"],
        "dead_letter": "",
        "kms_key": "",
        "snap_start": "None",
        "environment": {},
    }
    project.says(*said.splitlines())
    project.deploy()
    assert shown(project) == wanted


def test_tags_are_brought_to_what_the_config_says(project):
    project.says("tags: {team: tea, cost: 007, live: true}")
    project.deploy()
    arn = project.settings()["FunctionArn"]
    own = {"kappa:region": "us-east-1"}

    def tags():
        return project.lambda_.list_tags(Resource=arn)["Tags"]

    assert tags() == own | {"team": "tea", "cost": "007", "live": "true"}
    project.says("tags: {team: coffee, cost: 007}")
    project.deploy()
    assert tags() == own | {"team": "coffee", "cost": "007"}
    project.says("tags: {}")
    project.deploy()
    assert tags() == own


def test_reserved_concurrency_is_set_changed_and_removed(project):
    for said, wanted in (("0", 0), ("none", None)):
        project.says(f"reserved_concurrency: {said}")
        project.deploy()
        found = project.lambda_.get_function_concurrency(FunctionName=project.name)
        assert found.get("ReservedConcurrentExecutions") == wanted


def test_asynchronous_destinations_are_set_and_removed(project, queue):
    project.says(f"async: {{on_success: {queue}, on_failure: {queue}}}")
    project.deploy()
    read = project.lambda_.get_function_event_invoke_config
    assert read(FunctionName=project.name)["DestinationConfig"] == {
        "OnSuccess": {"Destination": queue},
        "OnFailure": {"Destination": queue},
    }
    project.says("async: {on_success: ''}")
    project.deploy()
    found = read(FunctionName=project.name)["DestinationConfig"]
    assert (found.get("OnSuccess") or None, found["OnFailure"]) == (None, {"Destination": queue})
    project.says("async: {}")
    project.deploy()
    with pytest.raises(project.lambda_.exceptions.ResourceNotFoundException):
        read(FunctionName=project.name)


def test_a_function_of_an_image_is_made_and_gets_another_image(project, role):
    uri = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/greeter"
    head = project.head.partition("  path:")[0]
    for tag, command in (("1", "app.main"), ("2", "app.other")):
        more = f"  image: {{uri: '{uri}:{tag}', command: [{command}]}}\n"
        project.config(head + more)
        project.deploy()
        found = project.lambda_.get_function(FunctionName=project.name)
        config = found["Configuration"]["ImageConfigResponse"]["ImageConfig"]
        assert found["Configuration"]["PackageType"] == "Image"
        assert (found["Code"]["ImageUri"], config["Command"]) == (f"{uri}:{tag}", [command])


def test_deploy_publishes_each_change_and_moves_the_alias(project):
    done = project.deploy("--publish", "--alias", "current")
    assert "published  version" in done
    assert (project.numbers(), project.alias()) == (["1"], "1")
    project.code(2)
    assert project.kappa("diff", "--publish", "--alias", "current").returncode == 3
    assert (project.numbers(), project.alias()) == (["1"], "1")
    done = project.deploy("--publish", "--alias", "current")
    assert "alias current: version 1 ->" in done
    assert (project.numbers(), project.alias()) == (["1", "2"], "2")
    assert (project.edition("current"), project.edition("1")) == (2, 1)


def test_a_change_of_settings_is_published_too(project):
    project.publish(1)
    project.says("timeout: 9")
    project.deploy("--publish", "--alias", "current")
    assert project.alias() == "2"


def test_deploy_without_publish_leaves_the_alias_where_it_is(project):
    project.publish(1)
    project.says("alias: current")
    project.code(2)
    project.deploy()
    assert (project.numbers(), project.edition("current")) == (["1"], 1)


def test_an_alias_of_the_config_gets_its_first_version_and_the_permissions(project):
    project.says(
        "alias: current",
        "permissions: [{statement_id: a, principal: sns.amazonaws.com}]",
        "async: {maximum_retry_attempts: 0}",
    )
    project.deploy()
    policy = project.lambda_.get_policy(FunctionName=project.name, Qualifier="current")["Policy"]
    (statement,) = json.loads(policy)["Statement"]
    assert (statement["Sid"], statement["Resource"].split(":")[-1]) == ("a", "current")
    after = project.lambda_.get_function_event_invoke_config(
        FunctionName=project.name, Qualifier="current"
    )
    assert after["MaximumRetryAttempts"] == 0


def test_rollback_moves_the_alias_back_and_publish_moves_it_on(project):
    project.publish(1, 2, 3)
    project.says("alias: current")
    assert "alias current: version 3 -> 2" in project.run("rollback").stderr
    assert project.edition("current") == 2
    assert "version 2 -> 1" in project.run("rollback", "--alias", "current").stderr
    done = project.kappa("rollback")
    assert (done.returncode, "There is no version before 1" in done.stderr) == (1, True)
    project.deploy("--publish")
    assert project.edition("current") == 3
    assert "unchanged" in project.run("rollback", "--to", "3").stderr
    assert (project.alias(), project.numbers()) == ("3", ["1", "2", "3"])


def test_a_rollback_of_no_function_says_how_to_make_it(project):
    done = project.kappa("rollback")
    assert (done.returncode, "deploy" in done.stderr) == (1, True)


def test_the_newest_versions_are_kept_and_those_that_aliases_need(project):
    project.publish(1, alias="stable")
    project.publish(2, 3)
    project.code(4)
    project.deploy("--publish", "--alias", "current", "--keep-versions", "2")
    assert (project.numbers(), project.alias()) == (["1", "3", "4"], "4")


def test_old_versions_go_after_all_else_is_done(project):
    project.publish(1, 2)
    project.code(3)
    project.says(
        "permissions:", "  - statement_id: sns", "    principal: sns.amazonaws.com",
    )  # fmt: skip
    done = project.run("deploy", "--publish", "--alias", "current", "--keep-versions", "1")
    marks = [line.split()[:2] for line in done.stderr.splitlines()]
    assert marks[-2:] == [["removed", "version"]] * 2
    assert ["created", "permission"] in marks[:-2]


def test_a_share_of_calls_for_another_version_ends_with_a_rollback(project):
    project.publish(1, 2)
    project.lambda_.update_alias(
        FunctionName=project.name,
        Name="current",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}},
    )
    project.run("rollback")
    found = project.lambda_.get_alias(FunctionName=project.name, Name="current")
    assert (found["FunctionVersion"], "RoutingConfig" in found) == ("1", False)


def test_a_version_for_snap_start_is_waited_for(project):
    project.says("snap_start: true", "publish: true", "alias: current")
    project.deploy()
    found = project.lambda_.get_function_configuration(
        FunctionName=project.name, Qualifier=project.alias()
    )
    assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "On")


def test_versions_lists_what_there_is_as_a_table_and_as_json(project):
    project.says("description: tea for two")
    project.publish(1, 2)
    lines = project.run("versions").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["version", "$LATEST", "2", "1"]
    assert lines[2].endswith("current  tea for two")
    found = json.loads(project.run("versions", "--json").stdout)
    assert [one["aliases"] for one in found] == [[], ["current"], []]


def test_a_deploy_that_stopped_before_the_alias_is_completed_by_the_next(project):
    project.publish(1)
    project.code(2)
    project.run("deploy", "--wait")
    project.lambda_.publish_version(FunctionName=project.name)
    assert "version 1 -> 2" in project.deploy("--publish", "--alias", "current")
    assert (project.numbers(), project.alias()) == (["1", "2"], "2")


def test_a_handler_that_is_not_in_the_code_stops_before_aws_is_asked(project):
    project.config(project.head.replace("greeter.handler", "greeter.hi"))
    done = project.kappa("deploy")
    assert done.returncode == 2
    assert "config.yml:8: lambda.handler is 'greeter.hi': greeter.py has no hi." in done.stderr


def test_an_arn_of_another_region_stops_before_aws_is_asked(project):
    project.says(f"dead_letter: arn:aws:sqs:eu-west-1:{ACCOUNT}:q")
    done = project.kappa("deploy")
    assert done.returncode == 2
    assert "config.yml:10: lambda.dead_letter is in eu-west-1, the function in us-east-1." in (
        done.stderr
    )

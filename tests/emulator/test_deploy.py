"""deploy, diff and several configs against the emulator, and failures in mid-command."""

import io
import json
import os
import signal
import threading
import time
import zipfile

import pytest

from local.testkit import proxy
from tests.support.kappa import projects
from tests.support.kappa.projects import POLICY

ACCOUNT = "461000000031"
CONFIG = """\
  timeout: 5
  log_retention_days: 14
  environment:
    GREETING: good day
  event_sources:
    - arn: {topic}
"""
WRITES = [
    "CreatePolicy",
    "CreateRole",
    "AttachRolePolicy",
    "CreateLogGroup",
    "PutRetentionPolicy",
    "CreateFunction",
    "AddPermission",
    "Subscribe",
]
REMOVALS = [
    "Unsubscribe",
    "DeleteFunction",
    "DetachRolePolicy",
    "DeleteRole",
    "DeletePolicy",
]


class Project(projects.Project):
    """A function with a topic; a proxy counts its commands' calls and makes some fail."""

    def __init__(self, folder, emulator, through):
        super().__init__(folder, emulator, ACCOUNT)
        self.through = through
        self.env |= {"AWS_ENDPOINT_URL": through.url, "AWS_MAX_ATTEMPTS": "2"}
        self.topic = self.client("sns").create_topic(Name=self.name)["TopicArn"]
        own = projects.OWN_ROLE.format(name=self.name)
        self.config(own + CONFIG.format(topic=self.topic))

    def kappa(self, *args, before=None, **changes):
        self.through.operations.clear()
        self.through.before = before
        return super().kappa(*args, **changes)

    def left(self):
        """The function, role, policy and subscription that exist."""
        subscriptions = self.client("sns").list_subscriptions_by_topic(TopicArn=self.topic)
        return [*self.existing(), *subscriptions["Subscriptions"]]

    def assert_complete(self):
        """Assert that everything is deployed: another deploy changes nothing."""
        done = self.kappa("deploy")
        assert (done.returncode, done.stderr.splitlines()[1:]) == (0, ["No changes."])
        assert self.through.writes == []
        assert len(self.left()) == 4


@pytest.fixture(scope="module")
def through(emulator):
    with proxy.running(emulator.endpoint_url) as running:
        yield running


@pytest.fixture
def project(tmp_path, emulator, through):
    return Project(tmp_path / "first", emulator, through)


@pytest.fixture
def deployed(project):
    assert project.kappa("deploy").returncode == 0
    return project


# The work done, and the calls to AWS


def test_deploy_makes_everything_in_order(project):
    done = project.kappa("deploy")
    assert done.returncode == 0, done.stderr
    assert project.through.writes == WRITES
    assert done.marks == [
        "created",
        "created",
        "attached",
        "created",
        "updated",
        "created",
        "created",
        "created",
    ]
    project.assert_complete()


def calls(project):
    return sorted(project.through.operations)


def test_a_permission_of_the_config_is_granted_once_also_where_a_source_needs_it(project):
    own = (
        "  permissions:\n    - statement_id: sns_invoke\n"
        f"      principal: sns.amazonaws.com\n      source_arn: {project.topic}\n"
    )
    project.config(project.text + own)
    done = project.kappa("deploy")
    assert (done.returncode, done.errors) == (0, [])
    assert project.through.writes.count("AddPermission") == 1
    project.assert_complete()
    project.kappa("deploy")
    # Once for the function's policy, once for IAM's.
    assert calls(project).count("GetPolicy") == 2


def test_the_calls_of_each_command_are_those_that_it_needs(project):
    """For a function with a policy document, `log_retention_days` and one SNS topic."""
    identity = "GetCallerIdentity"
    rights = ["GetPolicy", "GetRole", "ListAttachedRolePolicies"]
    lambda_ = ["GetFunction"]
    sources = ["GetPolicy"]
    topic = "ListSubscriptionsByTopic"
    group = "DescribeLogGroups"
    project.kappa("create")
    made = [name for name in WRITES if name not in ("AddPermission", "Subscribe")]
    assert calls(project) == sorted([identity, *rights, *lambda_, group, *made])
    project.kappa("delete")
    project.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{project.name}")
    project.kappa("deploy")
    fresh = [name for name in project.through.operations if name != "GetFunctionConfiguration"]
    assert sorted(fresh) == sorted([identity, *rights, *lambda_, group, *sources, topic, *WRITES])
    project.kappa("deploy")
    document = "GetPolicyVersion"
    assert calls(project) == sorted([*rights, document, *lambda_, group, *sources, topic])
    project.kappa("status")
    sources = [*sources, "ListAliases", "ListEventSourceMappings", topic]
    inline = "ListRolePolicies"
    assert calls(project) == sorted([*rights, inline, *lambda_, *sources])
    project.kappa("delete")
    users = "ListFunctions"
    asked = [*rights, inline, "ListPolicyVersions", *lambda_, users, *sources[2:]]
    assert calls(project) == sorted([*asked, *REMOVALS])


def test_only_wait_waits_for_what_nothing_comes_after(deployed):
    waits = []
    for args in (["deploy"], ["deploy", "--wait"]):
        deployed.write("code/tea.py", f"TEA = {len(args)}\n")
        assert deployed.kappa(*args).returncode == 0
        calls_ = deployed.through.operations
        waits.append("GetFunctionConfiguration" in calls_[calls_.index("UpdateFunctionCode") :])
    assert waits == [False, True]
    assert deployed.settings()["LastUpdateStatus"] == "Successful"


def test_diff_says_what_deploy_would_change_and_changes_nothing(deployed):
    assert deployed.kappa("diff").returncode == 0
    deployed.config(deployed.text.replace("timeout: 5", "timeout: 7").replace("good day", "hello"))
    deployed.write("policy.json", json.dumps(POLICY).replace('"logs:CreateLogStream", ', ""))
    deployed.write("code/extra.py", "TEA = 1\n")
    done = deployed.kappa("diff")
    assert (done.returncode, deployed.through.writes) == (3, [])
    assert "    Timeout: 5 -> 7" in done.stdout
    assert '    -        "logs:CreateLogStream",' in done.stdout
    assert "    + extra.py  8 bytes" in done.stdout
    assert "greeter.py" not in done.stdout
    assert "hello" not in done.stdout
    assert (
        "    Environment.GREETING: good day -> hello"
        in deployed.kappa("deploy", "--dry-run", "--show-values").stdout
    )
    assert deployed.kappa("deploy").marks == ["updated", "updated", "updated"]
    deployed.assert_complete()


def test_diff_as_json_is_for_scripts(project):
    done = project.kappa("diff", "--json")
    changes = json.loads(done.stdout)
    assert done.returncode == 3
    assert changes[0]["mark"] == "created"
    assert changes[0]["settings"][1]["after"]["Statement"][0]["Effect"] == "Allow"
    assert project.left() == []


def test_deploy_publishes_and_moves_the_alias(deployed):
    assert "published" in deployed.kappa("deploy", "--publish", "--alias", "current").marks
    lambda_ = deployed.client("lambda")
    assert lambda_.get_alias(FunctionName=deployed.name, Name="current")["FunctionVersion"] == "1"
    again = deployed.kappa("deploy", "--publish", "--alias", "current")
    assert (again.stderr.splitlines()[1:], deployed.through.writes) == (["No changes."], [])


# Several configs


@pytest.fixture
def second(project, tmp_path, emulator, through):
    return Project(tmp_path / "second", emulator, through)


def test_several_configs_are_deployed_side_by_side_with_one_report(project, second):
    files = [second.folder / "config.yml"]
    done = project.kappa("deploy", files=files)
    assert done.returncode == 0, done.stderr
    assert f"{project.name} | created    function {project.name}" in done.stderr
    assert f"{second.name} | created    function {second.name}" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"{second.name}   done")
    assert project.through.operations.count("GetCallerIdentity") == 1
    report = json.loads(project.kappa("status", "--json", files=files).stdout)
    assert [one["function"] for one in report] == [project.name, second.name]
    assert project.kappa("delete", "--yes", files=files).returncode == 0
    assert (project.left(), second.left()) == ([], [])


def test_several_configs_are_all_read_before_aws_is_asked(project, second):
    second.config(second.text.replace("timeout: 5", "timeout: 6000"))
    done = project.kappa("deploy", files=[second.folder / "config.yml"])
    assert (done.returncode, project.through.operations) == (2, [])


def test_the_exit_code_of_several_is_the_worst_and_the_others_go_on(project, second):
    second.config(second.text.replace(second.topic, f"{second.topic}-gone"))
    done = project.kappa("deploy", files=[second.folder / "config.yml"])
    assert done.returncode == 1
    assert len(done.errors) == 1
    assert len(project.left()) == 4


def test_functions_that_share_a_role_are_deployed_one_after_another(project, second):
    second.config(second.text.replace(f"{second.name}-role", f"{project.name}-role"))
    done = project.kappa("deploy", files=[second.folder / "config.yml"])
    assert done.returncode == 0, done.stderr
    assert project.through.writes.count("CreateRole") == 1


# Failures in mid-command


def test_without_credentials_there_is_one_clear_error(project):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del project.env[name]
    done = project.kappa("deploy")
    assert (done.returncode, len(done.errors), project.left()) == (1, 1, [])
    assert "No AWS credentials" in done.stderr


@pytest.fixture
def walker(project):
    """Run kappa as a user with every right; return a function that denies one action."""
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    keys = projects.user_in(project.emulator, ACCOUNT, project.name, statements(allow))
    project.env |= keys

    def deny(action):
        refuse = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps(statements(allow, refuse))
        project.client("iam").put_user_policy(
            UserName=project.name, PolicyName="may", PolicyDocument=document
        )

    return deny


def statements(*all_):
    return {"Version": "2012-10-17", "Statement": all_}


def action_of(operation):
    services = {"logs": ("LogGroup", "Retention"), "sns": ("ubscribe",)}
    services["lambda"] = ("Function", "Permission")
    found = [name for name, parts in services.items() if any(one in operation for one in parts)]
    return f"{found[0] if found else 'iam'}:{operation}"


def test_deploy_denied_at_each_step_says_which_and_is_completed_by_the_next(project, walker):
    for number, operation in enumerate(WRITES):
        walker(action_of(operation))
        done = project.kappa("deploy")
        assert (done.returncode, len(done.errors)) == (1, 1), operation
        assert action_of(operation) in done.errors[0]
        assert project.name in done.errors[0]
        assert project.through.writes[-1] == operation
        assert len(project.through.writes) == (1 if number == 0 else 2)
    walker("s3:DeleteBucket")
    assert project.kappa("deploy").marks == ["created"]
    project.assert_complete()


def test_delete_denied_at_each_step_is_completed_by_the_next(project, walker):
    walker("s3:DeleteBucket")
    assert project.kappa("deploy").returncode == 0
    for operation in REMOVALS:
        walker(action_of(operation))
        done = project.kappa("delete")
        assert (done.returncode, len(done.errors)) == (1, 1), operation
        assert action_of(operation) in done.errors[0]
    walker("s3:DeleteBucket")
    assert project.kappa("delete").returncode == 0
    assert project.left() == []


def test_a_deploy_that_was_denied_half_way_can_be_deleted(project, walker):
    walker("lambda:CreateFunction")
    assert project.kappa("deploy").returncode == 1
    assert project.kappa("delete").returncode == 0
    assert project.left() == []


@pytest.mark.parametrize("operation", ["CreatePolicy", "CreateFunction", "Subscribe"])
def test_ctrl_c_in_the_middle_is_completed_by_the_next_deploy(project, operation):
    def interrupt(name):
        if name == operation:
            os.kill(os.getpid(), signal.SIGINT)

    done = project.kappa("deploy", before=interrupt)
    assert done.returncode == 130
    assert "stopped" in done.marks
    assert "run the same command again to finish" in done.stderr
    assert project.kappa("deploy").returncode == 0
    project.assert_complete()


def test_ctrl_c_stops_several_configs_between_two_calls(project, second):
    pressed = threading.Lock()

    def interrupt(operation):
        if operation == "CreateRole" and pressed.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)  # kappa hears of it before the answer

    files = [second.folder / "config.yml"]
    done = project.kappa("deploy", files=files, before=interrupt)
    assert done.returncode == 130
    assert "run the same command again to finish" in done.stderr
    assert "CreateFunction" not in project.through.operations
    assert project.kappa("deploy", files=files).returncode == 0
    project.assert_complete()


@pytest.mark.parametrize("operation", ["GetRole", "AttachRolePolicy", "CreateFunction"])
def test_a_network_that_drops_is_one_clear_line_and_completed_by_the_next(project, operation):
    done = project.kappa("deploy", before=lambda name: "drop" if name == operation else None)
    assert (done.returncode, len(done.errors)) == (1, 1)
    assert "AWS could not be reached for" in done.stderr
    assert "run the same command again" in done.stderr
    assert project.kappa("deploy").returncode == 0
    project.assert_complete()


def test_a_create_that_stopped_after_the_function_is_completed_by_the_next_create(project):
    project.config(project.text + "  reserved_concurrency: 0\n  publish: true\n  alias: live\n")
    operation = "PutFunctionConcurrency"
    done = project.kappa("create", before=lambda name: "drop" if name == operation else None)
    assert (done.returncode, len(done.errors)) == (1, 1)
    done = project.kappa("create")
    assert (done.returncode, done.errors) == (0, [])
    lambda_ = project.client("lambda")
    reserved = lambda_.get_function_concurrency(FunctionName=project.name)
    assert reserved["ReservedConcurrentExecutions"] == 0
    alias = lambda_.get_alias(FunctionName=project.name, Name="live")
    assert alias["FunctionVersion"] == "1"
    assert project.kappa("create").returncode == 0
    assert project.through.writes == []


def failed_answer(project, **changes):
    """AWS's answer to GetFunction for a function whose last update failed."""
    current = project.client("lambda").get_function(FunctionName=project.name)
    answer = {key: current[key] for key in ("Configuration", "Code", "Tags")}
    answer["Configuration"] |= changes
    headers = [("Content-Type", "application/json")]
    return 200, headers, json.dumps(answer, default=str).encode()


def test_a_function_whose_last_update_failed_is_never_taken_for_unchanged(deployed):
    failed = failed_answer(
        deployed, LastUpdateStatus="Failed", LastUpdateStatusReason="No address is free."
    )

    def until_it_is_written(name):
        read = name == "GetFunction" and not deployed.through.writes
        return failed if read else None

    shown = deployed.kappa("diff", before=until_it_is_written)
    assert shown.returncode == 3
    assert "again (the last update failed: No address is free.)" in shown.stdout
    assert deployed.kappa("deploy", before=until_it_is_written).returncode == 0
    assert deployed.through.writes == ["UpdateFunctionConfiguration", "UpdateFunctionCode"]
    deployed.assert_complete()


def test_a_function_that_aws_could_not_make_ends_deploy_with_awss_reason(deployed):
    failed = failed_answer(deployed, State="Failed", StateReason="No such subnet.")
    done = deployed.kappa("deploy", before=lambda name: failed if name == "GetFunction" else None)
    assert (done.returncode, len(done.errors)) == (1, 1)
    assert "AWS could not make the function" in done.stderr
    assert "No such subnet." in done.stderr
    assert deployed.through.writes == []


@pytest.mark.parametrize("operation", ["CreatePolicy", "CreateFunction"])
def test_a_lost_answer_of_what_was_made_is_found_done(project, operation):
    """The SDK retries its own successful write, and AWS reports that the resource exists."""
    lost = []

    def lose(name):
        if name == operation and not lost:
            lost.append(name)
            return "lose"
        return None

    done = project.kappa("deploy", before=lose)
    assert (done.returncode, done.errors, lost) == (0, [], [operation])
    assert project.kappa("deploy").stderr.splitlines()[1:] == ["No changes."]
    project.assert_complete()


def test_throttling_is_tried_again(project):
    slow = proxy.error("TooManyRequestsException", "Rate exceeded", 429)
    left = [slow]

    def throttle(operation):
        return left.pop() if operation == "CreateFunction" and left else None

    assert project.kappa("deploy", before=throttle).returncode == 0
    project.assert_complete()


def test_throttling_without_end_says_to_wait(project):
    slow = proxy.error("TooManyRequestsException", "Rate exceeded", 429)
    done = project.kappa("deploy", before=lambda name: slow if name == "CreateFunction" else None)
    assert (done.returncode, len(done.errors)) == (1, 1)
    assert "Wait a minute" in done.stderr
    assert project.kappa("deploy").returncode == 0


def test_a_function_that_is_pending_is_waited_for(deployed):
    busy = "The operation cannot be performed at this time. An update is in progress"
    left = [proxy.error("ResourceConflictException", busy, 409)]
    deployed.config(deployed.text.replace("timeout: 5", "timeout: 6"))
    done = deployed.kappa(
        "deploy",
        before=lambda name: left.pop() if name == "UpdateFunctionConfiguration" and left else None,
    )
    assert (done.returncode, done.marks) == (0, ["waiting", "updated"])
    assert deployed.settings()["Timeout"] == 6


def test_a_policy_of_another_path_is_said_and_the_next_completes(project):
    iam = project.client("iam")
    name = f"{project.name}-policy"
    xml = b"<ErrorResponse><Error><Code>EntityAlreadyExists</Code><Message>A policy called so "
    xml += b"already exists. Policy names must be unique.</Message></Error></ErrorResponse>"
    taken = (409, [("Content-Type", "text/xml")], xml)
    done = project.kappa("deploy", before=lambda op: taken if op == "CreatePolicy" else None)
    assert (done.returncode, len(done.errors)) == (1, 1)
    assert name in done.stderr
    assert "set iam.policy.path" in done.stderr
    assert iam.list_policies(Scope="Local", PathPrefix=f"/{name}")["Policies"] == []
    assert project.kappa("deploy").returncode == 0


def test_an_adopted_role_of_another_path_is_used_and_deleted(project):
    role = projects.role_in(project.emulator, ACCOUNT, f"{project.name}-role")
    assert project.kappa("deploy", "--adopt").returncode == 0
    assert project.settings()["Role"] == role
    assert project.kappa("delete").returncode == 0
    assert project.left() == []


def test_a_function_that_another_makes_meanwhile_is_said_and_then_deployed(project):
    def meanwhile(operation):
        if operation == "CreateFunction" and not project.through.operations.count("meanwhile"):
            project.through.operations.append("meanwhile")
            project.client("lambda").create_function(
                FunctionName=project.name,
                Role=f"arn:aws:iam::{ACCOUNT}:role/kappa/{project.name}-role",
                Runtime="python3.12",
                Handler="a.b",
                Code={"ZipFile": a_zip()},
                Tags={"kappa:region": "us-east-1"},
            )

    done = project.kappa("deploy", before=meanwhile)
    assert (done.returncode, len(done.errors)) == (1, 1)
    assert "run the same command again" in done.stderr
    assert project.kappa("deploy").returncode == 0
    assert project.settings()["Runtime"] == "python3.13"
    project.assert_complete()


def a_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "def b(event, context): pass\n")
    return buffer.getvalue()

"""What kappa did not make here is refused unless it is adopted; each region owns its own."""

import json

import pytest

from tests.support.kappa.projects import OWN_ROLE, TRUST, Project

ACCOUNT = "461200000001"
HERE, THERE = "us-east-1", "eu-west-1"
COMMANDS = (
    "deploy",
    "create",
    "update_code",
    "diff",
    "delete",
    "rollback",
    "add_event_sources",
    "update_event_sources",
    "enable_event_sources",
    "disable_event_sources",
    "remove_event_sources",
)


@pytest.fixture
def project(tmp_path, emulator):
    project = Project(tmp_path / "greeter", emulator, ACCOUNT)
    project.config(OWN_ROLE.format(name=project.name))
    return project


def stranger(project):
    """Create a function and a role of the config's names without kappa; return the role's ARN."""
    role = project.client("iam").create_role(
        RoleName=f"{project.name}-role", Path="/kappa/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    project.make(role["Role"]["Arn"], Timeout=9)
    return role["Role"]["Arn"]


def test_no_command_touches_a_function_of_the_same_name(project):
    stranger(project)
    before = project.settings()["RevisionId"]
    for command in COMMANDS:
        done = project.kappa(command)
        assert done.returncode == 2
        assert "exists, and kappa did not make it" in done.stderr
        assert "deploy --adopt" in done.stderr
    assert project.settings()["RevisionId"] == before
    assert project.existing() == [project.name, f"{project.name}-role"]


def test_adopted_it_is_changed_and_deleted_as_if_kappa_had_made_it(project):
    stranger(project)
    shown = project.kappa("diff", "--adopt")
    assert shown.returncode == 3
    assert f"function {project.name}" in shown.stdout
    marks = project.marks("deploy", "--adopt")
    assert marks.count("adopted") == 2
    assert "adopted" not in project.marks("deploy", "--adopt")
    project.run("deploy")
    project.run("delete")
    assert project.existing() == []


def test_delete_keeps_a_role_and_a_policy_that_lost_their_tag(project):
    project.run("deploy")
    iam, policy = (
        project.client("iam"),
        f"arn:aws:iam::{ACCOUNT}:policy/kappa/{project.name}-policy",
    )
    iam.untag_role(RoleName=f"{project.name}-role", TagKeys=["kappa:region"])
    iam.untag_policy(PolicyArn=policy, TagKeys=["kappa:region"])
    done = project.run("delete")
    assert done.marks.count("kept") == 3  # the log group too
    assert project.existing() == [f"{project.name}-role", f"{project.name}-policy"]


def test_a_second_region_takes_names_of_its_own(project):
    project.run("deploy")
    there = project.text.replace(f"region: {HERE}", f"region: {THERE}")
    project.config(there)
    done = project.kappa("deploy")
    assert done.returncode == 2
    assert f"The role {project.name}-role belongs to {HERE}" in done.stderr
    assert f"{project.name}-role-${{region}}" in done.stderr
    own = there.replace("-role", "-role-${region}").replace("-policy", "-policy-${region}")
    project.config(own)
    project.run("deploy")
    project.run("delete")
    assert project.existing() == [
        project.name,
        f"{project.name}-role",
        f"{project.name}-policy",
    ]

"""A new kind of event source is one module: the one that docs/architecture.md shows.

What the document shows is applied to a copy of kappa, and registered for these tests alone.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kappa.sources
from kappa.commands.event_sources import (
    plan_add_event_sources,
    plan_remove_event_sources,
    plan_switch_event_sources,
    plan_update_event_sources,
    read_sources_status,
)
from kappa.commands.init_from.sources import adopt_sources
from kappa.commands.session import Session
from kappa.config import source_rules
from kappa.config.read import read_config
from kappa.errors import Conflict, NotFound
from kappa.function.permissions import read_statements
from kappa.plan.apply import apply
from kappa.sources import all_kinds
from kappa.sources.report import source_row, sources_data
from tests.support.builders import MINIMAL, assert_valid
from tests.support.kappa.account import FUNCTION, Account, clock

ROOT = Path(kappa.__file__).parents[1]
DIFF = re.search(r"```diff\n(.*?)```", (ROOT / "docs/architecture.md").read_text(), re.DOTALL)
SERVICE = "secretsmanager"
SECRET = f"arn:aws:{SERVICE}:us-east-1:123456789012:secret:db-AbCdEf"
CONFIG = f"""\
{MINIMAL}\
  event_sources:
    - arn: {SECRET}
      schedule: rate(30 days)
"""


class Vault(Account):
    """An account with a secret."""

    def __init__(self):
        super().__init__()
        self.secret = {}
        self.lambda_create_function(
            "greeter", {"ImageUri": "1"}, Tags={"kappa:region": self.region}
        )

    def secretsmanager_describe_secret(self, SecretId):  # noqa: N803
        if self.secret is None:
            raise NotFound("no such secret", code="ResourceNotFoundException")
        return self.secret

    def secretsmanager_rotate_secret(self, SecretId, **params):  # noqa: N803
        self.secret = {"RotationEnabled": True, **params}

    def secretsmanager_cancel_rotate_secret(self, SecretId):  # noqa: N803
        self.secret = {"RotationEnabled": False}


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of kappa's sources and config with the document's change."""
    copy = tmp_path_factory.mktemp("changed")
    for folder in ("kappa/sources", "kappa/config"):
        shutil.copytree(ROOT / folder, copy / folder)
    # A copy within a repository is no part of it.
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent)}
    patch = ["git", "apply", "-"]
    subprocess.run(patch, cwd=copy, env=outside, input=DIFF[1], text=True, check=True)
    return copy / "kappa"


@pytest.fixture(autouse=True)
def kind(changed, monkeypatch):
    module = load("secret", changed / "sources/secret.py")
    monkeypatch.setattr(kappa.sources, "secret", module, raising=False)
    monkeypatch.setitem(sys.modules, "kappa.sources.secret", module)
    kinds = load("table", changed / "sources/all_kinds.py").KINDS
    keys = load("source_rules", changed / "config/source_rules.py")._KEYS
    assert set(kinds) - set(all_kinds.KINDS) == {SERVICE}
    monkeypatch.setitem(all_kinds.KINDS, SERVICE, kinds[SERVICE])
    monkeypatch.setitem(source_rules._KEYS, SERVICE, keys[SERVICE])


@pytest.fixture
def session(tmp_path):
    file = tmp_path / "config.yml"
    file.write_text(CONFIG)
    return Session(read_config(file), Vault())


def carry_out(session, plan):
    assert_valid(plan)
    apply(plan, session.aws.call, lambda _: None, clock())
    return [item.mark for item in plan]


def shown(session):
    data = sources_data(*read_sources_status(session))
    assert [one.get("problem") for one in data] == [None]
    return source_row(data[0])[1:]


def test_it_is_added_with_its_permission_and_is_there_then(session):
    plan = plan_add_event_sources(session)
    assert [step.operation for step in plan] == ["add_permission", "rotate_secret"]
    assert plan[0].params["Principal"] == "secretsmanager.amazonaws.com"
    assert carry_out(session, plan) == ["created", "created"]
    assert session.aws.secret["RotationLambdaARN"] == FUNCTION
    assert carry_out(session, plan_add_event_sources(session)) == ["exists"]
    assert carry_out(session, plan_update_event_sources(session)) == ["unchanged"]


def test_status_describes_it(session):
    assert shown(session) == ("db-AbCdEf", "missing", SERVICE)
    carry_out(session, plan_add_event_sources(session))
    assert shown(session) == ("db-AbCdEf", "Rotating", SERVICE)


def test_it_is_moved_to_the_alias_and_its_permission_with_it(session):
    carry_out(session, plan_add_event_sources(session))
    session.aws.lambda_create_alias("greeter", "live", "1")
    session.config.file.write_text(f"{CONFIG}  alias: live\n")
    moved = Session(read_config(session.config.file), session.aws)
    marks = carry_out(moved, plan_add_event_sources(moved))
    assert marks == ["created", "updated", "removed"]
    assert session.aws.secret["RotationLambdaARN"] == f"{FUNCTION}:live"
    assert list(filter(None, session.aws.policies.values())) == [session.aws.policies["live"]]


def test_it_is_disabled_enabled_and_removed(session):
    carry_out(session, plan_add_event_sources(session))
    plan = plan_switch_event_sources(session, ["db-AbCdEf"], enabled=False)
    assert carry_out(session, plan) == ["removed"]
    plan = plan_switch_event_sources(session, [], enabled=True)
    assert carry_out(session, plan) == ["created"]
    plan = plan_remove_event_sources(session, [])
    assert carry_out(session, plan) == ["removed", "removed"]
    assert (session.aws.secret["RotationEnabled"], session.aws.policies[""]) == (False, {})


def test_what_another_function_rotates_is_refused_and_one_that_is_gone_is_said(session):
    session.aws.secret = {"RotationEnabled": True, "RotationLambdaARN": f"{FUNCTION}-2"}
    with pytest.raises(Conflict, match="greeter-2 rotates the secret db-AbCdEf"):
        plan_add_event_sources(session)
    session.aws.secret = None
    with pytest.raises(NotFound, match="db-AbCdEf does not exist"):
        plan_add_event_sources(session)


def test_it_is_adopted(session):
    carry_out(session, plan_add_event_sources(session))
    statements = read_statements(session.aws, "greeter", "")
    adopted = adopt_sources(session.aws, FUNCTION, statements)
    assert adopted.sections == ({"arn": SECRET, "schedule": "rate(30 days)"},)
    assert adopted.left_out == ()


def test_each_service_with_keys_in_a_config_has_a_kind():
    assert set(all_kinds.KINDS) == {*source_rules._KEYS, *source_rules._EXCEPT}

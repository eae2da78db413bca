"""delete on the command line: when it asks, and when it needs --yes."""

import os
import pty
import subprocess
import sys

import pytest

from kappa.commands.delete import plan_delete
from kappa.config.model import Url
from kappa.plan.step import Step
from local.testkit.events import ACCOUNT
from tests.support.builders import run_kappa
from tests.support.kappa.account import REGION, Account
from tests.support.kappa.sessions import carry_out, deploy, session_of


def asked(folder, *args, answer):
    """Run kappa on a terminal of its own, with an answer typed; the exit code and the output."""
    main, terminal = pty.openpty()
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    env |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    os.write(main, answer)
    command = [sys.executable, "-m", "kappa", "config.yml", *args]
    done = subprocess.run(
        command, stdin=terminal, capture_output=True, text=True, cwd=folder, env=env, check=False
    )
    os.close(terminal)
    os.close(main)
    return done.returncode, done.stderr


@pytest.fixture
def small(tmp_path):
    (tmp_path / "config.yml").write_text(
        "region: us-east-1\niam:\n  role:\n    arn: arn:aws:iam::123456789012:role/r\n"
        "lambda:\n  name: f\n  path: .\n  handler: a.b\n  runtime: python3.13\n"
    )
    return tmp_path


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
def test_delete_on_a_terminal_deletes_nothing_without_a_yes(small, answer):
    code, err = asked(small, "delete", answer=answer)
    assert code == 1
    assert "Delete f in us-east-1, with all that kappa made for it? [y/N]" in err
    assert "Error: Nothing was deleted." in err


def test_delete_does_not_ask_about_a_config_that_is_wrong(small):
    (small / "config.yml").write_text("lambda: 1\n")
    code, err = asked(small, "delete", answer=b"y\n")
    assert (code, "Delete" in err) == (2, False)


@pytest.mark.parametrize(("args", "answer"), [(["delete"], b"y\n"), (["delete", "--yes"], b"")])
def test_delete_on_a_terminal_goes_on_after_a_yes(small, args, answer):
    assert "could not be reached" in asked(small, *args, answer=answer)[1]


def in_script(folder, *args):
    """Run kappa without a terminal; the exit code and the output."""
    env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true"}
    done = run_kappa(args, {**os.environ, **env}, "", folder)
    return done.returncode, done.stderr


def test_delete_in_a_script_does_not_ask(small):
    code, err = in_script(small, "config.yml", "delete")
    assert (code, "Delete f" in err, "No AWS credentials" in err) == (1, False, True)


def test_delete_of_several_configs_in_a_script_needs_a_yes(small):
    (small / "other.yml").write_text(
        (small / "config.yml").read_text().replace("name: f", "name: g")
    )
    code, err = in_script(small, "config.yml", "other.yml", "delete")
    assert code == 2
    assert err == (
        "Error: Without a terminal, deleting 2 functions needs --yes.\n  Nothing was deleted.\n"
    )
    code, err = in_script(small, "config.yml", "other.yml", "delete", "--yes")
    assert (code, err.count("No AWS credentials")) == (1, 2)


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
SOURCES = ({"arn": TOPIC}, {"name": "nightly", "schedule": "rate(1 day)"})


def test_sources_go_before_the_function():
    aws = Account([TOPIC])
    deploy(aws, sources=SOURCES, url=Url(auth="NONE"))
    session = session_of(aws, sources=SOURCES, url=Url(auth="NONE"))
    plan = [step for step in plan_delete(session) if isinstance(step, Step)]
    operations = [step.operation for step in plan]
    assert operations.index("unsubscribe") < operations.index("delete_function")
    assert operations.index("delete_rule") < operations.index("delete_function")
    carry_out(session, plan)
    assert (aws.function, aws.left()) == (None, Account([TOPIC]).left())


def test_what_hangs_on_the_alias_of_another_environment_goes_too():
    aws = Account([TOPIC])
    deploy(aws, sources=({"arn": TOPIC},), alias="live", publish=True)
    carry_out(session_of(aws), plan_delete(session_of(aws, sources=({"arn": TOPIC},))))
    assert aws.subscriptions == {}


def test_logs_and_a_role_given_by_arn_stay_and_are_named():
    aws = Account()
    deploy(aws)
    kept = [
        message
        for mark, message in carry_out(session_of(aws), plan_delete(session_of(aws)))
        if mark == "kept"
    ]
    assert kept[0] == "log group /aws/lambda/greeter with its logs, if any"


def test_deleting_what_is_gone_changes_nothing():
    aws = Account()
    assert [item for item in plan_delete(session_of(aws)) if isinstance(item, Step)] == []

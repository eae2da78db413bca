"""A local function of a session, and its results as those of a deployed one."""

import sys

import pytest

from kappa.aws import Aws
from kappa.commands.local_invoke import invoke_local, local_function
from kappa.commands.session import Session
from kappa.config.read import read_config
from kappa.errors import ConfigError
from kappa.local_run.function import Caller
from kappa.local_run.interpreter import CannotRun
from tests.support.kappa.sessions import session_of

CALLER = Caller("eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:function:greeter")


def ignore(_):
    """Take a line or a warning."""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A function that fails if the event is a text."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return event + 1\n")
    python = f"python3.{sys.version_info.minor}"
    text = f"lambda: {{name: greeter, path: app.py, handler: app.handler, runtime: {python}}}"
    (tmp_path / "config.yml").write_text(text)
    return Session(read_config(tmp_path / "config.yml", ""), Aws("eu-west-1"))


def test_a_result_is_an_answer(session):
    with local_function(session, CALLER, ignore, ignore) as function:
        answer, report = invoke_local(function, b"1")
    assert (answer.payload, answer.error, answer.status, answer.version) == (2, "", 200, "$LATEST")
    assert report.status == "success"


def test_a_failure_names_the_users_file(session, tmp_path):
    with local_function(session, CALLER, ignore, ignore) as function:
        answer, _ = invoke_local(function, b'"tea"')
    assert answer.problem.startswith("TypeError: ")
    assert f'File "{tmp_path}/app.py", line 2' in answer.traceback


def test_the_zip_is_checked_as_for_an_upload(session, tmp_path):
    (tmp_path / "app.py").write_text("x = 1")
    with pytest.raises(ConfigError, match=r"app\.py has no handler"):
        local_function(session, CALLER, ignore, ignore)


def test_an_image_does_not_run_here():
    with pytest.raises(CannotRun, match="is a container image"):
        local_function(session_of(Aws("eu-west-1")), CALLER, ignore, ignore)


def test_the_sdk_is_kappas_own(session):
    import botocore

    with local_function(session, CALLER, ignore, ignore) as function:
        sdk = function._sdk
    assert botocore.__file__.startswith(sdk.path)
    assert "boto3" in sdk.names

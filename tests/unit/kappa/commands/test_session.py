"""What a command begins with: one config, one account, and the command line before the config."""

import shutil

import pytest

from kappa.aws import Aws
from kappa.commands.session import open_session, with_publishing
from kappa.config.uses import ALL, NAMES
from kappa.errors import ConfigError, Denied
from tests.support.builders import MINIMAL
from tests.support.kappa.account import Account
from tests.support.kappa.sessions import session_of


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(f"region: us-east-1\n{MINIMAL}")
    return path


def test_the_command_lines_region_wins_over_the_files(file):
    assert open_session(file, None, "eu-west-1").aws.region == "eu-west-1"
    assert open_session(file, None, None).aws.region == "us-east-1"


def test_configs_of_one_profile_and_region_share_their_clients(file):
    known = {}
    first, second, other = (
        open_session(file, None, region, known) for region in (None, None, "eu-west-1")
    )
    assert first.aws is second.aws
    assert first.aws is not other.aws


def test_the_command_lines_alias_is_the_one_that_versions_move():
    session = session_of(Account(), alias="live", keep_versions=3)
    chosen = with_publishing(session, {"alias": "next", "publish": True, "keep_versions": None})
    function = chosen.config.function
    assert (function.alias, chosen.config.published_alias) == ("live", "next")
    assert (function.publish, function.keep_versions) == (True, 3)


def test_without_an_option_the_session_stays_the_same():
    session = session_of(Account())
    assert with_publishing(session, {"alias": None, "publish": None}) is session


def test_an_alias_that_cannot_be_is_an_error_with_what_is_allowed():
    with pytest.raises(ConfigError, match="--alias cannot be '7'") as error:
        with_publishing(session_of(Account()), {"alias": "7"})
    assert error.value.hint.startswith("Allowed: 1 to 128 letters")


def test_the_code_is_packed_once_whatever_the_command_line_publishes(file):
    code = file.parent / "code"
    code.mkdir()
    (code / "greeter.py").write_text("def handler(event, context):\n    return event\n")
    session = open_session(file, None, None)
    packed = session.checked_zip
    shutil.rmtree(code)
    assert session.zip is session.checked_zip is packed
    chosen = with_publishing(session, {"alias": "next", "publish": True})
    assert chosen.zip is chosen.checked_zip is packed


@pytest.mark.parametrize(("uses", "asked"), [(NAMES, []), (ALL, ["get_secret_value"])])
def test_aws_is_asked_only_for_values_that_the_command_uses(file, monkeypatch, uses, asked):
    calls = []

    def call(_self, _service, operation, *_):
        calls.append(operation)
        return {"SecretString": "hunter2-s3cret"}

    monkeypatch.setattr(Aws, "call", call)
    file.write_text(f"{file.read_text()}  environment: {{TOKEN: '${{secret:db}}'}}\n")
    hidden = {}
    session = open_session(file, None, None, uses=uses, hide=hidden.__setitem__)
    assert calls == asked
    assert hidden == ({"hunter2-s3cret": "${secret:db}"} if asked else {})
    assert session.config.region == "us-east-1"


def test_the_secrets_of_a_document_are_noted(file, monkeypatch):
    monkeypatch.setattr(Aws, "call", lambda *_: {"SecretString": "hunter2-s3cret"})
    document = '{"Statement": [{"Resource": "arn:1:${secret:db}"}]}'
    (file.parent / "policy.json").write_text(document)
    policy = "iam: {policy: {name: p, document: policy.json}, role: {name: r}}\n"
    file.write_text(policy + MINIMAL[MINIMAL.index("lambda:") :])
    session = open_session(file, None, None)
    assert session.document == {"Statement": [{"Resource": "arn:1:hunter2-s3cret"}]}
    assert session.config.values.secrets == {
        "hunter2-s3cret": "${secret:db}",
        "arn:1:hunter2-s3cret": "arn:1:${secret:db}",
    }


def test_a_value_is_asked_of_the_command_lines_account(file, monkeypatch):
    def call(self, *_):
        raise Denied(f"{self.region} {self._profile}")

    monkeypatch.setattr(Aws, "call", call)
    monkeypatch.setattr(Aws, "region", property(lambda self: self._requested_region))
    file.write_text(f"{file.read_text()}  environment: {{TOKEN: '${{secret:db}}'}}\n")
    with pytest.raises(Denied, match="has no value: eu-west-1 mine"):
        open_session(file, "mine", "eu-west-1")

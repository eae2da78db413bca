"""Clients: long calls, settings that cannot be used, and the caller's keys and region as values."""

import socket
import subprocess
import sys

import pytest

from kappa.aws import Aws
from kappa.aws.client import Keys, key_variables
from kappa.errors import AwsError, ConfigError
from tests.unit.kappa.aws.test_credentials import problem


def test_a_long_call_waits_as_long_as_a_function_may_run_and_keeps_its_connection(keys):
    client = Aws("us-east-1")._client("lambda", 960)
    config = client.meta.config
    assert (config.read_timeout, config.tcp_keepalive) == (960, True)
    options = client._endpoint.http_session._manager.connection_pool_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    assert any(one[:2] == (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) for one in options)


def test_a_number_of_tries_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "abc")
    error = problem(None)
    assert isinstance(error, ConfigError)
    assert "AWS_MAX_ATTEMPTS" in error.hint


def test_an_address_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://[::1")
    assert "AWS_ENDPOINT_URL" in problem(None).hint


OWN = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


@pytest.fixture
def profiles(monkeypatch, tmp_path):
    file = tmp_path / "credentials"
    lines = [
        f"[{name}]\naws_access_key_id = {name}\naws_secret_access_key = s"
        for name in ("default", "tea")
    ]
    file.write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("keys")
def test_keys_of_the_environment_are_taken_as_they_are(monkeypatch):
    assert Aws().read_keys() == Keys(OWN, "the environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "c")
    assert Aws().read_keys().variables == OWN | {"AWS_SESSION_TOKEN": "c"}


@pytest.mark.usefixtures("keys", "profiles")
def test_a_profile_that_is_asked_for_wins():
    keys = Aws(None, "tea").read_keys()
    assert (keys.variables["AWS_ACCESS_KEY_ID"], keys.source) == ("tea", "the profile tea")


@pytest.mark.usefixtures("profiles")
def test_the_sdk_knows_where_else_keys_are():
    keys = Aws().read_keys()
    assert (keys.variables["AWS_ACCESS_KEY_ID"], keys.source) == (
        "default",
        "shared-credentials-file",
    )


def test_there_may_be_none():
    assert Aws().read_keys() == Keys()


def test_an_unknown_profile_is_an_error():
    with pytest.raises(ConfigError, match="tea"):
        Aws(None, "tea").read_keys()


def test_the_environment_alone_does_not_load_the_sdk():
    code = (
        "import sys\nfrom kappa.aws import Aws\n"
        "aws = Aws('eu-west-1')\nassert aws.read_keys().variables\n"
        "assert aws.read_region()\n"
        "sys.exit('botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=OWN, check=False)
    assert done.returncode == 0


def test_the_region_is_found_as_for_any_call(monkeypatch):
    with pytest.raises(AwsError, match="No AWS region"):
        Aws().read_region()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert Aws().read_region() == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert Aws().read_region() == "eu-west-3"
    assert Aws("eu-west-1").read_region() == "eu-west-1"


def test_a_missing_token_is_no_variable():
    assert key_variables("a", "b", "") == OWN

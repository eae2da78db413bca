"""The caller's credentials and region as plain values."""

import subprocess
import sys

import pytest

from kappa.aws import Aws
from kappa.aws.caller import Keys, read_keys, read_region, sdk_packages, variables
from kappa.errors import AwsError, ConfigError

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
    assert read_keys(Aws()) == Keys(OWN, "the environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "c")
    assert read_keys(Aws()).variables == OWN | {"AWS_SESSION_TOKEN": "c"}


@pytest.mark.usefixtures("keys", "profiles")
def test_a_profile_that_is_asked_for_wins():
    keys = read_keys(Aws(None, "tea"))
    assert (keys.variables["AWS_ACCESS_KEY_ID"], keys.source) == ("tea", "the profile tea")


@pytest.mark.usefixtures("profiles")
def test_the_sdk_knows_where_else_keys_are():
    keys = read_keys(Aws())
    assert (keys.variables["AWS_ACCESS_KEY_ID"], keys.source) == (
        "default",
        "shared-credentials-file",
    )


def test_there_may_be_none():
    assert read_keys(Aws()) == Keys()


def test_an_unknown_profile_is_an_error():
    with pytest.raises(ConfigError, match="tea"):
        read_keys(Aws(None, "tea"))


def test_the_environment_alone_does_not_load_the_sdk():
    code = (
        "import sys\nfrom kappa.aws import Aws\nfrom kappa.aws import caller\n"
        "aws = Aws('eu-west-1')\nassert caller.read_keys(aws).variables\n"
        "assert caller.read_region(aws)\n"
        "assert caller.sdk_packages()\nsys.exit('botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=OWN, check=False)
    assert done.returncode == 0


def test_the_region_is_found_as_for_any_call(monkeypatch):
    with pytest.raises(AwsError, match="No AWS region"):
        read_region(Aws())
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert read_region(Aws()) == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert read_region(Aws()) == "eu-west-3"
    assert read_region(Aws("eu-west-1")) == "eu-west-1"


def test_the_sdk_is_kappas_own():
    import botocore

    folder, names = sdk_packages()
    assert botocore.__file__.startswith(folder)
    assert "boto3" in names


def test_a_missing_token_is_no_variable():
    assert variables("a", "b", "") == OWN

"""Credentials that cannot be had, each with one clear error."""

import hashlib
import json
import sys

import pytest

from kappa.aws import Aws
from kappa.aws.session import _source
from kappa.errors import ConfigError, Denied, KappaError
from local.testkit.events import ACCOUNT


def profile(monkeypatch, tmp_path, text):
    file = tmp_path / "config"
    file.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))


def problem(name="tea"):
    with pytest.raises(KappaError) as caught:
        Aws("us-east-1", name).call("sts", "get_caller_identity", "trying")
    return caught.value


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('Enter your PIN:')", "did not print the credentials as JSON"),
        ("print('[1]')", "did not print the credentials as JSON"),
        ("print('{\\\"Version\\\": 1}')", "Missing required key in response: 'AccessKeyId'"),
        ("import sys; sys.exit('the card is not in the reader')", "the card is not in the reader"),
    ],
)
@pytest.mark.parametrize("chained", [False, True])
def test_a_credential_process_that_fails_is_named(monkeypatch, tmp_path, code, words, chained):
    program = f'credential_process = {sys.executable} -c "{code}" --pin=1234\n'
    text = f"[profile tea]\n{program}"
    if chained:
        role = f"arn:aws:iam::{ACCOUNT}:role/drinker"
        text = f"[profile tea]\nrole_arn = {role}\nsource_profile = pot\n[profile pot]\n{program}"
    profile(monkeypatch, tmp_path, text)
    error = problem()
    assert isinstance(error, Denied)
    assert words in error.message
    assert f"the profile {'pot' if chained else 'tea'}, {sys.executable}," in error.message
    assert "1234" not in str(error)


def test_a_credential_process_that_is_not_there_is_named(monkeypatch, tmp_path):
    profile(monkeypatch, tmp_path, "[profile tea]\ncredential_process = /nowhere/keys\n")
    assert "/nowhere/keys, gave no credentials: No such file" in problem().message


def test_credentials_that_cannot_be_renewed_are_named_too(monkeypatch, tmp_path):
    script = tmp_path / "once.py"
    script.write_text(
        "import json, pathlib, sys\n"
        "ran = pathlib.Path(__file__).with_suffix('.ran')\n"
        "if ran.exists(): sys.exit('the card is gone')\n"
        "ran.touch()\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'a', 'SecretAccessKey': 'b',"
        " 'SessionToken': 'c', 'Expiration': '2020-01-01T00:00:00Z'}))\n"
    )
    text = f"[profile tea]\ncredential_process = {sys.executable} {script}\n"
    profile(monkeypatch, tmp_path, text)
    assert "the card is gone" in problem().message


def test_a_profile_of_aws_login_names_what_is_missing(monkeypatch, tmp_path):
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/tea/ada"
    profile(monkeypatch, tmp_path, f"[profile tea]\nlogin_session = {session}\n")
    error = problem()
    assert "profile tea" in error.message
    assert "botocore[crt]" in str(error) or "aws login --profile tea" in error.hint


SSO = f"""\
[profile tea]
sso_session = house
sso_account_id = {ACCOUNT}
sso_role_name = Drinker
[sso-session house]
sso_region = us-east-1
sso_start_url = https://tea.example.com/start
sso_registration_scopes = sso:account:access
"""


@pytest.mark.parametrize("expired", [False, True])
def test_an_sso_profile_that_is_not_signed_in_names_the_command(monkeypatch, tmp_path, expired):
    profile(monkeypatch, tmp_path, SSO)
    if expired:
        token = {"accessToken": "x", "expiresAt": "2020-01-01T00:00:00Z"}
        cache = tmp_path / ".aws/sso/cache"
        cache.mkdir(parents=True)
        (cache / f"{hashlib.sha1(b'house').hexdigest()}.json").write_text(json.dumps(token))
    assert problem().hint == "Run `aws sso login --profile tea`."


def test_an_sso_session_that_is_not_defined_is_a_config_error(monkeypatch, tmp_path):
    profile(monkeypatch, tmp_path, SSO.replace("[sso-session house]", "[sso-session hut]"))
    error = problem()
    assert isinstance(error, ConfigError)
    assert "profile tea" in error.message


def test_profiles_that_name_each_other_end_the_search():
    profiles = {"a": {"source_profile": "b"}, "b": {"source_profile": "a"}}
    assert _source({"profiles": profiles}, "a")[0] == "b"


ROLE = f"arn:aws:iam::{ACCOUNT}:role/tea"


LOOP = "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"},
            "No AWS credentials: /nowhere: No such file",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": LOOP,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
            },
            "No AWS credentials: /nowhere: No such file",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"},
            "No AWS credentials: Unsupported host 'evil.example'",
        ),
        ({"AWS_METADATA_SERVICE_TIMEOUT": "abc"}, "No AWS credentials: invalid literal"),
    ],
)
def test_credentials_that_cannot_be_read_are_one_clear_error(
    monkeypatch, tmp_path, variables, words
):
    profile(monkeypatch, tmp_path, "")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = problem(None)
    assert isinstance(error, Denied)
    assert error.message.startswith(words)
    assert "Correct " in error.hint or "Look at " in error.hint


def test_a_profile_whose_token_is_not_there_is_one_clear_error(monkeypatch, tmp_path):
    text = f"[profile tea]\nrole_arn = {ROLE}\nweb_identity_token_file = /nowhere\n"
    profile(monkeypatch, tmp_path, text)
    assert problem().message.startswith("No AWS credentials: /nowhere: No such file")

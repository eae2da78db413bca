"""update.sh against the embedded AWS: what a visitor gets, and what a second run does."""

import gzip
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest
import yaml

import publish
import resources
from chatconfig import build_folder
from tests.builders import run_here

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "630000000001"
BUCKET = "update-sh-page"


@pytest.fixture(scope="module")
def env(emulator, tmp_path_factory):
    """The environment of a launched stack."""
    config = tmp_path_factory.mktemp("update") / "config.yml"
    config.write_text(
        f"s3_bucket: {BUCKET}\ngoogle_oauth_client_id: 1234-abcd.apps.googleusercontent.com\n"
    )
    env = emulator.env(ACCOUNT) | {"LAMBDA_CHAT_CONFIG": str(config)}
    for argv in (["launch", "--wait"], ["output", "--save"]):
        assert run_here(partial(resources.main, argv), env).returncode == 0
    yield env
    shutil.rmtree(build_folder(config), ignore_errors=True)


def run(env):
    """What update.sh starts, in this process; one test runs update.sh itself."""
    return run_here(partial(publish.main, []), env)


def update(env):
    done = run(env)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        body = answer.read()
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        return answer.headers, body.decode()


def test_the_page_is_published_from_any_folder(emulator, env, tmp_path):
    done = subprocess.run(
        [ROOT / "s3-website" / "update.sh"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    url = f"{emulator.endpoint_url}/{BUCKET}/index.html"
    assert lines[-1] == url
    assert lines[-2] == "0 unchanged"
    assert lines[-3] == "uploaded index.html"
    headers, page = get(url)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Content-Encoding"] == "gzip"
    assert "{{" not in page
    headers, config = get(f"{emulator.endpoint_url}/{BUCKET}/config.js")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    saved = yaml.safe_load(Path(env["LAMBDA_CHAT_CONFIG"]).read_text())
    assert saved["website_iam_role_arn"] in config
    headers, _ = get(f"{emulator.endpoint_url}/{BUCKET}/vendor/aws4fetch.js")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_a_second_run_changes_nothing(env):
    update(env)
    [unchanged, _] = update(env)
    assert re.fullmatch("[1-9][0-9]* unchanged", unchanged)


def test_a_stale_file_goes_and_everything_else_stays(emulator, env):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    for key in ("js/old.js", "data/default.json", "notes.txt"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    lines = update(env)
    assert [line for line in lines if not line.endswith("unchanged")][:-1] == ["removed js/old.js"]
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert {"data/default.json", "notes.txt"} <= keys
    assert "js/old.js" not in keys


def test_a_file_changed_in_the_bucket_is_put_right(emulator, env):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"defaced")
    assert "uploaded index.html" in update(env)
    assert "defaced" not in get(f"{emulator.endpoint_url}/{BUCKET}/index.html")[1]


def test_what_holds_the_header_rules_is_not_public(emulator, env):
    update(env)
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{emulator.endpoint_url}/{BUCKET}/headers.json")
    assert caught.value.code == 403
    caught.value.close()


def test_another_identity_provider_is_the_only_one_that_the_page_loads(emulator, env):
    update(env | {"LAMBDA_CHAT_IDP_URL": "http://127.0.0.1:9999"})
    _, page = get(f"{emulator.endpoint_url}/{BUCKET}/index.html")
    assert "http://127.0.0.1:9999/gsi/client" in page
    assert "accounts.google.com" not in page


def test_a_missing_bucket_says_to_launch(env, tmp_path):
    text = Path(env["LAMBDA_CHAT_CONFIG"]).read_text().replace(BUCKET, "never-launched")
    config = tmp_path / "config.yml"
    config.write_text(text)
    done = run(env | {"LAMBDA_CHAT_CONFIG": str(config)})
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no bucket never-launched.\n")
    assert "./resources.py launch" in done.stderr

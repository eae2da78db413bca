"""update.sh against the embedded AWS: the files that a visitor gets, and repeated runs."""

import gzip
import html
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest
import yaml

import resources
from lambda_chat.config import build_folder
from lambda_chat.site import publish
from local.testkit import proxy
from tests.support.builders import run_here

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
    """Run update.sh's program in this process; one test runs update.sh itself."""
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
    saved = yaml.safe_load(Path(env["LAMBDA_CHAT_CONFIG"]).read_text())
    [config] = re.findall('<meta name="config" content="([^"]*)"', page)
    assert json.loads(html.unescape(config))["roleArn"] == saved["website_iam_role_arn"]
    [script] = re.findall('<script type="module" src="(js/main-[A-Z0-9]{8}.js)"', page)
    headers, _ = get(f"{emulator.endpoint_url}/{BUCKET}/{script}")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_second_run_changes_nothing(env):
    update(env)
    [unchanged, _] = update(env)
    assert re.fullmatch("[1-9][0-9]* unchanged", unchanged)


def test_a_stale_file_goes_after_30_days_and_everything_else_stays(emulator, env):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    for key in ("js/old.js", "js/older.js", "data/default.json", "notes.txt"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert not [line for line in update(env) if line.startswith("removed")]
    run = json.loads(s3.get_object(Bucket=BUCKET, Key=publish.RUN_KEY)["Body"].read())
    assert sorted(run["superseded"]) == ["js/old.js", "js/older.js"]
    run["superseded"]["js/old.js"] = "2026-01-01T00:00:00Z"
    s3.put_object(Bucket=BUCKET, Key=publish.RUN_KEY, Body=json.dumps(run).encode())
    lines = update(env)
    assert [line for line in lines if not line.endswith("unchanged")][:-1] == ["removed js/old.js"]
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert {"data/default.json", "notes.txt", "js/older.js"} <= keys
    assert "js/old.js" not in keys


def test_a_file_changed_in_the_bucket_is_put_right(emulator, env):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"defaced")
    assert "uploaded index.html" in update(env)
    assert "defaced" not in get(f"{emulator.endpoint_url}/{BUCKET}/index.html")[1]


@pytest.mark.parametrize("key", ["headers.json", "config.json", publish.RUN_KEY])
def test_what_update_sh_keeps_for_itself_is_not_public(emulator, env, key):
    update(env)
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{emulator.endpoint_url}/{BUCKET}/{key}")
    assert caught.value.code == 403
    caught.value.close()


def test_another_identity_provider_is_the_only_one_that_the_page_loads(emulator, env):
    update(env | {"LAMBDA_CHAT_IDP_URL": "http://127.0.0.1:9999"})
    _, page = get(f"{emulator.endpoint_url}/{BUCKET}/index.html")
    assert "http://127.0.0.1:9999/gsi/client" in page
    assert "accounts.google.com" not in page


def test_a_missing_bucket_says_to_launch(env, tmp_path):
    done = run(configured(env, tmp_path, s3_bucket="never-launched", stack_name="Nobody"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no bucket never-launched.\n")
    assert "./resources.py launch" in done.stderr


def test_a_bucket_that_the_stack_is_yet_to_move_to_says_to_update(env, tmp_path):
    done = run(configured(env, tmp_path, s3_bucket="yet-to-come"))
    assert done.returncode == 2
    assert "s3_bucket: yet-to-come is not the bucket of the stack Lambda-Chat" in done.stderr
    assert "./resources.py update --wait" in done.stderr


def configured(env, tmp_path, **values):
    """The environment with a config that has other values than the chat's."""
    text = Path(env["LAMBDA_CHAT_CONFIG"]).read_text()
    path = tmp_path / "config.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(text) | values))
    return env | {"LAMBDA_CHAT_CONFIG": str(path)}


def somebody_elses(emulator, name, account=ACCOUNT):
    """A bucket in the account with a site that is not the chat's."""
    s3 = emulator.client("s3", account)
    s3.create_bucket(Bucket=name)
    for key in ("index.html", "error.html", "css/site.css", "js/site.js", "vendor/x.js"):
        s3.put_object(Bucket=name, Key=key, Body=b"theirs")
    return lambda: {
        item["Key"]: item["ETag"] for item in s3.list_objects_v2(Bucket=name)["Contents"]
    }


def test_a_mistyped_bucket_with_another_site_is_refused_and_left_as_it_is(emulator, env, tmp_path):
    content = somebody_elses(emulator, "my-other-site")
    before = content()
    other = configured(env, tmp_path, s3_bucket="my-other-site")
    done = run(other)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: {other['LAMBDA_CHAT_CONFIG']}: s3_bucket: my-other-site is not the bucket of the "
        f"stack Lambda-Chat in us-east-1: that is {BUCKET}.\n"
        "  Correct it; or, to move the page, run `./resources.py update --wait` first.\n"
    )
    assert content() == before


def test_without_a_stack_of_that_name_a_bucket_with_another_site_is_refused(
    emulator, env, tmp_path
):
    content = somebody_elses(emulator, "my-third-site")
    before = content()
    done = run(configured(env, tmp_path, s3_bucket="my-third-site", stack_name="Nobody"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "my-third-site is not empty, and does not belong to the stack Nobody" in done.stderr
    assert content() == before


def deployer(emulator, env, *actions):
    """The environment of a user who may take only these actions."""
    iam, name = emulator.client("iam", ACCOUNT), f"deployer-{len(actions)}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return env | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def test_who_may_use_the_bucket_only_goes_on_publishing_a_page_that_is_there(
    emulator, env, tmp_path
):
    """The bucket of an earlier version of this project contains that version's page."""
    update(env)
    emulator.client("s3", ACCOUNT).delete_object(Bucket=BUCKET, Key=publish.RUN_KEY)
    narrow = deployer(
        emulator, env, "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
    )
    assert re.fullmatch("[1-9][0-9]* unchanged", update(narrow)[0])
    content = somebody_elses(emulator, "my-fourth-site")
    before = content()
    done = run(configured(narrow, tmp_path, s3_bucket="my-fourth-site"))
    assert done.returncode == 2
    assert "you may not ask whether it belongs to the stack Lambda-Chat" in done.stderr
    assert "cloudformation:DescribeStackResource" in done.stderr
    assert content() == before


def test_who_may_not_put_on_a_condition_publishes_without_one(emulator, env):
    """S3 also requires s3:GetObject for a conditional PutObject."""
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    s3.put_object(Bucket=BUCKET, Key="index.html", Body=b"old")
    refused = []

    def deny_once(operation):
        if operation.endswith(publish.RUN_KEY) and not refused:
            refused.append(operation)
            return "deny"
        return None

    with proxy.running(emulator.endpoint_url) as through:
        through.before = deny_once
        assert "uploaded index.html" in update(env | {"AWS_ENDPOINT_URL": through.url})
    assert refused


def test_a_page_of_an_earlier_version_tells_whose_it_is_by_its_config_js(emulator, env, tmp_path):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)
    config = s3.get_object(Bucket=BUCKET, Key="config.json")["Body"].read()
    script = b"export default " + gzip.decompress(config).strip() + b";\n"
    s3.put_object(Bucket=BUCKET, Key="config.js", Body=script)
    s3.delete_object(Bucket=BUCKET, Key="config.json")
    assert run(configured(env, tmp_path, stack_name="Nobody")).returncode == 0
    s3.delete_object(Bucket=BUCKET, Key="config.js")
    s3.delete_object(Bucket=BUCKET, Key="config.json")
    assert run(configured(env, tmp_path, stack_name="Nobody")).returncode == 2
    update(env)


def test_a_page_of_another_chat_is_not_taken_for_ones_own(emulator, env, tmp_path):
    update(env)
    other = configured(
        env, tmp_path, stack_name="Nobody", sns_topic_arn="arn:aws:sns:us-east-1:1:Other"
    )
    assert run(other).returncode == 2
    assert run(configured(env, tmp_path, stack_name="Nobody")).returncode == 0


def test_an_empty_bucket_may_be_filled_whoever_made_it(emulator, env, tmp_path):
    emulator.client("s3", ACCOUNT).create_bucket(Bucket="made-by-hand")
    hand = configured(env, tmp_path, s3_bucket="made-by-hand", stack_name="Nobody")
    assert "uploaded index.html" in update(hand)


def test_two_runs_at_once_remove_nothing_and_both_end_well(emulator, env):
    update(env)
    s3 = emulator.client("s3", ACCOUNT)

    def keys():
        return {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}

    published = keys()
    s3.delete_object(Bucket=BUCKET, Key="headers.json")  # both runs then upload everything
    words = [sys.executable, "-m", "lambda_chat.site.publish"]
    both = [
        subprocess.Popen(
            words,
            env=env | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in both:
        out, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
        assert "removed" not in out
    assert keys() == published

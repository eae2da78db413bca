"""update.sh's parts: the plan of uploads and removals, the calls of npm, the messages."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import msgspec
import pytest
from moto import mock_aws

from kappa.aws import Aws
from kappa.errors import KappaError, NotFound
from lambda_chat.site import publish
from lambda_chat.site.build import CONFIG_KEY, read_site
from lambda_chat.site.headers import (
    HEADERS_BODY,
    HEADERS_KEY,
    IMMUTABLE,
    REVALIDATED,
    File,
    etag_of,
)
from tests.support.builders import chat_config

ROOT = Path(__file__).resolve().parents[4]
CONFIG = chat_config()
NOW = datetime(2026, 3, 14, 15, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)


def plan(files, remote, data_prefix="data/", superseded=None):
    return publish.plan(files, remote, data_prefix, superseded or {}, NOW)


def file(key, etag="e"):
    return File(key, Path(key), etag, "text/plain")


SAME_HEADERS = {HEADERS_KEY: etag_of(HEADERS_BODY)}


def test_only_what_changed_is_uploaded():
    files = [file("css/a.css"), file("js/new.js"), file("js/same.js")]
    remote = {"css/a.css": "old", "js/same.js": "e"} | SAME_HEADERS
    todo = plan(files, remote)
    assert [[each.key for each in turn] for turn in todo.uploads] == [["css/a.css", "js/new.js"]]
    assert (todo.unchanged, todo.removals, todo.headers_changed) == (1, [], False)


def test_other_headers_for_the_same_bytes_upload_everything():
    todo = plan([file("js/a.js")], {"js/a.js": "e", HEADERS_KEY: "other"})
    assert [each.key for turn in todo.uploads for each in turn] == ["js/a.js"]
    assert todo.headers_changed


def test_a_page_comes_after_what_it_loads_and_index_html_last():
    keys = ["config.json", "index.html", "js/main.js", "js/panel.js"]
    todo = plan([file(key) for key in keys], {})
    assert [[each.key for each in turn] for turn in todo.uploads] == [
        ["config.json", "js/main.js", "js/panel.js"],
        ["index.html"],
    ]


@pytest.mark.parametrize(
    "key",
    ["data/default.json", "data/js/x.js", "upload.txt", "css", "jsx/a.js", HEADERS_KEY, "cssx/a"],
)
def test_what_is_not_the_pages_is_never_removed(key):
    todo = plan([], {key: "e"}, superseded={key: LONG_AGO})
    assert (todo.removals, todo.superseded) == ([], {})


@pytest.mark.parametrize("key", ["index.html", CONFIG_KEY])
def test_without_these_a_page_is_none_so_they_are_never_removed(key):
    assert plan([], {key: "e"}, superseded={key: LONG_AGO}).removals == []


def test_the_data_folder_wins_over_the_page_when_they_overlap():
    since = {"js/default.json": LONG_AGO}
    assert plan([], {"js/default.json": "e"}, "js/", since).removals == []


@pytest.mark.parametrize(
    "key", ["js/old.js", "css/deep/old.css", "vendor/x.js", "error.html", "config.js"]
)
def test_what_is_gone_from_the_page_is_removed_when_it_has_been_so_for_30_days(key):
    todo = plan([], {key: "e"})
    assert (todo.removals, todo.superseded, todo.is_empty) == ([], {key: NOW}, False)
    a_day_less = {key: LONG_AGO + timedelta(days=1)}
    todo = plan([], {key: "e"}, superseded=a_day_less)
    assert (todo.removals, todo.superseded) == ([], a_day_less)
    todo = plan([], {key: "e"}, superseded={key: LONG_AGO})
    assert (todo.removals, todo.superseded) == ([key], {})


@pytest.fixture
def aws(monkeypatch):
    """A Aws of in-process S3 with the bucket my-chat."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="my-chat")
        yield Aws("us-east-1")


def upload(aws, folder, now=NOW):
    remote = publish.read_bucket(aws, "my-chat")
    since = publish.read_superseded(aws, "my-chat", remote)
    publish.apply(aws, "my-chat", publish.plan(read_site(folder), remote, "data/", since, now))


def test_publishing_twice_uploads_once(aws, built, capsys):
    upload(aws, built)
    assert capsys.readouterr().out.splitlines() == [
        "uploaded config.json",
        "uploaded css/style.css",
        "uploaded js/main.js",
        "uploaded index.html",
        "0 unchanged",
    ]
    upload(aws, built)
    assert capsys.readouterr().out == "4 unchanged\n"


def test_a_run_that_another_has_overtaken_compares_again_and_wins(aws, built, capsys):
    files = read_site(built)
    before = publish.read_bucket(aws, "my-chat")
    upload(aws, built)
    theirs = {"Bucket": "my-chat", "Key": "js/main.js", "Body": b"theirs"}
    aws.client("s3").put_object(**theirs)
    publish._upload(aws, CONFIG, files, before)
    assert "Another update.sh ran at the same time" in capsys.readouterr().err
    assert plan(files, publish.read_bucket(aws, "my-chat")).is_empty


def test_a_bucket_that_others_keep_changing_is_given_up_with_an_error(aws, built, monkeypatch):
    stale = publish.read_bucket(aws, "my-chat")
    upload(aws, built)
    monkeypatch.setattr(publish, "read_bucket", lambda *_: stale)
    with pytest.raises(KappaError, match="keeps changing"):
        publish._upload(aws, CONFIG, read_site(built), stale)


def superseded(aws):
    return publish.read_superseded(aws, "my-chat", publish.read_bucket(aws, "my-chat"))


def test_a_file_out_of_use_stays_for_pages_that_are_open_then_goes(aws, built, capsys):
    client = aws.client("s3")
    client.put_object(Bucket="my-chat", Key="data/default.json", Body=b"{}")
    upload(aws, built)
    (built / "js" / "main.js").unlink()
    capsys.readouterr()
    upload(aws, built)
    assert capsys.readouterr().out == "3 unchanged\n"
    assert superseded(aws) == {"js/main.js": NOW}
    upload(aws, built, NOW + publish.KEPT_FOR - timedelta(seconds=1))
    assert capsys.readouterr().out == "3 unchanged\n"
    assert superseded(aws) == {"js/main.js": NOW}
    upload(aws, built, NOW + publish.KEPT_FOR)
    assert capsys.readouterr().out.splitlines() == ["removed js/main.js", "3 unchanged"]
    assert superseded(aws) == {}
    assert "js/main.js" not in publish.read_bucket(aws, "my-chat")
    assert "data/default.json" in publish.read_bucket(aws, "my-chat")


def test_a_file_that_is_in_use_again_counts_anew_later(aws, built):
    upload(aws, built)
    script = built / "js" / "main.js"
    text = script.read_text()
    for day, changes in ((0, "out"), (20, "in"), (40, "out"), (60, "out")):
        script.unlink(missing_ok=True)
        if changes == "in":
            script.write_text(text)
        upload(aws, built, NOW + timedelta(days=day))
    assert superseded(aws) == {"js/main.js": NOW + timedelta(days=40)}
    assert "js/main.js" in publish.read_bucket(aws, "my-chat")


@pytest.mark.parametrize(
    "body",
    [
        b'{"run": "an earlier version"}',
        b"",
        b"{}",
        b'{"run": "a", "superseded": {"js/a.js": "x"}}',
        b'{"run": "a", "more": ' + b"[" * 200_000,
        b'{"run": "a", "superseded": {"js/old.js": "2099-01-01T00:00:00Z"}}',
    ],
)
def test_a_record_that_tells_nothing_removes_nothing(aws, built, body):
    upload(aws, built)
    client = aws.client("s3")
    client.put_object(Bucket="my-chat", Key="js/old.js", Body=b"x")
    client.put_object(Bucket="my-chat", Key=publish.RUN_KEY, Body=body)
    upload(aws, built)
    assert superseded(aws) == {"js/old.js": NOW}
    assert "js/old.js" in publish.read_bucket(aws, "my-chat")


def test_a_browser_asks_each_time_for_a_name_that_stays_and_never_again_for_a_hashed_one(
    aws, built
):
    files = read_site(built, frozenset({"js/main.js"}))
    todo = plan(files, publish.read_bucket(aws, "my-chat"))
    publish.apply(aws, "my-chat", todo)
    sent = {
        key: aws.client("s3").get_object(Bucket="my-chat", Key=key)
        for key in ("js/main.js", "index.html", CONFIG_KEY, publish.RUN_KEY, HEADERS_KEY)
    }
    caching = {key: answer["CacheControl"] for key, answer in sent.items()}
    assert caching == dict.fromkeys(sent, REVALIDATED) | {"js/main.js": IMMUTABLE}
    script = sent["js/main.js"]
    assert (script["ContentType"], script["ContentEncoding"]) == (
        "text/javascript; charset=utf-8",
        "gzip",
    )


def test_a_failed_upload_leaves_the_headers_for_the_next_run(aws, built):
    todo = plan(read_site(built), {})
    gone = msgspec.structs.replace(todo.uploads[-1][0], path=built / "gone")
    broken = msgspec.structs.replace(todo, uploads=[*todo.uploads[:-1], [gone]])
    with pytest.raises(FileNotFoundError):
        publish.apply(aws, "my-chat", broken)
    assert HEADERS_KEY not in publish.read_bucket(aws, "my-chat")


def test_a_missing_bucket_says_to_launch(aws):
    with pytest.raises(NotFound, match="There is no bucket no-such-chat") as caught:
        publish.read_bucket(aws, "no-such-chat")
    assert "resources.py launch" in caught.value.hint


def packages(folder, *, installed_at, locked_at):
    """Make a folder with npm's files as if installed and locked at these times."""
    *paths, done = (folder / "node_modules" / path for path in publish.PACKAGES)
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text("")
    for path, at in ((done, installed_at), (folder / "package-lock.json", locked_at)):
        path.write_text("{}")
        os.utime(path, (at, at))
    return paths


def test_npm_is_not_asked_when_the_packages_are_there(tmp_path, monkeypatch):
    packages(tmp_path, installed_at=2, locked_at=1)
    monkeypatch.setenv("PATH", "")
    assert publish.install_packages(tmp_path) == tmp_path / "node_modules"


@pytest.mark.parametrize("installed_at", [1, 2])
def test_without_npm_absent_or_old_packages_are_one_clear_error(
    tmp_path, monkeypatch, installed_at
):
    paths = packages(tmp_path, installed_at=installed_at, locked_at=2)
    if installed_at == 2:
        paths[-1].unlink()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KappaError, match="npm is not installed") as caught:
        publish.install_packages(tmp_path)
    assert "Node.js" in caught.value.hint


def npm(folder, script):
    """Put a stand-in of npm in the folder."""
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_old_packages_are_installed_anew_without_the_development_ones(
    tmp_path, monkeypatch, capsys
):
    packages(tmp_path, installed_at=1, locked_at=2)
    npm(tmp_path, 'echo "$PWD: $*" > said')
    monkeypatch.setenv("PATH", str(tmp_path))
    publish.install_packages(tmp_path)
    assert (tmp_path / "said").read_text().startswith(f"{tmp_path}: ci --omit=dev")
    assert "npm ci" in capsys.readouterr().err


def test_npm_that_fails_is_quoted(tmp_path, monkeypatch):
    (tmp_path / "package-lock.json").write_text("{}")
    npm(tmp_path, "echo npm error network >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KappaError, match="npm error network"):
        publish.install_packages(tmp_path)


def update_sh(*argv, cwd=ROOT, path=ROOT / "s3-website" / "update.sh", **env):
    return subprocess.run(
        [path, *argv],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_update_sh_shows_its_help_from_any_folder(tmp_path):
    done = update_sh("--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Publish the page to its bucket.\n")


def test_update_sh_is_found_through_links(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "a link").symlink_to(ROOT / "s3-website" / "update.sh")
    (tmp_path / "bin" / "publish").symlink_to("../a link")
    done = update_sh("--help", cwd=tmp_path, path=tmp_path / "bin" / "publish")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Publish the page to its bucket.\n")


def test_update_sh_refuses_an_unknown_option_with_its_usage():
    done = update_sh("--frob")
    assert (done.returncode, done.stdout) == (2, "")
    assert "update.sh -h | --help" in done.stderr


@pytest.mark.parametrize(
    ("saved", "missing"),
    [
        ("sns_topic_arn: TODO\n", "sns_topic_arn, website_iam_role_arn, dynamodb_table: missing"),
        (
            "sns_topic_arn: t\nwebsite_iam_role_arn: r\ndynamodb_table: m\npush: true\n",
            "push_endpoint, push_topics: missing",
        ),
    ],
)
def test_update_sh_names_the_values_that_nobody_has_saved(tmp_path, saved, missing):
    config = tmp_path / "config.yml"
    config.write_text(
        f"s3_bucket: my-chat\ngoogle_oauth_client_id: 1-a.apps.googleusercontent.com\n{saved}"
    )
    done = update_sh(LAMBDA_CHAT_CONFIG=str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert missing in done.stderr
    assert "./resources.py output --save" in done.stderr


def test_update_sh_runs_no_code_of_the_folder_that_it_is_started_in(tmp_path):
    for name in ("json", "docopt", "kappa"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('foreign code')\n")
    done = update_sh("--version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_update_sh_refuses_todo_by_name():
    done = update_sh(LAMBDA_CHAT_CONFIG=str(ROOT / "config.example.yml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "s3_bucket (line " in done.stderr


def test_a_missing_python_package_says_what_to_run():
    done = subprocess.run(
        [sys.executable, "-S", "-m", "lambda_chat.site.publish"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Error: Python package msgspec is missing: run `pip install -r requirements.txt`.\n"
    )

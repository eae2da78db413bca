"""update.sh's parts: the built site, the plan of uploads, what npm and the user are told."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
import msgspec
import pytest
from moto import mock_aws

from kappa.aws.client import Aws
from kappa.errors import ConfigError, KappaError, NotFound
from lambda_chat.site import build as website
from lambda_chat.site import publish
from lambda_chat.site.build import HEADERS_BODY, HEADERS_KEY, File
from tests.support.builders import chat_config

ROOT = Path(__file__).resolve().parents[4]
CONFIG = chat_config()
VALUES = {"connect_src": "https://sns.example", "identity_origin": "https://accounts.google.com"}
PAGE = '<meta content="connect-src {{connect_src}}"><script src="{{ identity_origin }}/gsi">'


@pytest.fixture
def source(tmp_path):
    """The sources of a small page."""
    folder = tmp_path / "public"
    for name, text in {
        "index.html": PAGE,
        "css/style.css": "p {}",
        "js/main.js": "let a = `{{not_ours}}`;",
        ".hidden": "x",
        "js/.DS_Store": "x",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def built(source, tmp_path):
    """The site built from it."""
    target = tmp_path / "build" / "site"
    website.build_site(source, target, {"region": "x"}, VALUES)
    return target


def file(key, etag="e"):
    return File(key, Path(key), etag, "text/plain")


def test_the_page_is_told_exactly_what_it_needs():
    addresses = website.endpoints("eu-west-1", "")
    assert website.page_config(CONFIG, "eu-west-1", addresses) == {
        "bucket": "my-chat",
        "dataPrefix": "data/",
        "endpoints": {
            "sts": "https://sts.eu-west-1.amazonaws.com",
            "sns": "https://sns.eu-west-1.amazonaws.com",
            "dynamodb": "https://dynamodb.eu-west-1.amazonaws.com",
            "s3": "https://s3.eu-west-1.amazonaws.com",
        },
        "googleClientId": "1-a.apps.googleusercontent.com",
        "history": 20,
        "rateLimit": {"messages": 10, "seconds": 10},
        "region": "eu-west-1",
        "roleArn": "arn:aws:iam::111122223333:role/R",
        "table": "Messages",
        "topicArn": "arn:aws:sns:eu-west-1:111122223333:T",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [("5/60s", {"messages": 5, "seconds": 60}), ("0", {"messages": 1, "seconds": 0})],
)
def test_the_page_knows_the_rate_that_a_sender_may_have(text, told):
    config = msgspec.structs.replace(CONFIG, rate_limit=text)
    assert website.page_config(config, "eu-west-1", {})["rateLimit"] == told


def test_another_endpoint_serves_every_service():
    addresses = website.endpoints("us-east-1", "http://127.0.0.1:4566")
    assert set(addresses.values()) == {"http://127.0.0.1:4566"}
    assert website.placeholders(addresses.values(), "http://127.0.0.1:9/x") == {
        "connect_src": "http://127.0.0.1:4566",
        "identity_origin": "http://127.0.0.1:9",
    }


@pytest.mark.parametrize(
    ("region", "endpoint_url", "url"),
    [
        ("eu-west-1", "", "https://my-chat.s3.eu-west-1.amazonaws.com/index.html"),
        ("cn-north-1", "", "https://my-chat.s3.cn-north-1.amazonaws.com.cn/index.html"),
        ("us-gov-west-1", "", "https://my-chat.s3.us-gov-west-1.amazonaws.com/index.html"),
        ("us-iso-east-1", "", "https://my-chat.s3.us-iso-east-1.c2s.ic.gov/index.html"),
        ("eusc-de-east-1", "", "https://my-chat.s3.eusc-de-east-1.amazonaws.eu/index.html"),
        ("eu-moon-1", "", "https://my-chat.s3.eu-moon-1.amazonaws.com/index.html"),
        ("us-east-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/my-chat/index.html"),
    ],
)
def test_the_url_of_the_page(region, endpoint_url, url):
    assert website.page_url("my-chat", region, endpoint_url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://a",
        "accounts.google.com",
        "http://a; script-src *",
        "https://a'unsafe-inline'",
        'https://a"><script>',
        "https://",
        "",
    ],
)
def test_an_address_that_could_break_the_policy_is_refused(url):
    with pytest.raises(ConfigError, match="is not an http or https address"):
        website.placeholders([url], "https://accounts.google.com")


def test_placeholders_are_filled_and_escaped():
    text = website.fill("{{a}} {{ b }} {{a}}", {"a": '<"&', "b": "B"}, "x.html")
    assert text == "&lt;&quot;&amp; B &lt;&quot;&amp;"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\n{{typo}}", "x.html: line 2: unknown placeholder {{typo}}."),
        ("{{", "x.html: line 1: unknown placeholder {{."),
        ("{{}}", "x.html: line 1: unknown placeholder {{}}."),
        ("{{ a\n}}", "x.html: line 1: unknown placeholder {{."),
    ],
)
def test_a_placeholder_without_a_value_names_its_line(text, said):
    with pytest.raises(KappaError) as caught:
        website.fill(text, {"a": "A"}, "x.html")
    assert caught.value.message == said
    assert caught.value.hint == "Known: a."


def test_the_site_is_made_in_its_folder_and_the_sources_stay(source, built):
    assert sorted(path.relative_to(built).as_posix() for path in built.rglob("*.*")) == [
        "config.js",
        "css/style.css",
        "index.html",
        "js/main.js",
    ]
    page = (built / "index.html").read_text()
    assert page == (
        '<meta content="connect-src https://sns.example">'
        '<script src="https://accounts.google.com/gsi">'
    )
    assert (source / "index.html").read_text() == PAGE


def test_only_pages_are_filled(built):
    assert "{{not_ours}}" in (built / "js" / "main.js").read_text()


def test_config_js_is_a_module_that_no_value_can_break_out_of(source, tmp_path):
    hostile = {"a": "'\"`${x}</script>\u2028\\\n"}
    website.build_site(source, tmp_path / "out", hostile, VALUES)
    text = (tmp_path / "out" / "config.js").read_text()
    assert text.startswith("export default {")
    assert text.isascii()
    assert json.loads(text.removeprefix("export default ").rstrip(";\n")) == hostile


def test_sources_without_a_page_are_refused(tmp_path):
    with pytest.raises(KappaError, match=r"index.html does not exist"):
        website.build_site(tmp_path, tmp_path / "out", {}, VALUES)


def test_each_file_has_its_type_and_the_md5_that_s3_will_list(built):
    files = {file.key: file for file in website.read_site(built)}
    assert {key: file.content_type for key, file in files.items()} == {
        "config.js": "text/javascript; charset=utf-8",
        "css/style.css": "text/css; charset=utf-8",
        "index.html": "text/html; charset=utf-8",
        "js/main.js": "text/javascript; charset=utf-8",
    }
    stored = website.stored_bytes(built / "css/style.css")
    assert files["css/style.css"].etag == hashlib.md5(stored).hexdigest()


def test_text_is_stored_compressed_with_the_same_bytes_each_time(tmp_path):
    page, picture = tmp_path / "page.html", tmp_path / "picture.png"
    page.write_text("<p>" + "chat " * 500)
    picture.write_bytes(b"\x89PNG")
    stored = website.stored_bytes(page)
    assert gzip.decompress(stored) == page.read_bytes()
    assert len(stored) * 10 < page.stat().st_size
    os.utime(page, (0, 0))
    assert website.stored_bytes(page) == stored
    assert website.stored_bytes(picture) == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("robots.txt", "robots.txt would not be readable in the bucket."),
        ("error.html", "error.html would not be readable in the bucket."),
        ("data/default.json", "data/default.json would not be readable in the bucket."),
        ("css", "css would not be readable in the bucket."),
        ("js/app.exe", "js/app.exe: no content type is known for '.exe'."),
        ("js/LICENSE", "js/LICENSE: no content type is known for ''."),
    ],
)
def test_a_file_that_a_browser_could_not_use_is_refused(tmp_path, name, said):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    with pytest.raises(KappaError) as caught:
        website.read_site(tmp_path)
    assert caught.value.message == said


SAME_HEADERS = {HEADERS_KEY: hashlib.md5(HEADERS_BODY).hexdigest()}


def test_only_what_changed_is_uploaded():
    files = [file("css/a.css"), file("js/new.js"), file("js/same.js")]
    remote = {"css/a.css": "old", "js/same.js": "e"} | SAME_HEADERS
    todo = publish.plan(files, remote, "data/")
    assert [[each.key for each in turn] for turn in todo.uploads] == [["css/a.css", "js/new.js"]]
    assert (todo.unchanged, todo.removals, todo.headers_changed) == (1, [], False)


def test_other_headers_for_the_same_bytes_upload_everything():
    todo = publish.plan([file("js/a.js")], {"js/a.js": "e", HEADERS_KEY: "other"}, "data/")
    assert [each.key for turn in todo.uploads for each in turn] == ["js/a.js"]
    assert todo.headers_changed


def test_a_page_comes_after_what_it_loads_and_index_html_last():
    keys = ["config.js", "error.html", "index.html", "js/main.js", "js/panel.js"]
    todo = publish.plan([file(key) for key in keys], {}, "data/")
    assert [[each.key for each in turn] for turn in todo.uploads] == [
        ["config.js", "js/main.js", "js/panel.js"],
        ["error.html"],
        ["index.html"],
    ]


@pytest.mark.parametrize(
    "key",
    ["data/default.json", "data/js/x.js", "upload.txt", "css", "jsx/a.js", HEADERS_KEY, "cssx/a"],
)
def test_what_is_not_the_pages_is_never_removed(key):
    assert publish.plan([], {key: "e"}, "data/").removals == []


@pytest.mark.parametrize("key", ["index.html", "config.js"])
def test_without_these_a_page_is_none_so_they_are_never_removed(key):
    assert publish.plan([], {key: "e"}, "data/").removals == []


def test_the_data_folder_wins_over_the_page_when_they_overlap():
    assert publish.plan([], {"js/default.json": "e"}, "js/").removals == []


@pytest.mark.parametrize("key", ["js/old.js", "css/deep/old.css", "vendor/x.js", "error.html"])
def test_what_is_gone_from_the_page_is_removed(key):
    assert publish.plan([], {key: "e"}, "data/").removals == [key]


@pytest.fixture
def aws(monkeypatch):
    """A Aws of in-process S3 with the bucket my-chat."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="my-chat")
        yield Aws("us-east-1")


def upload(aws, folder):
    todo = publish.plan(website.read_site(folder), publish.read_bucket(aws, "my-chat"), "data/")
    publish.apply(aws, "my-chat", todo)


def test_publishing_twice_uploads_once(aws, built, capsys):
    upload(aws, built)
    assert capsys.readouterr().out.splitlines() == [
        "uploaded config.js",
        "uploaded css/style.css",
        "uploaded js/main.js",
        "uploaded index.html",
        "0 unchanged",
    ]
    upload(aws, built)
    assert capsys.readouterr().out == "4 unchanged\n"


def test_a_run_that_another_has_overtaken_compares_again_and_wins(aws, built, capsys):
    files = website.read_site(built)
    before = publish.read_bucket(aws, "my-chat")
    upload(aws, built)
    theirs = {"Bucket": "my-chat", "Key": "js/main.js", "Body": b"theirs"}
    aws.client("s3").put_object(**theirs)
    publish._upload(aws, CONFIG, files, before)
    assert "Another update.sh was at work" in capsys.readouterr().err
    assert publish.plan(files, publish.read_bucket(aws, "my-chat"), "data/").is_empty


def test_a_bucket_that_others_keep_changing_is_given_up_with_an_error(aws, built, monkeypatch):
    stale = publish.read_bucket(aws, "my-chat")
    upload(aws, built)
    monkeypatch.setattr(publish, "read_bucket", lambda *_: stale)
    with pytest.raises(KappaError, match="changes all the time"):
        publish._upload(aws, CONFIG, website.read_site(built), stale)


def test_each_run_builds_in_a_folder_of_its_own_and_leaves_none(tmp_path):
    base = tmp_path / "build" / "site"
    with website.run_folder(base) as one, website.run_folder(base) as other:
        assert one != other
        assert [*one.iterdir(), *other.iterdir()] == []
    assert not base.exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_build_folder_that_cannot_be_made_is_one_clear_error(tmp_path, kind):
    build = tmp_path / "build"
    build.write_text("") if kind == "file" else build.symlink_to("nowhere")
    with (
        pytest.raises(KappaError, match=f"{build / 'site'} cannot be written: ") as caught,
        website.run_folder(build / "site"),
    ):
        pytest.fail("no folder")
    assert "Is build a folder" in caught.value.hint


def test_what_a_killed_run_has_left_goes_a_day_later(tmp_path):
    for name, age_s in {"run-old": 90_000, "run-now": 0}.items():
        (tmp_path / name / "js").mkdir(parents=True)
        at = time.time() - age_s
        os.utime(tmp_path / name, (at, at))
    with website.run_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["run-now"]


def test_a_removed_file_goes_and_the_transcripts_stay(aws, built, capsys):
    client = aws.client("s3")
    client.put_object(Bucket="my-chat", Key="data/default.json", Body=b"{}")
    upload(aws, built)
    (built / "js" / "main.js").unlink()
    upload(aws, built)
    assert capsys.readouterr().out.splitlines()[-2:] == ["removed js/main.js", "3 unchanged"]
    assert "js/main.js" not in publish.read_bucket(aws, "my-chat")
    assert "data/default.json" in publish.read_bucket(aws, "my-chat")


def test_what_a_browser_gets_has_its_type_and_is_asked_for_again_each_time(aws, built):
    upload(aws, built)
    got = aws.client("s3").get_object(Bucket="my-chat", Key="js/main.js")
    assert (got["ContentType"], got["CacheControl"]) == (
        "text/javascript; charset=utf-8",
        "no-cache",
    )


def test_a_failed_upload_leaves_the_headers_for_the_next_run(aws, built):
    todo = publish.plan(website.read_site(built), {}, "data/")
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


def test_update_sh_names_the_values_that_nobody_has_saved(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text(
        "s3_bucket: my-chat\ngoogle_oauth_client_id: 1-a.apps.googleusercontent.com\n"
        "sns_topic_arn: TODO\n"
    )
    done = update_sh(LAMBDA_CHAT_CONFIG=str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert "sns_topic_arn, website_iam_role_arn, dynamodb_table: missing" in done.stderr
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

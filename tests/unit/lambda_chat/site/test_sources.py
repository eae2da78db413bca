"""What of public/ is published: links, pipes and odd names are one error before any upload."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kappa.errors import KappaError
from lambda_chat.config import ChatConfig
from lambda_chat.site import build, publish
from lambda_chat.site.sources import read_sources

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "public"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<p>Hello")
    (folder / "js" / "main.js").write_text("let a;")
    return folder


def refusal(source):
    with pytest.raises(KappaError) as caught:
        read_sources(source)
    return str(caught.value)


def test_hidden_and_backup_files_are_left_out(source):
    for name in (".git/config", "js/.DS_Store", "index.html~", "js/old~/a.js"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    assert list(read_sources(source)) == ["index.html", "js/main.js"]


def test_a_link_that_stays_inside_is_published_as_what_it_leads_to(source):
    (source / "js" / "copy.js").symlink_to("main.js")
    (source / "css").symlink_to(source / "js")
    found = read_sources(source)
    assert sorted(found) == [
        "css/copy.js",
        "css/main.js",
        "index.html",
        "js/copy.js",
        "js/main.js",
    ]
    assert found["js/copy.js"] == (source / "js" / "main.js").resolve()


@pytest.mark.parametrize("name", ["secret.js", "secrets"])
def test_a_link_out_of_the_folder_is_refused(source, tmp_path, name):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secret.js").write_text("let password;")
    (source / "js" / name).symlink_to(tmp_path / name)
    assert f"js/{name} is a link to {tmp_path / name}, which is not inside of" in refusal(source)


@pytest.mark.parametrize("target", ["nowhere.js", "a.js"])
def test_a_link_to_nothing_or_to_itself_is_refused(source, target):
    (source / "js" / "a.js").symlink_to(target)
    assert f"js/a.js is a link to {target}, which leads nowhere" in refusal(source)


def test_a_link_to_a_folder_that_it_is_in_is_refused(source):
    (source / "js" / "again").symlink_to("..")
    assert "is a link to a folder that it is in" in refusal(source)


def test_a_pipe_is_refused_at_once(source):
    os.mkfifo(source / "js" / "pipe.js")
    assert "js/pipe.js is neither a file nor a folder" in refusal(source)


def test_names_that_no_page_can_load_are_refused(source):
    for name in (b"caf\xe9.js", b"a\x1b[2Jb.js", b"a\nb.js"):
        path = source / "js" / os.fsdecode(name)
        path.write_text("x")
        said = refusal(source)
        assert "a page cannot load this name" in said
        assert said.encode().isascii()
        path.unlink()


@pytest.mark.parametrize("sign", "=*?")
def test_a_script_with_a_sign_of_esbuild_in_its_name_is_refused_and_a_picture_is_not(source, sign):
    (source / "js" / f"a{sign}b.svg").write_text("<svg/>")
    assert f"js/a{sign}b.svg" in read_sources(source)
    (source / "js" / f"a{sign}b.js").write_text("x")
    said = f"js/a{sign}b.js: a script or style sheet may not have {sign} in its name"
    assert said in refusal(source)


def test_a_folder_that_is_named_like_a_style_sheet_is_a_folder(source, tmp_path):
    modules = ROOT / "s3-website" / "node_modules"
    if not modules.is_dir():
        pytest.skip("npm ci has not been run")
    (source / "css" / "x.css").mkdir(parents=True)
    (source / "css" / "x.css" / "a.css").write_text("p {  }")
    target = tmp_path / "site"
    target.mkdir()
    files = build.build_site(source, target, {}, {}, modules)
    assert "css/x.css/a.css" in {file.key for file in files}


def test_a_page_that_is_not_utf_8_is_named(source, tmp_path):
    (source / "index.html").write_bytes(b"<p>caf\xe9")
    (tmp_path / "site").mkdir()
    with pytest.raises(KappaError, match=r"index.html is not UTF-8: .* at byte 6"):
        build.build_site(source, tmp_path / "site", {}, {}, tmp_path)


@pytest.mark.parametrize("name", ["vendor", "robots.txt", "config.js/a.js"])
def test_a_file_that_nobody_could_load_is_refused_before_anything_is_built(source, tmp_path, name):
    (source / name).parent.mkdir(exist_ok=True)
    (source / name).write_text("x")
    (tmp_path / "site").mkdir()
    with pytest.raises(KappaError, match=f"{name} would not be readable in the bucket"):
        build.build_site(source, tmp_path / "site", {}, {}, tmp_path)


def test_a_source_that_cannot_be_copied_is_one_error(source, tmp_path, monkeypatch):
    config = ChatConfig(s3_bucket="my-chat", google_oauth_client_id="1-a")
    monkeypatch.setattr(publish, "install_packages", lambda _: tmp_path / "gone")
    (source / "index.html").write_text('<script src="js/main.js">')
    (tmp_path / "site").mkdir()
    with pytest.raises(KappaError, match=r"esbuild cannot run: No such file .*gone/.bin/esbuild"):
        publish.build(source, tmp_path / "site", config, "us-east-1")


def test_of_two_runs_one_waits_while_the_other_installs(tmp_path, monkeypatch):
    """npm ci empties node_modules: two at once would leave half an installation."""
    (tmp_path / "package-lock.json").write_text("{}")
    *made, _ = (tmp_path / "node_modules" / path for path in publish.PACKAGES)
    npm = tmp_path / "npm"
    npm.write_text(
        "#!/bin/sh\nmkdir busy || exit 1\nsleep 0.3\n"
        + "".join(f"mkdir -p {path.parent} && echo > {path}\n" for path in made)
        + "echo {} > node_modules/.package-lock.json\nrmdir busy\necho one >> runs\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code = (
        "import pathlib\nfrom lambda_chat.site import publish\n"
        f"publish.install_packages(pathlib.Path({str(tmp_path)!r}))"
    )
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    runs = [subprocess.Popen([sys.executable, "-c", code], env=env) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert (tmp_path / "runs").read_text() == "one\n"

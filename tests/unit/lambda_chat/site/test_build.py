"""The site as files: the filled page, hashed names, the folder of a run."""

import html
import json
import os
import re
import time
from pathlib import Path

import pytest

from kappa.errors import KappaError
from lambda_chat.site import build
from tests.unit.lambda_chat.site.conftest import PAGE, VALUES

MODULES = Path(__file__).resolve().parents[4] / "s3-website" / "node_modules"
NO_PACKAGES = Path("no packages")


def test_placeholders_are_filled_and_escaped():
    text = build.fill("{{a}} {{ b }} {{a}}", {"a": '<"&', "b": "B"}, "x.html")
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
        build.fill(text, {"a": "A"}, "x.html")
    assert caught.value.message == said
    assert caught.value.hint == "Known: a."


def test_the_site_is_made_in_its_folder_and_the_sources_stay(source, built):
    assert sorted(path.relative_to(built).as_posix() for path in built.rglob("*.*")) == [
        "config.json",
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


def test_the_config_is_in_the_page_and_no_value_can_break_out_of_it(source, tmp_path):
    hostile = {"a": "'\"`${x}</script>\u2028\\\n{{connect_src}}&quot;"}
    (source / "index.html").write_text('<meta name="config" content="{{config}}"><p>')
    build.build_site(source, tmp_path / "out", hostile, VALUES, NO_PACKAGES)
    text = (tmp_path / "out" / "index.html").read_text()
    assert text.isascii()
    match = re.fullmatch('<meta name="config" content="([^"<>]*)"><p>', text)
    assert json.loads(html.unescape(match[1])) == hostile
    assert json.loads((tmp_path / "out" / build.CONFIG_KEY).read_text()) == hostile


def test_a_file_that_the_page_names_and_that_is_not_there_is_an_error(source, tmp_path):
    (source / "index.html").write_text('<link href="css/style.css"><script src="js/gone.js">')
    with pytest.raises(KappaError, match=r"index.html names js/gone.js, which does not exist"):
        build.build_site(source, tmp_path / "out", {}, VALUES, NO_PACKAGES)


@pytest.mark.skipif(not MODULES.is_dir(), reason="needs npm ci in s3-website")
def test_what_the_page_names_is_loaded_by_its_hashed_name_wherever_it_is_named(source, tmp_path):
    (source / "css" / "icons.svg").write_text("<svg/>")
    (source / "index.html").write_text(
        '<link href="css/style.css"><use href="css/icons.svg#bell"><img src="css/icons.svg">'
        '<a href="https://x.example/css/style.css">'
    )
    build.build_site(source, tmp_path / "out", {}, VALUES, MODULES)
    text = (tmp_path / "out" / "index.html").read_text()
    digest = "-[A-Z0-9]{8}"
    style, icons = f"css/style{digest}.css", f"css/icons{digest}.svg"
    page = f'<link href="({style})"><use href="({icons})#bell"><img src="({icons})">(.*)'
    *names, rest = re.fullmatch(page, text).groups()
    assert all((tmp_path / "out" / name).is_file() for name in names)
    assert rest == '<a href="https://x.example/css/style.css">'
    assert not (tmp_path / "out" / "css" / "icons.svg").exists()


def test_indents_and_comments_are_not_published_except_where_they_count(source, tmp_path):
    kept = "<script>\n  '<!-- a -->'\n</script><pre>\n  two\n</pre>"
    text = f"<body>\n  <p\n    id=x>\n    a b\n\n  <br /> c <!-- d\ne --></p>\n{kept}\n  <p>"
    (source / "index.html").write_text(text)
    build.build_site(source, tmp_path / "out", {}, VALUES, NO_PACKAGES)
    page = (tmp_path / "out" / "index.html").read_text()
    assert page == f"<body>\n<p\nid=x>\na b\n<br/> c </p>\n{kept}\n<p>"


def test_sources_without_a_page_are_refused(tmp_path):
    with pytest.raises(KappaError, match=r"index.html does not exist"):
        build.build_site(tmp_path, tmp_path / "out", {}, VALUES, NO_PACKAGES)


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
        build.read_site(tmp_path)
    assert caught.value.message == said


def test_each_run_builds_in_a_folder_of_its_own_and_leaves_none(tmp_path):
    base = tmp_path / "build" / "site"
    with build.run_folder(base) as one, build.run_folder(base) as other:
        assert one != other
        assert [*one.iterdir(), *other.iterdir()] == []
    assert not base.exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_build_folder_that_cannot_be_made_is_one_clear_error(tmp_path, kind):
    folder = tmp_path / "build"
    folder.write_text("") if kind == "file" else folder.symlink_to("nowhere")
    with (
        pytest.raises(KappaError, match=f"{folder / 'site'} cannot be written: ") as caught,
        build.run_folder(folder / "site"),
    ):
        pytest.fail("no folder")
    assert "Is build a folder" in caught.value.hint


def test_what_a_killed_run_has_left_goes_a_day_later(tmp_path):
    for name, age_s in {"run-old": 90_000, "run-now": 0}.items():
        (tmp_path / name / "js").mkdir(parents=True)
        at = time.time() - age_s
        os.utime(tmp_path / name, (at, at))
    with build.run_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["run-now"]

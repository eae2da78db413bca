"""The page's bundles: what a first view loads, what is loaded when used, where a map leads."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from kappa.errors import KappaError
from lambda_chat.site import build as website
from lambda_chat.site import bundle, publish
from tests.support.builders import chat_config

SITE = Path(__file__).resolve().parents[4] / "s3-website"
MODULES = SITE / "node_modules"
pytestmark = pytest.mark.skipif(not MODULES.is_dir(), reason="needs npm ci in s3-website")
CONFIG = chat_config()
# what S3 sends before each body
HEADERS_BYTES = 450
FIRST_VIEW = {"config.js", "css/chat.css", "css/icon.svg", "index.html", "js/main.js"}
# as esbuild writes them: static and dynamic, each with its path
IMPORTS = re.compile(r"""\b(?:import|from)\b *\(?["'](\.[^"']+)["']""")


@pytest.fixture
def site(tmp_path):
    """Bundle a site of these files by key; return its folder."""

    def make(files):
        folder = tmp_path / f"site-{len(list(tmp_path.iterdir()))}"
        for key, text in files.items():
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_text(text)
        bundle.bundle(folder, MODULES)
        return folder

    return make


def keys(folder):
    return {file.key for file in website.read_site(folder) if file.path.suffix != ".map"}


def sources_of(path):
    return json.loads(path.with_name(f"{path.name}.map").read_text())


def built(source, folder):
    """The page of `source`, as update.sh builds it, in `folder`."""
    addresses = website.endpoints(CONFIG.region, "")
    values = website.placeholders(addresses.values(), "https://accounts.google.com")
    settings = website.page_config(CONFIG, CONFIG.region, addresses)
    website.build_site(source, folder, settings, values)
    bundle.bundle(folder, MODULES)
    return folder


@pytest.mark.parametrize(
    ("script", "mode", "said"),
    [
        ("#!/bin/sh\nexit 0\n", 0o644, "esbuild cannot run: Permission denied"),
        ("\x7fELF of another machine", 0o755, "esbuild cannot run: Exec format error"),
        ("#!/bin/sh\nexit 3\n", 0o755, "esbuild ended with exit code 3 and said nothing"),
        ("#!/bin/sh\nkill -9 $$\n", 0o755, "esbuild ended with exit code -9 and said nothing"),
    ],
)
def test_an_esbuild_that_does_not_run_is_one_error_that_says_what_to_do(
    tmp_path, script, mode, said
):
    path = tmp_path / "modules" / bundle.ESBUILD
    path.parent.mkdir(parents=True)
    path.write_text(script)
    path.chmod(mode)
    (tmp_path / "site" / "js").mkdir(parents=True)
    (tmp_path / "site" / "js" / "main.js").write_text("x")
    with pytest.raises(KappaError) as caught:
        bundle.bundle(tmp_path / "site", path.parents[1])
    assert said in caught.value.message
    assert f"Remove {tmp_path / 'modules'} and run update.sh again" in caught.value.hint


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The real page."""
    return built(SITE / "public", tmp_path_factory.mktemp("page"))


def wire_bytes(folder, names):
    # maps are for a developer's eyes
    return {
        file.key: len(website.stored_bytes(file.path)) + HEADERS_BYTES
        for file in website.read_site(folder)
        if file.key in names
    }


def test_the_first_view_is_five_files_of_less_than_42_600_bytes(page):
    sizes = wire_bytes(page, FIRST_VIEW)
    assert set(sizes) == FIRST_VIEW
    assert sum(sizes.values()) < 42_600, sizes


def test_the_whole_page_is_the_first_view_and_what_is_loaded_when_used(page):
    assert keys(page) == FIRST_VIEW | set(bundle.LAZY)
    sizes = wire_bytes(page, keys(page))
    assert sum(sizes.values()) < 45_700, sizes


def test_the_first_view_takes_one_round_trip_after_the_pages_own(page):
    """What main.js imports is named in index.html, or is loaded only when it is used."""
    text = (page / "index.html").read_text("utf-8")
    named = set(re.findall(r'(?:href|src)="((?:css|js)/[^"]+|config\.js)"', text))
    assert named == FIRST_VIEW - {"index.html"}
    found = {os.path.normpath(f"js/{name}") for name in imports(page / "js/main.js")}
    assert found == {"config.js", *bundle.LAZY}


def imports(path):
    return IMPORTS.findall(path.read_text("utf-8"))


def test_what_is_loaded_when_used_needs_no_other_file_of_its_version(page):
    """A page that was opened before an update loads the new one, beside its own old modules."""
    for key in bundle.LAZY:
        assert imports(page / key) == []
        # what is in main.js, too: nothing of it may be state that both change
        parts = {Path(name).name for name in sources_of(page / key)["sources"]}
        assert parts == {"lines.js", "message.js", "activity.js"}


def test_an_update_removes_nothing_that_an_open_page_may_still_load(page, tmp_path):
    source = tmp_path / "public"
    shutil.copytree(SITE / "public", source)
    for name in ("main.js", "message.js", "activity.js"):
        with (source / "js" / name).open("a") as script:
            script.write("console.log('the next version');\n")
    before = {file.key: file.etag for file in website.read_site(page)}
    todo = publish.plan(website.read_site(built(source, tmp_path / "next")), before, "data/")
    changed = {file.key for turn in todo.uploads for file in turn}
    assert {"js/main.js", *bundle.LAZY} <= changed
    assert todo.removals == []


def test_the_modules_of_the_versions_before_go_after_the_page_that_needs_them_no_more(page):
    kept = [path.relative_to(SITE / "public").as_posix() for path in SITE.glob("public/js/*.js")]
    before = dict.fromkeys([*kept, "vendor/aws4fetch.js"], "old")
    todo = publish.plan(website.read_site(page), before, "data/")
    assert [file.key for file in todo.uploads[-1]] == ["index.html"]
    assert "vendor/aws4fetch.js" in todo.removals
    assert "js/chat.js" in todo.removals
    assert set(todo.removals).isdisjoint(bundle.LAZY)


def test_each_module_that_is_imported_when_used_is_a_bundle_of_its_own():
    found = set()
    for path in (SITE / "public/js").glob("*.js"):
        text = re.sub(r"^ *(?://|/?\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        found |= {f"js/{name}" for name in re.findall(r'\bimport\("\./([^"]+)"\)', text)}
    assert found == set(bundle.LAZY)


def test_the_maps_lead_to_the_sources_and_to_no_folder_of_this_machine(page):
    for key in ("js/main.js", *bundle.LAZY, "css/chat.css"):
        found = sources_of(page / key)
        for name, text in zip(found["sources"], found["sourcesContent"], strict=True):
            place = os.path.normpath(f"{Path(key).parent}/{name}")
            kept = SITE / place if place.startswith("node_modules/") else SITE / "public" / place
            assert kept.read_text("utf-8") == text
    assert (page / "js/main.js").read_text().endswith("//# sourceMappingURL=main.js.map\n")


def test_the_same_sources_make_the_same_bytes_in_any_folder(site):
    files = {"js/main.js": "import { AwsClient } from 'aws4fetch'; alert(AwsClient)"}
    made = [
        {file.key: file.etag for file in website.read_site(site(files))} for _ in ("one", "other")
    ]
    assert made[0] == made[1]


def test_a_module_that_is_in_a_bundle_is_no_file_of_the_page(site):
    folder = site(
        {
            "js/main.js": "// says hello\nimport { one } from './one.js';\nalert(one);\n",
            "js/one.js": "export const one = 'the one';\n",
            "css/chat.css": "@import './base.css';\n/* calm */\np { color: red }\n",
            "css/base.css": "i { color: blue }\n",
        }
    )
    assert keys(folder) == {"js/main.js", "css/chat.css"}
    script, style = ((folder / key).read_text() for key in ("js/main.js", "css/chat.css"))
    assert "the one" in script
    assert "says hello" not in script
    assert "#00f" in style
    assert "calm" not in style


def test_what_nothing_imports_is_made_small_and_stays(site):
    folder = site(
        {
            "js/main.js": "import './one.js';",
            "js/one.js": "export const shared = 'shared';",
            "js/worker.js": "// mine\nimport { shared } from './one.js';\npostMessage(shared);",
            "css/print.css": "/* mine */ p { color: black }",
        }
    )
    assert keys(folder) == {"js/main.js", "js/worker.js", "css/print.css"}
    assert "shared" in (folder / "js/worker.js").read_text()
    assert "mine" not in (folder / "js/worker.js").read_text()
    assert "mine" not in (folder / "css/print.css").read_text()


def test_config_js_is_part_of_no_bundle(site):
    folder = site(
        {
            "config.js": 'export default {\n  "region": "x"\n};\n',
            "js/main.js": "import config from '../config.js'; alert(config.region)",
        }
    )
    assert imports(folder / "js/main.js") == ["../config.js"]
    assert (folder / "config.js").read_text() == 'export default {\n  "region": "x"\n};\n'


def test_a_picture_of_a_style_sheet_stays_where_it_is(site):
    folder = site(
        {
            "css/chat.css": "@import './deep/more.css';",
            "css/deep/more.css": "p { background: url(../dots.svg) }",
            "css/dots.svg": "<svg/>",
        }
    )
    assert keys(folder) == {"css/chat.css", "css/dots.svg"}
    assert 'url("./dots.svg")' in (folder / "css/chat.css").read_text()
    assert (folder / "css/dots.svg").read_text() == "<svg/>"


@pytest.mark.parametrize(
    ("text", "said"),
    [("const = 1;\n", "js/main.js:1:6"), ("import './gone.js';\n", 'resolve "./gone.js"')],
)
def test_a_script_that_is_not_valid_is_one_clear_error(site, text, said):
    with pytest.raises(KappaError, match=re.escape(said)) as caught:
        site({"js/main.js": text})
    assert "nothing was uploaded" in str(caught.value)

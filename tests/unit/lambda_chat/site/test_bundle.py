"""The page's bundles: what a first view loads, what is loaded when used, where a map leads."""

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kappa.errors import KappaError
from lambda_chat.site import bundle, publish
from lambda_chat.site.build import CONFIG_KEY, build_site
from lambda_chat.site.headers import (
    HEADERS_BODY,
    HEADERS_KEY,
    IMMUTABLE,
    REVALIDATED,
    etag_of,
    stored_bytes,
)
from lambda_chat.site.page_config import endpoints, page_config, placeholders
from tests.support.builders import chat_config

SITE = Path(__file__).resolve().parents[4] / "s3-website"
MODULES = SITE / "node_modules"
pytestmark = pytest.mark.skipif(not MODULES.is_dir(), reason="needs npm ci in s3-website")
CONFIG = chat_config()
# what S3 sends before each body
HEADERS_BYTES = 450
# as esbuild writes them: each with its path
AT_ONCE = re.compile(r"""\b(?:import|from) *["'](\.[^"']+)["']""")
WHEN_USED = re.compile(r"""\bimport\(["'](\.[^"']+)["']\)""")


@pytest.fixture
def site(tmp_path):
    """Bundle a site of these files by key; return its folder, and what was made."""

    def make(files, *entries):
        folder = tmp_path / f"site-{len(list(tmp_path.iterdir()))}"
        for key, text in files.items():
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_text(text)
        return folder, bundle.bundle(folder, entries, MODULES)

    return make


def plain(key):
    """A key without its digest."""
    return re.sub(r"-[A-Z0-9]{8}(?=\.)", "", key)


def keys(folder):
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".map")
    return {path.relative_to(folder).as_posix() for path in found}


def sources_of(path):
    return json.loads(path.with_name(f"{path.name}.map").read_text())


def built(source, folder):
    """The files of the page of `source`, as update.sh builds it, in `folder`."""
    addresses = endpoints(CONFIG.region, "")
    values = placeholders(addresses.values(), "https://accounts.google.com")
    return build_site(
        source, folder, page_config(CONFIG, CONFIG.region, addresses), values, MODULES
    )


@pytest.mark.parametrize(
    ("script", "mode", "said"),
    [
        ("#!/bin/sh\nexit 0\n", 0o644, "esbuild cannot run: Permission denied"),
        ("\x7fELF of another machine", 0o755, "esbuild cannot run: Exec format error"),
        ("#!/bin/sh\nexit 3\n", 0o755, "esbuild failed with exit code 3 and no message"),
        ("#!/bin/sh\nkill -9 $$\n", 0o755, "esbuild failed with exit code -9 and no message"),
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
        bundle.bundle(tmp_path / "site", ["js/main.js"], path.parents[1])
    assert said in caught.value.message
    assert f"Remove {tmp_path / 'modules'} and run update.sh again" in caught.value.hint


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The files of the real page, by key."""
    files = built(SITE / "public", tmp_path_factory.mktemp("page"))
    return {file.key: file for file in files}


def named(page):
    """What index.html names: a browser loads it in the same round trip."""
    text = page["index.html"].path.read_text("utf-8")
    return set(re.findall(r'(?:href|src)="((?:css|js)/[^"]+)"', text))


def of_page(page):
    """What visitors load: maps are for a developer's eyes, the config for update.sh."""
    return {key for key in page if not key.endswith(".map") and key != CONFIG_KEY}


def wire_bytes(page, names):
    return {key: len(stored_bytes(page[key].path)) + HEADERS_BYTES for key in names}


def scripts(page):
    return {key: page[key].path.read_text("utf-8") for key in of_page(page) if key.endswith(".js")}


def led_to(key, pattern, text):
    return {os.path.normpath(f"{Path(key).parent}/{name}") for name in pattern.findall(text)}


def test_the_first_view_is_five_files_of_less_than_44_600_bytes(page):
    first = {"index.html", *named(page)}
    sizes = wire_bytes(page, first)
    assert {plain(key) for key in first} == {
        *("css/icon.svg", "css/main.css", "index.html", "js/chunk.js", "js/main.js"),
    }
    assert sum(sizes.values()) < 44_600, sizes


def test_the_whole_page_is_the_first_view_and_what_is_loaded_when_used(page):
    later = of_page(page) - named(page) - {"index.html"}
    assert {plain(key) for key in later} == {"js/activity.js", "js/broker.js", "js/settings.js"}
    sizes = wire_bytes(page, of_page(page))
    assert sum(sizes.values()) < 52_000, sizes


def test_the_first_view_takes_one_round_trip_after_the_pages_own(page):
    """All that a script imports at once is named in index.html; the rest is there, too."""
    for key, text in scripts(page).items():
        assert led_to(key, AT_ONCE, text) <= named(page)
        assert led_to(key, WHEN_USED, text) <= of_page(page) - named(page)
    at_once = {key for key in scripts(page) if key in named(page)}
    assert {plain(key) for key in at_once} == {"js/chunk.js", "js/main.js"}


def test_only_what_may_change_under_its_name_is_asked_for_again(page):
    assert page["index.html"].cache_control == REVALIDATED
    assert page[CONFIG_KEY].cache_control == REVALIDATED
    rest = page.keys() - {"index.html", CONFIG_KEY}
    assert {page[key].cache_control for key in rest} == {IMMUTABLE}
    assert all(re.search(r"-[A-Z0-9]{8}\.", key) for key in rest), rest


def test_an_update_removes_nothing_that_an_open_page_may_still_load(page, tmp_path):
    source = tmp_path / "public"
    shutil.copytree(SITE / "public", source)
    for name in ("main.js", "view/dom.js", "view/activity.js", "view/settings.js"):
        with (source / "js" / name).open("a") as script:
            script.write("console.log('the next version');\n")
    before = {key: file.etag for key, file in page.items()} | {HEADERS_KEY: etag_of(HEADERS_BODY)}
    now = datetime.now(UTC)
    todo = publish.plan(built(source, tmp_path / "next"), before, "data/", {}, now)
    scripts = {plain(file.key) for turn in todo.uploads for file in turn if "js/" in file.key}
    assert {"js/main.js", "js/activity.js", "js/settings.js", "js/chunk.js"} <= scripts
    assert [file.key for file in todo.uploads[-1]] == ["index.html"]
    assert todo.removals == []
    # and nothing is written over what it loads
    written = {file.key for turn in todo.uploads for file in turn}
    assert written & page.keys() == {"index.html"}


def test_the_maps_lead_to_the_sources_and_to_no_folder_of_this_machine(page):
    bundles = {key for key in of_page(page) if key.endswith((".js", ".css"))}
    assert len(bundles) == 6
    for key in bundles:
        found = sources_of(page[key].path)
        for name, text in zip(found["sources"], found["sourcesContent"], strict=True):
            place = os.path.normpath(f"{Path(key).parent}/{name}")
            kept = SITE / place if place.startswith("node_modules/") else SITE / "public" / place
            assert kept.read_text("utf-8") == text
        script = page[key].path
        assert f"sourceMappingURL={script.name}.map" in script.read_text("utf-8").splitlines()[-1]


def test_the_same_sources_make_the_same_bytes_in_any_folder(site):
    files = {"js/main.js": "import { AwsClient } from 'aws4fetch'; alert(AwsClient)"}
    made = [site(files, "js/main.js")[0] for _ in ("one", "other")]
    one, other = ({key: (folder / key).read_bytes() for key in keys(folder)} for folder in made)
    assert one == other


def test_another_content_has_another_name(site):
    made = [site({"js/main.js": f"alert({n})"}, "js/main.js")[1] for n in (1, 2)]
    assert made[0].names["js/main.js"] != made[1].names["js/main.js"]


def test_a_module_that_is_in_a_bundle_is_no_file_of_the_page(site):
    folder, made = site(
        {
            "js/main.js": "// says hello\nimport { one } from './one.js';\nalert(one);\n",
            "js/one.js": "export const one = 'the one';\n",
            "css/main.css": "@import './base.css';\n/* calm */\np { color: red }\n",
            "css/base.css": "i { color: blue }\n",
        },
        "js/main.js",
        "css/main.css",
    )
    assert keys(folder) == set(made.names.values())
    script, style = ((folder / made.names[key]).read_text() for key in made.names)
    script, style = (script, style) if "the one" in script else (style, script)
    assert "the one" in script
    assert "says hello" not in script
    assert "#00f" in style
    assert "calm" not in style


def test_what_two_scripts_share_is_there_once_so_they_may_share_state(site):
    folder, made = site(
        {
            "js/main.js": "import { list } from './list.js'; import('./panel.js'); list.push(1)",
            "js/panel.js": "import { list } from './list.js'; list.push('of the panel');",
            "js/list.js": "export const list = ['shared'];",
        },
        "js/main.js",
    )
    texts = {key: (folder / key).read_text() for key in keys(folder)}
    [chunk] = made.preloads
    assert [key for key, text in texts.items() if "shared" in text] == [chunk]
    [panel] = [key for key, text in texts.items() if "of the panel" in text]
    assert panel not in made.preloads
    assert plain(panel) == "js/panel.js"


def test_what_the_page_does_not_name_stays_as_it_is(site):
    files = {
        "js/main.js": "alert(1)",
        "js/worker.js": "// mine\npostMessage(1);",
        "css/print.css": "/* mine */ p { color: black }",
    }
    folder, made = site(files, "js/main.js")
    assert keys(folder) == {made.names["js/main.js"], "js/worker.js", "css/print.css"}
    assert (folder / "js/worker.js").read_text() == files["js/worker.js"]
    assert made.hashed.isdisjoint(files)


def test_a_picture_of_a_style_sheet_has_a_hashed_name_too(site):
    folder, made = site(
        {
            "css/main.css": "@import './deep/more.css';",
            "css/deep/more.css": "p { background: url(../dots.svg) }",
            "css/dots.svg": "<svg/>",
        },
        "css/main.css",
    )
    style = made.names["css/main.css"]
    [picture] = keys(folder) - {style}
    assert plain(picture) == "css/dots.svg"
    assert f'url("./{Path(picture).name}")' in (folder / style).read_text()
    assert (folder / picture).read_text() == "<svg/>"
    assert picture in made.hashed


@pytest.mark.parametrize(
    ("text", "said"),
    [("const = 1;\n", "js/main.js:1:6"), ("import './gone.js';\n", 'resolve "./gone.js"')],
)
def test_a_script_that_is_not_valid_is_one_clear_error(site, text, said):
    with pytest.raises(KappaError, match=re.escape(said)) as caught:
        site({"js/main.js": text}, "js/main.js")
    assert "nothing was uploaded" in str(caught.value)


@pytest.mark.parametrize(
    ("files", "entry", "loader"),
    [
        ({"js/main.js": 'import own from "{}/own.js"; console.log(own);'}, "js/main.js", 0),
        ({"js/main.js": 'import "./a.js";', "js/a.js": 'import("../../own.js");'}, "js/main.js", 1),
        ({"css/main.css": '@import "{}/own.css";'}, "css/main.css", 0),
        ({"css/main.css": 'p {{ background: url("{}/own.svg") }}'}, "css/main.css", 0),
    ],
)
def test_a_file_outside_the_page_is_refused_and_stays(site, tmp_path, files, entry, loader):
    for name, text in (("own.js", "export default 1"), ("own.css", "p {}"), ("own.svg", "<svg/>")):
        (tmp_path / name).write_text(text)
    files = {
        key: text.replace("{}", str(tmp_path)).replace("{{", "{").replace("}}", "}")
        for key, text in files.items()
    }
    with pytest.raises(
        KappaError, match=f"{list(files)[loader]} loads .*own.*outside the page"
    ) as error:
        site(files, entry)
    assert "becomes public" in error.value.hint
    assert {path.name for path in tmp_path.glob("own.*")} == {"own.js", "own.css", "own.svg"}

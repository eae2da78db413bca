"""Which files decide whether lambda.build runs again."""

import os

import pytest
from msgspec.structs import replace

from kappa.errors import ArchiveError, ConfigError
from kappa.packing.build_files import difference, read_build_files
from tests.support.builders import kappa_config


@pytest.fixture
def project(tmp_path):
    for name in ("src/a.ts", "src/lib/b.ts", "dist/a.js", "package.json", "config.yml"):
        write(tmp_path, name, name)
    return tmp_path


def write(folder, name, text=""):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def files_of(folder, *inputs, path="dist", **more):
    keys = {"path": path, "build": "make", "build_inputs": list(inputs)}
    config = replace(kappa_config(keys), file=folder / "config.yml")
    return read_build_files(config, **more)


def read(folder, *inputs, **keys):
    return sorted(files_of(folder, *inputs, **keys).read)


def test_a_build_reads_the_folder_of_its_config_and_makes_the_path(project):
    files = files_of(project)
    assert sorted(files.read) == ["package.json", "src/a.ts", "src/lib/b.ts"]
    assert sorted(files.made) == ["dist/a.js"]


@pytest.mark.parametrize(
    "name",
    [
        ".git/HEAD",
        "node_modules/x/a.js",
        "src/__pycache__/a.py",
        "src/a.pyc",
        "greeter.zip",
        "cache/kappa/x",
    ],
)
def test_what_no_build_reads_is_left_out(project, name, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    write(project, name)
    assert name not in read(project)


def test_a_folder_that_is_named_like_an_editors_copy_is_read_since_it_is_packed_too(project):
    write(project, "dist/old~/a.js")
    write(project, "src/old~/a.ts")
    files = files_of(project)
    assert "dist/old~/a.js" in files.made
    assert "src/old~/a.ts" in files.read


def test_what_git_ignores_is_left_out_but_for_the_output(project):
    write(project, ".gitignore", "dist/\n*.log\n")
    write(project, "src/run.log")
    files = files_of(project)
    assert "src/run.log" not in files.read
    assert sorted(files.made) == ["dist/a.js"]


def test_a_changed_content_is_another_digest_and_a_new_date_is_not(project):
    before = files_of(project)
    os.utime(project / "src" / "a.ts", (1, 1))
    assert files_of(project) == before
    write(project, "src/a.ts", "SRC/A.TS")
    assert difference(before.read, files_of(project).read) == "src/a.ts changed"


def test_a_file_that_becomes_a_program_is_another(project):
    before = files_of(project)
    (project / "dist" / "a.js").chmod(0o755)
    assert difference(before.made, files_of(project).made) == "dist/a.js changed"


@pytest.mark.parametrize("path", [".", "../{}"], ids=["the folder", "by its name"])
def test_a_folder_that_is_packed_as_a_whole_is_read_and_made(project, path):
    files = files_of(project, path=path.format(project.name))
    assert files.read == files.made
    assert sorted(files.read) == ["dist/a.js", "package.json", "src/a.ts", "src/lib/b.ts"]


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["src"], ["src/a.ts", "src/lib/b.ts"]),
        (["src/a.ts", "package*.json"], ["package.json", "src/a.ts"]),
        (["src/*.ts"], ["src/a.ts"]),
        (["**/*.ts"], ["src/a.ts", "src/lib/b.ts"]),
        (["src/**"], ["src/a.ts", "src/lib/b.ts"]),
        (["."], ["package.json", "src/a.ts", "src/lib/b.ts"]),
        (["**/a.*"], ["src/a.ts"]),
        (["dist/a.js"], ["dist/a.js"]),
    ],
)
def test_paths_and_globs_name_what_a_build_reads(project, inputs, names):
    assert read(project, *inputs) == names


def test_with_inputs_only_the_names_of_the_output_count(project):
    before = files_of(project, "src")
    write(project, "dist/a.js", "written by hand")
    assert files_of(project, "src") == before
    assert before.made == {"dist/a.js": ""}


def test_inputs_may_be_elsewhere(project, tmp_path_factory):
    shared = tmp_path_factory.mktemp("shared")
    write(shared, "c.ts")
    assert read(project, str(shared)) == [f"../{shared.name}/c.ts"]
    assert read(project, f"../{shared.name}/*.ts") == [f"../{shared.name}/c.ts"]


def test_a_name_that_looks_like_a_pattern_is_a_name(project):
    write(project, "src/[id].ts")
    assert read(project, "src/[id].ts") == ["src/[id].ts"]


@pytest.mark.parametrize("pattern", ["sorce", "src/*.js", "src/a**b", "nul\0", "../nowhere/**"])
def test_inputs_that_match_nothing_are_an_error_with_the_key(project, pattern):
    with pytest.raises(ConfigError, match=r"lambda\.build_inputs\[1\]|lambda\.build_inputs\.1"):
        files_of(project, "src", pattern)


def test_a_pipe_is_not_read_nor_a_link_to_one(project):
    os.mkfifo(project / "src" / "pipe")
    (project / "src" / "link").symlink_to("pipe")
    (project / "src" / "nowhere").symlink_to("nothing")
    assert read(project, "src") == ["src/a.ts", "src/lib/b.ts", "src/nowhere"]


def test_links_are_followed_once(project, tmp_path_factory):
    shared = tmp_path_factory.mktemp("shared")
    write(shared, "c.ts")
    (project / "src" / "shared").symlink_to(shared)
    (project / "src" / "up").symlink_to("..")
    (project / "src" / "nowhere").symlink_to("gone")
    assert read(project) == [
        *("package.json", "src/a.ts", "src/lib/b.ts", "src/nowhere", "src/shared/c.ts")
    ]


def test_a_folder_of_too_many_files_is_an_error_with_the_remedy(project):
    with pytest.raises(ArchiveError, match="more than 2 files") as error:
        files_of(project, max_files=2)
    assert "build_inputs" in error.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_an_error_that_names_it(project):
    (project / "src" / "a.ts").chmod(0)
    with pytest.raises(ArchiveError, match=r"a\.ts: Permission denied"):
        files_of(project)


def test_a_name_that_is_no_text_is_compared_too(project):
    name = os.fsencode(project) + b"/src/\xff.ts"
    with open(name, "w"):  # noqa: PTH123 - a name of bytes
        pass
    assert "src/\\xff.ts" in read(project)

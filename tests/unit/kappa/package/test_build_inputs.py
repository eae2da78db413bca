"""Which files make watch and serve build again."""

import os

import pytest
from msgspec.structs import replace

from kappa.errors import ArchiveError, ConfigError
from kappa.package.build_inputs import input_files
from tests.support.builders import kappa_config


@pytest.fixture
def project(tmp_path):
    for name in ("src/a.ts", "src/lib/b.ts", "dist/a.js", "package.json", "config.yml"):
        write(tmp_path, name, name)
    return tmp_path


def write(folder, name, text=""):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def read(folder, *inputs, path="dist", **more):
    keys = {"path": path, "build": "make", "build_inputs": list(inputs)}
    config = replace(kappa_config(keys), file=folder / "config.yml")
    return sorted(os.path.relpath(file, folder) for file in input_files(config, **more))


def test_a_build_reads_the_folder_of_its_config_but_what_it_makes(project):
    for name in (".git/HEAD", "node_modules/a.js", "src/__pycache__/a", "src/a.pyc", "greeter.zip"):
        write(project, name)
    write(project, "src/old~/a.ts")
    assert read(project) == ["package.json", "src/a.ts", "src/lib/b.ts", "src/old~/a.ts"]


def test_what_git_ignores_is_left_out(project):
    write(project, ".gitignore", "*.log\n")
    write(project, "src/run.log")
    assert "src/run.log" not in read(project)


@pytest.mark.parametrize("path", [".", "../{}"], ids=["the folder", "by its name"])
def test_a_folder_that_is_packed_as_a_whole_is_watched_as_what_is_packed(project, path):
    assert read(project, path=path.format(project.name)) == []


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
        read(project, "src", pattern)


def test_links_are_followed_once_and_a_pipe_is_not_read(project, tmp_path_factory):
    shared = tmp_path_factory.mktemp("shared")
    write(shared, "c.ts")
    (project / "src" / "shared").symlink_to(shared)
    (project / "src" / "up").symlink_to("..")
    (project / "src" / "nowhere").symlink_to("gone")
    os.mkfifo(project / "src" / "pipe")
    (project / "src" / "link").symlink_to("pipe")
    assert read(project) == [
        *("package.json", "src/a.ts", "src/lib/b.ts", "src/nowhere", "src/shared/c.ts")
    ]


def test_a_folder_of_too_many_files_is_an_error_with_the_remedy(project):
    with pytest.raises(ArchiveError, match="more than 2 files") as error:
        read(project, max_files=2)
    assert "build_inputs" in error.value.hint

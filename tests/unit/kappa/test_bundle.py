"""What goes into the zip: the source, what .lambdaignore leaves, dependencies, packages."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kappa import upload
from kappa.archive import Extras, pack, sizes
from kappa.bundle import Limits, read_archive, write_zip
from kappa.errors import ArchiveError
from tests.builders import assert_valid, kappa_config

NAMES = st.text("abc.", min_size=1, max_size=6).filter(lambda name: name.strip("."))


@pytest.fixture
def project(tmp_path):
    """A config in a folder with one source file; each test adds what it is about."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "greeter.py").write_text("own")
    return tmp_path


def config_of(folder, environment="", **function):
    config = kappa_config(function)
    return replace(config, file=folder / "config.yml", environment=environment)


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def text_of(archive, name):
    return zipfile.ZipFile(io.BytesIO(archive.data)).read(name).decode()


def test_lambdaignore_is_read_as_gitignore_is(project):
    write(project / "code", tests__a_py="", lib__tests__b_py="", lib__c_py="", keep_py="", x_py="")
    (project / "code" / ".lambdaignore").write_text("# tests\ntests/\n*.py\n!/lib/*.py\n!keep.py\n")
    assert read_archive(config_of(project)).names == ("keep.py", "lib/c.py")


def test_what_lambdaignore_leaves_out_may_be_a_link_to_anywhere(project):
    (project / "code" / "data").symlink_to("/usr")
    (project / "code" / ".lambdaignore").write_text("/data\n")
    assert read_archive(config_of(project)).names == ("greeter.py",)


def test_a_broken_lambdaignore_says_so(project):
    (project / "code" / ".lambdaignore").write_text("!\n")
    with pytest.raises(ArchiveError, match="lambdaignore"):
        read_archive(config_of(project))


def test_dependencies_are_packed_as_kappa_0_7_did(project):
    write(project, lib__greeter_py="theirs", lib__deep__a_py="", more_py="more")
    archive = read_archive(config_of(project, dependencies=("lib", "more.py")))
    assert archive.names == ("deep/a.py", "greeter.py", "more.py")
    assert text_of(archive, "greeter.py") == "theirs"


def test_a_file_outside_of_the_project_is_packed_under_its_own_name(project):
    write(project, outer__shared_py="x")
    config = replace(
        config_of(project, dependencies=("../outer/shared.py",)), file=project / "in/c"
    )
    (project / "in").mkdir()
    (project / "code").rename(project / "in" / "code")
    assert "shared.py" in read_archive(config).names


def test_a_missing_dependency_is_named(project):
    with pytest.raises(ArchiveError, match=r"nowhere does not exist"):
        read_archive(config_of(project, dependencies=("nowhere",)))


def test_the_source_wins_over_an_installed_package(tmp_path, project):
    write(tmp_path / "packages", greeter_py="installed", tea_py="tea")
    archive = pack(project / "code", extras=Extras(packages=tmp_path / "packages"))
    assert archive.names == ("greeter.py", "tea.py")
    assert text_of(archive, "greeter.py") == "own"


def test_the_environments_own_settings_take_the_name_config_json(project):
    write(project / "code", **{"prod_config.json": "prod", "config.json": "dev"})
    assert text_of(read_archive(config_of(project, "prod")), "config.json") == "prod"
    assert text_of(read_archive(config_of(project, "dev")), "config.json") == "dev"


def test_excluded_folders_are_left_out_wherever_they_are(project):
    write(project / "code", docs__a_py="", lib__docs__b_py="", docs_txt="")
    archive = read_archive(config_of(project, excluded_dirs=("docs",)))
    assert archive.names == ("docs_txt", "greeter.py")


def test_requirements_of_another_runtime_are_an_error_if_asked_for_and_else_a_file(project):
    write(project / "code", **{"requirements.txt": "tea"})
    names = read_archive(config_of(project, runtime="nodejs24.x")).names
    assert names == ("greeter.py", "requirements.txt")
    with pytest.raises(ArchiveError, match="packages of Python"):
        read_archive(config_of(project, runtime="nodejs24.x", requirements=("tea",)))


def test_nothing_is_installed_where_nothing_is_required(project):
    write(project / "code", **{"requirements.txt": "# nothing\n\n"})
    write(project, **{"other.txt": ""})
    for requirements in (None, (), "other.txt"):
        config = config_of(project, requirements=requirements)
        assert read_archive(config).names == ("greeter.py", "requirements.txt")


def test_a_missing_requirements_file_is_named(project):
    with pytest.raises(ArchiveError, match=r"needs\.txt"):
        read_archive(config_of(project, requirements="needs.txt"))


def test_a_zip_too_large_for_the_call_stops_with_advice(project):
    (project / "code" / "noise").write_bytes(os.urandom(3000))
    with pytest.raises(ArchiveError) as error:
        read_archive(config_of(project), Limits(direct_bytes=2000))
    assert "noise" in error.value.hint
    assert "Set lambda.s3_bucket" in error.value.hint


def test_a_bucket_lifts_the_limit_of_the_zip_but_not_of_its_content(project):
    (project / "code" / "noise").write_bytes(os.urandom(3000))
    config = config_of(project, s3_bucket="builds")
    assert len(read_archive(config, Limits(direct_bytes=2000)).data) > 2000
    with pytest.raises(ArchiveError, match="unzipped"):
        read_archive(config, Limits(direct_bytes=2000, unzipped_bytes=2500))


def test_a_large_zip_goes_through_the_bucket_under_its_own_hash(project):
    config = config_of(project, s3_bucket="builds", s3_prefix="lambda/")
    archive = read_archive(config)
    plan = upload.plan(config, archive, max_direct_bytes=10)
    assert_valid(plan)
    key = upload.code(config, archive, max_direct_bytes=10)["S3Key"]
    assert [(step.params["Bucket"], step.params["Key"]) for step in plan] == [("builds", key)]
    assert key.startswith("lambda/greeter-")
    write(project / "code", other_py="x")
    assert upload.key(config, read_archive(config)) != key


def test_a_small_zip_goes_inside_of_the_call_even_where_there_is_a_bucket(project):
    config = config_of(project, s3_bucket="builds")
    archive = read_archive(config)
    assert upload.plan(config, archive) == []
    assert upload.code(config, archive) == {"ZipFile": archive.data}


def test_the_zip_beside_the_source_is_not_packed_the_next_time(project):
    config = config_of(project, path=".")
    first = read_archive(config)
    assert write_zip(config, first) == project / "greeter.zip"
    assert read_archive(config) == first


def test_only_kappas_own_zip_is_left_out_of_the_source(project):
    for name in ("greeter.zip", "old.zip"):
        (project / "code" / name).write_text("a zip")
    assert "greeter.zip" in read_archive(config_of(project)).names
    names = read_archive(config_of(project, zipfile_name="old.zip")).names
    assert names == ("greeter.py", "greeter.zip")
    (project / "build").mkdir()
    config = config_of(project, path=".", zipfile_name="build/x.zip")
    write_zip(config, read_archive(config))
    assert "build/x.zip" not in read_archive(config).names


def test_a_zip_in_the_source_under_another_name_is_refused(project):
    config = config_of(project)
    with pytest.raises(ArchiveError, match="packed itself"):
        write_zip(config, read_archive(config), project / "code" / "x.zip")


def test_a_zip_that_cannot_be_written_is_said(project):
    config = config_of(project)
    with pytest.raises(ArchiveError, match="cannot be written"):
        write_zip(config, read_archive(config), project / "nowhere" / "x.zip")


def test_sizes_are_those_of_the_files(project):
    assert sizes(read_archive(config_of(project))) == {"greeter.py": 3}


@given(st.dictionaries(NAMES, st.binary(max_size=60), min_size=1, max_size=5), st.randoms())
def test_the_same_files_give_the_same_bytes_in_whatever_order_they_were_written(
    tmp_path_factory, files, random
):
    def packed():
        folder = tmp_path_factory.mktemp("source")
        names = list(files)
        random.shuffle(names)
        for name in names:
            Path(folder, name).write_bytes(files[name])
        return pack(folder)

    assert packed() == packed()

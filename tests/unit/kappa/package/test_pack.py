"""What goes into the zip: the source, what .lambdaignore leaves, dependencies, packages."""

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kappa.commands.init_from.code import unzipped
from kappa.errors import ArchiveError, ConfigError
from kappa.package.files import Extras
from kappa.package.pack import check_architecture, read_archive
from kappa.package.zip import Limits, pack, sizes, write_zip
from tests.support.builders import kappa_config

NAMES = st.text("abc.", min_size=1, max_size=6).filter(lambda name: name.strip("."))


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


def test_excluded_files_are_left_out_wherever_they_are(project):
    write(project / "code", docs_txt="", lib__docs_txt="", lib__a_py="")
    archive = read_archive(config_of(project, excluded_files=("docs_txt",)))
    assert archive.names == ("greeter.py", "lib/a.py")


@pytest.mark.parametrize(
    ("path", "handler", "runtime", "name"),
    [
        ("sub/foo.py", "sub/foo.handler", "python3.13", "sub/foo.py"),
        ("sub/foo.py", "sub.foo.handler", "python3.13", "sub/foo.py"),
        ("./sub/foo.py", "sub/foo.handler", "python3.13", "sub/foo.py"),
        ("src/sub/foo.py", "sub/foo.handler", "python3.13", "sub/foo.py"),
        ("sub/foo.py", "foo.handler", "python3.13", "foo.py"),
        ("sub/foo.py", "other/foo.handler", "python3.13", "foo.py"),
        ("sub/foo.js", "sub/foo.handler", "nodejs24.x", "sub/foo.js"),
        ("sub/foo.js", "sub/foo.api.handler", "nodejs24.x", "sub/foo.js"),
    ],
)
def test_a_file_in_a_folder_is_packed_where_its_handler_is(project, path, handler, runtime, name):
    (project / path).parent.mkdir(parents=True)
    (project / path).write_text("x")
    config = config_of(project, path=path, handler=handler, runtime=runtime)
    assert read_archive(config).names == (name,)


def a_zip(file, **texts):
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in (texts or {"bootstrap": "#!/bin/sh"}).items():
            packed.writestr(name, text)
    return file


@pytest.mark.parametrize("name", ["function.zip", "function.ZIP", "app.jar"])
def test_a_zip_is_uploaded_as_it_is(project, name):
    data = a_zip(project / name).read_bytes()
    archive = read_archive(config_of(project, path=name, runtime="java21"))
    assert (archive.data, archive.names) == (data, ("bootstrap",))
    assert sizes(archive) == {"bootstrap": 9}


def broken(file):
    data = bytearray(a_zip(file, a="text of a").read_bytes())
    data[data.index(b"text")] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda file: file.write_text("no zip"), "is not a zip that Lambda can read"),
        (lambda file: a_zip(file, **{"../a": "x"}), "leads outside"),
        (lambda file: a_zip(file, **{"/a": "x"}), "leads outside"),
        (lambda file: file.write_bytes(b"PK\5\6" + b"\0" * 18), "has no file in it"),
        (lambda file: a_zip(file, a="x" * 5000), "unzipped"),
        (broken, "is damaged"),
    ],
)
def test_a_zip_that_lambda_could_not_use_is_refused(project, make, problem):
    make(project / "x.zip")
    limits = Limits(direct_bytes=8000, unzipped_bytes=4000)
    with pytest.raises(ArchiveError, match=problem):
        read_archive(config_of(project, path="x.zip", runtime="java21"), limits)


def test_a_zip_over_the_limit_of_the_call_is_refused(project):
    a_zip(project / "x.zip", a="x" * 500)
    with pytest.raises(ArchiveError, match="zipped") as error:
        read_archive(config_of(project, path="x.zip"), Limits(direct_bytes=100))
    assert "s3_bucket" in error.value.hint


@pytest.mark.parametrize("key", ["requirements", "dependencies", "excluded_dirs", "excluded_files"])
def test_nothing_is_added_to_a_zip(project, key):
    a_zip(project / "x.zip")
    config = config_of(project, path="x.zip", **{key: ("tea",)})
    with pytest.raises(ConfigError, match=f"lambda.{key} would have no effect"):
        read_archive(config)


def test_packages_are_not_installed_for_another_machine_than_aws_has(project):
    config = config_of(project, requirements=("tea",))
    check_architecture(config, ["x86_64"])
    check_architecture(config, [])
    with pytest.raises(ConfigError, match=r"lambda\.architectures is missing: greeter is arm64"):
        check_architecture(config, ["arm64"])
    check_architecture(
        config_of(project, requirements=("tea",), architectures=("x86_64",)), ["arm64"]
    )
    check_architecture(config_of(project), ["arm64"])
    check_architecture(config_of(project, runtime="nodejs24.x"), ["arm64"])


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


def test_the_zip_of_the_run_before_comes_with_no_dependency(project):
    for config in (
        config_of(project, dependencies=["."]),
        config_of(project, dependencies=["../" + project.name]),
    ):
        first = read_archive(config)
        write_zip(config, first)
        assert read_archive(config) == first
        with pytest.raises(ArchiveError, match="packed itself"):
            write_zip(config, first, project / "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_zip_is_said_however_it_was_compressed(project, method):
    with zipfile.ZipFile(project / "x.zip", "w", method) as packed:
        packed.writestr("a.py", os.urandom(200))
    data = bytearray((project / "x.zip").read_bytes())
    data[38:200] = b"\xff" * 162
    (project / "x.zip").write_bytes(data)
    with pytest.raises(ArchiveError):
        read_archive(config_of(project, path="x.zip"))
    with pytest.raises(ArchiveError):
        unzipped(bytes(data))


def test_requirements_that_are_a_link_to_elsewhere_are_not_read(project, tmp_path_factory):
    secret = tmp_path_factory.mktemp("elsewhere") / "passwd"
    secret.write_text("root:x:0:0\n")
    (project / "code" / "requirements.txt").symlink_to(secret)
    with pytest.raises(
        ArchiveError, match=r"requirements.txt is a link to .*, which is not"
    ) as got:
        read_archive(config_of(project))
    assert "root:x" not in str(got.value)

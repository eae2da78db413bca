"""The zip: the same bytes for the same files, its limits, and where it is written."""

import base64
import hashlib
import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from kappa.errors import ArchiveError
from kappa.package import zip as zipping
from kappa.package.pack import read_archive
from kappa.package.zip import pack, write_zip
from tests.support.builders import kappa_config
from tests.unit.kappa.package.test_pack import config_of


def folder(tmp_path, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def contents(packed):
    return zipfile.ZipFile(io.BytesIO(packed.data))


def test_a_file_is_packed_under_its_own_name(tmp_path):
    source = folder(tmp_path, deep__main_py="x = 1") / "deep" / "main.py"
    assert pack(source).names == ("main.py",)


def test_a_folder_is_packed_without_its_own_name_and_sorted(tmp_path):
    packed = pack(folder(tmp_path, b_py="b", a_py="a", lib__c_py="c"))
    assert packed.names == ("a.py", "b.py", "lib/c.py")


def test_the_same_source_gives_the_same_bytes_whatever_the_clock_says(tmp_path):
    source = folder(tmp_path, a_py="a", b_py="b")
    first = pack(source)
    os.utime(source / "a.py", (1_000_000_000, 1_000_000_000))
    assert pack(source) == first


def test_nothing_but_the_zip_itself_is_held_in_memory(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(os.urandom(8_000_000))
    tracemalloc.start()
    try:
        packed = pack(tmp_path)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 1.5 * len(packed.data)


def test_the_hash_is_written_as_lambda_writes_it(tmp_path):
    packed = pack(folder(tmp_path, a_py="a"))
    assert packed.sha256 == base64.b64encode(hashlib.sha256(packed.data).digest()).decode()


def test_only_the_executable_bit_of_a_mode_counts(tmp_path):
    source = folder(tmp_path, a_py="a", run_py="b")
    (source / "a.py").chmod(0o600)
    (source / "run.py").chmod(0o700)
    modes = [info.external_attr >> 16 for info in contents(pack(source)).infolist()]
    assert modes == [0o100644, 0o100755]


def test_a_name_that_is_not_utf_8_is_said(tmp_path):
    source = folder(tmp_path, a_py="text")
    (source / os.fsdecode(b"\xff.py")).write_text("x")
    with pytest.raises(ArchiveError, match="the file's name is not UTF-8"):
        pack(source)


@pytest.mark.parametrize("size_bytes", [1, 5])
def test_a_file_that_changes_while_it_is_packed_is_an_error(tmp_path, size_bytes):
    file = folder(tmp_path, a_py="abc") / "a.py"
    entry = zipping._Entry("a.py", file, size_bytes, 0o644)
    with pytest.raises(ArchiveError, match="changed while it was packed"):
        zipping._zip([entry])


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="no file to pack"):
        pack(tmp_path)


def test_a_source_over_the_unzipped_limit_is_not_even_read(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(zipping.MAX_UNZIPPED_BYTES + 1)
    with pytest.raises(ArchiveError, match=r"at most 250\.0 MB.*\n.*big") as error:
        pack(tmp_path)
    assert "unzipped" in error.value.message


def test_a_zip_over_the_upload_limit_is_an_error(tmp_path):
    (tmp_path / "noise").write_bytes(os.urandom(2000))
    with pytest.raises(ArchiveError, match="zipped"):
        pack(tmp_path, max_zipped_bytes=1000)


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


def test_a_zip_that_cannot_be_written_leaves_nothing_behind(project):
    config = config_of(project)
    (project / "out").mkdir()
    with pytest.raises(ArchiveError, match="is a folder"):
        write_zip(config, read_archive(config), project / "out")
    with pytest.raises(ArchiveError, match="is a folder"):
        write_zip(config, read_archive(config), Path())
    assert sorted(path.name for path in project.iterdir()) == ["code", "out"]


def test_a_zip_that_is_a_link_to_itself_is_no_trouble(project):
    config = config_of(project)
    (project / "greeter.zip").symlink_to("greeter.zip")
    assert write_zip(config, read_archive(config)) == project / "greeter.zip"
    assert (project / "greeter.zip").read_bytes() == read_archive(config).data


def test_a_zip_with_too_long_a_name_is_an_error(project):
    config = config_of(project)
    with pytest.raises(ArchiveError, match="cannot be written: File name too long"):
        write_zip(config, read_archive(config), project / ("x" * 255))


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644)])
def test_the_umask_decides_who_may_read_the_zip(project, umask, mode):
    config = config_of(project)
    before = os.umask(umask)
    try:
        file = write_zip(config, read_archive(config))
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == mode


def test_a_zip_that_is_written_to_a_pipe_leaves_the_pipe_in_place(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    config = kappa_config()
    (tmp_path / "a.py").write_text("own")
    archive = pack(tmp_path / "a.py")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert write_zip(config, archive, pipe) == pipe
    assert os.read(reader, len(archive.data) + 1) == archive.data
    os.close(reader)
    assert pipe.is_fifo()


def test_what_a_link_leads_to_is_written_and_the_link_stays(project):
    config = config_of(project)
    (project / "out").write_bytes(b"")
    (project / "link").symlink_to("out")
    write_zip(config, read_archive(config), project / "link")
    assert (project / "link").is_symlink()
    assert (project / "out").read_bytes() == read_archive(config).data


@pytest.mark.parametrize("name", ["app.py", "config.yml", "policy.json", "link"])
def test_a_file_that_is_no_zip_is_not_replaced(project, name):
    for one in ("app.py", "config.yml", "policy.json"):
        (project / one).write_text("mine")
    (project / "link").symlink_to("app.py")
    config = config_of(project, path="app.py", zipfile_name=name)
    for output in (project / name, None):
        with pytest.raises(ArchiveError, match="is not a zip: it is not replaced"):
            write_zip(config, read_archive(config), output)
    assert (project / name).read_text() == "mine"


def test_the_zip_of_the_run_before_is_replaced(project):
    config = config_of(project)
    for text in ("old", "new"):
        (project / "code" / "greeter.py").write_text(text)
        write_zip(config, read_archive(config), project / "x.zip")
    assert (project / "x.zip").read_bytes() == read_archive(config).data

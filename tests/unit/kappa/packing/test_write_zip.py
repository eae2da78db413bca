"""Where the zip is written, and what is never replaced."""

import os
from pathlib import Path

import pytest

from kappa.errors import ArchiveError
from kappa.packing.archive import pack
from kappa.packing.build import read_archive
from kappa.packing.write_zip import write_zip
from tests.support.builders import kappa_config
from tests.unit.kappa.packing.test_build import config_of


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


def test_a_pipe_that_nobody_reads_is_not_waited_for(project):
    os.mkfifo(project / "pipe")
    config = config_of(project)
    with pytest.raises(ArchiveError, match="nobody reads"):
        write_zip(config, read_archive(config), project / "pipe")
    assert (project / "pipe").is_fifo()


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

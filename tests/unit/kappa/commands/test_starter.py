"""init: the starter's files, and that nothing is overwritten."""

import os

import pytest

from kappa.commands.starter import NewFiles, starter, write_files
from kappa.config.read import read_config
from kappa.errors import ConfigError


def test_the_starter_is_named_by_its_folder(tmp_path):
    folder = tmp_path / "my function!"
    write_files(folder, starter(folder / "config.yml"))
    config = read_config(folder / "config.yml")
    assert (config.function.name, config.function.handler) == (
        "my-function",
        "my_function.handler",
    )


@pytest.mark.parametrize("name", ["with space", "x" * 65])
def test_a_name_that_lambda_refuses_is_no_starter(tmp_path, name):
    with pytest.raises(ConfigError, match="not a valid function name"):
        starter(tmp_path / "config.yml", name)


def test_a_file_that_exists_is_never_overwritten(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(ConfigError, match="b already exists"):
        write_files(tmp_path, NewFiles({"a": b"new", "b": b"new"}))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="already exists"):
        write_files(tmp_path, NewFiles({"a": b"new"}))


def test_files_are_written_all_or_none(tmp_path):
    folder = tmp_path / "new" / "project"
    clashing = NewFiles({"config.yml": b"x", "code/a": b"x", "code/a/b": b"x"})
    with pytest.raises(ConfigError):
        write_files(folder, clashing)
    assert list(tmp_path.iterdir()) == []


def test_files_that_were_there_stay_when_writing_fails(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine").write_text("mine")
    with pytest.raises(ConfigError):
        write_files(tmp_path, NewFiles({"code/a": b"x", "code/mine/b": b"x"}))
    assert [path.name for path in tmp_path.rglob("*")] == ["code", "mine"]


@pytest.mark.parametrize(
    ("mask", "mode", "program"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755)]
)
def test_the_umask_decides_who_may_read_what_init_writes(tmp_path, mask, mode, program):
    old = os.umask(mask)
    try:
        write_files(tmp_path / "x", NewFiles({"a": b"", "b": b""}, frozenset({"b"})))
    finally:
        os.umask(old)
    modes = [(tmp_path / "x" / name).stat().st_mode & 0o777 for name in ("a", "b")]
    assert modes == [mode, program]


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000 + "x"])
def test_a_name_that_is_too_long_is_an_error_and_writes_nothing(tmp_path, name):
    with pytest.raises(ConfigError, match="File name too long"):
        write_files(tmp_path / "project", NewFiles({"config.yml": b"", f"code/{name}": b"x"}))
    assert list(tmp_path.iterdir()) == []

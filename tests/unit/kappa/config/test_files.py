"""Files that a config names: regular ones only."""

import os

import pytest

from kappa.config.read import read_config
from kappa.errors import ConfigError


def test_a_fifo_a_device_or_a_folder_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for file, said in (
        (tmp_path / "fifo", "Not a regular file"),
        (os.devnull, "Not a regular file"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (tmp_path / "a\0b", "No file can have this name"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_config(tmp_path / file)


def test_a_file_of_many_megabytes_is_no_config(tmp_path):
    with (tmp_path / "config.yml").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    with pytest.raises(ConfigError, match="Larger than 16 MB"):
        read_config(tmp_path / "config.yml")

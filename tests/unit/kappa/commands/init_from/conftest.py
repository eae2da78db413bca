"""An existing function, written down and read again."""

import pytest

from kappa.commands.init_from.files import adopted_files
from kappa.commands.starter import write_files
from kappa.config.read import read_config


@pytest.fixture
def imported(tmp_path):
    """Write what was found into a folder, and read it as a config."""

    def write(what):
        write_files(tmp_path, adopted_files(what, "config.yml"))
        return read_config(tmp_path / "config.yml")

    return write

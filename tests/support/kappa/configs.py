"""Parts of config files, and the error of an invalid one."""

import pytest

from kappa.config.read import read_config
from kappa.errors import ConfigError


def error_of(file, environment=""):
    """The error message for a config, without the file's path."""
    with pytest.raises(ConfigError) as error:
        read_config(file, environment)
    assert error.value.exit_code == 2
    return str(error.value).replace(f"{file}:", "")


def source(*lines):
    """The lines of a config's event source, to be appended to the function's."""
    return "  event_sources:\n    - " + "\n      ".join(lines) + "\n"

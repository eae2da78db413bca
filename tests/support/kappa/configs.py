"""Parts of config files, and the error of an invalid one."""

import pytest

from kappa.config.read import read_config
from kappa.errors import ConfigError

TWO_ENVIRONMENTS = """\
region: us-east-1
iam:
  role:
    name: greeter-role
lambda:
  name: greeter-${environment}
  path: code
  handler: greeter.handler
  runtime: python3.13
  memory_size: 128
  environment:
    GREETING: good day
    STAGE: "1.10"
environments:
  dev:
  prod:
    profile: live
    region: eu-west-1
    lambda:
      memory_size: 512
      environment:
        GREETING: good evening
"""


def append(folder, text):
    """Add lines to the end of a folder's config.yml."""
    file = folder / "config.yml"
    file.write_text(file.read_text() + text)


def error_of(file, environment=""):
    """The error message for a config, without the file's path."""
    with pytest.raises(ConfigError) as error:
        read_config(file, environment)
    assert error.value.exit_code == 2
    return str(error.value).replace(f"{file}:", "")


def source(*lines):
    """The lines of a config's event source, to be appended to the function's."""
    return "  event_sources:\n    - " + "\n      ".join(lines) + "\n"

"""Config files as the tests of this folder write them."""

import pytest

from tests.support.builders import MINIMAL


@pytest.fixture
def write(tmp_path):
    """Write a config, with the code that its handler is in."""

    def write_config(text=MINIMAL, more=""):
        for name in ("code/greeter.py", "_src/simple.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("def handler(event, context): ...\n")
        file = tmp_path / "config.yml"
        file.write_text(text + more)
        return file

    return write_config


@pytest.fixture
def included(write, tmp_path):
    """Write a config, and the file that it includes."""

    def write_both(values, more="", include="values.yml"):
        (tmp_path / "values.yml").write_text(values)
        return write(f"include: {include}\n{MINIMAL}{more}")

    return write_both

"""What the tests of the package share."""

import pytest


@pytest.fixture
def project(tmp_path):
    """A config's folder with one source file; each test adds what it is about."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "greeter.py").write_text("own")
    return tmp_path

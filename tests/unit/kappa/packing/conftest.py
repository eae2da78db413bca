"""What the tests of packing share."""

import os
from contextlib import ExitStack

import pytest

from kappa.packing.pip_install import installed
from kappa.packing.required import Required
from tests.support.kappa.wheels import X86, hide_uv


@pytest.fixture
def project(tmp_path):
    """A config's folder with one source file; each test adds what it is about."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "greeter.py").write_text("own")
    return tmp_path


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The only place that pip finds wheels in, without a uv that would take pip's place."""
    hide_uv(monkeypatch)
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def put(tmp_path, shelf):
    """Install into a cache of the test's own; the packages are there until the test ends."""
    with ExitStack() as until_the_end:

        def put_packages(requirements, machine=X86, cache="cache"):
            if not isinstance(requirements, Required):
                requirements = Required(requirements, tmp_path)
            packed = installed(requirements, machine, tmp_path / cache)
            return until_the_end.enter_context(packed)

        yield put_packages

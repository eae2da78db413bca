"""Fixtures for tests of kappa on an emulator: a proxy that stops commands, projects behind it."""

import itertools

import pytest

from local.testkit import proxy
from tests.support.kappa.whole_project import Project


@pytest.fixture(scope="module")
def through(emulator):
    with proxy.running(emulator.endpoint_url) as running:
        yield running


@pytest.fixture
def projects_of(tmp_path, emulator, through):
    count = itertools.count()
    return lambda: Project(tmp_path / f"p{next(count)}", emulator, through)

"""What the tests of the way to AWS share."""

import pytest


@pytest.fixture
def keys(monkeypatch):
    """Credentials, and one try a call."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

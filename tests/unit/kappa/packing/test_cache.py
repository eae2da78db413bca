"""Where kappa keeps what it need not make again."""

import pytest

from kappa.errors import ArchiveError
from kappa.packing.cache import cache_folder


def test_the_cache_is_where_xdg_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "kappa"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "kappa"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    # As where neither HOME nor the list of users names one.
    monkeypatch.setenv("HOME", "~")
    with pytest.raises(ArchiveError, match="no home folder") as caught:
        cache_folder()
    assert "XDG_CACHE_HOME" in caught.value.hint

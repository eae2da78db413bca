"""The unpacked code: once, whole, unchanged, and not for ever."""

import io
import os
import stat
import threading
import time
import zipfile
from pathlib import Path

import pytest

from kappa.errors import ArchiveError
from kappa.local_run import code_cache
from kappa.local_run.code_cache import CODE, in_source, source_folder, unpacked
from kappa.package.pack import read_archive
from kappa.package.zip import Archive, sha256_of


def archive(*entries):
    """A zip of (name, content, mode)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            packed.writestr(info, content)
    data = buffer.getvalue()
    return Archive(data, sha256_of(data), tuple(name for name, _, _ in entries), len(data))


def plain(text):
    return archive(("app.py", text, 0o100644))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(cache):
    return sorted(path.name for path in (cache / "code").iterdir())


def test_files_have_the_content_and_the_rights_of_the_zip(tmp_path):
    packed = archive(("app.py", "x", 0o100644), ("bin/run", "y", 0o100755), ("empty/", "", 0))
    with unpacked(packed, tmp_path) as entry:
        code = entry / CODE
        assert (code / "app.py").read_text() == "x"
        assert (mode(code / "app.py"), mode(code / "bin/run")) == (0o444, 0o555)
        assert (mode(code), mode(code / "bin")) == (0o555, 0o555)
        assert (code / "empty").is_dir()


def test_a_zip_is_unpacked_once(tmp_path):
    with unpacked(plain("x"), tmp_path) as entry:
        inode = (entry / CODE / "app.py").stat().st_ino
    with unpacked(plain("x"), tmp_path) as again:
        assert (again / CODE / "app.py").stat().st_ino == inode
    with unpacked(plain("y"), tmp_path) as other:
        assert other != entry


def test_runs_at_once_share_it(tmp_path):
    seen, packed = [], archive(*((f"m{number}.py", "x", 0o100644) for number in range(50)))

    def run():
        with unpacked(packed, tmp_path) as entry:
            seen.append((entry, len(list((entry / CODE).iterdir()))))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert {count for _, count in seen} == {50}
    assert len(names(tmp_path)) == 1


def test_code_that_somebody_changed_is_unpacked_again(tmp_path):
    def added(code):
        (code / "evil.py").write_text("x")

    def changed(code):
        (code / "app.py").chmod(0o644)
        (code / "app.py").write_text("y")
        os.utime(code / "app.py", (0, 0))

    def removed(code):
        (code / "app.py").unlink()

    for change in (added, changed, removed):
        with unpacked(plain("x"), tmp_path) as entry:
            (entry / CODE).chmod(0o755)
            change(entry / CODE)
            with unpacked(plain("x"), tmp_path) as again:
                assert [file.name for file in (again / CODE).iterdir()] == ["app.py"]
                assert (again / CODE / "app.py").read_text() == "x"
    assert names(tmp_path) == [entry.name]


def test_a_disk_that_changes_the_times_is_no_endless_loop(tmp_path, monkeypatch):
    monkeypatch.setattr(code_cache, "_is_unchanged", lambda entry: False)
    for _ in range(2):
        with unpacked(plain("x"), tmp_path) as entry:
            assert (entry / CODE / "app.py").read_text() == "x"


def test_nobody_else_reads_the_code(tmp_path):
    with unpacked(plain("x"), tmp_path):
        assert mode(tmp_path / "code") == 0o700


def test_what_killed_runs_left_is_removed(tmp_path):
    left = tmp_path / "code" / ".unpacking-1"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    with unpacked(plain("new"), tmp_path) as new:
        assert names(tmp_path) == [new.name]


def test_only_what_was_used_last_and_what_is_in_use_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(code_cache, "_MAX_ENTRIES", 2)
    with unpacked(plain("old"), tmp_path) as old:
        os.utime(old, (0, 0))
        for number in range(4):
            with unpacked(plain(str(number)), tmp_path) as entry:
                os.utime(entry, (time.time() + number - 10,) * 2)
        assert (old / CODE / "app.py").read_text() == "old"
        assert len(names(tmp_path)) == 4  # the newest two, the one added to them, and this


def test_a_link_within_the_zip_is_one(tmp_path):
    link = ("lib/a.py", "../app.py", stat.S_IFLNK | 0o777)
    with unpacked(archive(("app.py", "x", 0o100644), link), tmp_path) as entry:
        assert (entry / CODE / "lib/a.py").read_text() == "x"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", ".."])
def test_a_link_that_leads_outside_is_refused(tmp_path, target):
    with pytest.raises(ArchiveError, match="not inside of the zip"):
        unpacked(archive(("a", target, stat.S_IFLNK | 0o777)), tmp_path).__enter__()
    assert names(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "code").write_text("a file")
    with pytest.raises(ArchiveError, match="could not be unpacked") as caught:
        unpacked(plain("x"), tmp_path).__enter__()
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_a_folder_has_the_names_of_the_zip(config_of, tmp_path):
    config = config_of({"app.py": "handler = 1"})
    assert source_folder(config, read_archive(config)) == tmp_path / "code"


def test_a_single_file_is_found_from_its_name_in_the_zip(config_of, tmp_path):
    config = config_of(
        {"sub/app.py": "handler = 1"}, handler="sub/app.handler", path="code/sub/app.py"
    )
    assert source_folder(config, read_archive(config)) == tmp_path / "code"


def test_a_copy_is_named_as_its_original(tmp_path):
    (tmp_path / "app.js").touch()
    text = 'at /c/code/app.js:3:1, "/c/code/app.js\\n", file:///c/code/app.js) and /c/code/x.js'
    own = str(tmp_path / "app.js")
    assert in_source(text, Path("/c/code"), tmp_path) == (
        f'at {own}:3:1, "{own}\\n", file://{own}) and /c/code/x.js'
    )

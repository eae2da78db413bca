"""The zip: the same source gives the same bytes, and nothing foreign gets in."""

import base64
import hashlib
import io
import os
import tracemalloc
import zipfile

import pytest

from kappa.errors import ArchiveError
from kappa.packing import archive
from kappa.packing.archive import pack


def folder(tmp_path, **files):
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def contents(packed):
    return zipfile.ZipFile(io.BytesIO(packed.data))


def test_a_file_is_packed_under_its_own_name(tmp_path):
    source = folder(tmp_path, deep__main_py="x = 1") / "deep" / "main.py"
    assert pack(source).names == ("main.py",)


def test_a_folder_is_packed_without_its_own_name_and_sorted(tmp_path):
    packed = pack(folder(tmp_path, b_py="b", a_py="a", lib__c_py="c"))
    assert packed.names == ("a.py", "b.py", "lib/c.py")


def test_the_same_source_gives_the_same_bytes_whatever_the_clock_says(tmp_path):
    source = folder(tmp_path, a_py="a", b_py="b")
    first = pack(source)
    os.utime(source / "a.py", (1_000_000_000, 1_000_000_000))
    assert pack(source) == first


def test_nothing_but_the_zip_itself_is_held_in_memory(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(os.urandom(8_000_000))
    tracemalloc.start()
    try:
        packed = pack(tmp_path)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 1.5 * len(packed.data)


def test_the_hash_is_written_as_lambda_writes_it(tmp_path):
    packed = pack(folder(tmp_path, a_py="a"))
    assert packed.sha256 == base64.b64encode(hashlib.sha256(packed.data).digest()).decode()


def test_only_the_executable_bit_of_a_mode_counts(tmp_path):
    source = folder(tmp_path, a_py="a", run_py="b")
    (source / "a.py").chmod(0o600)
    (source / "run.py").chmod(0o700)
    modes = [info.external_attr >> 16 for info in contents(pack(source)).infolist()]
    assert modes == [0o100644, 0o100755]


def test_a_name_that_is_not_utf_8_is_said(tmp_path):
    source = folder(tmp_path, a_py="text")
    (source / os.fsdecode(b"\xff.py")).write_text("x")
    with pytest.raises(ArchiveError, match="the file's name is not UTF-8"):
        pack(source)


@pytest.mark.parametrize("size_bytes", [1, 5])
def test_a_file_that_changes_while_it_is_packed_is_an_error(tmp_path, size_bytes):
    file = folder(tmp_path, a_py="abc") / "a.py"
    entry = archive._Entry("a.py", file, size_bytes, 0o644)
    with pytest.raises(ArchiveError, match="changed while it was packed"):
        archive._zip([entry])


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ArchiveError, match="no file to pack"):
        pack(tmp_path)


def test_a_source_over_the_unzipped_limit_is_not_even_read(tmp_path):
    with (tmp_path / "big").open("wb") as file:
        file.truncate(archive.MAX_UNZIPPED_BYTES + 1)
    with pytest.raises(ArchiveError, match=r"at most 250\.0 MB.*\n.*big") as error:
        pack(tmp_path)
    assert "unzipped" in error.value.message


def test_a_zip_over_the_upload_limit_is_an_error(tmp_path):
    (tmp_path / "noise").write_bytes(os.urandom(2000))
    with pytest.raises(ArchiveError, match="zipped"):
        pack(tmp_path, max_zipped_bytes=1000)

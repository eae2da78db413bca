"""The code of an existing function: which files of its zip are written, and where."""

import io
import zipfile

import pytest

from kappa.commands.init_from.files import adopted_files, comment_line
from kappa.commands.starter import write_files
from kappa.errors import ArchiveError, ConfigError
from tests.support.kappa.existing import existing, zipped


def test_a_program_in_the_zip_stays_one(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, "#!/bin/sh\n")
    write_files(tmp_path, adopted_files(existing(zipped=buffer.getvalue()), "config.yml"))
    assert (tmp_path / "code" / "bootstrap").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../evil.py", "a/../../../evil.py", "..\\evil.py"])
def test_a_zip_that_leads_outside_writes_nothing(tmp_path, name):
    folder = tmp_path / "project"
    new = adopted_files(existing(zipped=zipped(**{name: "x"})), "config.yml")
    with pytest.raises(ConfigError, match="leads outside"):
        write_files(folder, new)
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_name_in_a_zip_stays_inside(tmp_path):
    folder = tmp_path / "project"
    write_files(folder, adopted_files(existing(zipped=zipped(**{"/evil.py": "x"})), "config.yml"))
    assert (folder / "code" / "evil.py").read_text() == "x"


def test_a_symbolic_link_in_a_zip_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="symbolic link"):
        adopted_files(existing(zipped=buffer.getvalue()), "config.yml")


def test_what_is_no_zip_is_an_error():
    with pytest.raises(ArchiveError, match="cannot be read"):
        adopted_files(existing(zipped=b"no zip"), "config.yml")


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        "lib/.git/hooks/post-checkout",
        ".GIT/config",
        ".g\u200cit/config",
        ".hg/hgrc",
        "lib/__pycache__/x.py",
        "x.pyc",
        ".DS_Store",
        ".lambdaignore",
        "lib/.env",
        ".aws/credentials",
    ],
)
def test_what_packing_leaves_out_is_left_out_on_the_way_back(name):
    new = adopted_files(existing(zipped=zipped(**{name: "x"})), "config.yml")
    assert [one for one in new.files if one.startswith("code/")] == ["code/greeter.py"]
    assert new.remarks == (f"Of the zip, what packing leaves out: {comment_line(name)}.",)


@pytest.mark.parametrize("folder", ["", "lib/"])
def test_a_folder_is_no_git_repository_by_itself(folder):
    names = ("HEAD", "config", "objects/x", "refs/heads/main")
    files = zipped(**{f"{folder}{name}": "x" for name in names})
    new = adopted_files(existing(zipped=files), "config.yml")
    assert f"code/{folder}HEAD" not in new.files
    assert f"code/{folder}config" in new.files
    assert f"{folder}HEAD" in new.remarks[0]


def test_a_file_called_head_is_kept_elsewhere():
    new = adopted_files(existing(zipped=zipped(HEAD="x", **{"objects/x": "x"})), "config.yml")
    assert "code/HEAD" in new.files


def test_a_zip_that_is_damaged_inside_is_an_error():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "x" * 1000)
    data = bytearray(buffer.getvalue())
    data[34:40] = b"\xff" * 6
    with pytest.raises(ArchiveError, match="cannot be read"):
        adopted_files(existing(zipped=bytes(data)), "config.yml")


def test_names_in_a_zip_are_those_of_the_files_that_they_are(imported):
    names = {"./requirements.txt": "tea==1.0", "x//y.py": "", "./.git/config": "x"}
    config = imported(existing(zipped=zipped(**names)))
    assert config.function.requirements == ()
    code = config.file.parent / "code"
    assert sorted(path.name for path in code.rglob("*.*")) == [
        *("greeter.py", "requirements.txt", "y.py")
    ]
    new = adopted_files(existing(zipped=zipped(**names)), "config.yml")
    assert "code/x/y.py" in new.files

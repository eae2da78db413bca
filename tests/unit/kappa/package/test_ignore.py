"""Files of patterns: .lambdaignore and .gitignore."""

import shutil
import subprocess

import pytest

from kappa.errors import ArchiveError
from kappa.package.ignore import GitIgnored, git_ignored, read_ignored


def test_the_mark_that_editors_write_before_a_text_is_no_part_of_a_pattern(tmp_path):
    (tmp_path / ".lambdaignore").write_bytes(b"\xef\xbb\xbfsecrets.env\n")
    assert read_ignored(tmp_path)("secrets.env")


FILES = ["a.log", "keep.log", "dist/a.js", "lib/b.log", "lib/dist/b.js", "lib/own.txt", "src/c.ts"]
IGNORED = {
    ".gitignore": "*.log\n/dist/\n!keep.log\n",
    "lib/.gitignore": "!b.log\nown.txt\n",
}


@pytest.fixture
def repository(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name, text in IGNORED.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def kept(folder, ignored):
    """The files below a folder that are not ignored."""
    names, own = set(), ignored.below(folder)
    for path in folder.iterdir():
        if path.name in (".git", ".gitignore") or own.matches(path, is_folder=path.is_dir()):
            continue
        names |= kept(path, own) if path.is_dir() else {path}
    return names


@pytest.mark.skipif(not shutil.which("git"), reason="git is the judge")
def test_the_same_files_are_ignored_as_by_git(repository):
    shutil.rmtree(repository / ".git")
    subprocess.run(["git", "init", "-q", repository], check=True)
    command = ["git", "-C", repository, "ls-files", "-o", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    ours = {path.relative_to(repository).as_posix() for path in kept(repository, GitIgnored())}
    assert ours == {name for name in listed if not name.endswith(".gitignore")}
    assert ours == {"keep.log", "lib/b.log", "lib/dist/b.js", "src/c.ts"}


def test_a_repositorys_own_patterns_count_in_a_folder_of_it(repository):
    (repository / "src" / "c.log").touch()
    assert kept(repository / "src", git_ignored(repository / "src")) == {repository / "src/c.ts"}


def test_nothing_above_a_repository_counts(repository):
    (repository / "src" / ".git").mkdir()
    (repository / "src" / "c.log").touch()
    assert len(kept(repository / "src", git_ignored(repository / "src"))) == 2


def test_a_folder_that_is_ignored_itself_has_files_all_the_same(repository):
    (repository / "dist" / "a.log").touch()
    assert len(kept(repository / "dist", git_ignored(repository / "dist"))) == 2


def test_a_broken_pattern_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / ".gitignore").write_text("!\n")
    with pytest.raises(ArchiveError, match="gitignore"):
        GitIgnored().below(tmp_path)

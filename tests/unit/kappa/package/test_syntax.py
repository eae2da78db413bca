"""Code that the runtime cannot read is refused with its file and line, and never run."""

import shutil
import sys

import pytest
from msgspec.structs import replace

from kappa.errors import ArchiveError
from kappa.package.files import Extras
from kappa.package.find_python import find_python
from kappa.package.syntax import check_syntax
from kappa.package.zip import pack
from tests.support.builders import kappa_config

MINOR = sys.version_info.minor
OWN, NEWER, NODE = f"python3.{MINOR}", "python3.99", "nodejs18.x"
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="needs node")


@pytest.fixture
def check(tmp_path):
    """Check these files of a function, by name; `packages` are installed ones."""

    def check_files(files, runtime=OWN, packages=()):
        for folder, texts in (("code", files), ("packages", dict(packages))):
            for name, text in texts.items():
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        extras = Extras(packages=tmp_path / "packages" if packages else None)
        config = replace(kappa_config({"runtime": runtime}), file=tmp_path / "config.yml")
        return check_syntax(config, pack(tmp_path / "code", extras=extras))

    return check_files


@pytest.mark.parametrize(
    ("name", "code", "runtime", "line"),
    [
        ("lib/tea.py", "import tea\n\ndef main(event, context)\n    return 1\n", OWN, 3),
        ("tea.py", "MINUTES = = 3\n", OWN, 1),
        ("tea.py", "x = 1\nreturn x\n", OWN, 2),
        ("tea.py", b"x = '\xff'\n", OWN, 1),
        ("tea.py", b"x = 1\0\n", OWN, 1),
        ("tea.py", "# coding: nonsense\n", OWN, 1),
        ("tea.py", "\nwith (open('a') as a, open('b') as b): ...\n", "python3.8", 2),
        ("tea.py", "match x:\n    case 1: ...\n", "python3.9", 2),
        pytest.param("tea.js", "const a = 1;\nfunction f( {", NODE, 2, marks=needs_node),
        pytest.param("tea.cjs", "\nimport x from 'y';", NODE, 2, marks=needs_node),
        pytest.param("tea.mjs", "import x from 'y';\nexport const = 1;", NODE, 2, marks=needs_node),
        pytest.param("tea.js", "import x from 'y';\nexport const = 1;", NODE, 2, marks=needs_node),
    ],
)
def test_a_file_that_the_runtime_cannot_read_is_named_with_its_line(
    check, tmp_path, name, code, runtime, line
):
    with pytest.raises(ArchiveError) as caught:
        check({"app.py": "import tea\n", "app.js": "", name: code}, runtime)
    assert caught.value.message.startswith(f"{tmp_path}/code/{name}:{line}: ")
    assert ".lambdaignore" in caught.value.hint


@pytest.mark.parametrize(
    ("files", "runtime"),
    [
        ({"app.py": "open('{ran}', 'w')\nraise SystemExit\n"}, OWN),
        ({"app.py": "x = '\\d' is 1\nassert (x, 'always')\n"}, OWN),  # Python only warns
        ({"app.py": "x = " + "-" * 60_000 + "1"}, OWN),  # nested too deeply to be compiled here
        ({"app.py": "= =", "node_modules/x/a.js": "= ="}, NODE),
        ({"app.py": "x = 1", "app.js": "= ="}, OWN),
        ({"app.py": "= ="}, "java21"),
        ({"tea/old.py": "print 1\n", "tea-1.0.dist-info/METADATA": ""}, OWN),
        (
            {"app.js": "#!/usr/bin/env node\nrequire('fs').writeFileSync('{ran}', ''); return 1"},
            NODE,
        ),
        ({"app.js": "import a from 'a';\nexport const b = await 1;"}, NODE),
        ({"app.mjs": "export default 1;", "app.cjs": "module.exports = 1;"}, NODE),
    ],
)
def test_what_the_runtime_may_read_is_not_refused_nor_run(check, tmp_path, files, runtime):
    ran = tmp_path / "ran"
    assert (
        check({name: text.replace("{ran}", str(ran)) for name, text in files.items()}, runtime)
        == ""
    )
    assert not ran.exists()


def test_installed_packages_are_not_the_users_to_correct(check):
    assert check({"app.py": "import tea\n"}, packages={"tea/old.py": "print 1\n"}) == ""


def test_what_a_newer_python_may_read_is_a_note(check, tmp_path):
    note = check({"app.py": "def tea[T: = = 3](): ...\n"}, NEWER)
    assert note.startswith(f"{tmp_path}/code/app.py:1: Python 3.{MINOR} cannot read this: ")
    assert "python3.99 is newer and not installed here" in note


@needs_node
def test_what_a_newer_node_may_read_is_a_note(check):
    assert "nodejs99.x is newer" in check({"app.js": "= ="}, "nodejs99.x")


def test_the_runtimes_own_python_decides_where_it_is_installed(check):
    newer = next(filter(find_python, range(max(12, MINOR + 1), 17)), None)
    if newer is None or MINOR >= 12:
        pytest.skip("needs a Python older than 3.12, and a newer one")
    runtime = f"python3.{newer}"
    assert check({"app.py": "type Tea = int\n"}, runtime) == ""
    with pytest.raises(ArchiveError, match=r"app\.py:2: Python 3\.\d+ cannot read this"):
        check({"app.py": "type Tea = int\n= =\n"}, runtime)

"""Code that Python cannot read is named with its file and line; it is compiled and never run."""

import ast
import shutil
import sys
from pathlib import Path

import pytest

from kappa.errors import ConfigError
from kappa.packing import compile_code
from kappa.packing.archive import pack
from kappa.packing.check_syntax import problems, refuse
from kappa.packing.files import Extras

OWN = f"python3.{sys.version_info.minor}"
NEWER = "python3.99"
# As a newer Python would: it reads all, and says which it is.
READS_ALL = 'cat > /dev/null\necho \'{"minor": 99, "problems": []}\'\n'


def program(path, script):
    """Make a program of a shell script, which names itself when it is looked for."""
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n[ $1 = -ISc ] && exec echo $0\n{script}")
    path.chmod(0o755)
    return path


@pytest.fixture
def found(tmp_path):
    """What is said of these files, by name; `packages` are installed ones."""

    def problems_of(runtime=OWN, packages=None, **files):
        for folder, texts in (("code", files), ("packages", packages or {})):
            for name, text in texts.items():
                path = tmp_path / folder / name.replace("__", "/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_suffix(".py").write_bytes(
                    text if isinstance(text, bytes) else text.encode()
                )
        extras = Extras(packages=tmp_path / "packages" if packages else None)
        return problems(runtime, pack(tmp_path / "code", extras=extras))

    return problems_of


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("import tea\n\ndef main(event, context)\n    return 1\n", 3),
        ("MINUTES = = 3\n", 1),
        ("x = 1\nreturn x\n", 2),
        (b"x = '\xff'\n", 1),
        (b"x = 1\0\n", 1),
        ("# coding: nonsense\n", 1),
    ],
)
def test_a_file_that_python_cannot_read_is_named_with_its_line(found, code, line):
    (problem,) = found(app="import lib.tea\n", lib__tea=code)
    assert str(problem).startswith(f"lib/tea.py:{line}: ")
    assert problem.is_certain
    with pytest.raises(ConfigError, match=rf"cannot read lib/tea\.py:{line}: "):
        refuse([problem])


def test_good_code_is_read_and_never_run(found, tmp_path):
    ran = tmp_path / "ran"
    assert found(app=f"open({str(ran)!r}, 'w')\nraise SystemExit\n") == []
    assert not ran.exists()


def test_code_of_another_runtime_is_not_read(found):
    assert found("nodejs24.x", app="= =") == []


def test_packages_are_not_ours_to_correct(found):
    bad = {"tea__old": "print 1\n", "tea-1.0.dist-info__x": ""}
    assert found(app="import tea\n", packages=bad) == []
    vendored = {"tea__old": "print 1\n", "tea-1.0.dist-info__x": "", "app": "= ="}
    assert [one.name for one in found(**vendored)] == ["app.py"]


def test_what_a_newer_python_may_read_is_not_called_an_error(found):
    (problem,) = found(NEWER, app="def tea[T: = = 3](): ...\n")
    assert not problem.is_certain
    assert "the runtime is newer and may read it" in str(problem)
    refuse([problem])


def test_the_runtimes_own_python_is_asked_where_it_is_installed(found, tmp_path, monkeypatch):
    python = program(tmp_path / "bin" / NEWER, READS_ALL)
    monkeypatch.setenv("PATH", str(python.parent), prepend=":")
    assert found(NEWER, app="= =") == []


def test_no_newer_python_is_started_for_what_an_older_one_reads(found, tmp_path, monkeypatch):
    python = program(tmp_path / "bin" / NEWER, f"touch {tmp_path}/started\n{READS_ALL}")
    monkeypatch.setenv("PATH", str(python.parent), prepend=":")
    assert found(NEWER, app="x = 1\n") == []
    assert not (tmp_path / "started").exists()
    found(NEWER, app="= =")
    assert (tmp_path / "started").exists()


@pytest.mark.parametrize("rows", ['[[7, 1, "x"]]', "[[0, 1]]", '[[0, "x", "y"]]', "[1]", "7"])
def test_a_program_that_answers_nonsense_is_not_believed(found, tmp_path, monkeypatch, rows):
    answer = f"""cat > /dev/null\necho '{{"minor": 99, "problems": {rows}}}'\n"""
    python = program(tmp_path / "bin" / NEWER, answer)
    monkeypatch.setenv("PATH", str(python.parent), prepend=":")
    assert all(problem.name == "app.py" for problem in found(NEWER, app="= ="))


@pytest.mark.parametrize("runtime", [OWN, NEWER])
@pytest.mark.parametrize("folder", ["bin", "shims"])
def test_a_launcher_of_a_python_that_is_not_there_is_passed_over(
    found, tmp_path, monkeypatch, runtime, folder
):
    python = program(tmp_path / folder / runtime, "echo not installed >&2\nexit 127\n")
    monkeypatch.setenv("PATH", str(python.parent), prepend=":")
    assert Path(shutil.which(runtime)) == python
    assert len(found(runtime, app="= =")) == 1


def test_another_python_says_the_same(found, tmp_path, monkeypatch):
    program(tmp_path / "bin" / NEWER, f'exec "{sys.executable}" "$@"\n')
    code = {"a": "x = 1\n", "b": "\n= =\n", "c": b"x = '\xff'\n", "d": b"x = 1\0\n", "e": ""}
    ours = [(one.name, one.line, one.message) for one in found(**code)]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert [(one.name, one.line, one.message) for one in found(NEWER, **code)] == ours
    assert [name for name, *_ in ours] == ["b.py", "c.py", "d.py"]


def test_the_oldest_python_of_a_runtime_can_run_the_script():
    text = Path(compile_code.__file__).read_text()
    nodes = list(ast.walk(ast.parse(text, feature_version=(3, 6))))
    assert "annotations" not in {node.name for node in nodes if isinstance(node, ast.alias)}
    # So Python evaluates annotations, and it has list[...] since 3.9 only: they must be strings.
    annotations = [node.annotation for node in nodes if isinstance(node, ast.arg)]
    annotations += [node.returns for node in nodes if isinstance(node, ast.FunctionDef)]
    assert {type(annotation) for annotation in annotations} == {ast.Constant}


def test_what_python_only_warns_of_is_no_problem(found):
    assert found(app="x = '\\d' is 1\nassert (x, 'always')\n") == []


def test_code_nested_too_deeply_is_left_to_lambda(found):
    assert found(app="x = " + "-" * 60_000 + "1", lib="x = 1") == []


def test_more_than_one_file_is_counted(found):
    bad = found(a="= =", b="= =", c="= =")
    with pytest.raises(ConfigError, match=r"a\.py:1: .* and 2 more\."):
        refuse(bad)

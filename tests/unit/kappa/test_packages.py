"""The packages that a function needs: installed for Lambda's machine, the same bytes each time."""

import os
import subprocess
import sys
import threading
import zipfile

import pytest

from kappa import packages
from kappa.errors import ArchiveError
from kappa.packages import Target, install

X86 = Target(13)
ARM = Target(13, "arm64")


def wheel(folder, name="tea", version="1.0", tag="py3-none-any", requires=(), **files):
    """A wheel as small as pip takes it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}/__init__.py": f'TAG = "{tag}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        **files,
    }
    record = "".join(f"{one},,\n" for one in (*files, f"{info}/RECORD"))
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The only place that pip finds wheels in."""
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
    """Install into a cache of the test's own."""

    def put_packages(requirements, machine=X86, cache="cache"):
        return install(requirements, tmp_path, machine, tmp_path / cache)

    return put_packages


def contents(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_package_is_installed_with_what_it_requires(put, shelf):
    wheel(shelf, requires=["cup>=2"])
    wheel(shelf, "cup", "2.1")
    assert {"tea/__init__.py", "cup/__init__.py"} <= set(contents(put("tea==1.0")))


@pytest.mark.parametrize(
    ("machine", "tag"),
    [
        (X86, "cp313-cp313-manylinux_2_34_x86_64"),
        (X86, "cp38-abi3-manylinux_2_28_x86_64"),
        (ARM, "cp313-cp313-manylinux_2_17_aarch64"),
        (Target(11), "cp311-cp311-manylinux_2_26_x86_64"),
    ],
)
def test_a_wheel_of_lambdas_machine_is_taken(put, shelf, machine, tag):
    wheel(shelf, tag=tag)
    assert tag in contents(put("tea", machine))["tea/__init__.py"].decode()


@pytest.mark.parametrize(
    ("machine", "tag"),
    [
        (X86, "cp313-cp313-manylinux_2_17_aarch64"),
        (ARM, "cp313-cp313-manylinux2014_x86_64"),
        (X86, "cp313-cp313-manylinux_2_35_x86_64"),
        (Target(11), "cp311-cp311-manylinux_2_28_x86_64"),
    ],
)
def test_a_package_without_a_wheel_for_the_machine_is_named(put, shelf, machine, tag):
    wheel(shelf, tag=tag)
    with pytest.raises(ArchiveError) as error:
        put("tea==1.0", machine)
    assert f"The package tea==1.0 has no wheel for {machine}." in error.value.message
    assert "PIP_FIND_LINKS" in error.value.hint


def test_markers_are_asked_of_lambdas_machine(put, shelf):
    when = ['cup; python_version == "3.13"', 'mug; platform_machine == "aarch64"']
    wheel(shelf, requires=[*when, 'jug; python_version < "3.13"', 'pot; sys_platform != "linux"'])
    for name in ("cup", "mug"):
        wheel(shelf, name)
    found = set(contents(put("tea", ARM)))
    assert {"cup/__init__.py", "mug/__init__.py"} <= found
    assert not any(name.startswith(("jug", "pot")) for name in found)


def test_a_package_that_is_source_only_is_never_built(put, shelf):
    (shelf / "tea-1.0.tar.gz").write_bytes(b"not even opened")
    with pytest.raises(ArchiveError, match="The package tea has no wheel"):
        put("tea")


def test_two_machines_keep_the_same_bytes(put, shelf):
    entry = {"tea-1.0.dist-info/entry_points.txt": "[console_scripts]\nbrew = tea:brew\n"}
    wheel(shelf, **entry)
    first, second = put("tea", cache="one"), put("tea", cache="two")
    assert first != second
    assert contents(first) == contents(second)
    assert set(contents(first)) == {
        "tea/__init__.py",
        "tea-1.0.dist-info/METADATA",
        "tea-1.0.dist-info/WHEEL",
        "tea-1.0.dist-info/entry_points.txt",
    }


def test_the_same_requirements_are_installed_once(put, shelf):
    wheel(shelf)
    first = put("tea")
    (shelf / "tea-1.0-py3-none-any.whl").unlink()
    assert put("tea") == first
    with pytest.raises(ArchiveError):
        put("tea", ARM)


def test_another_included_file_is_another_installation(put, shelf, tmp_path):
    wheel(shelf)
    wheel(shelf, version="2.0")
    (tmp_path / "pins.txt").write_text("tea==1.0\n")
    first = put("-r pins.txt")
    (tmp_path / "pins.txt").write_text("tea==2.0\n")
    second = put("-r pins.txt")
    assert "tea-1.0.dist-info/METADATA" in contents(first)
    assert "tea-2.0.dist-info/METADATA" in contents(second)


def test_a_constraint_beside_the_config_counts(put, shelf, tmp_path):
    wheel(shelf)
    wheel(shelf, version="2.0")
    (tmp_path / "limits.txt").write_text("tea<2\n")
    assert "tea-1.0.dist-info/METADATA" in contents(put("-c limits.txt\ntea"))


def test_two_runs_at_once_give_one_installation(put, shelf, tmp_path):
    wheel(shelf)
    found = []
    runs = [threading.Thread(target=lambda: found.append(put("tea"))) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "cache" / "packages").iterdir()] == [found[0].name]


def test_what_fails_leaves_nothing_in_the_cache(put, shelf, tmp_path):
    with pytest.raises(ArchiveError, match="tea"):
        put("tea")
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_line_that_pip_does_not_understand_is_pips_to_explain(put):
    with pytest.raises(ArchiveError, match=r"pip failed: .*tea"):
        put("tea ===== 1")


def test_an_index_that_cannot_be_reached_is_not_a_missing_wheel(put, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ArchiveError, match="could not reach the package index"):
        put("tea")


def test_a_cache_that_cannot_be_written_says_what_to_set(put, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ArchiveError, match="XDG_CACHE_HOME"):
        put("tea")


def test_the_cache_is_where_xdg_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert packages.cache_folder() == tmp_path / "kappa"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert packages.cache_folder() == tmp_path / ".cache" / "kappa"


def test_an_interpreter_without_pip_says_how_to_get_it(tmp_path):
    code = (
        "import importlib.metadata as m, pathlib, sys\n"
        "sys.path[:] = [one for one in sys.path if 'site-packages' not in one]\n"
        f"sys.path.insert(0, {str(packages.__file__).rsplit('/kappa/', 1)[0]!r})\n"
        "from kappa.packages import install, Target\n"
        f"install('tea', pathlib.Path({str(tmp_path)!r}), Target(13), pathlib.Path('cache'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "ensurepip" in run.stderr


@pytest.mark.parametrize(
    ("runtime", "machine"),
    [
        ("python3.13", "Python 3.13 on arm64 Linux"),
        ("python3.9", "Python 3.9 on arm64 Linux"),
        ("nodejs24.x", "None"),
        ("", "None"),
    ],
)
def test_only_a_python_has_packages(runtime, machine):
    assert str(packages.target(runtime, "arm64")) == machine

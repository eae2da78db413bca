"""The packages that a function needs: installed for Lambda's machine, the same bytes each time."""

import os
import socket
import subprocess
import sys
import tarfile
import threading

import pytest

from kappa.errors import ArchiveError
from kappa.packing.machine import Machine
from kappa.packing.pip_cache_key import digest
from tests.support.kappa.wheels import ARM, X86, contents, wheel
from tests.support.samples import sample


@pytest.mark.parametrize(
    ("machine", "tags"),
    sample(
        (X86, ["cp313-cp313-manylinux_2_34_x86_64", "cp38-abi3-manylinux_2_28_x86_64"]),
        more=[
            (ARM, ["cp313-cp313-manylinux_2_17_aarch64", "cp313-none-any"]),
            (Machine(11), ["cp311-cp311-manylinux_2_26_x86_64"]),
        ],
    ),
)
def test_a_wheel_of_lambdas_machine_is_taken(put, shelf, machine, tags):
    names = [f"tea{number}" for number in range(len(tags))]
    for name, tag in zip(names, tags, strict=True):
        wheel(shelf, name, tag=tag)
    found = contents(put("\n".join(names), machine))
    for name, tag in zip(names, tags, strict=True):
        assert tag in found[f"{name}/__init__.py"].decode()


@pytest.mark.parametrize(
    ("machine", "tag"),
    sample(
        (X86, "cp313-cp313-manylinux_2_17_aarch64"),
        (X86, "cp313-cp313-manylinux_2_35_x86_64"),
        more=[
            (ARM, "cp313-cp313-manylinux2014_x86_64"),
            (Machine(11), "cp311-cp311-manylinux_2_28_x86_64"),
        ],
    ),
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
    wheel(shelf, "cup", tag="cp313-cp313-manylinux_2_17_aarch64")
    wheel(shelf, "mug")
    found = set(contents(put("tea", ARM)))
    assert {"cup/__init__.py", "mug/__init__.py"} <= found
    assert not any(name.startswith(("jug", "pot")) for name in found)


def test_a_package_that_is_source_only_is_never_built_and_nothing_is_left(put, shelf, tmp_path):
    (shelf / "tea-1.0.tar.gz").write_bytes(b"not even opened")
    with pytest.raises(ArchiveError, match="The package tea has no wheel") as error:
        put("tea")
    assert "lambda.build_packages" in error.value.hint
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_two_machines_keep_the_same_bytes_of_a_package_and_what_it_requires(put, shelf):
    entry = {"tea-1.0.dist-info/entry_points.txt": "[console_scripts]\nbrew = tea:brew\n"}
    wheel(shelf, requires=["cup>=2"], **entry)
    wheel(shelf, "cup", "2.1")
    first, second = put("tea==1.0", cache="one"), put("tea==1.0", cache="two")
    assert first != second
    assert contents(first) == contents(second)
    assert set(contents(first)) == {
        "cup/__init__.py",
        "cup-2.1.dist-info/METADATA",
        "cup-2.1.dist-info/WHEEL",
        "tea/__init__.py",
        "tea-1.0.dist-info/METADATA",
        "tea-1.0.dist-info/WHEEL",
        "tea-1.0.dist-info/entry_points.txt",
    }


def test_the_same_requirements_are_installed_once(put, shelf):
    wheel(shelf)
    first = put("tea")
    assert put("tea # the same") == first
    assert put("tea", ARM) != first


def version_of(folder):
    (found,) = [path.name for path in folder.glob("*.dist-info")]
    return found


def test_a_wheel_that_was_built_anew_under_its_name_is_packed(put, tmp_path):
    found = []
    for text in ("first", "second"):
        wheel(tmp_path / "wheels", **{"tea/leaf.py": text})
        (tmp_path / "r.txt").write_text("./wheels/tea-1.0-py3-none-any.whl;python_version>'3'")
        found.append(contents(put(tmp_path / "r.txt"))["tea/leaf.py"].decode())
    assert found == ["first", "second"]


def test_a_new_wheel_where_pip_looks_is_packed(put, shelf, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS")
    wheel(shelf)
    assert version_of(put("-fshelf\ntea")) == "tea-1.0.dist-info"
    wheel(shelf, version="2.0")
    assert version_of(put("-fshelf\ntea")) == "tea-2.0.dist-info"


def test_a_new_wheel_in_the_folder_of_pips_settings_is_packed(put, shelf):
    wheel(shelf)
    assert version_of(put("tea")) == "tea-1.0.dist-info"
    wheel(shelf, version="2.0")
    assert version_of(put("tea")) == "tea-2.0.dist-info"


def test_another_constraint_in_pips_own_file_is_another_installation(
    put, shelf, tmp_path, monkeypatch
):
    wheel(shelf)
    wheel(shelf, version="2.0")
    (tmp_path / "limits.txt").write_text("tea<2\n")
    (tmp_path / "pip.conf").write_text(f"[install]\nconstraint = {tmp_path}/limits.txt\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert version_of(put("tea")) == "tea-1.0.dist-info"
    (tmp_path / "limits.txt").write_text("tea<3\n")
    assert version_of(put("tea")) == "tea-2.0.dist-info"


def test_what_an_address_gives_is_asked_each_time(put, shelf, tmp_path):
    wheel(shelf, "cup")
    page = tmp_path / "shelf" / "index.html"
    page.write_text(f'<a href="file://{tmp_path}/other/tea-1.0-py3-none-any.whl">tea</a>')
    found = []
    for text in ("first", "second"):
        wheel(tmp_path / "other", **{"tea/leaf.py": text})
        found.append(contents(put(f"--find-links {page}\ntea"))["tea/leaf.py"].decode())
    assert found == ["first", "second"]


BACKEND = """
import pathlib
pathlib.Path({ran!r}).write_text("ran")
def build_wheel(*_, **__): raise SystemExit
"""


@pytest.fixture
def source(tmp_path):
    """A package's source, in a folder and as an archive; running it leaves a file `ran`."""
    folder = tmp_path / "pkg"
    folder.mkdir()
    (folder / "backend.py").write_text(BACKEND.format(ran=str(tmp_path / "ran")))
    (folder / "setup.py").write_text(BACKEND.format(ran=str(tmp_path / "ran")))
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tea"\nversion = "1.0"\n'
    )
    with tarfile.open(tmp_path / "shelf" / "tea-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, "tea-1.0")
    return folder


@pytest.mark.parametrize(
    "requirement",
    sample(
        "./pkg",
        "-e ./pkg",
        "tea @ file://{}/shelf/tea-1.0.tar.gz",
        "--no-binary=:all:\ntea",
        "tea @ git+https://me:secret@localhost/tea",
        "cup",
        more=[
            "git+file://{}/pkg",
            "-r more.txt",
            "./pkg[milk]",
            "pkg/",
            "tea @ file://{}/pkg",
            "--editable=./pkg",
            "shelf/tea-1.0.tar.gz",
            "--no-binary tea\ntea",
            "tea @ git+https://localhost/pkg",
            "-e git+file://{}/pkg#egg=tea",
        ],
    ),
)
def test_no_code_of_a_package_runs_here(put, shelf, source, tmp_path, requirement):
    (tmp_path / "more.txt").write_text("./pkg\n")
    wheel(shelf, "cup", requires=[f"tea @ file://{tmp_path}/pkg"])
    with pytest.raises(ArchiveError, match=r"(pkg|tea).* is not a wheel") as error:
        put(requirement.format(tmp_path))
    assert "pip wheel" in error.value.hint
    assert "secret" not in error.value.message
    assert not (tmp_path / "ran").exists()
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value"),
    sample(
        ("PIP_NO_BINARY", "tea"),
        more=[("PIP_EDITABLE", "./pkg"), ("PIP_PYTHON", sys.executable)],
    ),
)
def test_settings_of_pip_run_no_code_of_a_package_either(
    put, shelf, source, tmp_path, monkeypatch, variable, value
):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ArchiveError):
        put("tea" if variable != "PIP_PYTHON" else "./pkg")
    assert not (tmp_path / "ran").exists()


def test_a_named_wheel_of_another_machine_is_refused(put, tmp_path):
    tag = "cp311-cp311-manylinux_2_17_x86_64"
    wheel(tmp_path / "wheels", tag=tag)
    with pytest.raises(ArchiveError, match=rf"{tag}\.whl is not for Python 3\.13 on arm64"):
        put(f"./wheels/tea-1.0-{tag}.whl", ARM)


def test_settings_of_pip_bring_no_wheel_of_another_machine(put, shelf, monkeypatch):
    wheel(shelf, tag="cp313-none-win32")
    monkeypatch.setenv("PIP_PLATFORM", "win32")
    with pytest.raises(ArchiveError, match=r"tea-1\.0 is for cp313-none-win32, not for Python"):
        put("tea")


@pytest.mark.parametrize(
    "line", sample("--requirement=r", "-r ${PINS}/r", more=["-r r", "-rr", '-r "r"'])
)
def test_included_files_are_found_however_they_are_named(put, shelf, tmp_path, monkeypatch, line):
    monkeypatch.setenv("PINS", str(tmp_path))
    wheel(shelf)
    (tmp_path / "r").write_text("tea\n")
    assert version_of(put(line)) == "tea-1.0.dist-info"


def test_a_file_of_requirements_is_pips_to_read(put, shelf, tmp_path):
    """Such as one that Poetry exports: markers, hashes, lines that go on."""
    wheel(shelf)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "r.txt").write_text("-r more.txt\n")
    tea = digest(shelf / "tea-1.0-py3-none-any.whl")
    (tmp_path / "deep" / "more.txt").write_text(
        'tea==1.0 ; python_version >= "3.11" and python_version < "4" \\\n'
        f"    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{tea}\n"
        'cup==1.0 ; python_version >= "3.11" and (sys_platform == "win32") \\\n'
        f"    --hash=sha256:{'0' * 64}\n"
    )
    assert version_of(put(tmp_path / "deep" / "r.txt")) == "tea-1.0.dist-info"


def test_a_requirements_file_that_is_a_pipe_is_refused(put, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for named in ("-r pipe", tmp_path / "pipe"):
        with pytest.raises(ArchiveError, match="pipe"):
            put(named)


def test_what_killed_runs_left_is_swept_and_what_runs_now_stays(put, shelf, tmp_path):
    wheel(shelf)
    base = tmp_path / "cache" / "packages"
    for name in ("old", "new"):
        (base / f".installing-{name}").mkdir(parents=True)
    os.utime(base / ".installing-old", (0, 0))
    put("tea")
    assert [path.name for path in base.glob(".installing-*")] == [".installing-new"]


def test_a_parallel_run_that_ends_meanwhile_is_no_error(put, shelf, tmp_path):
    wheel(shelf)
    base = tmp_path / "cache" / "packages"
    base.mkdir(parents=True)
    # As its folder between the listing and the look at it: there is a name, and nothing behind it.
    (base / ".installing-ended").symlink_to("nowhere")
    assert version_of(put("tea")) == "tea-1.0.dist-info"


def test_pip_ends_when_kappa_is_killed(shelf, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as index:
        code = (
            "import pathlib\nfrom kappa.packing.pip_install import installed\n"
            "from kappa.packing.machine import Machine\n"
            "from kappa.packing.required import Required\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n"
            "with installed(Required('tea', folder), Machine(13), folder): pass\n"
        )
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        env = {k: v for k, v in os.environ.items() if k not in ("PIP_NO_INDEX", "PIP_FIND_LINKS")}
        command = [sys.executable, "-c", code]
        env["TMPDIR"] = str(tmp_path / "tmp")
        (tmp_path / "tmp").mkdir()
        run = subprocess.Popen(command, env=env | {"PIP_INDEX_URL": url})
        index.settimeout(60)
        asked, _ = index.accept()
        with asked:
            assert asked.recv(1)
            run.kill()
            run.wait()
            # Nobody answered pip: the connection ends because pip does.
            asked.settimeout(30)
            while asked.recv(65536):
                pass
    # What pip leaves is in the folder that the next run sweeps.
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    "line", sample("-r more.txt -c limits.txt", more=["--no-index -r more.txt"])
)
def test_options_beside_an_included_file_count(put, shelf, tmp_path, line):
    wheel(shelf)
    wheel(shelf, version="2.0")
    (tmp_path / "more.txt").write_text("tea<2\n")
    (tmp_path / "limits.txt").write_text("tea<2\n")
    assert version_of(put(line)) == "tea-1.0.dist-info"


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
    assert list((tmp_path / "cache" / "packages").iterdir()) == [found[0].parent]


def test_a_damaged_installation_is_installed_anew(put, shelf):
    wheel(shelf)
    kept = put("tea")
    before = contents(kept)
    for lost in sample("tea/__init__.py", "..", more=["tea", "", "../manifest.json"]):
        path = kept / lost
        if path.is_dir():
            for file in [file for file in path.rglob("*") if file.is_file()]:
                file.unlink()
        else:
            # Of the same size, as a change by hand may be.
            path.write_bytes(path.read_bytes().swapcase())
        assert put("tea") == kept
        assert contents(kept) == before


@pytest.mark.parametrize(
    "names",
    sample(
        ["PIP_TARGET", "PIP_QUIET", "PIP_DRY_RUN", "root"],
        more=[["PIP_TARGET"], ["PIP_ROOT"], ["PIP_QUIET"], ["PIP_DRY_RUN"], ["root"]],
    ),
)
def test_settings_of_pip_install_nowhere_else(put, shelf, tmp_path, monkeypatch, names):
    wheel(shelf)
    (tmp_path / "pip.conf").write_text(f"[install]\nroot = {tmp_path}/elsewhere\n")
    values = {"PIP_QUIET": "3", "PIP_DRY_RUN": "1"}
    for name in names:
        if name == "root":
            monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
        else:
            monkeypatch.setenv(name, values.get(name, str(tmp_path / "elsewhere")))
    assert "tea/__init__.py" in contents(put("tea"))
    assert not (tmp_path / "elsewhere").exists()


def test_markers_that_leave_nothing_are_no_error(put):
    assert contents(put("tea; python_version < '3'")) == {}


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


def test_an_interpreter_without_pip_says_how_to_get_it(tmp_path):
    code = (
        "import importlib.metadata as m, pathlib, sys\n"
        "from kappa.packing.pip_install import installed\n"
        "from kappa.packing.machine import Machine\n"
        "from kappa.packing.required import Required\n"
        "sys.path[:] = [one for one in sys.path if 'site-packages' not in one]\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "with installed(Required('tea', folder), Machine(13), folder): pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "ensurepip" in run.stderr


@pytest.mark.parametrize(
    ("minor", "release", "rule", "taken"),
    sample(
        (9, "3.9.25", "python_version >= '3.9'", True),
        (11, "3.11.15", "python_full_version < '3.11.4'", False),
        more=[
            (11, "3.11.15", "python_full_version >= '3.11.4'", True),
            (11, "3.11.15", "implementation_version < '3.11.4'", False),
        ],
    ),
)
def test_packages_are_chosen_for_a_patch_level_that_lambda_may_run(
    put, shelf, minor, release, rule, taken
):
    assert Machine(minor).release == release
    wheel(shelf)
    # A package that excludes the first patch levels only.
    needs = f"Requires-Python: >=3.9,!=3.{minor}.0\n"
    about = f"Metadata-Version: 2.1\nName: cup\nVersion: 1.0\n{needs}"
    wheel(shelf, "cup", **{"cup-1.0.dist-info/METADATA": about})
    found = contents(put(f"tea; {rule}\ncup", Machine(minor)))
    assert ("tea/__init__.py" in found) is taken
    assert "cup/__init__.py" in found


@pytest.mark.parametrize("setup", sample(True, more=[False]))
def test_a_folder_that_is_called_like_a_wheel_is_no_wheel(put, tmp_path, setup):
    folder = tmp_path / "tea-1.0-py3-none-any.whl"
    folder.mkdir()
    if setup:
        (folder / "setup.py").write_text("raise SystemExit('its code has run')")
    with pytest.raises(ArchiveError) as caught:
        put(f"./{folder.name}")
    assert "is not a wheel" in caught.value.message or "not installable" in caught.value.message
    assert "Exception:" not in caught.value.message


def test_a_checkout_that_is_called_like_a_wheel_is_no_wheel(put, tmp_path):
    with pytest.raises(ArchiveError, match="is not a wheel"):
        put(f"git+file://{tmp_path}/tea-1.0-py3-none-any.whl#egg=tea")


def test_a_broken_setting_of_pip_is_said_without_its_password(put, tmp_path, monkeypatch):
    (tmp_path / "pip.conf").write_text("index-url = https://me:sec/ret@host/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(ArchiveError, match="pip failed: ") as caught:
        put("tea")
    assert "sec" not in caught.value.message
    assert "pip config debug" in caught.value.hint

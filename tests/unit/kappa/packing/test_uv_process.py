"""uv takes the place of pip only where both install the same, and never runs a package's code."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kappa.errors import ArchiveError
from kappa.packing import pip_process
from kappa.packing.archive import pack
from kappa.packing.files import Extras
from kappa.packing.machine import Machine
from kappa.packing.required import Required
from kappa.packing.uv_process import plan_job
from tests.support.kappa.wheels import ARM, X86, contents, hide_uv, wheel


@pytest.fixture
def uv(shelf, monkeypatch):
    """The uv that the development set-up installs beside Python is on PATH."""
    folder = Path(sys.executable).parent
    if not (folder / "uv").exists():
        pytest.skip("uv is not installed: `make test` does it")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def plan(tmp_path, shelf, monkeypatch):
    """Plan with something that is called uv, since planning does not start it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def plan_requirements(text, machine=X86, settings=(), **how):
        return plan_job(Required(text, tmp_path, **how), "\n".join(settings), machine)

    return plan_requirements


def test_both_tools_give_the_same_bytes(put, shelf, uv, tmp_path, monkeypatch):
    """Markers, wheels of the platform, scripts, data, headers and programs among them."""
    monkeypatch.setenv("UV_NO_BINARY", "1")
    data = ("scripts/run", "data/share/x", "data/etc/y", "headers/m.h", "purelib/pl.py")
    wheel(
        shelf,
        requires=[
            'cup; platform_machine == "aarch64" and python_full_version >= "3.13.2"',
            'jug; sys_platform == "win32" or platform_release != ""',
            "mug[milk]",
        ],
        **{f"tea-1.0.data/{name}": name for name in data},
        **{"tea-1.0.dist-info/entry_points.txt": "[console_scripts]\nbrew = tea:brew\n"},
    )
    for version, platform in enumerate(["2_34_aarch64", "2_35_aarch64", "2_17_x86_64"]):
        wheel(shelf, "cup", str(version), tag=f"cp313-cp313-manylinux_{platform}")
    wheel(shelf, "mug", "1.0")
    wheel(shelf, "mug", "1.1")
    with zipfile.ZipFile(shelf / "mug-1.0-py3-none-any.whl", "a") as archive:
        program = zipfile.ZipInfo("mug/program")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, "#!/bin/sh\n")
    (tmp_path / "more.txt").write_text("mug<1.1 # the older\n")
    (tmp_path / "code").mkdir()
    text = "-r more.txt\n./shelf/tea-1.0-py3-none-any.whl ; python_version > '3'"
    by_uv = put(text, ARM)
    assert (tmp_path / "cache" / "uv").exists()
    hide_uv(monkeypatch)
    by_pip = put(text, ARM, "other")
    assert by_pip != by_uv
    assert {"share/x", "pl.py", "mug/program", "cup-0.dist-info/METADATA"} <= set(contents(by_pip))
    first, second = (pack(tmp_path / "code", extras=Extras(packages=p)) for p in (by_pip, by_uv))
    assert first == second


def test_a_wheel_that_uv_knows_is_read_again(put, uv, tmp_path):
    """Also where its name, size and time are those of before."""
    for text in ("first", "other"):
        wheel(tmp_path / "wheels", **{"tea/leaf.py": text})
        os.utime(tmp_path / "wheels" / "tea-1.0-py3-none-any.whl", (1, 1))
        packages = put("./wheels/tea-1.0-py3-none-any.whl")
        assert contents(packages)["tea/leaf.py"].decode() == text


def test_pip_explains_what_uv_cannot_install(put, shelf, uv):
    """A wheel of the machine that built it is none of Lambda's, though uv takes it."""
    wheel(shelf, tag="cp313-cp313-linux_x86_64")
    with pytest.raises(ArchiveError, match="The package tea has no wheel for Python"):
        put("tea")


def test_uv_installs_where_there_is_no_pip(shelf, uv, tmp_path):
    wheel(shelf)
    code = (
        "import pathlib, sys\n"
        "from kappa.errors import ArchiveError\n"
        "from kappa.packing.pip_install import installed\n"
        "from kappa.packing.machine import Machine\n"
        "from kappa.packing.required import Required\n"
        "sys.path[:] = [one for one in sys.path if 'site-packages' not in one]\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "for text in ('tea', 'cup'):\n"
        "    try:\n"
        "        with installed(Required(text, folder), Machine(13), folder) as packages:\n"
        "            print([path.name for path in (packages / 'tea').iterdir()])\n"
        "    except ArchiveError as error:\n"
        "        print(error.message)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert "['__init__.py']\nuv failed: " in run.stdout
    assert "cup" in run.stdout


@pytest.mark.parametrize(
    "text",
    [
        "./pkg",
        "-e ./pkg",
        "pkg/",
        "tea @ file://{}/pkg",
        "tea @ file://{}/tea-1.0.tar.gz",
        "shelf/tea-1.0.tar.gz",
        "tea @ git+https://localhost/pkg.whl",
        "git+file://{}/pkg#egg=tea.whl",
        "tea @ https://localhost/tea-1.0.tar.gz#x.whl",
        "tea @ https://localhost/?x.whl",
        "./tea-1.0-py3-none-any.whl",
        "--no-binary :all:\ntea",
        "--no-binary tea\ntea",
        "--only-binary :none:\ntea",
        "-r more.txt",
        "-r missing.txt",
        "-r round.txt",
        "-c limits.txt\ntea",
        "--pre\ntea",
        "tea --config-settings x=y",
        "-f page.html\ntea",
        "-i file://{}/simple\ntea",
    ],
)
def test_what_uv_might_build_or_read_in_its_own_way_is_pips(plan, tmp_path, text):
    (tmp_path / "tea-1.0-py3-none-any.whl").mkdir()
    (tmp_path / "page.html").touch()
    (tmp_path / "more.txt").write_text("tea\n-e ./pkg\n")
    (tmp_path / "round.txt").write_text("tea\n-r round.txt\n")
    assert plan(text.format(tmp_path)) is None


def test_what_uv_has_no_name_for_or_may_not_build_is_pips(plan):
    assert plan("tea")
    assert plan("tea", Machine(11)) is None
    assert plan("tea", build=frozenset({"tea"})) is None
    own, another = "-i https://host/simple\ntea", "global.index-url='https://another/simple'"
    assert plan(own)
    assert plan(own, settings=[another]) is None


def test_pips_settings_become_options_of_uv(plan, shelf):
    settings = [
        "global.find-links='https://host/links shelf'",
        "global.index-url='https://old/simple'",
        "install.index-url='https://me:secret@host/simple'",
        "download.constraint='x'",
        "global.no-index='1'",
        ":env:.no-index='false'",
        ":env:.cert='/etc/pem'",
        "global.timeout='3'",
    ]
    job = plan("--extra-index-url https://more/simple\ntea --hash=sha256:00", settings=settings)
    assert job.options == (
        *("--find-links", "https://host/links", "--find-links", str(shelf)),
        "--require-hashes",
    )
    assert job.environment == {
        "SSL_CERT_FILE": "/etc/pem",
        "UV_INDEX_URL": "https://me:secret@host/simple",
    }
    assert job.lines == ("--extra-index-url https://more/simple", "tea --hash=sha256:00")


@pytest.mark.parametrize(
    "setting", ["global.constraint='x'", ":env:.pre='1'", ":env:.no-binary='tea'", "a.b"]
)
def test_a_setting_that_uv_lacks_leaves_it_to_pip(plan, setting):
    known = setting == "a.b"
    assert (plan("tea", settings=[setting]) is not None) == known


def test_the_settings_of_pips_files_are_read_again_when_one_changes(shelf, tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_PRE", "1")
    for value in ("one", "other"):
        file.write_text(f"[install]\nproxy = {value}\n")
        assert f"install.proxy='{value}'\n" in pip_process.settings()
    assert ":env:.pre='1'\n" in pip_process.settings()

"""Which packages are packed for which requirements and runtime, with the real uv, offline."""

import hashlib
import io
import os
import subprocess
import tarfile
import zipfile

import pytest
import uv
from msgspec.structs import replace

from kappa.config.inputs import Inputs, collecting
from kappa.errors import ArchiveError
from kappa.package.pack import read_archive
from tests.support.builders import kappa_config
from tests.support.kappa.wheels import wheel

ANY, ARM = "py3-none-any", "cp313-cp313-manylinux_2_17_aarch64"
NEEDS_PIN = 'cup; platform_machine == "aarch64" and python_full_version >= "3.13.2"'
# It builds without a tool, counts where it ran, and is told by a file what to build.
BACKEND = """
import pathlib, zipfile
pathlib.Path({ran!r}).open("a").write("ran ")
def build_wheel(where, *_, **__):
    tag, *files = pathlib.Path("order.txt").read_text().split()
    info = "pot-1.0.dist-info/"
    texts = {{name: "" for name in files}}
    texts |= {{info + "METADATA": "Metadata-Version: 2.1\\nName: pot\\nVersion: 1.0\\n"}}
    texts |= {{info + "WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {{tag}}\\n"}}
    texts |= {{info + "RECORD": "".join(f"{{name}},,\\n" for name in [*texts, info + "RECORD"])}}
    file = pathlib.Path(where, f"pot-1.0-{{tag}}.whl")
    with zipfile.ZipFile(file, "w") as wheel:
        for name, text in texts.items():
            wheel.writestr(name, text)
    return file.name
"""
SETUP = "open({ran!r}, 'w')\nraise SystemExit\n"
PROJECT = """
[project]
name = "my-app"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["tea>=1,<2", "cup; platform_machine == 'aarch64'"]
[project.optional-dependencies]
fast = ["mug"]
[dependency-groups]
dev = ["taster"]
"""


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory):
    return str(tmp_path_factory.mktemp("uv-cache"))


@pytest.fixture
def shelf(tmp_path, monkeypatch, uv_cache):
    """The only place where uv finds wheels."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    settings = tmp_path / "offline.toml"
    settings.write_text(f"no-index = true\nfind-links = ['{folder}']\n")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_CACHE_DIR", uv_cache)
    return folder


@pytest.fixture
def pack(project, shelf):
    """Pack a function with these requirements."""

    def pack_function(requirements, **function):
        config = kappa_config({"requirements": requirements, **function})
        return read_archive(replace(config, file=project / "config.yml"))

    return pack_function


def tops(archive):
    """What is at the top of a zip, but for the function's own file."""
    return {name.partition("/")[0] for name in archive.names} - {"greeter.py"}


@pytest.fixture
def source(tmp_path, shelf):
    """A package's source, in a folder and as an archive; running its code leaves a file `ran`."""
    folder, ran = tmp_path / "pkg", str(tmp_path / "ran")
    folder.mkdir()
    (folder / "backend.py").write_text(BACKEND.format(ran=ran))
    (folder / "order.txt").write_text(f"{ANY} pot.py")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "pot"\nversion = "1.0"\n'
    )
    with tarfile.open(shelf / "pot-1.0.tar.gz", "w:gz") as archive:
        archive.add(folder, "pot-1.0")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "setup.py").write_text(SETUP.format(ran=ran))
    return folder


@pytest.mark.parametrize(
    ("lines", "wheels", "runtime", "expected"),
    [
        ("tea", [("tea", "1.0", ANY)], "python3.13", {"tea", "tea-1.0.dist-info"}),
        ("tea<2", [("tea", "1.0", ANY), ("tea", "2.0", ANY)], "python3.13", {"tea-1.0.dist-info"}),
        ("a", [("a", "1", "cp313-cp313-manylinux_2_34_x86_64")], "python3.13", {"a-1.dist-info"}),
        ("a", [("a", "1", "cp38-abi3-manylinux_2_28_x86_64")], "python3.13", {"a-1.dist-info"}),
        ("a", [("a", "1", "cp311-cp311-manylinux2014_x86_64")], "python3.11", {"a-1.dist-info"}),
        ("a", [("a", "1", ARM)], "python3.13 arm64", {"a-1.dist-info"}),
        ("a; python_version < '3.13'", [], "python3.13", set()),
        ("a; python_full_version < '3.13.4'", [], "python3.13", set()),
        ("# nothing", [], "python3.13", set()),
        (
            "a",
            [("a", "1", ARM)],
            "python3.13",
            r"Python 3\.13 on x86_64 Linux:\n(.|\n)*no wheels with a matching platform tag",
        ),
        ("a", [("a", "1", "cp313-cp313-manylinux_2_35_x86_64")], "python3.13", "platform tag"),
        ("a", [("a", "1", "cp311-cp311-manylinux_2_28_x86_64")], "python3.11", "platform tag"),
        ("a", [("a", "1", "cp311-cp311-manylinux2014_x86_64")], "python3.13", "Python .*tag"),
        ("a", [("a", "1", "cp313-cp313-linux_x86_64")], "python3.13", "wheel for this machine"),
        ("./shelf/a-1-py3-none-any.whl", [("a", "1", ANY)], "python3.13", {"a-1.dist-info"}),
        (f"./shelf/a-1-{ARM}.whl", [("a", "1", ARM)], "python3.13", "platform"),
        ("a", [], "python3.13", "a was not found"),
        ("a ===== 1", [], "python3.13", "could not be installed(.|\n)*a ===== 1"),
        (f"a==1 --hash=sha256:{'0' * 64}", [("a", "1", ANY)], "python3.13", "Hash mismatch"),
        ("a", [], "nodejs24.x", "packages of Python"),
    ],
)
def test_packages_are_installed_for_lambdas_machine(pack, shelf, lines, wheels, runtime, expected):
    for name, version, tag in wheels:
        wheel(shelf, name, version, tag)
    runtime, _, architecture = runtime.partition(" ")
    more = {"runtime": runtime, "architectures": (architecture or "x86_64",)}
    if isinstance(expected, str):
        with pytest.raises(ArchiveError, match=expected):
            pack((lines,), **more)
        return
    found = tops(pack((lines,), **more))
    assert found >= expected if expected else found == set()


def test_an_error_says_what_to_try(pack, shelf):
    (shelf / "a-1.tar.gz").write_bytes(b"not even opened")
    with pytest.raises(ArchiveError, match="no usable wheels") as caught:
        pack(("a",))
    assert "lambda.build_packages" in caught.value.hint
    assert "--" not in caught.value.message


def test_two_installations_give_the_same_bytes_without_programs_and_headers(pack, shelf):
    data = {f"tea-1.0.data/{name}": "" for name in ("scripts/run", "headers/m.h", "data/share/x")}
    entry = {"tea-1.0.dist-info/entry_points.txt": "[console_scripts]\nbrew = tea:brew\n"}
    wheel(shelf, requires=[NEEDS_PIN, 'jug; sys_platform == "win32"'], **data, **entry)
    wheel(shelf, "cup", tag=ARM)
    first = pack(("tea",), architectures=("arm64",))
    assert pack(("tea",), architectures=("arm64",)) == first
    assert first.names == (
        "cup-1.0.dist-info/METADATA",
        "cup-1.0.dist-info/WHEEL",
        "cup/__init__.py",
        "greeter.py",
        "share/x",
        "tea-1.0.dist-info/METADATA",
        "tea-1.0.dist-info/WHEEL",
        "tea-1.0.dist-info/entry_points.txt",
        "tea/__init__.py",
    )


def test_a_wheel_that_was_built_anew_under_its_name_is_packed(pack, shelf):
    for text in ("first", "second one"):
        wheel(shelf, **{"tea/leaf.py": text})
        packed = zipfile.ZipFile(io.BytesIO(pack(("./shelf/tea-1.0-py3-none-any.whl",)).data))
        assert packed.read("tea/leaf.py").decode() == text


@pytest.mark.parametrize(
    "lines",
    [
        "./pkg",
        "-e ./pkg",
        "-e ./old",
        "--no-index --editable=./old",
        "-r more.txt",
        "./old",
        "pot @ file://{}/pkg",
        "pot @ file://{}/shelf/pot-1.0.tar.gz",
        "pot",
        "cup",
        "--no-binary=:all:\npot",
    ],
)
def test_no_code_of_a_package_runs_here(pack, shelf, source, tmp_path, lines):
    (tmp_path / "more.txt").write_text("# one more\n-e./old\n")
    wheel(shelf, "cup", requires=[f"pot @ file://{tmp_path}/pkg"])
    with pytest.raises(ArchiveError):
        pack(tuple(lines.format(tmp_path).split("\n")))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "lines", ["./pkg", "pot", "cup", "./pkg\n./shelf/mug-1.0-py3-none-any.whl"]
)
def test_a_package_that_is_named_is_built(pack, shelf, source, lines):
    wheel(shelf, "cup", requires=["pot"])
    wheel(shelf, "mug")
    found = tops(pack(tuple(lines.split("\n")), build_packages=("Pot",)))
    assert {"pot.py"} <= found
    assert ("mug" in found) == ("mug" in lines)


def test_a_folder_is_built_anew_when_its_content_changes(pack, source):
    assert "pot.py" in tops(pack(("./pkg",), build_packages=("pot",)))
    (source / "order.txt").write_text(f"{ANY} other.py")
    assert "other.py" in tops(pack(("./pkg",), build_packages=("pot",)))


@pytest.mark.parametrize("tag", ["cp313-cp313-linux_x86_64", "cp313-cp313-manylinux_2_17_x86_64"])
def test_what_a_build_makes_for_this_machine_is_refused(pack, source, tag):
    (source / "order.txt").write_text(f"{tag} pot.py")
    with pytest.raises(ArchiveError, match="wheel for this machine") as caught:
        pack(("./pkg",), build_packages=("pot",))
    assert tag in caught.value.message


def test_what_uv_is_told_to_build_is_not_packed_for_this_machine_either(pack, source):
    lines = ("--no-binary=pot", "pot")
    assert "pot.py" in tops(pack(lines))
    (source / "order.txt").write_text("cp313-cp313-linux_x86_64 pot.py")
    with pytest.raises(ArchiveError, match="wheel for this machine"):
        pack(("--no-binary=pot", "./pkg"))


def test_a_build_that_fails_shows_its_reason(pack, source):
    (source / "backend.py").write_text("raise ValueError('no water')")
    with pytest.raises(ArchiveError, match=r"ValueError: no water"):
        pack(("./pkg",), build_packages=("pot",))


@pytest.fixture
def app(project, shelf):
    """A project of uv beside the config, with a lock of now."""
    for name in ("tea", "cup", "mug", "taster"):
        wheel(shelf, name)
    wheel(shelf, "tea", "1.5", requires=["cup"])
    (project / "pyproject.toml").write_text(PROJECT)
    lock(project)
    return project


def lock(folder):
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet"], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ("pyproject.toml", {"cup", "tea"}),
        ("./pyproject.toml[fast]", {"cup", "mug", "tea"}),
        ("uv.lock", {"cup", "tea"}),
        ("uv.lock[ fast ]", {"cup", "mug", "tea"}),
        ("deep/r.txt", {"cup"}),
        ("pyproject.toml[slow]", "slow"),
        ("uv.lock[slow]", "slow"),
        ("poetry.lock", "does not read .*poetry.lock"),
        ("gone.txt", r"gone\.txt: No such file"),
        ("deep/uv.lock", r"deep/uv\.lock: there is no pyproject\.toml beside it"),
        ("own/uv.lock", r"own/uv\.lock could not be read(.|\n)*TOML"),
    ],
)
def test_requirements_are_read_from_a_file(pack, app, requirements, expected):
    (app / "deep").mkdir()
    (app / "deep" / "r.txt").write_text("-r more.txt\n")
    (app / "deep" / "more.txt").write_text("cup\n")
    (app / "own").mkdir()
    for folder in ("deep", "own"):
        (app / folder / "uv.lock").write_text("[[package")
    (app / "own" / "pyproject.toml").write_text(PROJECT)
    (app / "poetry.lock").write_text("")
    if isinstance(expected, str):
        with pytest.raises(ArchiveError, match=expected):
            pack(requirements)
        return
    assert {name for name in tops(pack(requirements)) if "." not in name} == expected


def test_what_is_locked_is_installed_until_it_is_locked_anew(pack, app, shelf):
    wheel(shelf, "tea", "1.7")
    assert "tea-1.5.dist-info" in tops(pack("uv.lock"))
    assert "tea-1.7.dist-info" in tops(pack("pyproject.toml"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('fast = ["mug"]', 'fast = ["mug", "cup"]'),
        (">=3.11", ">=3.12"),
        ("platform_machine == 'aarch64'", "platform_machine == 'x86_64'"),
        ("tea>=1,<2", "tea>=1.2,<2"),
        ('dependencies = ["tea>=1,<2"', 'dependencies = ["mug", "tea>=1,<2"'),
    ],
)
def test_a_lock_that_is_older_than_its_project_is_refused(pack, app, old, new):
    assert old in PROJECT
    (app / "pyproject.toml").write_text(PROJECT.replace(old, new, 1))
    with pytest.raises(ArchiveError, match="needs to be updated") as caught:
        pack("uv.lock")
    assert "uv lock" in caught.value.message


def test_a_line_break_in_a_lock_adds_no_requirement(pack, app, source, tmp_path):
    text = (app / "uv.lock").read_text()
    shelf = f'registry = "{tmp_path}/shelf'
    assert shelf in text
    (app / "uv.lock").write_text(text.replace(shelf, rf"{shelf}\n-e ./old"))
    with pytest.raises(ArchiveError):
        pack("uv.lock")
    assert not (tmp_path / "ran").exists()


def test_hashes_and_markers_of_an_export_are_checked(pack, project, shelf):
    """As Poetry writes it, with lines that go on."""
    wheel(shelf)
    digest = hashlib.sha256((shelf / "tea-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (project / "code" / "requirements.txt").write_text(
        f'tea==1.0 ; python_version >= "3.11" \\\n    --hash=sha256:{digest}\n'
        f'cup==1.0 ; sys_platform == "win32" \\\n    --hash=sha256:{"0" * 64}\n'
    )
    assert tops(pack(None)) == {"requirements.txt", "tea", "tea-1.0.dist-info"}


def test_pips_index_is_asked_where_uv_has_none(pack, shelf, monkeypatch):
    monkeypatch.delenv("UV_CONFIG_FILE")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:s3cret@127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://me:s3cret@127.0.0.1:2/simple")
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:2/simple/tea") as caught:
        pack(("tea",))
    assert "Is the network up" in caught.value.hint
    monkeypatch.setenv("UV_INDEX", "http://127.0.0.1:3/simple")
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:3/simple/tea"):
        pack(("tea",))
    monkeypatch.delenv("UV_INDEX")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL")
    with pytest.raises(ArchiveError, match=r"127\.0\.0\.1:1/simple/tea") as caught:
        pack(("tea",))
    assert "s3cret" not in caught.value.message


def test_the_files_that_requirements_name_are_watched(pack, app):
    (app / "more.txt").write_text("cup\n")
    inputs = Inputs()
    with collecting(inputs):
        pack(("-r more.txt",))
        pack("uv.lock")
    files = {name for name, state in inputs.settings.items() if state}
    assert {str(app / name) for name in ("more.txt", "uv.lock", "pyproject.toml")} <= files

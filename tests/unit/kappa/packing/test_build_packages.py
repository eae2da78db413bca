"""lambda.build_packages: the packages whose own code may run here, to build a pure wheel."""

import tarfile

import pytest

from kappa.errors import ArchiveError
from kappa.packing.pip_cache_key import digest
from kappa.packing.required import Required
from tests.support.kappa.wheels import contents, wheel

# It builds without a tool, leaves a file where it runs, and is told by a file what to build.
BACKEND = """
import pathlib, zipfile
def build_wheel(where, *_, **__):
    tag, *files = pathlib.Path("order.txt").read_text().split()
    pathlib.Path("left-behind").touch()
    info = "tea-1.0.dist-info/"
    texts = {name: pathlib.Path("leaf.txt").read_text() for name in files}
    texts |= {info + "METADATA": "Metadata-Version: 2.1\\nName: tea\\nVersion: 1.0\\n"}
    texts |= {info + "WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {tag}\\n"}
    texts |= {info + "RECORD": "".join(f"{name},,\\n" for name in [*texts, info + "RECORD"])}
    file = pathlib.Path(where, f"tea-1.0-{tag}.whl")
    with zipfile.ZipFile(file, "w") as wheel:
        for name, text in texts.items():
            wheel.writestr(name, text)
    return file.name
"""


@pytest.fixture
def source(tmp_path):
    """The folder of a package that its own code builds."""
    folder = tmp_path / "pkg"
    folder.mkdir()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "order.txt").write_text("py3-none-any tea.py")
    (folder / "leaf.txt").write_text("first")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tea"\nversion = "1.0"\n'
    )
    return folder


@pytest.fixture
def build(put, tmp_path):
    def build_packages(requirements, names=("tea",)):
        return put(Required(requirements, tmp_path, build=frozenset(names)))

    return build_packages


def test_a_folder_is_built_from_a_copy_and_anew_when_its_content_changes(build, source):
    before = set(source.iterdir())
    first = build("./pkg", ["Tea"])
    assert contents(first)["tea.py"] == b"first"
    assert set(source.iterdir()) == before
    # What no build sees is no change.
    for name in (".git", "build", "tea.egg-info"):
        (source / name / "lib").mkdir(parents=True)
        (source / name / "lib" / "x").touch()
    assert build("./pkg", ["Tea"]) == first
    (source / "leaf.txt").write_text("second")
    assert contents(build("./pkg", ["Tea"]))["tea.py"] == b"second"


def test_a_source_archive_is_built_when_a_package_requires_it(build, shelf, source):
    """The hash of the archive is checked, as that of the wheel is."""
    with tarfile.open(shelf / "tea-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "tea-1.0")
    wheel(shelf, "cup", requires=["tea"])
    assert {"tea.py", "cup/__init__.py"} <= set(contents(build("cup")))
    with pytest.raises(ArchiveError, match="HASH"):
        build(f"tea==1.0 --hash=sha256:{'0' * 64}")


def test_a_folder_goes_with_hashes_of_other_packages(put, shelf, source, tmp_path):
    """pip checks hashes of all or of none, and knows none of a folder."""
    wheel(shelf, "cup")
    cup = shelf / "cup-1.0-py3-none-any.whl"
    text = f"./pkg\n{cup} --hash=sha256:{digest(cup)}\n"
    packages = put(Required(text, tmp_path, build=frozenset({"tea"})))
    assert {"tea.py", "cup/__init__.py"} <= set(contents(packages))


@pytest.mark.parametrize(
    ("order", "wheel_name"),
    [
        ("cp311-cp311-linux_x86_64 tea.py", "tea-1.0-cp311-cp311-linux_x86_64.whl"),
        ("py3-none-any tea.py tea.abi3.so", "tea-1.0-py3-none-any.whl with tea.abi3.so"),
    ],
)
def test_what_a_build_makes_for_this_machine_is_refused(build, source, tmp_path, order, wheel_name):
    (source / "order.txt").write_text(order)
    with pytest.raises(ArchiveError, match="is for this machine, not for Python") as caught:
        build("./pkg")
    assert wheel_name in caught.value.message
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_build_that_fails_shows_its_last_line(build, source):
    (source / "backend.py").write_text("raise ValueError('no water')")
    with pytest.raises(ArchiveError, match="failed: ValueError: no water"):
        build("./pkg")


def test_only_the_named_packages_are_built_and_none_without_isolation(build, source, monkeypatch):
    with pytest.raises(ArchiveError, match="is not a wheel") as caught:
        build("./pkg", ["cup"])
    assert "lambda.build_packages" in caught.value.hint
    with pytest.raises(ArchiveError, match="is not a wheel"):
        build("-e ./pkg")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")
    with pytest.raises(ArchiveError, match="in isolation only"):
        build("./pkg")
    assert not (source / "left-behind").exists()

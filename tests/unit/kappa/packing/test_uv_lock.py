"""uv.lock: the project's own packages, exactly as locked, for Lambda's machine."""

import pytest

from kappa.errors import ArchiveError
from kappa.packing import uv_lock
from kappa.packing.machine import Machine
from kappa.packing.required import Required
from tests.support.kappa.wheels import ARM, X86, contents, wheel

# As uv 0.13 writes it; addresses and hashes are shortened.
LOCK = """
version = 1
revision = 5
requires-python = ">=3.11"
resolution-markers = ["python_full_version >= '3.13'", "python_full_version < '3.13'"]

[[package]]
name = "brewer"
version = "1.0"
source = { registry = "https://host/simple" }
wheels = [{ url = "https://host/brewer-1.0-py3-none-any.whl", hash = "sha256:b1", size = 1 }]

[[package]]
name = "cup"
version = "2.0"
source = { editable = "libs/cup" }
dependencies = [{ name = "tea" }]

[[package]]
name = "jug"
version = "1.0"
source = { path = "../wheels/jug-1.0-py3-none-any.whl" }
wheels = [{ filename = "jug-1.0-py3-none-any.whl", hash = "sha256:a1" }]

[[package]]
name = "kettle"
version = "1.0"
source = { git = "https://host/tools?subdirectory=kettle&tag=v1#c0ffee" }

[[package]]
name = "my-app"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "cup" },
    { name = "jug", marker = "platform_machine == 'aarch64'" },
    { name = "pot", version = "1.0", source = { registry = "https://host/simple" }, marker = "python_full_version < '3.13'" },
    { name = "pot", version = "2.0", source = { registry = "https://host/simple" }, marker = "python_full_version >= '3.13'" },
    { name = "tea", extra = ["brew"] },
]

[package.optional-dependencies]
fast = [{ name = "kettle" }, { name = "mug" }]

[package.dev-dependencies]
dev = [{ name = "taster" }]

[package.metadata]
requires-dist = [{ name = "cup", editable = "libs/cup" }]

[[package]]
name = "mug"
version = "3.0"
source = { url = "https://host/mug-3.0.zip" }
sdist = { hash = "sha256:d1" }

[[package]]
name = "pot"
version = "1.0"
source = { registry = "https://host/simple" }
sdist = { url = "https://host/pot-1.0.tar.gz", hash = "sha256:e1", size = 1 }

[[package]]
name = "pot"
version = "2.0"
source = { registry = "https://host/simple" }
sdist = { url = "https://host/pot-2.0.tar.gz", hash = "sha256:e2", size = 1 }
wheels = [{ url = "https://host/pot-2.0-py3-none-any.whl", hash = "sha256:e3", size = 1 }]

[[package]]
name = "taster"
version = "1.0"
source = { registry = "https://host/simple" }

[[package]]
name = "tea"
version = "1.0"
source = { registry = "https://host/simple" }
dependencies = [{ name = "my-app" }]
wheels = [{ url = "https://host/tea-1.0-py3-none-any.whl", hash = "sha256:f1", size = 1 }]

[package.optional-dependencies]
brew = [{ name = "brewer", marker = "sys_platform == 'linux'" }, { name = "tea" }]
"""  # noqa: E501
TEA = "tea==1.0 --hash=sha256:f1"
BREWER = "brewer==1.0 --hash=sha256:b1"
POT = "pot==2.0 --hash=sha256:e3 --hash=sha256:e2"


@pytest.fixture
def read(tmp_path):
    def read_text(text, machine=X86, extras=()):
        file = tmp_path / "app" / "uv.lock"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return set(uv_lock.read(file, extras, machine).splitlines())

    return read_text


def test_the_projects_packages_are_taken_as_they_are_locked_and_dev_is_not(read, tmp_path):
    cup = f"cup @ {(tmp_path / 'app/libs/cup').as_uri()}"
    assert read(LOCK) == {cup, TEA, BREWER, POT}


def test_markers_are_decided_for_lambdas_machine(read, tmp_path):
    jug = f"jug @ {(tmp_path / 'wheels/jug-1.0-py3-none-any.whl').as_uri()} --hash=sha256:a1"
    assert jug in read(LOCK, ARM)
    assert "pot==1.0 --hash=sha256:e1" in read(LOCK, Machine(12))


def test_an_extra_of_the_project_brings_its_packages(read):
    assert read(LOCK, extras=["Fast"]) - read(LOCK) == {
        "kettle @ git+https://host/tools@c0ffee#subdirectory=kettle",
        "mug @ https://host/mug-3.0.zip --hash=sha256:d1",
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1\n", "version = 2\n", "has the format 2"),
        ("version = 1\n", "version = 1\nconflicts = [[]]\n", "extras that conflict"),
        (">=3.11", ">=3.14", r"is for Python >=3\.14, not for Python 3\.13 on x86_64"),
        ("revision = 5", "supported-markers = [\"sys_platform == 'win32'\"]", "is not for Python"),
        ('virtual = "."', 'virtual = "app"', "workspace without a project"),
        ('{ name = "cup" }', '{ name = "lost" }', "lost has 0 entries in place of one"),
        ("\"python_full_version >= '3.13'\" },", '"no marker" },', "Expected"),
        ('hash = "sha256:f1"', 'hash = ""', "has no hash"),
        ('name = "brewer"', "", r"uv\.lock: .*`name`"),
        ("[[package]]", "[[package", r"uv\.lock: "),
    ],
)
def test_a_lock_that_cannot_be_followed_says_why(read, old, new, message):
    assert old in LOCK
    with pytest.raises(ArchiveError, match=message):
        read(LOCK.replace(old, new, 1))


def test_an_extra_that_the_project_lacks_is_named(read):
    with pytest.raises(ArchiveError, match="my-app has no extra slow") as caught:
        read(LOCK, extras=["slow"])
    assert "It has: fast." in caught.value.hint


def test_what_is_locked_is_installed_and_nothing_else(put, shelf, tmp_path):
    """uv names a folder of wheels as a registry, and locks no hash of them."""
    wheel(shelf, requires=["cup"])
    wheel(shelf, version="2.0")
    lock = """
        version = 1
        [[package]]
        name = "app"
        source = { virtual = "." }
        dependencies = [{ name = "tea" }]
        [[package]]
        name = "tea"
        version = "1.0"
        source = { registry = "shelf" }
        wheels = [{ path = "tea-1.0-py3-none-any.whl" }]
        """
    file = tmp_path / "uv.lock"
    file.write_text(lock)
    text = uv_lock.read(file, (), X86)
    packages = put(Required(text, tmp_path, is_complete=True))
    assert "tea-1.0.dist-info/METADATA" in contents(packages)
    assert put(Required(text, tmp_path, is_complete=True)) == packages
    # A wheel that is no longer the locked one is refused.
    wheel(shelf, **{"tea/leaf.py": "other"})
    with pytest.raises(ArchiveError, match="HASH"):
        put(Required(text, tmp_path, is_complete=True))


@pytest.mark.parametrize(
    ("dependencies", "changed"),
    [
        ('"cup", "tea >=1,<2; python_version > \'3\'"', ""),
        ('"cup >=7", "Tea <2, >=1.0"', ""),
        ('"cup", "tea>=1,<2", "mug"', "mug"),
        ('"cup", "tea>=1.5,<2"', "tea"),
        ('"tea>=1,<2"', "cup"),
    ],
)
def test_a_lock_that_is_older_than_its_project_is_refused(tmp_path, dependencies, changed):
    declared = '{ name = "cup", editable = "libs/cup" }, { name = "tea", specifier = ">=1,<2" }'
    lock = LOCK.replace('{ name = "cup", editable = "libs/cup" }', declared)
    file = tmp_path / "uv.lock"
    file.write_text(lock)
    project = f'[project]\nname = "my-app"\ndependencies = [{dependencies}]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    if not changed:
        assert uv_lock.read(file, (), Machine(13))
        return
    with pytest.raises(ArchiveError, match=rf"pyproject\.toml: {changed}\.\n"):
        uv_lock.read(file, (), Machine(13))


@pytest.mark.parametrize(
    ("package", "problem"),
    [
        ('name = "q"\nsource = {}', "the source of q is not of a kind"),
        (
            'name = "q"\nsource = { registry = "w" }\nwheels = [{ path = "q.whl" }]',
            "w/q.whl: No such",
        ),
        ('name = "q\\n-e ./x"\nsource = { git = "https://host/x#1" }', "is not a package's name"),
    ],
)
def test_a_lock_with_what_cannot_be_is_an_error(tmp_path, package, problem):
    name = package.partition("\n")[0]
    file = tmp_path / "uv.lock"
    file.write_text(
        f'version = 1\n[[package]]\nname = "app"\nsource = {{ virtual = "." }}\n'
        f"dependencies = [{{ {name} }}]\n[[package]]\n{package}\n"
    )
    with pytest.raises(ArchiveError, match=problem):
        uv_lock.read(file, (), Machine(13))

"""The wheel and both functions' zips work without this repository.

Each is tried in an environment that has the dependencies and nothing of the checkout.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import kappa
from local.testkit.functions import FUNCTIONS, unpack

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("kappa", "lambda_chat")
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
WHERE = "import json, sys; import {0}; print(json.dumps([m.__file__ for m in sys.modules.values()"
WHERE += " if getattr(m, '__file__', None)]))"


def run(command, folder):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy: setuptools leaves its own files beside the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    name = run([sys.executable, "-c", BUILD, str(target)], source).splitlines()[-1]
    return target / name


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A Python with the dependencies alone: the line of a .pth does not bring what is editable."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    packages = Path(
        run([python, "-c", "import site; print(site.getsitepackages()[0])"], folder)[:-1]
    )
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture(scope="module")
def installed(wheel, environment):
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "--no-deps"]
    run([*pip, "--no-index", "--no-compile", "--disable-pip-version-check", wheel], environment)
    return environment


def test_the_wheel_holds_every_module_the_schema_and_the_client_of_node(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {
        str(path.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*.py")
    }
    assert len(modules) > 80
    scripts = {str(path.relative_to(ROOT)) for path in (ROOT / "kappa").rglob("*.mjs")}
    assert len(scripts) == 4
    assert held == modules | scripts | {"kappa/config/schema.json"}
    assert wheel.name.startswith(f"lambda_chat-{kappa.__version__}-")


def test_an_installed_kappa_runs_without_the_checkout(installed, tmp_path):
    program = installed / "bin/kappa"
    assert run([program, "--version"], tmp_path) == f"kappa {kappa.__version__}\n"
    run([program, "config.yml", "init", "greeter"], tmp_path)
    schema = (tmp_path / "kappa.schema.json").read_bytes()
    assert schema == (ROOT / "kappa/config/schema.json").read_bytes()
    run([program, "config.yml", "package", "--output", "greeter.zip"], tmp_path)
    assert zipfile.is_zipfile(tmp_path / "greeter.zip")
    printed = run([installed / "bin/python", "-c", WHERE.format("kappa.commands.main")], tmp_path)
    assert str(ROOT / "kappa") not in printed


@pytest.mark.parametrize("module", FUNCTIONS)
def test_a_functions_zip_holds_all_that_it_imports(module, environment, tmp_path):
    folder = unpack(module, tmp_path)
    packed = {path.name for path in folder.rglob("*") if path.is_file()}
    sources = (FUNCTIONS[module].parent / "code", ROOT / "lambda/shared")
    assert packed == {path.name for source in sources for path in source.glob("*.py")}
    modules = ", ".join(Path(name).stem for name in sorted(packed))
    printed = run([environment / "bin/python", "-c", WHERE.format(modules)], folder)
    assert {Path(name).name for name in json.loads(printed) if str(folder) in name} == packed
    assert str(ROOT / "lambda") not in printed


def test_the_version_stands_in_one_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    page = json.loads((ROOT / "s3-website/package.json").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "kappa.__version__"}
    assert "version" not in page

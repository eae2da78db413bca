"""Which files a config depends on, as they were before they were read."""

import os
from pathlib import Path

import pytest

from kappa.commands.session import open_session
from kappa.config.inputs import Inputs, collecting, depends_on, read_again
from kappa.errors import ConfigError
from kappa.package.files import Extras, all_files

CONFIG = """\
include: values.yml
region: us-east-1
iam:
  policy: {name: greeter-policy, document: policy.json}
  role: {name: greeter-role}
lambda:
  name: greeter
  path: code
  handler: greeter.handler
  runtime: python3.13
  dependencies: [shared]
  test_data: input.json
"""
FILES = {
    "config.yml": CONFIG,
    "values.yml": "table: news",
    "policy.json": '{"Statement": []}',
    "input.json": "{}",
    "notes.txt": "not packed",
    "code/greeter.py": "def handler(event, context): ...",
    "code/tests/data.txt": "left out",
    "code/.greeter.py.swp": "unsaved",
    "code/.lambdaignore": "tests/",
    "code/lib/words.py": "",
    "code/__pycache__/greeter.pyc": "",
    "shared/log.py": "",
}


def written(folder, files=FILES):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def collected(folder):
    """What reading the config and packing depend on, by names relative to the folder."""
    inputs = Inputs()
    with collecting(inputs):
        session = open_session(folder / "config.yml", None, None)
        _ = session.document, session.zip
    return inputs


def names(states, folder):
    return {os.path.relpath(name, folder) for name, state in states.items() if state}


def test_a_config_depends_on_all_that_it_names_and_on_what_is_packed(tmp_path):
    inputs = collected(written(tmp_path))
    assert names(inputs.settings, tmp_path) == {
        "config.yml",
        "values.yml",
        "policy.json",
        "input.json",
    }
    assert names(inputs.code, tmp_path) == {
        "code/greeter.py",
        "code/.lambdaignore",
        "code/lib/words.py",
        "shared/log.py",
    }
    assert names(inputs.folders, tmp_path) == {"code", "code/lib", "shared"}


def test_a_build_counts_by_what_it_reads_and_what_is_packed(tmp_path):
    config = CONFIG.replace("  dependencies: [shared]\n", "  build: cp src/greeter.py code\n")
    config = config.replace("  path: code\n", "  path: code\n  build_inputs: [src]\n")
    source = {"src/greeter.py": FILES["code/greeter.py"], "code/words.py": ""}
    kept = {name: FILES[name] for name in ("values.yml", "policy.json", "input.json")}
    inputs = collected(written(tmp_path, {"config.yml": config} | source | kept))
    assert names(inputs.code, tmp_path) == {"src/greeter.py", "code/greeter.py", "code/words.py"}
    # What the build made is no change.
    assert read_again(inputs).code == inputs.code


def test_a_file_that_is_missing_counts_since_it_may_come(tmp_path):
    written(tmp_path, {"config.yml": "include: values.yml\n"})
    inputs = Inputs()
    with collecting(inputs), pytest.raises(ConfigError, match=r"values\.yml does not exist"):
        open_session(tmp_path / "config.yml", None, None)
    assert inputs.settings[str(tmp_path / "values.yml")] is None
    (tmp_path / "values.yml").write_text("")
    assert read_again(inputs) != inputs


def test_what_is_saved_while_it_is_read_shows_as_a_change(tmp_path):
    inputs, file = Inputs(), tmp_path / "a"
    with collecting(inputs):
        depends_on(file)
        file.write_text("saved meanwhile")
        depends_on(file)
    assert read_again(inputs) != inputs


def test_a_file_counts_once_however_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(written(tmp_path, {"code/a.py": ""}))
    inputs = Inputs()
    with collecting(inputs):
        for name in (Path("code/a.py"), Path("code/../code/a.py"), tmp_path / "code" / "a.py"):
            depends_on(name)
    assert list(inputs.settings) == [str(tmp_path / "code" / "a.py")]


def test_installed_packages_do_not_count(tmp_path):
    written(tmp_path, {"code/a.py": "", "packages/b.py": ""})
    inputs = Inputs()
    with collecting(inputs):
        packed = all_files(tmp_path / "code", "", Extras(packages=tmp_path / "packages"))
    assert sorted(packed.files) == ["a.py", "b.py"]
    assert names(inputs.code, tmp_path) == {"code/a.py"}


def test_nothing_is_collected_where_nobody_asks(tmp_path):
    depends_on(Path("anything"))
    inputs = Inputs()
    with collecting(inputs), collecting(None):
        depends_on(tmp_path)
    assert inputs == Inputs()

"""The handler is looked for in the packed code, and never imported."""

import re
from pathlib import Path

import pytest

from kappa.config.tree import Text, Tree
from kappa.errors import ConfigError
from kappa.package.handler import check_files, check_handler
from kappa.package.zip import pack
from tests.support.builders import kappa_config

LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:tools:3"


@pytest.fixture
def check(tmp_path):
    def check_code(handler, files, runtime="python3.13", **said):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        config = kappa_config({"handler": handler, "runtime": runtime, **said})
        check_handler(config, pack(tmp_path))

    return check_code


@pytest.mark.parametrize(
    "code",
    [
        "def main(event, context): ...",
        "async def main(event, context): ...",
        "class main: ...",
        "main = lambda event, context: None",
        "main: object = print",
        "from other import main",
        "from other import go as main",
        "from other import *",
        "import main",
        "a, (b, main) = 1, (2, 3)",
        "try:\n    from other import main\nexcept ImportError:\n    main = None",
        "if True:\n    def main(event, context): ...",
        "with open('x') as main: ...",
        "def __getattr__(name): ...",
        "print((main := 3))",
        "match 1:\n    case 1:\n        def main(): ...",
        "this is the Python of another day",
        "x = " + "(" * 300 + ")" * 300,
        "x = " + "-" * 60_000 + "1",
        b"\xff\xfe\x00",
        b"# coding: nonsense\n",
    ],
)
def test_a_function_that_the_module_binds_is_found(check, code):
    check("app.main", {"app.py": code})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def mian(event, context): ...", "app.py has no main.\n  Did you mean `mian`?"),
        ("", "app.py has no main."),
        ("def other():\n    def main(): ...", "app.py has no main.\n  Allowed: other."),
        ("def other():\n    main = 1", "app.py has no main."),
        ("import json\nimport os.path as p\ndef go(): ...", "no main.\n  Allowed: go."),
        ("import mian\nimport json", "app.py has no main."),
        ("class A:\n    def main(self): ...", "app.py has no main."),
        ("print(main)", "app.py has no main."),
    ],
)
def test_a_function_that_is_not_there_is_said_with_what_there_is(check, code, said):
    with pytest.raises(ConfigError, match=re.escape(said)) as error:
        check("app.main", {"app.py": code})
    assert error.value.exit_code == 2


MAIN = "def main(event, context): ..."


@pytest.mark.parametrize(
    ("handler", "file"),
    [
        ("app.main", "app.py"),
        ("app.main", "app/__init__.py"),
        ("src.app.main", "src/app.py"),
        ("src/app.main", "src/app.py"),
        ("app.main", "app.cpython-313-aarch64-linux-gnu.so"),
    ],
)
def test_a_module_is_found_where_python_finds_it(check, handler, file):
    check(handler, {file: MAIN})


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("ap.main", "the code has no ap.py.\n  Did you mean `app`?"),
        ("src.app.main", "the code has no src/app.py."),
        ("main", "lambda.handler is 'main'.\n  Allowed: MODULE.FUNCTION"),
        (".main", "Allowed: MODULE.FUNCTION"),
        ("app.", "Allowed: MODULE.FUNCTION"),
        ("../app.main", "the code has no"),
    ],
)
def test_a_module_that_is_not_there_is_said(check, handler, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        check(handler, {"app.py": MAIN})


@pytest.mark.parametrize(
    ("handler", "file"),
    [
        ("index.handler", "index.js"),
        ("index.handler", "index.mjs"),
        ("index.handler", "index.cjs"),
        ("src/index.handler", "src/index.js"),
        ("./index.handler", "index.js"),
        ("index.api.handler", "index.js"),
        ("lib.handler", "lib/index.js"),
    ],
)
def test_a_script_is_found_where_node_finds_it(check, handler, file):
    check(handler, {file: "exports.handler = 1"}, runtime="nodejs")


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("indx.handler", "the code has no indx.js.\n  Did you mean `index`?"),
        ("handler", "Allowed: FILE.FUNCTION, such as index.handler."),
    ],
)
def test_a_script_that_is_not_there_is_said(check, handler, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        check(handler, {"index.js": ""}, runtime="nodejs22.x")


def test_a_module_may_come_with_a_layer(check):
    check("datadog.handler", {"app.py": MAIN}, layers=(LAYER,))
    check("datadog.handler", {"app.py": MAIN}, runtime="nodejs22.x", layers=(LAYER,))


def test_other_runtimes_are_left_to_aws(check):
    check("com.example.Main::run", {"app.py": MAIN}, runtime="java21")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("test_data", "nowhere.json"),
        ("path", "nocode"),
        ("path", "x" * 5000),
        ("test_data", "x" * 300),
        ("requirements", "needs.txt"),
    ],
)
def test_a_file_that_is_missing_is_said_with_its_line(tmp_path, monkeypatch, key, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    check_files(kappa_config())
    tree = Tree(Path("config.yml"), {"lambda": {Text(key, 7): said}})
    config = kappa_config({key: said}, tree=tree)
    with pytest.raises(
        ConfigError, match=rf"config\.yml:7: lambda\.{key}: {said[:100]}.*does not exist"
    ):
        check_files(config)


def test_a_package_that_is_given_as_a_file_gets_the_way_to_write_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    with pytest.raises(ConfigError) as error:
        check_files(kappa_config({"requirements": "idna==3.10"}))
    assert "`requirements: [NAME==VERSION]`" in error.value.hint


def test_a_module_is_no_function_to_take_instead(check):
    with pytest.raises(ConfigError) as error:
        check("app.main", {"app.py": "import mian\nfrom tea import pour\n"})
    assert error.value.hint == "Allowed: pour."


def test_a_missing_dependency_is_said_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    texts = [Text("code", 8), Text("lib", 9)]
    tree = Tree(Path("config.yml"), {"lambda": {"dependencies": texts}})
    config = kappa_config({"dependencies": ("code", "lib")}, tree=tree)
    with pytest.raises(
        ConfigError, match=r"config\.yml:9: lambda\.dependencies\[1\]: lib does not"
    ):
        check_files(config)


def test_requirements_with_extras_name_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    config = kappa_config({"requirements": "uv.lock[fast]"})
    with pytest.raises(
        ConfigError, match=r"lambda\.requirements: uv\.lock does not exist"
    ) as error:
        check_files(config)
    assert "uv lock" in error.value.hint
    (tmp_path / "uv.lock").touch()
    check_files(config)


def test_requirements_may_be_made_by_the_build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_files(kappa_config({"requirements": "needs.txt", "build": "make"}))


def test_a_runtime_of_ones_own_needs_an_executable_bootstrap(check, tmp_path):
    own = {"handler": "any", "runtime": "provided.al2023"}
    with pytest.raises(ConfigError, match="has no file bootstrap"):
        check(files={"main": ""}, **own)
    check(files={}, layers=(LAYER,), **own)
    with pytest.raises(ConfigError, match=r"bootstrap in \S+ is not executable"):
        check(files={"bootstrap": "#!/bin/sh"}, **own)
    (tmp_path / "bootstrap").chmod(0o755)
    check(files={}, **own)

"""No import of kappa climbs, and --help needs neither AWS nor YAML."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import kappa

# A package imports from those of lower levels, and from none that stands beside it.
LEVELS = (
    {"commands"},
    {"sources"},
    {"function", "local_run"},
    {"iam", "package"},
    {"config"},
    {"plan", "aws"},
    {"arn", "errors", "texts"},
)
LEVEL = {package: number for number, packages in enumerate(LEVELS) for package in packages}
FOLDER = Path(kappa.__file__).parent
MODULES = {path.relative_to(FOLDER): path.read_text() for path in sorted(FOLDER.rglob("*.py"))}


def room(path):
    """The package at the top that a module is of; of a module there, its name."""
    return path.parts[0].removesuffix(".py")


def imported(text):
    """What of kappa a module imports, wherever in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "kappa":
            yield from (alias.name for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kappa."):
            yield node.module.removeprefix("kappa.")


def test_every_package_has_a_level():
    assert {room(path) for path in MODULES} - {"__init__", "__main__"} == set(LEVEL)


def test_no_import_climbs():
    climbing = [
        f"{path} imports {other}"
        for path, text in MODULES.items()
        if room(path) in LEVEL
        for other in imported(text)
        if other.split(".")[0] != room(path) and LEVEL[other.split(".")[0]] <= LEVEL[room(path)]
    ]
    assert climbing == []


def test_only_what_reaches_aws_imports_botocore():
    rooms = {room(path) for path, text in MODULES.items() if re.search(r"(import|from) boto", text)}
    assert rooms == {"aws"}


def test_help_imports_neither_aws_nor_yaml():
    code = (
        "import sys; sys.argv = ['kappa', '--help']\n"
        "from kappa.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'boto3', 'botocore', 'yaml', 'msgspec'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_kappa_does_not_know_the_chat():
    words = ("resources.py", "lambda_chat", "Lambda-Chat", "sns_topic_arn")
    assert [path for path, text in MODULES.items() if any(word in text for word in words)] == []

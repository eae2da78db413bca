"""No product code imports a test, and no benchmark changes sys.path."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PRODUCT = ("kappa", "lambda", "lambda_chat", "local")
FOLDERS = ("bench", "kappa", "lambda", "lambda_chat", "local", "tools")


def sources():
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return [path for path in files if ".peers" not in path.parts]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_but_a_test_imports_a_test(folder):
    paths = [path for path in sources() if path.is_relative_to(ROOT / folder)]
    assert paths
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in imported(path)
        if name.split(".")[0] == "tests"
    ] == []


def test_what_people_install_needs_no_tool_of_development():
    product = [path for path in sources() if path.relative_to(ROOT).parts[0] in PRODUCT]
    assert len(product) > 100
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in product
        if "testkit" not in path.parts
        for name in imported(path)
        if name.split(".")[0] in ("bench", "tools") or name.startswith("local.testkit")
    ] == []


def test_no_bench_changes_where_python_looks_for_modules():
    paths = [path for path in sources() if path.is_relative_to(ROOT / "bench")]
    texts = {path.name: path.read_text() for path in paths}
    assert [
        name for name, text in texts.items() if "sys.path" in text or "PYTHONPATH" in text
    ] == []

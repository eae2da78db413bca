"""Read from the sources which package imports which.

Owns the definition of a box: a folder, or the modules beside the folders.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The panels with Python packages; each is named after its folder.
PYTHON = ("kappa", "lambda_chat", "local")
FUNCTIONS = "lambda"
PAGE = "s3-website/public/js"
# Left out: they only start a program.
ENTRIES = {"__main__"}
COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)
SCRIPT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


@dataclass(frozen=True)
class Box:
    """A box: its panel, and its name there."""

    panel: str
    name: str


Imports = dict[Box, set[Box]]


def read_imports(root: Path) -> Imports:
    """Each box with the other boxes that it imports."""
    imports: Imports = {}
    for box, imported in [*_python(root), *_functions(root), *_page(root)]:
        imports.setdefault(box, set()).update(other for other in imported if other != box)
    return imports


def _loose(root: Path, panel: str) -> list[str]:
    """The names of the modules directly in a panel's folder."""
    return sorted(path.stem for path in (root / panel).glob("*.py") if "__" not in path.stem)


def _python(root: Path) -> Iterator[tuple[Box, set[Box]]]:
    """The modules of the installed packages and of local mode, and resources.py."""
    modules = {
        _module(path.relative_to(root)): path
        for folder in PYTHON
        for path in sorted((root / folder).rglob("*.py"))
        if path.stem not in ENTRIES
    }
    boxes = {name: _box(root, name) for name in modules}
    for name, path in modules.items():
        names = _imported(path)
        yield boxes[name], {boxes[other] for other in names if other in boxes}
    start = Box("lambda_chat", "resources.py")
    yield start, {boxes[other] for other in _imported(root / "resources.py") if other in boxes}


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _box(root: Path, module: str) -> Box:
    panel, _, rest = module.partition(".")
    name = rest.split(".")[0]
    is_folder = name and (root / panel / name).is_dir()
    return Box(panel, name if is_folder else ", ".join(_loose(root, panel)))


def _imported(path: Path) -> set[str]:
    """The modules that a module imports, in functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= submodules | {node.module}
    return names


def _functions(root: Path) -> Iterator[tuple[Box, set[Box]]]:
    """Both functions and the shared code, whose modules import each other by plain name."""
    folders = {
        "sns": root / FUNCTIONS / "sns/code",
        "dynamodb": root / FUNCTIONS / "dynamodb/code",
        "shared": root / FUNCTIONS / "shared",
    }
    paths = {name: sorted(folder.glob("*.py")) for name, folder in folders.items()}
    boxes = {path.stem: Box(FUNCTIONS, name) for name, files in paths.items() for path in files}
    for name, files in paths.items():
        for path in files:
            yield (
                Box(FUNCTIONS, name),
                {boxes[other] for other in _imported(path) if other in boxes},
            )


def _page(root: Path) -> Iterator[tuple[Box, set[Box]]]:
    """The page's folders, and main.js."""
    folder = root / PAGE
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).as_posix()
        text = COMMENT.sub("", path.read_text("utf-8"))
        here = posixpath.dirname(name)
        targets = (posixpath.normpath(posixpath.join(here, path)) for path in SCRIPT.findall(text))
        yield _script_box(name), {_script_box(target) for target in targets}


def _script_box(name: str) -> Box:
    """The box of a script: its folder's, or main.js's own."""
    return Box("page", name.partition("/")[0])

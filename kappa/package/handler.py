"""Check that the handler and the files of a config exist, before the first call to AWS.

It owns where Lambda looks for a handler. It reads the packed code and never imports it. What it
cannot know, such as a module in a layer, it accepts.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator

from kappa.config.convert import suggestion
from kappa.config.files import exists
from kappa.config.inputs import depends_on
from kappa.config.layout_07 import SOURCE
from kappa.config.model import Config
from kappa.config.tree import Keys, dotted
from kappa.errors import ConfigError
from kappa.package.requirements import requirements_path
from kappa.package.zip import Archive

_KEYS = ("lambda", "handler")
_COMPILED = (".pyc", ".so")


def check_files(config: Config) -> None:
    """Check that the test data exists; what is packed too, unless it is built.

    Raises: ConfigError, naming file, line and key.
    """
    if not config.function.build and ("lambda", "build") not in config.left_out:
        check_code(config)
    name = config.function.test_data
    if not name:
        return
    file = config.beside(name)
    depends_on(file)
    if not exists(file) or not file.is_file():
        problem = "is not a file" if exists(file) else "does not exist"
        raise config.error(
            ("lambda", "test_data"),
            f"lambda.test_data: {file} {problem}.",
            "Correct the path, or leave the key out.",
        )


def check_code(config: Config) -> None:
    """Check that the code, its dependencies and the file of its requirements exist.

    Raises: ConfigError, naming file, line and key.
    """
    function = config.function
    if not function.image:
        depends_on(config.beside(function.path), "code")
        if not exists(config.beside(function.path)):
            raise _no_source(config)
    for number, path in enumerate(function.dependencies):
        depends_on(config.beside(path), "code")
        if not exists(config.beside(path)):
            keys: Keys = ("lambda", "dependencies", number)
            problem = f"{dotted(keys)}: {config.beside(path)} does not exist."
            raise config.error(keys, problem, "Correct the path, or leave it out.")
    if isinstance(function.requirements, str):
        file = config.beside(requirements_path(function.requirements)[0])
        depends_on(file)
        if not exists(file):
            keys = ("lambda", "requirements")
            hint = "Correct the path. Packages are a list: `requirements: [NAME==VERSION]`."
            if file.name == "uv.lock":
                hint = "Correct the path, or run `uv lock`."
            raise config.error(keys, f"{dotted(keys)}: {file} does not exist.", hint)


def _no_source(config: Config) -> ConfigError:
    path = config.function.path
    if config.is_layout_07 and path == SOURCE:
        # This is 0.7's default, so the file may not have the key.
        return config.error(
            ("lambda", "path"),
            f"the folder of the code, {config.beside(path)}, does not exist.",
            f"Make the folder {path}, or name another one with `source:`.",
        )
    if config.function.build:
        problem = f"lambda.path: lambda.build did not create {config.beside(path)}."
        return config.error(
            ("lambda", "path"), problem, "Let it write to $KAPPA_OUT, or correct the path."
        )
    return config.error(
        ("lambda", "path"),
        f"lambda.path: {config.beside(path)} does not exist.",
        "Correct the path.",
    )


def check_handler(config: Config, archive: Archive) -> None:
    """Check that the handler is in the code: for Python, Node.js, and runtimes of one's own.

    Raises: ConfigError, naming file, line and a similar name.
    Source: AWS Lambda guide, "Define Lambda function handler in Python" and "... in Node.js".
    """
    runtime, handler = config.function.runtime, config.function.handler
    if runtime.startswith("python"):
        _check_python(config, archive, handler)
    elif runtime.startswith("nodejs"):
        _check_node(config, archive, handler)
    elif runtime.startswith("provided"):
        _check_bootstrap(config, archive)


def _check_python(config: Config, archive: Archive, handler: str) -> None:
    module, dot, function = handler.rpartition(".")
    if not dot or not module or not function:
        raise config.error(
            _KEYS, f"lambda.handler is {handler!r}.", "Allowed: MODULE.FUNCTION, such as app.main."
        )
    path = module.replace(".", "/")
    files = (f"{path}.py", f"{path}/__init__.py")
    file = next((name for name in files if name in archive.names), None)
    if file is None:
        if config.function.layers or _is_compiled(archive, path):
            return
        modules = [name.removesuffix(".py") for name in archive.names if name.endswith(".py")]
        raise config.error(
            _KEYS,
            f"lambda.handler is {handler!r}: the code has no {files[0]}.",
            _meant(path, modules),
        )
    names = _top_level(_read(archive, file))
    if names is not None and function not in names:
        raise config.error(
            _KEYS,
            f"lambda.handler is {handler!r}: {file} has no {function}.",
            _meant(function, [name for name, is_module in names.items() if not is_module]),
        )


def _is_compiled(archive: Archive, path: str) -> bool:
    return any(name.startswith(f"{path}.") and name.endswith(_COMPILED) for name in archive.names)


def _meant(word: str, known: list[str]) -> str:
    return suggestion(word, known) if known else ""


def _read(archive: Archive, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        return opened.read(name)


def _top_level(source: bytes) -> dict[str, bool] | None:
    """The names that a module binds, each with whether it is a module.

    None if only running the code could tell.
    """
    try:
        names = dict(_bound(ast.parse(source).body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Another version of Python may be able to read it.
        return None
    return None if "*" in names or "__getattr__" in names else names


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, False
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                is_module = isinstance(statement, ast.Import)
                yield alias.asname or alias.name.split(".")[0], is_module
        else:
            # Assignments, and the bodies of with, try and if, but not those of functions.
            for part in ast.iter_child_nodes(statement):
                yield from _bound_in(part)


def _bound_in(node: ast.AST) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, False
    elif isinstance(node, ast.stmt):
        yield from _bound([node])
    elif not isinstance(node, ast.Lambda):
        for part in ast.iter_child_nodes(node):
            yield from _bound_in(part)


def _check_node(config: Config, archive: Archive, handler: str) -> None:
    """The file's name ends at the first dot after the last slash."""
    folder, slash, name = handler.rpartition("/")
    base, dot, function = name.partition(".")
    if not dot or not base or not function:
        raise config.error(
            _KEYS,
            f"lambda.handler is {handler!r}.",
            "Allowed: FILE.FUNCTION, such as index.handler.",
        )
    path = f"{folder}{slash}{base}".removeprefix("./")
    ends = ("", ".js", ".mjs", ".cjs", "/index.js", "/index.mjs", "/index.cjs")
    if config.function.layers or any(f"{path}{end}" in archive.names for end in ends):
        return
    scripts = [
        file[: -len(end)] for file in archive.names for end in ends[1:4] if file.endswith(end)
    ]
    raise config.error(
        _KEYS, f"lambda.handler is {handler!r}: the code has no {path}.js.", _meant(path, scripts)
    )


def _check_bootstrap(config: Config, archive: Archive) -> None:
    """A runtime of one's own is the program `bootstrap`, which a layer may have.

    Source: AWS Lambda guide, "Building a custom runtime for AWS Lambda".
    """
    if config.function.layers:
        return
    keys, runtime = ("lambda", "runtime"), config.function.runtime
    if "bootstrap" not in archive.names:
        raise config.error(
            keys,
            f"lambda.runtime is {runtime}: the code has no file bootstrap.",
            "Give your program this name, at the top of lambda.path.",
        )
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        mode = opened.getinfo("bootstrap").external_attr >> 16
    if not mode & 0o100:
        raise config.error(
            keys,
            f"lambda.runtime is {runtime}: bootstrap in {config.function.path} is not executable.",
            "Run `chmod +x bootstrap`, and zip it again if you zip it yourself.",
        )

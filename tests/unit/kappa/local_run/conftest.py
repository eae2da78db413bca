"""Functions on disk that run on this machine, with a cache of their own."""

import sys
from dataclasses import dataclass, field

import pytest

from kappa.config.read import read_config
from kappa.local_run.function import Caller, LocalFunction
from kappa.package.pack import read_archive

HERE = f"python3.{sys.version_info.minor}"
CALLER = Caller(
    "eu-west-1",
    "arn:aws:lambda:eu-west-1:111122223333:function:greeter",
    {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B"},
)


@dataclass
class Recorded:
    """What a function wrote, and what kappa warned of."""

    lines: list = field(default_factory=list)
    warnings: list = field(default_factory=list)

    def log(self, line):
        self.lines.append(line.text)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.fixture
def recorded():
    return Recorded()


@pytest.fixture
def config_of(tmp_path):
    """Write a function's files; return its config."""

    def make(files, handler="app.handler", runtime=HERE, **keys):
        for name, text in files.items():
            file = tmp_path / "code" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        settings = {"name": "greeter", "path": "code", "handler": handler, "runtime": runtime}
        lines = [f"  {key}: {value}" for key, value in (settings | keys).items()]
        (tmp_path / "config.yml").write_text("\n".join(["lambda:", *lines, ""]))
        return read_config(tmp_path / "config.yml", "")

    return make


@pytest.fixture
def function_of(config_of, recorded):
    """A function of one file of Python, ready to be entered."""

    def make(code, config=None, **keys):
        config = config or config_of({"app.py": code}, **keys)
        return LocalFunction(
            config,
            read_archive(config),
            CALLER,
            log=recorded.log,
            warn=recorded.warnings.append,
        )

    return make

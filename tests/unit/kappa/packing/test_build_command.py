"""When lambda.build runs, with what, and what is an error."""

import fcntl
import os
import subprocess
import sys
import threading

import pytest
from msgspec.structs import replace

from kappa.config.inputs import Inputs, collecting, read_again
from kappa.config.read import read_config
from kappa.errors import ArchiveError, ConfigError
from kappa.packing.build import check_architecture, read_archive
from kappa.packing.build_command import built
from tests.support.builders import kappa_config
from tests.support.waiting import wait_for

# Writes its input to the output, and a line for each run.
COPY = 'echo run >>"$RUNS"; mkdir -p dist; cp src/greeter.py dist/'


@pytest.fixture
def project(tmp_path, tmp_path_factory, monkeypatch):
    """A folder with a source; runs are counted in a file outside of it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "greeter.py").write_text("1")
    monkeypatch.setenv("RUNS", str(tmp_path_factory.mktemp("outside") / "runs"))
    return tmp_path


@pytest.fixture
def runs(project):
    def count():
        with open(os.environ["RUNS"], "a+") as file:  # noqa: PTH123
            file.seek(0)
            return file.read().count("run")

    return count


def config_of(folder, command=COPY, **function):
    keys = {"path": "dist", "build": command, **function}
    (folder / "config.yml").touch()
    return replace(kappa_config(keys), file=folder / "config.yml")


def pack(folder, command=COPY, **function):
    return read_archive(config_of(folder, command, **function))


def test_a_build_runs_each_time_and_its_output_is_packed(project, runs):
    first = pack(project)
    assert first.names == ("greeter.py",)
    assert pack(project) == first
    assert runs() == 2


def test_a_build_gets_the_runtime_the_architecture_and_the_place_of_its_output(project):
    command = 'mkdir -p dist; env | grep ^KAPPA_ | sort >"$KAPPA_OUT/env"; pwd >>dist/env'
    pack(project, command, architectures=("arm64",))
    assert (project / "dist" / "env").read_text().split("\n") == [
        "KAPPA_ARCHITECTURE=arm64",
        f"KAPPA_OUT={project}/dist",
        "KAPPA_RUNTIME=python3.13",
        str(project),
        "",
    ]


def test_a_failed_build_shows_its_output_and_packs_nothing(project):
    (project / "config.yml").write_text(
        "iam: {role: {name: r}}\n"
        "lambda:\n"
        "  {name: greeter, path: dist, handler: greeter.handler, runtime: python3.13,\n"
        "  build: 'echo looked; echo; echo no tea >&2; exit 42'}\n"
    )
    with pytest.raises(ArchiveError) as error:
        read_archive(read_config(project / "config.yml"))
    assert error.value.exit_code == 1
    assert error.value.message == (
        f"{project}/config.yml:4: lambda.build failed with exit code 42.\n    looked\n\n    no tea"
    )


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("true", "did not create"),
        ("mkdir -p dist", "no file to pack"),
        ("echo \0", r"lambda\.build could not be started"),
        ("rm -r ../*/src/.. 2>/dev/null; rm -r $PWD", r"lambda\.build removed .*config\.yml"),
    ],
)
def test_a_build_that_makes_nothing_is_an_error(project, command, problem):
    with pytest.raises((ArchiveError, ConfigError), match=problem):
        pack(project, command)


def test_a_build_that_removes_the_folder_in_which_kappa_runs_ends_in_one_error(project):
    text = "iam: {role: {name: r}}\nlambda:\n  {name: g, path: dist, handler: a.b, "
    (project / "config.yml").write_text(f"{text}runtime: python3.13, build: rm -r $PWD}}\n")
    command = [sys.executable, "-m", "kappa", "config.yml", "package"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: lambda.build removed config.yml." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_zip_that_is_built_is_uploaded_as_it_is(project):
    script = "import zipfile as z; z.ZipFile('out.zip', 'w').write('src/greeter.py', 'greeter.py')"
    archive = pack(project, [sys.executable, "-c", script], path="out.zip")
    assert archive.data == (project / "out.zip").read_bytes()


def test_a_second_kappa_waits_until_the_first_has_packed(project, runs):
    """Two environments may build into one folder, each for its own architecture."""
    reports, done = [], []
    other = config_of(project, architectures=("arm64",))

    def build_too():
        done.append(read_archive(other, report=reports.append))

    with built(config_of(project), lambda _: None):
        thread = threading.Thread(target=build_too)
        thread.start()
        wait_for(lambda: reports, 5)
        assert reports[0].mark == "waiting"
        assert (runs(), done) == (1, [])
    thread.join()
    assert runs() == 2


def test_a_build_that_runs_kappa_for_the_same_folder_is_an_error(project, monkeypatch):
    monkeypatch.setenv("KAPPA_OUT", str(project / "dist"))
    with pytest.raises(ConfigError, match="runs kappa, which builds the same"):
        pack(project)
    # For another folder it does not wait for the lock of the build that it is part of.
    monkeypatch.setenv("KAPPA_OUT", str(project / "other"))
    with built(config_of(project), lambda _: None):
        assert pack(project).names == ("greeter.py",)


def test_the_lock_ends_with_kappa_and_is_not_the_builds(project):
    pack(project, f"{COPY}; sleep 0 &")
    folder = os.open(project, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(folder)


def test_nothing_is_built_for_the_wrong_architecture(project):
    config = config_of(project, runtime="provided.al2023")
    with pytest.raises(ConfigError, match="it would be built for x86_64"):
        check_architecture(config, ["arm64"])
    check_architecture(config, ["x86_64"])


@pytest.mark.parametrize(
    ("more", "is_change"),
    [
        ("touch src/greeter.py", False),
        ("touch src/tmp; rm src/tmp", False),
        ("rm -rf dist/old", False),
        ("date +%s%N >src/greeter.py", True),
    ],
)
def test_a_watch_sees_no_change_in_what_a_build_leaves_as_it_was(project, more, is_change):
    inputs = Inputs()
    with collecting(inputs):
        pack(project, f"{COPY}; mkdir dist/old; {more}")
    assert (read_again(inputs) != inputs) == is_change
    (project / "src" / "greeter.py").write_text("by hand")
    assert read_again(inputs) != inputs

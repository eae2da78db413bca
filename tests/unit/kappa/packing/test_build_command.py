"""When lambda.build runs, with what, and what counts as done."""

import fcntl
import json
import os
import subprocess
import sys
import threading

import pytest
from msgspec.structs import replace

from kappa.config.read import read_config
from kappa.errors import ArchiveError, ConfigError
from kappa.packing import build_files
from kappa.packing.build import check_architecture, read_archive
from kappa.packing.build_command import built, why_to_build
from tests.support.builders import kappa_config
from tests.support.waiting import wait_for

# Writes its input to the output, and a line for each run.
COPY = 'echo run >>"$RUNS"; mkdir -p dist; cp src/greeter.py dist/'


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache of its own, and a file outside of the project that counts the runs."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setenv("RUNS", str(folder / "runs"))
    return folder


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "greeter.py").write_text("1")
    return tmp_path


@pytest.fixture
def runs(cache):
    def count():
        file = cache / "runs"
        return file.read_text().count("run") if file.exists() else 0

    return count


def config_of(folder, command=COPY, **function):
    keys = {"path": "dist", "build": command, **function}
    return replace(kappa_config(keys), file=folder / "config.yml")


def pack(folder, command=COPY, **function):
    return read_archive(config_of(folder, command, **function))


def test_a_build_runs_once_and_its_output_is_packed(project, runs):
    first = pack(project)
    assert first.names == ("greeter.py",)
    assert pack(project) == first
    assert runs() == 1


def test_a_changed_input_builds_again(project, runs):
    first = pack(project)
    (project / "src" / "greeter.py").write_text("2")
    assert pack(project).sha256 != first.sha256
    assert pack(project).sha256 != first.sha256
    assert runs() == 2


@pytest.mark.parametrize("inputs", [[], ["src"]], ids=["the folder", "build_inputs"])
def test_an_output_that_was_deleted_is_built_again(project, runs, inputs):
    first = pack(project, build_inputs=inputs)
    (project / "dist" / "greeter.py").unlink()
    assert pack(project, build_inputs=inputs) == first
    assert runs() == 2


def test_an_output_that_was_changed_is_built_again(project, runs):
    first = pack(project)
    (project / "dist" / "greeter.py").write_text("by hand")
    assert pack(project) == first
    assert runs() == 2


def test_what_is_no_input_builds_nothing(project, runs):
    pack(project, build_inputs=["src"])
    (project / "README.md").write_text("new")
    (project / "dist" / "more.py").write_text("by hand")
    assert pack(project, build_inputs=["src"]).names == ("greeter.py", "more.py")
    assert runs() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"command": f"{COPY}; true"},
        {"runtime": "python3.14"},
        {"architectures": ("arm64",)},
        {"build_inputs": ["src"]},
    ],
)
def test_another_command_runtime_or_architecture_builds_again(project, runs, changes):
    pack(project)
    pack(project, **changes)
    assert runs() == 2


def test_another_memory_size_builds_nothing(project, runs):
    pack(project)
    pack(project, memory_size=512)
    assert runs() == 1


def test_a_build_gets_the_runtime_the_architecture_and_the_place_of_its_output(project):
    command = 'mkdir -p dist; env | grep ^KAPPA_ | sort >"$KAPPA_OUT/env"; pwd >>dist/env'
    config = config_of(project, command, architectures=("arm64",))
    read_archive(config)
    assert (project / "dist" / "env").read_text().split("\n") == [
        "KAPPA_ARCHITECTURE=arm64",
        f"KAPPA_OUT={project}/dist",
        "KAPPA_RUNTIME=python3.13",
        str(project),
        "",
    ]
    read_archive(config_of(project, command))
    assert "KAPPA_ARCHITECTURE=x86_64\n" in (project / "dist" / "env").read_text()


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
    assert error.value.message.startswith(
        f"{project}/config.yml:4: lambda.build failed with exit code 42: echo looked;"
    )
    assert error.value.message.endswith("\n    looked\n\n    no tea")


def test_a_failed_build_never_counts_as_done(project, runs):
    pack(project)
    (project / "src" / "greeter.py").write_text("2")
    with pytest.raises(ArchiveError):
        pack(project, f"{COPY}; exit 1")
    (project / "src" / "greeter.py").write_text("1")
    pack(project)
    assert runs() == 3


def test_an_interrupted_build_never_counts_as_done(project, runs, monkeypatch):
    pack(project)
    (project / "src" / "greeter.py").write_text("2")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("kappa.packing.build_process.run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack(project)
    (project / "src" / "greeter.py").write_text("1")
    pack(project)
    assert runs() == 2


def test_an_input_that_changes_while_it_is_built_is_built_again(project, runs):
    edit = "test -e edited || { echo 2 >src/greeter.py; touch edited; }"
    pack(project, f"{COPY}; {edit}")
    assert pack(project, f"{COPY}; {edit}").unzipped_bytes == 2
    assert runs() == 2
    pack(project, f"{COPY}; {edit}")
    assert runs() == 2


def test_a_build_that_changes_its_own_input_says_so_each_time(project, runs):
    command = f"{COPY}; date +%s%N >src/stamp"
    (project / "src" / "stamp").touch()
    for _ in range(2):
        pack(project, command)
        why = why_to_build(config_of(project, command))
        assert why == "src/stamp changed during the last build"
    assert runs() == 2


def test_a_file_that_the_build_makes_beside_its_output_is_no_reason_to_build_again(project, runs):
    command = f"{COPY}; test -e lock || echo 1 >lock"
    pack(project, command)
    pack(project, command)
    assert runs() == 1
    (project / "lock").write_text("2")
    assert why_to_build(config_of(project, command)) == "lock changed"


def test_a_folder_that_is_packed_as_a_whole_is_built_until_it_stays_the_same(project, runs):
    command = 'echo run >>"$RUNS"; sed s/1/one/ src/greeter.py >greeter.py'
    for _ in range(2):
        pack(project, command, path=".")
    assert runs() == 1
    (project / "src" / "greeter.py").write_text("11")
    for _ in range(3):
        pack(project, command, path=".")
    assert runs() == 3
    assert (project / "greeter.py").read_text() == "one1"


@pytest.mark.parametrize("command", ["true", "mkdir -p dist"])
def test_a_build_without_output_is_an_error_each_time(project, command):
    for _ in range(2):
        with pytest.raises((ArchiveError, ConfigError), match=r"did not create|no file to pack"):
            pack(project, command)


def test_a_zip_that_is_built_is_uploaded_as_it_is(project, runs):
    script = "import zipfile as z; z.ZipFile('out.zip', 'w').write('src/greeter.py', 'greeter.py')"
    command = [sys.executable, "-c", script]
    archive = pack(project, command, path="out.zip")
    assert archive.data == (project / "out.zip").read_bytes()
    (project / "out.zip").unlink()
    assert pack(project, command, path="out.zip").names == ("greeter.py",)


def test_why_to_build_runs_nothing(project, runs):
    assert why_to_build(config_of(project)) == "no successful build is recorded"
    assert runs() == 0
    pack(project)
    assert why_to_build(config_of(project)) == ""
    (project / "src" / "new.py").write_text("")
    assert why_to_build(config_of(project)) == "src/new.py is new"


def test_the_report_names_function_command_and_reason_in_one_line(project):
    reports = []
    read_archive(config_of(project, ["sh", "-c", f"{COPY}\necho 'a  b'"]), report=reports.append)
    read_archive(config_of(project, ["sh", "-c", f"{COPY}\necho 'a  b'"]), report=reports.append)
    assert [report.mark for report in reports] == ["building"]
    assert reports[0].message.startswith("code of greeter: sh -c 'echo run")
    assert reports[0].message.endswith(" (no successful build is recorded)")
    assert "\n" not in reports[0].message


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
    config = config_of(project)
    monkeypatch.setenv("KAPPA_OUT", str(project / "dist"))
    error = pytest.raises(ConfigError, match="runs kappa, which builds the same")
    with built(config, lambda _: None), error:
        read_archive(config)
    assert read_archive(config).names == ("greeter.py",)


def test_the_lock_ends_with_kappa_and_is_not_the_builds(project, cache):
    pack(project, f"{COPY}; sleep 0 &")
    (lock,) = (cache / "kappa" / "builds").glob("*.lock")
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_nobody_else_may_read_a_record(project, cache):
    pack(project)
    (record,) = (cache / "kappa" / "builds").glob("*.json")
    assert record.stat().st_mode & 0o777 == 0o600


def test_a_record_that_cannot_be_read_is_none(project, runs, cache):
    pack(project)
    (record,) = (cache / "kappa" / "builds").glob("*.json")
    record.write_text('{"keys": 1}')
    pack(project)
    assert runs() == 2
    assert json.loads(record.read_text())["files"]["read"].keys() == {"src/greeter.py"}


def test_a_cache_that_cannot_be_written_is_an_error_with_the_remedy(project, monkeypatch, cache):
    (cache / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    with pytest.raises(ArchiveError, match="cannot be kept in") as error:
        pack(project)
    assert "XDG_CACHE_HOME" in error.value.hint


def test_a_command_that_no_process_can_have_is_an_error(project):
    with pytest.raises(ArchiveError, match=r"lambda\.build could not be started"):
        pack(project, "echo \0")


def test_nothing_is_built_for_the_wrong_architecture(project):
    config = config_of(project, runtime="provided.al2023")
    with pytest.raises(ConfigError, match="it would be built for x86_64"):
        check_architecture(config, ["arm64"])
    check_architecture(config, ["x86_64"])


def test_a_project_without_a_build_keeps_no_record(project, cache):
    read_archive(replace(kappa_config({"path": "src"}), file=project / "config.yml"))
    assert list(cache.iterdir()) == []


def test_a_build_is_found_again_from_another_folder_and_through_a_link(project, runs, monkeypatch):
    (project.parent / "link").symlink_to(project)
    pack(project)
    pack(project.parent / "link")
    monkeypatch.chdir(project)
    read_archive(replace(config_of(project), file=build_files.Path("config.yml")))
    assert runs() == 1


def test_two_kappas_at_once_build_once(project, runs, cache):
    (project / "config.yml").write_text(
        "iam: {role: {name: r}}\n"
        "lambda: {name: greeter, path: dist, handler: greeter.b, runtime: python3.13, "
        f"build: 'sleep 0.3; {COPY}'}}\n".replace('"', '\\"').replace("'", '"')
    )
    (project / "src" / "greeter.py").write_text("b = 1\n")
    command = [sys.executable, "-m", "kappa", "config.yml", "package", "--output", os.devnull]
    kappas = [subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE) for _ in range(2)]
    told = [kappa.communicate()[1].decode() for kappa in kappas]
    assert [kappa.returncode for kappa in kappas] == [0, 0], told
    assert runs() == 1

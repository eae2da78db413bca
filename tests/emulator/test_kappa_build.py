"""lambda.build, a zip as the path, and the templates of init, against the emulator."""

import json
import os
import shutil
import uuid
import zipfile
from pathlib import Path

import pytest

from tests.support.builders import run_kappa
from tests.support.kappa.projects import GIVEN_ROLE, Project, role_in

ACCOUNT = "463000000002"
NODE_PROGRAMS = Path(__file__).parents[2] / "s3-website" / "node_modules" / ".bin"


@pytest.fixture
def project(tmp_path, emulator):
    """A function whose code is built: greeter.py is copied from src, and each run counted."""
    project = Project(tmp_path / "project", emulator, ACCOUNT)
    project.env |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "RUNS": str(tmp_path / "runs")}
    (project.folder / "code").rename(project.folder / "src")
    role = role_in(emulator, ACCOUNT, f"{project.name}-role")
    text = GIVEN_ROLE.format(name=project.name, role=role).replace("path: code", "path: dist")
    project.config(text + "  build: echo run >>$RUNS; rm -rf dist; cp -r src dist\n")
    return project


def runs(project):
    file = Path(project.env["RUNS"])
    return len(file.read_text().split()) if file.exists() else 0


def test_each_deploy_builds_and_uploads_only_what_differs(project):
    first = project.run("deploy")
    assert f"building   code of {project.name}\n" in first.stderr
    assert "No changes." in project.run("deploy").stderr
    assert runs(project) == 2
    source = project.folder / "src" / "greeter.py"
    source.write_text(source.read_text().replace('"greeting"', '"hello"'))
    assert "greeter.py" in project.kappa("diff").stdout
    assert project.marks("deploy") == ["building", "updated"]
    assert "hello" in json.loads(project.run("invoke", "--data", "{}").stdout)


def test_only_what_packs_builds(project):
    project.run("create")
    project.run("invoke", "--data", "{}")
    for command in ("validate", "status", "versions", "logs", "tail", "event_source_status"):
        project.run(command)
    project.run("dryrun", "--data", "{}")
    assert runs(project) == 1
    project.run("update_code")
    project.run("delete", "--yes")
    assert runs(project) == 2


def test_a_failed_build_changes_nothing_on_aws(project):
    project.run("deploy")
    before = project.settings()["CodeSha256"]
    (project.folder / "src" / "greeter.py").write_text("broken")
    project.config(project.text.replace("cp -r", "echo no tea; exit 9; cp -r"))
    done = project.kappa("deploy")
    assert done.returncode == 1
    assert "lambda.build failed with exit code 9" in done.stderr
    assert "    no tea\n" in done.stderr
    assert project.settings()["CodeSha256"] == before


def test_a_zip_is_deployed_as_it_is_and_compared_file_by_file(project):
    def write_zip(greeting):
        with zipfile.ZipFile(project.folder / "own.zip", "w") as file:
            file.writestr("greeter.py", f"def handler(event, context):\n    return {greeting!r}\n")

    write_zip("good day")
    text, _, _ = project.text.replace("path: dist", "path: own.zip").partition("  build:")
    project.config(text)
    project.run("deploy")
    assert json.loads(project.run("invoke", "--data", "{}").stdout) == "good day"
    write_zip("good night")
    assert "+    return 'good night'" in project.kappa("diff").stdout
    project.run("deploy")
    assert "No changes." in project.run("deploy").stderr
    packed = json.loads(project.run("package", "--json").stdout)
    assert project.settings()["CodeSha256"] == packed["sha256"]


@pytest.mark.parametrize("template", ["node", "typescript", "bootstrap"])
def test_a_template_is_deployed_and_answers(template, tmp_path, emulator):
    needed = {"node": "node", "typescript": "npm", "bootstrap": "curl"}[template]
    if not shutil.which(needed):
        pytest.skip(f"needs {needed}")
    env = emulator.env(ACCOUNT) | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    env["PATH"] = os.pathsep.join([str(NODE_PROGRAMS), env["PATH"]])

    def kappa(*args):
        done = run_kappa([tmp_path / "own" / "config.yml", *args], env)
        assert done.returncode == 0, done.stderr
        return done

    kappa("init", f"{template}-{uuid.uuid4().hex[:8]}", "--template", template)
    if template == "typescript":
        # esbuild is on the PATH: the template's npm would fetch it.
        modules = tmp_path / "own" / "node_modules"
        modules.mkdir()
        (modules / ".package-lock.json").touch()
    kappa("deploy")
    assert (
        json.loads(kappa("invoke").stdout)
        == {
            "node": {"greeting": "good day, Ada"},
            "typescript": {"greeting": "good day, Ada"},
            "bootstrap": {"greeting": "good day", "event": {"name": "Ada"}},
        }[template]
    )
    assert "No changes." in kappa("deploy").stderr
    if template == "typescript":
        source = tmp_path / "own" / "src" / "index.ts"
        source.write_text(
            "export const handler = async () => {\n    throw new Error('cold');\n};\n"
        )
        kappa("deploy", "--wait")
        done = run_kappa([tmp_path / "own" / "config.yml", "invoke"], env)
        assert (done.returncode, "src/index.ts:2:" in done.stderr) == (1, True), done.stderr
    kappa("delete", "--yes")

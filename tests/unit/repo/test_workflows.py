"""The workflows of .github: what they may do, and whose code they run."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github" / "workflows"
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v[0-9.]+")
OURS = re.compile(r"uses: \./\.github/workflows/[\w-]+\.yml")


def workflows():
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}


def jobs():
    for name, workflow in workflows().items():
        for job, content in workflow["jobs"].items():
            yield pytest.param(workflow, content, id=f"{name}-{job}")


def writes(permissions):
    return {scope for scope, level in (permissions or {}).items() if level == "write"}


def test_every_action_is_pinned_to_a_commit():
    lines = [line for path in FOLDER.glob("*.yml") for line in path.read_text().splitlines()]
    used = [line.strip().removeprefix("- ") for line in lines if "uses:" in line]
    assert len(used) > 5
    assert [line for line in used if not PINNED.fullmatch(line) and not OURS.fullmatch(line)] == []


def test_a_workflow_may_write_nothing_unless_a_job_asks_for_it():
    assert {name: writes(one["permissions"]) for name, one in workflows().items()} == {
        "check.yml": set(),
        "release.yml": set(),
    }
    asked = {
        job: writes(content.get("permissions"))
        for workflow in workflows().values()
        for job, content in workflow["jobs"].items()
    }
    assert {job: scopes for job, scopes in asked.items() if scopes} == {
        "publish": {"id-token"},
        "announce": {"contents"},
    }


@pytest.mark.parametrize(("workflow", "job"), list(jobs()))
def test_a_job_waits_for_jobs_that_exist_and_ends(workflow, job):
    needs = job.get("needs", [])
    assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"])
    assert "uses" in job or job["timeout-minutes"] <= 30


@pytest.mark.parametrize(("workflow", "job"), list(jobs()))
def test_a_checkout_leaves_no_token_behind(workflow, job):
    checkouts = [step for step in job.get("steps", []) if "checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize(("workflow", "job"), list(jobs()))
def test_a_script_takes_what_others_can_write_from_the_environment_only(workflow, job):
    scripts = [step["run"] for step in job.get("steps", []) if "run" in step]
    assert [script for script in scripts if "${{" in script] == []


def test_what_is_published_has_passed_the_check():
    release = workflows()["release.yml"]["jobs"]
    assert release["check"]["uses"] == "./.github/workflows/check.yml"
    assert [release[job]["needs"] for job in ("build", "publish", "announce")] == [
        "check",
        "build",
        "publish",
    ]


def test_the_oldest_python_that_is_checked_is_the_oldest_that_is_supported():
    pythons = workflows()["check.yml"]["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={pythons[0]}"' in (ROOT / "pyproject.toml").read_text()

"""The repository itself: nothing secret in it, and every dependency pinned by its hash."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

from kappa import __version__
from local.testkit.events import id_token
from tests.support.repo.secrets import leaks, secrets_in

ROOT = Path(__file__).resolve().parents[3]


def tracked_files():
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_holds_a_secret():
    files = tracked_files()
    found = {
        str(path.relative_to(ROOT)): secrets
        for path in files
        if (secrets := secrets_in(path.read_bytes().decode("utf-8", "replace")))
    }
    assert len(files) > 100
    assert found == {}


def test_a_config_with_an_account_in_it_is_no_part_of_the_repository():
    names = {str(path.relative_to(ROOT)) for path in tracked_files()}
    assert not names & {"config.yml", ".env", ".npmrc", ".pypirc", "credentials"}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an AWS access key", "AKIA" + "Z" * 16),
        ("a private key", "-----BEGIN " + "RSA PRIVATE KEY-----"),
        ("a JSON web token", id_token()),
        ("a Google access token", "ya29." + "a" * 20),
        ("a Google API key", "AIza" + "b" * 35),
        ("a GitHub token", "ghp_" + "c" * 36),
        ("an AWS secret key", "aws_secret_access_key = " + "d" * 40),
    ],
)
def test_each_kind_of_secret_is_seen(what, text):
    assert [found.split(":")[0] for found in secrets_in(f'x = "{text}"\n')] == [what]


def test_a_log_is_searched_for_addresses_and_private_texts_too():
    log = '{"event": "refused", "by": "ada@example.com", "text": "the plan"}'
    assert leaks(log, "the plan", "another") == [
        "an e-mail address: ada@example.com",
        "a private text: the plan",
    ]
    assert leaks('{"event": "done", "request_id": "1"}') == []


@pytest.mark.parametrize("name", ["dev.txt", "local.txt"])
def test_every_python_package_is_pinned_with_hashes(name):
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pinned = re.compile(r"[\w.\[\]-]+==\S+.* --hash=sha256:[0-9a-f]{64}")
    loose = [line for line in lines if not pinned.match(line)]
    assert len(lines) > 20
    assert loose == []


def test_every_npm_package_is_locked_with_a_sha512():
    lock = json.loads((ROOT / "s3-website" / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        kind, _, digest = package["integrity"].partition("-")
        assert kind == "sha512", name
        assert len(base64.b64decode(digest)) == 64, name


def test_the_changelog_has_the_version_as_the_release_looks_for_it():
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")

"""Run Lighthouse on the page of a chat in local mode: `python -m tools.lighthouse`.

Prints the scores and the audits that failed; exit code 1 if a score is below 95. The first run
installs Lighthouse into build/lighthouse with npm.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any

from playwright.sync_api import sync_playwright

from bench.report import table
from kappa.errors import KappaError
from local import bootstrap
from local.testkit.chromium import ARGUMENTS, MISSING, chromium_path

# The newest release that runs on Node 20; version 13 needs 22.19.
VERSION = "12.8.2"
HOME = bootstrap.ROOT / "build/lighthouse"
PROGRAM = HOME / "node_modules/lighthouse/cli/index.js"
CATEGORIES = ("performance", "accessibility", "best-practices")
DEVICES = {"phone": [], "desktop": ["--preset=desktop"]}
LEAST = 95
TIMEOUT_S = 180
STOP_S = 10


def main() -> int:
    """Run Lighthouse and print; 1 if a score is too low or Lighthouse did not run."""
    try:
        install()
        with (
            tempfile.TemporaryDirectory(prefix="lighthouse-") as folder,
            bootstrap.chat(report=lambda line: print(line, file=sys.stderr)) as chat,
        ):
            env = os.environ | {"CHROME_PATH": browser_path(), "TMPDIR": folder}
            results = {device: judged(chat.url, more, env) for device, more in DEVICES.items()}
    except KappaError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    scores = {device: scores_of(result) for device, result in results.items()}
    print(table(("device", *CATEGORIES), [(device, *row) for device, row in scores.items()]))
    for device, result in results.items():
        for name, text in findings(result):
            print(f"- {device}: {name}: {text}")
    return 1 if any(score < LEAST for row in scores.values() for score in row) else 0


def install() -> None:
    """Install Lighthouse unless it is installed.

    Raises: KappaError, if npm is missing or fails.
    """
    if PROGRAM.is_file():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise KappaError("npm is not installed.", "Install Node.js 20 or later, then run again.")
    HOME.mkdir(parents=True, exist_ok=True)
    print(f"==> installing lighthouse {VERSION}", file=sys.stderr)
    command = [npm, "install", "--prefix", str(HOME), "--no-audit", "--no-fund", "--no-save"]
    command += ["--loglevel=error", f"lighthouse@{VERSION}"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KappaError(f"npm could not install lighthouse:\n{done.stderr.strip()[-1000:]}")


def browser_path() -> str:
    """The path of the tests' Chromium.

    Raises: KappaError, if there is none.
    """
    with sync_playwright() as playwright:
        path = chromium_path(playwright)
    if path is None:
        raise KappaError(f"Lighthouse did not run: {MISSING}")
    return str(path)


def judged(url: str, more: list[str], env: dict[str, str]) -> dict[str, Any]:
    """Run Lighthouse on a page; return its JSON result.

    Raises: KappaError, if Lighthouse cannot run, times out or fails.
    """
    flags = " ".join(["--headless=new", *ARGUMENTS])
    command = ["node", str(PROGRAM), url, *more, "--quiet", "--output=json"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={flags}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    try:
        process = subprocess.Popen(command, env=env, **pipes)
    except OSError as error:
        raise KappaError(f"Lighthouse could not be run: {error}") from error
    try:
        text, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise KappaError(f"Lighthouse did not finish within {TIMEOUT_S} s.") from error
    finally:
        stop(process)
    if process.returncode:
        raise KappaError(f"Lighthouse failed:\n{errors.strip()[-1000:]}")
    result: dict[str, Any] = json.loads(text)
    return result


def stop(process: subprocess.Popen[str]) -> None:
    """Interrupt Lighthouse if it still runs, so that it closes its browser too."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def scores_of(result: dict[str, Any]) -> list[int]:
    """The score of each category, from 0 to 100; a missing score counts as 0."""
    return [round(100 * (result["categories"][name]["score"] or 0)) for name in CATEGORIES]


def findings(result: dict[str, Any]) -> list[tuple[str, str]]:
    """The audits that did not pass: each one's id, and its title with its measured value."""
    ids = [ref["id"] for name in CATEGORIES for ref in result["categories"][name]["auditRefs"]]
    audits = {name: result["audits"][name] for name in ids}
    return [
        (name, f"{audit['title']} {audit.get('displayValue', '')}".strip())
        for name, audit in audits.items()
        if audit["score"] is not None and audit["score"] < 1
    ]


if __name__ == "__main__":
    sys.exit(main())

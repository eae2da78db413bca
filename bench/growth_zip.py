"""kappa's zip, as a function's code gets larger, beside a plain script that writes the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import boto3

from bench.growth_aws import aws_settings, environment
from bench.report import table
from kappa.errors import KappaError

SIZES_MB = (1, 10, 50, 200)
FILE_MB = 25
REPEATS = 2
REPEATS_UP_TO_MB = 100
BUCKET = "bench-growth-zip"
CONFIG = f"""\
region: us-east-1
iam: {{policy: {{name: bench-zip, document: policy.json}}, role: {{name: bench-zip}}}}
lambda:
  {{name: bench-zip, path: code, handler: noise.handler, runtime: python3.13, s3_bucket: {BUCKET}}}
"""
POLICY = """\
{"Version": "2012-10-17", "Statement":
  [{"Effect": "Allow", "Action": ["logs:CreateLogStream"], "Resource": "*"}]}
"""
PLAIN = """\
import sys, zipfile
from pathlib import Path
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as packed:
    for path in sorted(Path("code").iterdir()):
        packed.write(path, path.name)
"""
# In a process of its own, which is small: a child's peak is never below that of its parent.
WATCH = """\
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
took = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, took, peak, done.stderr]))
"""


@dataclass(frozen=True)
class Spent:
    """What a process took: wall seconds, and its largest resident set in MB."""

    seconds: float
    peak_mb: float


def measure(endpoint_url: str) -> str:
    """Pack each size by kappa and by the plain script; create once through S3."""
    env = os.environ | environment(endpoint_url)
    kappa = [str(Path(sys.executable).parent / "kappa"), "config.yml"]
    with tempfile.TemporaryDirectory(prefix="bench-zip-") as name:
        folder = Path(name)
        lines = []
        for size_mb in SIZES_MB:
            write_project(folder, size_mb)
            times = REPEATS if size_mb <= REPEATS_UP_TO_MB else 1
            ours, plain = [
                best([run(command, folder, env) for _ in range(times)])
                for command in (
                    [*kappa, "package", "--output", str(folder / "ours.zip")],
                    [sys.executable, "-c", PLAIN, str(folder / "plain.zip")],
                )
            ]
            lines.append(line(size_mb, ours, plain))
        with aws_settings(endpoint_url):
            boto3.client("s3").create_bucket(Bucket=BUCKET)
        created = run([*kappa, "create"], folder, env)
    heads = ("MB of code", "kappa package / plain script, time", "kappa, peak MB")
    heads += ("plain script, peak MB", "kappa's growth, MB a MB of code")
    note = (
        "\nThe code does not compress. kappa holds the zip in memory once, as the calls that "
        f"send it want it, and otherwise a block at a time. `create` with {SIZES_MB[-1]} MB, "
        f"through S3: {created.seconds / ours.seconds:.1f} times as long as `package`, "
        f"peak {created.peak_mb:.0f} MB.\n"
    )
    return f"### kappa's zip\n\n{table(heads, grown(lines))}{note}"


def line(size_mb: int, ours: Spent, plain: Spent) -> tuple[int, float, float, float]:
    """A line of the table, but for the growth."""
    return size_mb, ours.seconds / plain.seconds, ours.peak_mb, plain.peak_mb


def grown(
    lines: list[tuple[int, float, float, float]],
) -> list[tuple[int, float, float, float, object]]:
    """Add how much memory a MB more of code takes, from the smallest size on."""
    size_mb, _, least_mb, _ = lines[0]
    return [
        (*one, (one[2] - least_mb) / (one[0] - size_mb) if one[0] > size_mb else "-")
        for one in lines
    ]


def write_project(folder: Path, size_mb: int) -> None:
    """A config and code of that size, in files that do not compress."""
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (folder / "config.yml").write_text(CONFIG)
    (folder / "policy.json").write_text(POLICY)
    (code / "noise.py").write_text("def handler(event, context):\n    return None\n")
    for number, start in enumerate(range(0, size_mb, FILE_MB)):
        length_mb = min(FILE_MB, size_mb - start)
        (code / f"noise-{number}.bin").write_bytes(os.urandom(length_mb * 1_000_000))


def run(command: list[str], folder: Path, env: dict[str, str]) -> Spent:
    """Run a command in a folder.

    Raises: KappaError, if it fails.
    """
    watched = [sys.executable, "-c", WATCH, *command]
    done = subprocess.run(watched, cwd=folder, env=env, capture_output=True, text=True, check=True)
    code, seconds, peak_kib, errors = json.loads(done.stdout)
    if code:
        raise KappaError(f"{Path(command[0]).name} failed with exit code {code}:\n{errors}")
    return Spent(seconds, peak_kib * 1024 / 1e6)


def best(found: list[Spent]) -> Spent:
    """The least of both: what disturbs makes both larger."""
    return Spent(min(one.seconds for one in found), min(one.peak_mb for one in found))

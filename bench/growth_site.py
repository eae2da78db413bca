"""update.sh's work, as the site gets larger, beside a plain loop that uploads every file.

The site is built, bundled, compared and uploaded as update.sh does it; what starts Python, and npm,
is not measured. One of five files is a script that no other imports: a bundle of its own, with a
map.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import boto3

from bench.growth_aws import aws_settings, require
from bench.report import table
from kappa.aws.client import Aws
from lambda_chat.config import build_folder, read_config
from lambda_chat.site import publish
from lambda_chat.site.build import run_folder
from lambda_chat.site.headers import File
from tests.support.aws import proxy

SIZES = (10, 100, 1_000, 10_000)
PLAIN_UP_TO = 1_000
FAR, FAR_S = 100, 0.02
SCRIPT_EACH = 5
PAGE_SIZE = 1_000  # keys in an answer of S3's ListObjectsV2
CONFIG = """\
s3_bucket: {bucket}
google_oauth_client_id: 1-a.apps.googleusercontent.com
stack_name: Bench-Site
region: us-east-1
sns_topic_arn: arn:aws:sns:us-east-1:000000000000:T
website_iam_role_arn: arn:aws:iam::000000000000:role/R
dynamodb_table: Messages
"""


class CountingAws(Aws):
    """Counts the calls of its clients by operation."""

    def __init__(self) -> None:
        super().__init__("us-east-1")
        self.calls: Counter[str] = Counter()

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        """The client, which tells of each call once."""
        found = super().client(service)
        found.meta.events.register("before-call", self._note, unique_id="growth")
        return found

    def _note(self, model: Any, **_: object) -> None:  # noqa: ANN401
        self.calls[model.name] += 1


def measure(endpoint_url: str) -> str:
    """Publish a site of each size, then once more with one file changed."""
    lines: list[tuple[object, ...]] = []
    plain_s = 0.0
    with aws_settings(endpoint_url):
        for count in SIZES:
            plain_s, *line = of_size(f"{count:,}", count, plain_s)
            lines.append(tuple(line))
    with proxy.running(endpoint_url) as far, aws_settings(far.url):
        far.before = lambda _operation: time.sleep(FAR_S)
        lines.append(
            tuple(of_size(f"{FAR:,}, each answer {FAR_S * 1000:.0f} ms later", FAR, 0)[1:])
        )
    heads = ("files", "objects", "first: calls", "first: time / plain loop")
    heads += ("one changed: LIST", "one changed: PUT", "one changed: time / plain loop")
    note = (
        "\nThe plain loop puts each built file, one after the other, whenever anything changed. "
        f"It ran up to {PLAIN_UP_TO:,} files; above, its time is taken to grow with the files. "
        "update.sh's times include building the site: copying, bundling, hashing. The emulator "
        "answers one call at a time and shares the processors, so to upload side by side gains "
        "only where answers take their time, as on AWS.\n"
    )
    return f"### update.sh\n\n{table(heads, lines)}{note}"


def of_size(label: str, count: int, plain_s: float) -> tuple[Any, ...]:
    """The plain loop's seconds, then a line of the table; `plain_s` is that of a tenth."""
    with tempfile.TemporaryDirectory(prefix="bench-site-") as name:
        folder, bucket = Path(name), f"bench-site-{uuid.uuid4().hex[:8]}"
        os.environ["LAMBDA_CHAT_CONFIG"] = str(folder / "config.yml")
        (folder / "config.yml").write_text(CONFIG.format(bucket=bucket))
        boto3.client("s3").create_bucket(Bucket=bucket)
        try:
            return compared(label, write_site(folder / "public", count), plain_s)
        finally:
            shutil.rmtree(build_folder(), ignore_errors=True)


def compared(label: str, source: Path, plain_s: float) -> tuple[Any, ...]:
    """Publish a site twice, and check the calls."""
    first_s, first = published(source)
    objects = first["PutObject"]
    with run_folder(build_folder()) as target:
        built = publish.build(source, target, read_config(), "us-east-1")
        require(objects == len(built) + 2, f"{objects} PUTs for {len(built)} files, headers, run")
        plain_s = plain_s * 10 if objects > 2 * PLAIN_UP_TO else put_plainly(built)
    (source / "css/picture-0.svg").write_text(picture(-1))
    next_s, then = published(source)
    lists, puts = then["ListObjectsV2"], then["PutObject"]
    require(lists == -(-objects // PAGE_SIZE), f"{lists} LISTs of {objects} objects")
    asked = then["DescribeStackResource"] + then["GetObject"]
    require(asked == 2, f"{then} asks whose bucket it is")
    require(then.total() == lists + asked + 2 and puts == 2, f"{then} for one change")
    return plain_s, label, objects, first.total(), first_s / plain_s, lists, puts, next_s / plain_s


def published(source: Path) -> tuple[float, Counter[str]]:
    """Publish; the seconds and the calls."""
    aws = CountingAws()
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        publish.publish(source, aws)
    return time.perf_counter() - began, aws.calls


def put_plainly(built: list[File]) -> float:
    """Put every file, one after the other, into a bucket of its own; the seconds."""
    bucket = f"bench-site-{uuid.uuid4().hex[:8]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    began = time.perf_counter()
    s3 = boto3.session.Session().client("s3")
    for file in built:
        body = file.path.read_bytes()
        s3.put_object(Bucket=bucket, Key=file.key, Body=body, ContentType=file.content_type)
    return time.perf_counter() - began


def write_site(folder: Path, count: int) -> Path:
    """A page, and scripts and pictures of one or two kB beside it: `count` files in all."""
    for name in ("js", "css"):
        (folder / name).mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Growth</title>\n")
    for number in range(count - 1):
        if number % SCRIPT_EACH == SCRIPT_EACH - 1:
            (folder / f"js/module-{number}.js").write_text(script(number))
        else:
            (folder / f"css/picture-{number}.svg").write_text(picture(number))
    return folder


def script(number: int) -> str:
    """A module as one writes it."""
    line = "export function name{0}(argument) {{\n  // one of many\n  return argument + {0};\n}}\n"
    return f"// {number}\n" + "".join(line.format(place) for place in range(20))


def picture(number: int) -> str:
    """A small picture."""
    paths = "".join(f'<path d="M{place} {number}L{place} {place}z"/>' for place in range(30))
    return f'<svg xmlns="http://www.w3.org/2000/svg"><title>{number}</title>{paths}</svg>\n'

"""Publish the page to its bucket.

Usage:
  update.sh
  update.sh -h | --help
  update.sh --version

Builds the site from public/ and config.yml under build/, uploads the files that changed,
removes the page's files that have been out of use for 30 days, never touches the transcripts,
and prints the URL. It writes only to the stack's own bucket.

Options:
  -h --help  Print this text.
  --version  Print the version.

Example:
  ./resources.py output --save && s3-website/update.sh
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

try:
    import msgspec

    from kappa.aws import Aws, translated
    from kappa.errors import AwsError, Denied, KappaError, NotFound
    from kappa.texts import shown
    from lambda_chat import command as commandline
    from lambda_chat.bucket import delete_objects
    from lambda_chat.config import (
        ROOT,
        SAVED_FOR_PUSH,
        ChatConfig,
        build_folder,
        read_config,
        require,
    )
    from lambda_chat.site.build import PAGE, build_site, is_of_page, run_folder
    from lambda_chat.site.bundle import ESBUILD
    from lambda_chat.site.headers import (
        CONTENT_TYPES,
        HEADERS_BODY,
        HEADERS_KEY,
        REVALIDATED,
        File,
        etag_of,
        stored_bytes,
    )
    from lambda_chat.site.owner import read_owner, refuse_foreign, refuse_other
    from lambda_chat.site.page_config import (
        endpoints,
        page_config,
        page_url,
        placeholders,
        push_url,
    )
    from lambda_chat.stack.progress import LAUNCH
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: Python package {missing.name} is missing: run `pip install -r requirements.txt`."
    )

SITE = ROOT / "s3-website"
NEEDED = ("sns_topic_arn", "website_iam_role_arn", "dynamodb_table")
# npm writes the last of these at the end of each installation
PACKAGES = (ESBUILD, Path("aws4fetch/package.json"), Path(".package-lock.json"))
# Each run that changes the page records here, with an id of its own, which files are out of use and
# since when. It writes only if no other run has done so since it listed the bucket. S3 lists keys
# in the order of their bytes, so this one comes first.
RUN_KEY = ".published.json"
JSON_HEADERS = {"CacheControl": REVALIDATED, "ContentType": CONTENT_TYPES[".json"]}
MAX_ROUNDS = 5
# A page that was opened before an update still loads its own files when it needs them.
KEPT_FOR = timedelta(days=30)


class Plan(msgspec.Struct, frozen=True):
    """The changes in order: the uploads, turn by turn, then the removals.

    `superseded` maps the page's files that are no longer in use to the time since when; `last_run`
    is the ETag of RUN_KEY when the bucket was listed, or "".
    """

    uploads: list[list[File]]
    removals: list[str]
    superseded: dict[str, datetime]
    unchanged: int
    headers_changed: bool
    superseded_changed: bool
    last_run: str

    @property
    def is_empty(self) -> bool:
        """Whether the bucket is already up to date."""
        changes = self.uploads or self.removals or self.headers_changed or self.superseded_changed
        return bool(self.last_run) and not changes


def plan(
    files: list[File],
    remote: Mapping[str, str],
    data_prefix: str,
    superseded: Mapping[str, datetime],
    now: datetime,
) -> Plan:
    """Compare the site with the bucket's ETags by key.

    index.html is uploaded last, and removals follow, so that no visitor gets a page with missing
    parts. `superseded` is the result of read_superseded(): a file is removed when it has been out
    of use for 30 days.
    """
    headers_changed = remote.get(HEADERS_KEY) != etag_of(HEADERS_BODY)
    changed = [file for file in files if headers_changed or remote.get(file.key) != file.etag]
    turns: list[list[File]] = [[], []]
    for file in changed:
        turns[file.key == PAGE].append(file)
    # the page itself is never removed, even if this run has not built it
    kept = {PAGE, *(file.key for file in files)}
    since = {
        # a publisher's clock may have been ahead
        key: min(superseded.get(key, now), now)
        for key in sorted(remote)
        if is_of_page(key) and key not in kept and not key.startswith(data_prefix)
    }
    removals = [key for key, time in since.items() if now - time >= KEPT_FOR]
    out_of_use = {key: time for key, time in since.items() if key not in removals}
    return Plan(
        uploads=[turn for turn in turns if turn],
        removals=removals,
        superseded=out_of_use,
        unchanged=len(files) - len(changed),
        headers_changed=headers_changed,
        superseded_changed=out_of_use != superseded,
        last_run=remote.get(RUN_KEY, ""),
    )


def read_superseded(aws: Aws, bucket: str, remote: Mapping[str, str]) -> dict[str, datetime]:
    """Return since when each file in the bucket is out of use, according to the last run.

    The result is empty if no run has recorded it or the caller may not read it: then every file
    stays for another 30 days.
    """
    if RUN_KEY not in remote:
        return {}
    try:
        with translated(f"reading {RUN_KEY} of the bucket {bucket}"):
            body = aws.client("s3").get_object(Bucket=bucket, Key=RUN_KEY)["Body"].read()
        return msgspec.json.decode(body, type=_Run).superseded
    except (Denied, NotFound, msgspec.MsgspecError, RecursionError):
        return {}


class _Run(msgspec.Struct):
    """The content of RUN_KEY. Earlier versions wrote only the id."""

    run: str
    superseded: dict[str, Annotated[datetime, msgspec.Meta(tz=True)]] = {}


def read_bucket(aws: Aws, bucket: str) -> dict[str, str]:
    """Return the ETag of each object in the bucket.

    Raises: NotFound, if there is no such bucket.
    """
    try:
        with translated(f"listing the bucket {bucket}"):
            pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
            return {
                item["Key"]: item["ETag"].strip('"')
                for page in pages
                for item in page.get("Contents", [])
            }
    except NotFound as error:
        raise NotFound(f"There is no bucket {bucket}.", LAUNCH, error.code) from error


def apply(aws: Aws, bucket: str, todo: Plan) -> bool:
    """Carry out the plan, and print a line for each change.

    Returns False if another run has changed the bucket since it was listed: it may now contain a
    mixture of both sites.
    """

    def upload(file: File) -> str:
        _put(aws, bucket, file.key, stored_bytes(file.path), **file.headers)
        return file.key

    with ThreadPoolExecutor(max_workers=8) as pool:
        for turn in todo.uploads:
            for key in pool.map(upload, turn):
                print(f"uploaded {key}")
    delete_objects(aws, bucket, [{"Key": key} for key in todo.removals])
    for key in todo.removals:
        print(shown(f"removed {key}"))
    if todo.headers_changed:
        _put(aws, bucket, HEADERS_KEY, HEADERS_BODY, **JSON_HEADERS)
    print(f"{todo.unchanged} unchanged")
    return todo.is_empty or _end_run(aws, bucket, todo)


def _end_run(aws: Aws, bucket: str, todo: Plan) -> bool:
    """Record this run, unless another one has been recorded since the bucket was listed."""
    condition = {"IfMatch": f'"{todo.last_run}"'} if todo.last_run else {"IfNoneMatch": "*"}
    body = msgspec.json.encode(_Run(uuid.uuid4().hex, todo.superseded))
    try:
        _put(aws, bucket, RUN_KEY, body, **JSON_HEADERS, **condition)
    except Denied:
        # a condition requires s3:GetObject too: a caller that may only write goes without
        _put(aws, bucket, RUN_KEY, body, **JSON_HEADERS)
    except AwsError as error:
        # S3 guide, "Add preconditions to S3 operations with conditional requests"
        if error.code in ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"):
            return False
        raise
    return True


def _put(aws: Aws, bucket: str, key: str, body: bytes, **headers: str) -> None:
    with translated(f"uploading {key} to the bucket {bucket}"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **headers)


def install_packages(folder: Path) -> Path:
    """Install the page's npm packages if they are missing or older than package-lock.json.

    Returns their folder. Raises: KappaError, if npm is missing or fails.
    """
    # npm ci empties node_modules first, so concurrent runs wait for each other
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_packages(folder)
    return folder / "node_modules"


def _install_packages(folder: Path) -> None:
    *_, done = paths = [folder / "node_modules" / path for path in PACKAGES]
    present = all(path.is_file() for path in paths)
    if present and done.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise KappaError("npm is not installed.", "Install Node.js 18 or later, then run again.")
    print("Installing the page's packages with npm ci.", file=sys.stderr)
    command = [npm, "ci", "--omit=dev", "--no-audit", "--no-fund"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        last = "\n".join(ended.stderr.strip().splitlines()[-5:])
        raise KappaError(f"npm ci failed in {folder}:\n{last}", "Is the npm registry reachable?")


def build(source: Path, target: Path, config: ChatConfig, region: str) -> list[File]:
    """Build the site of `source` in the empty folder `target`; return its files.

    Raises: KappaError, for invalid sources.
    """
    identity_url = os.environ.get("LAMBDA_CHAT_IDP_URL") or "https://accounts.google.com"
    addresses = endpoints(region, _endpoint_url())
    broker = push_url(config, _endpoint_url())
    settings = page_config(config, region, addresses, broker)
    values = placeholders(addresses.values(), identity_url, broker)
    try:
        return build_site(source, target, settings, values, install_packages(SITE))
    except OSError as error:  # such as an unreadable source or a full disk
        raise KappaError(shown(f"The site cannot be built: {error}.")) from error


def publish(source: Path) -> str:
    """Build and upload the site of `source`; return the page's URL.

    The bucket and its owner are read while the site is built.
    """
    config = read_config()
    require(config, (*NEEDED, *(SAVED_FOR_PUSH if config.push else ())))
    aws = Aws(config.region or None, config.profile or None)
    region = aws.region
    with run_folder(build_folder()) as target, ThreadPoolExecutor(2) as pool:
        listed = pool.submit(read_bucket, aws, config.s3_bucket)
        owner = pool.submit(read_owner, aws, config)
        files = build(source, target, config, region)
        refuse_other(aws, config, owner.result())
        remote = listed.result()
        refuse_foreign(aws, config, owner.result(), remote)
        _upload(aws, config, files, remote)
    return page_url(config.s3_bucket, region, _endpoint_url())


def _upload(aws: Aws, config: ChatConfig, files: list[File], remote: Mapping[str, str]) -> None:
    """Update the bucket, and repeat if another run did so at the same time."""
    bucket = config.s3_bucket
    for _ in range(MAX_ROUNDS):
        superseded = read_superseded(aws, bucket, remote)
        todo = plan(files, remote, config.data_prefix, superseded, datetime.now(UTC))
        if apply(aws, bucket, todo):
            return
        print("Another update.sh ran at the same time. Comparing again.", file=sys.stderr)
        remote = read_bucket(aws, bucket)
    raise KappaError(
        f"The bucket {bucket} keeps changing: other runs of update.sh are publishing.",
        "Run update.sh again when they have finished.",
    )


def _endpoint_url() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")


def main(argv: list[str] | None = None) -> int:
    """Publish; return the exit code: 1 for failures of AWS or npm, 2 for an invalid config."""

    def publish_it(_arguments: dict[str, Any]) -> int:
        print(publish(SITE / "public"))
        return 0

    return commandline.run(__doc__, argv, publish_it, "Stopped. Run update.sh again to finish.")


if __name__ == "__main__":
    sys.exit(main())

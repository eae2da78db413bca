"""Publish the page to its bucket.

Usage:
  update.sh
  update.sh -h | --help

Builds the site from public/ and config.yml under build/, uploads the files that changed,
removes the page's files that are gone, never touches the transcripts, and prints the URL.

Options:
  -h --help  Print this text.

Example:
  ./resources.py output --save && s3-website/update.sh
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    import msgspec

    import commandline
    from bucket import delete_objects
    from chatconfig import build_folder, config_path, read_config, require
    from kappa.aws import Aws, translated
    from kappa.errors import KappaError, NotFound
    from stack import LAUNCH
    from website import (
        CACHE_CONTROL,
        CONTENT_TYPES,
        HEADERS_BODY,
        HEADERS_KEY,
        File,
        build_site,
        endpoints,
        etag_of,
        is_of_page,
        page_config,
        page_url,
        placeholders,
        read_site,
        shrink,
        stored_bytes,
    )
except ModuleNotFoundError as missing:
    sys.exit(f"Python package {missing.name} is missing: run `pip install -r requirements.txt`.")

HERE = Path(__file__).resolve().parent
NEEDED = ("sns_topic_arn", "website_iam_role_arn", "dynamodb_table")
VENDOR = {"aws4fetch.js": Path("aws4fetch/dist/aws4fetch.esm.js")}
ESBUILD = Path(".bin/esbuild")


class Plan(msgspec.Struct, frozen=True):
    """What to do, in order: the uploads turn by turn, then the removals."""

    uploads: list[list[File]]
    removals: list[str]
    unchanged: int
    headers_changed: bool


def plan(files: list[File], remote: Mapping[str, str], data_prefix: str) -> Plan:
    """Compare the site with the bucket's ETags by key.

    A page is uploaded after what it loads, index.html last; removals follow, so that no visitor
    gets a page whose parts are not there.
    """
    headers_changed = remote.get(HEADERS_KEY) != etag_of(HEADERS_BODY)
    changed = [file for file in files if headers_changed or remote.get(file.key) != file.etag]
    turns: list[list[File]] = [[], [], []]
    for file in changed:
        turns[2 if file.key == "index.html" else file.key.endswith(".html")].append(file)
    kept = {file.key for file in files}
    return Plan(
        uploads=[turn for turn in turns if turn],
        removals=sorted(
            key
            for key in remote
            if is_of_page(key) and key not in kept and not key.startswith(data_prefix)
        ),
        unchanged=len(files) - len(changed),
        headers_changed=headers_changed,
    )


def read_bucket(aws: Aws, bucket: str) -> dict[str, str]:
    """Return the ETag of each object in the bucket.

    Raises: NotFound, when there is no such bucket.
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


def apply(aws: Aws, bucket: str, todo: Plan) -> None:
    """Do what the plan says, and print a line for each change."""

    def upload(file: File) -> str:
        headers = {"ContentEncoding": "gzip"} if file.gzipped else {}
        body = stored_bytes(file.path)
        _put(aws, bucket, file.key, body, ContentType=file.content_type, **headers)
        return file.key

    with ThreadPoolExecutor(max_workers=8) as pool:
        for turn in todo.uploads:
            for key in pool.map(upload, turn):
                print(f"uploaded {key}")
    delete_objects(aws, bucket, [{"Key": key} for key in todo.removals])
    for key in todo.removals:
        print(f"removed {key}")
    if todo.headers_changed:
        _put(aws, bucket, HEADERS_KEY, HEADERS_BODY, ContentType=CONTENT_TYPES[".json"])
    print(f"{todo.unchanged} unchanged")


def _put(aws: Aws, bucket: str, key: str, body: bytes, **headers: str) -> None:
    with translated(f"uploading {key} to the bucket {bucket}"):
        aws.client("s3").put_object(
            Bucket=bucket, Key=key, Body=body, CacheControl=CACHE_CONTROL, **headers
        )


def install_packages(folder: Path) -> dict[str, Path]:
    """Install the page's npm packages where they are absent or older than package-lock.json.

    Returns the files to vendor. Raises: KappaError, without npm or when npm fails.
    """
    modules = folder / "node_modules"
    vendor = {name: modules / path for name, path in VENDOR.items()}
    # npm writes this file at the end of each installation
    done = modules / ".package-lock.json"
    present = all(path.is_file() for path in (*vendor.values(), modules / ESBUILD, done))
    if present and done.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return vendor
    npm = shutil.which("npm")
    if npm is None:
        raise KappaError("npm is not installed.", "Install Node.js 18 or later, then run again.")
    print("Installing the page's packages with npm ci.", file=sys.stderr)
    command = [npm, "ci", "--omit=dev", "--no-audit", "--no-fund"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        last = "\n".join(ended.stderr.strip().splitlines()[-5:])
        raise KappaError(f"npm ci failed in {folder}:\n{last}", "Is the npm registry reachable?")
    return vendor


def publish(source: Path, aws: Aws | None = None) -> str:
    """Build and upload the site of `source`; return the page's URL.

    The bucket is listed while the site is built.
    """
    config = read_config()
    require(config, NEEDED)
    aws = aws or Aws(config.region or None, config.profile or None)
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    identity_url = os.environ.get("LAMBDA_CHAT_IDP_URL") or "https://accounts.google.com"
    addresses = endpoints(aws.region, endpoint_url)
    target = build_folder(config_path())
    with ThreadPoolExecutor(1) as pool:
        remote = pool.submit(read_bucket, aws, config.s3_bucket)
        build_site(
            source,
            target,
            page_config(config, aws.region, addresses),
            placeholders(addresses.values(), identity_url),
            install_packages(HERE),
        )
        shrink(target, HERE / "node_modules" / ESBUILD)
        todo = plan(read_site(target), remote.result(), config.data_prefix)
    apply(aws, config.s3_bucket, todo)
    return page_url(config.s3_bucket, aws.region, endpoint_url)


def main(argv: list[str] | None = None) -> int:
    """Publish; return the exit code: 1 when AWS or npm refused, 2 when the config is wrong."""

    def publish_it(_arguments: dict[str, Any]) -> int:
        print(publish(HERE / "public"))
        return 0

    return commandline.run(__doc__, argv, publish_it, "Stopped. Run update.sh again to finish.")


if __name__ == "__main__":
    sys.exit(main())

"""Check that the bucket belongs to the config's stack: the page is published nowhere else.

CloudFormation is the authority. If the caller may not ask it, or the stack's name differs from the
config's, the config that an earlier run published in the bucket decides. It must not write.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping

from kappa.aws import Aws, translated
from kappa.errors import ConfigError, Denied, NotFound
from lambda_chat.config import ChatConfig, config_path
from lambda_chat.site.build import CONFIG_KEY
from lambda_chat.stack.website_bucket import read_bucket_name

# the second one is from earlier versions, whose page loaded it as a module
MARKERS = (CONFIG_KEY, "config.js")
MOVED = "Correct it; or, to move the page, run `./resources.py update --wait` first."
NO_STACK = (
    "Is s3_bucket, stack_name or region mistyped? If not, run `./resources.py launch --wait`."
)
ALLOW = "Correct s3_bucket, or get the permission cloudformation:DescribeStackResource."


def read_owner(aws: Aws, config: ChatConfig) -> str | None:
    """Return the stack's bucket: "" if it has none, None if the caller may not ask."""
    try:
        return read_bucket_name(aws, config.stack_name)
    except Denied:
        return None


def refuse_other(aws: Aws, config: ChatConfig, owned: str | None) -> None:
    """Refuse the config's bucket, whatever it contains, if the stack has another one.

    `owned` is the result of read_owner(). Raises: ConfigError.
    """
    if owned and owned != config.s3_bucket:
        raise ConfigError(
            f"{_where(config)} is not the bucket of {_stack(aws, config)}: that is {owned}.", MOVED
        )


def refuse_foreign(
    aws: Aws, config: ChatConfig, owned: str | None, remote: Mapping[str, str]
) -> None:
    """Refuse a bucket that is not empty and not known to be the stack's.

    `owned` is the result of read_owner(), `remote` holds the bucket's keys.
    Raises: ConfigError.
    """
    if not remote or owned:
        return
    where, stack = _where(config), _stack(aws, config)
    marker = next((key for key in MARKERS if key in remote), None)
    if marker and _topic_of_page(aws, config.s3_bucket, marker) == config.sns_topic_arn:
        return
    if owned is None:
        raise ConfigError(
            f"{where} is not empty, and you may not ask whether it belongs to {stack}.", ALLOW
        )
    raise ConfigError(f"{where} is not empty, and does not belong to {stack}.", NO_STACK)


def _where(config: ChatConfig) -> str:
    return f"{config_path()}: s3_bucket: {config.s3_bucket}"


def _stack(aws: Aws, config: ChatConfig) -> str:
    return f"the stack {config.stack_name} in {aws.region}"


def _topic_of_page(aws: Aws, bucket: str, marker: str) -> str:
    """Return the topic that the published page sends to; "" if it is not a page of this chat."""
    try:
        with translated(f"reading {marker} of the bucket {bucket}"):
            answer = aws.client("s3").get_object(Bucket=bucket, Key=marker)
            body = answer["Body"].read()
    except (Denied, NotFound):
        return ""
    try:
        text = gzip.decompress(body) if answer.get("ContentEncoding") == "gzip" else body
        settings = json.loads(text.decode().removeprefix("export default ").rstrip(";\n"))
        return str(settings["topicArn"])
    except (EOFError, KeyError, OSError, RecursionError, TypeError, ValueError, zlib.error):
        return ""

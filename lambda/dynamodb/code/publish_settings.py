"""The function's environment variables, validated.

Pure: one error names every variable that is missing or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from transcripts import MAX_HISTORY


class Settings(NamedTuple):
    """The function's environment, validated. Without push, `push_endpoint` is ""."""

    table: str
    bucket: str
    data_prefix: str
    history: int
    function: str = "publish-transcript"
    push_endpoint: str = ""
    push_topics: str = ""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Validate the whole environment at once.

    Raises: ValueError, naming every variable that is missing or wrong.
    """
    table, bucket = environ.get("TABLE_NAME", ""), environ.get("BUCKET", "")
    prefix, history = environ.get("DATA_PREFIX", "data/"), environ.get("HISTORY", "20")
    endpoint, topics = environ.get("PUSH_ENDPOINT", ""), environ.get("PUSH_TOPICS", "")
    wrong = []
    if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", table):
        wrong.append("TABLE_NAME must be a table's name")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        wrong.append("BUCKET must be a bucket's name")
    if not re.fullmatch(r"([A-Za-z0-9._-]+/)+", prefix):
        wrong.append("DATA_PREFIX must end with a slash, e.g. data/")
    if not re.fullmatch(r"[0-9]{1,3}", history) or not 1 <= int(history) <= MAX_HISTORY:
        wrong.append(f"HISTORY must be 1 to {MAX_HISTORY}")
    if not re.fullmatch(r"([A-Za-z0-9.-]+(:[0-9]{1,5})?)?", endpoint):
        wrong.append("PUSH_ENDPOINT must be a host")
    if not re.fullmatch(r"([A-Za-z0-9-]{1,128}/channel/\*)?", topics):
        wrong.append("PUSH_TOPICS must be topics, e.g. Lambda-Chat/channel/*")
    if bool(endpoint) != bool(topics):
        wrong.append("PUSH_ENDPOINT and PUSH_TOPICS need each other")
    if wrong:
        raise ValueError(f"The function's environment is wrong: {'; '.join(wrong)}.")
    function = environ.get("AWS_LAMBDA_FUNCTION_NAME", "publish-transcript")
    return Settings(table, bucket, prefix, int(history), function, endpoint, topics)

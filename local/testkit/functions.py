"""Both functions as Lambda runs them: packed by kappa from their config.yml, then unpacked."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from lambda_chat.config import ROOT

# Each handler's module, and its config.
FUNCTIONS = {
    "store_message": ROOT / "lambda/sns/config.yml",
    "publish_transcript": ROOT / "lambda/dynamodb/config.yml",
}
CHAT = """\
s3_bucket: packed-chat
google_oauth_client_id: 1-a.apps.googleusercontent.com
region: us-east-1
sns_topic_arn: arn:aws:sns:us-east-1:000000000000:messages
identity_iam_role_arn: arn:aws:iam::000000000000:role/identity
failures_topic_arn: arn:aws:sns:us-east-1:000000000000:failures
dynamodb_table: messages
dynamodb_table_arn: arn:aws:dynamodb:us-east-1:000000000000:table/messages
dynamodb_stream_arn: arn:aws:dynamodb:us-east-1:000000000000:table/messages/stream/1
rate_table: rates
"""


def unpack(module: str, folder: Path) -> Path:
    """Pack a function and unpack its zip into a folder of its name; return that folder.

    Raises: CalledProcessError, if kappa fails.
    """
    chat, packed = folder / "chat.yml", folder / f"{module}.zip"
    chat.write_text(CHAT)
    config = str(FUNCTIONS[module])
    command = [sys.executable, "-m", "kappa", config, "package", "--output", str(packed)]
    env = os.environ | {"LAMBDA_CHAT_CONFIG": str(chat)}
    subprocess.run(command, env=env, check=True, capture_output=True)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / module)
    return folder / module

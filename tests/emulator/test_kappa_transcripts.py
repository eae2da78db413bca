"""Golden transcripts: the samples of kappa 0.3 and 0.7, and the 2015 chat's, unchanged.

Each file of transcripts/ has the commands for the sample of its name in tests/data/kappa, and the
output that is compared word for word. TRANSCRIPTS=write runs the commands and writes the output.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import run_kappa
from tests.support.waiting import wait_for

ACCOUNT = "461000000003"
ACCOUNT_07 = "123456789012"  # of the sample "later", the only one of 0.7
DATA = Path(__file__).parents[1] / "data" / "kappa"
TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
MADE_UP_LABEL = "b188ce53-44d7-34a6-aa72-c11eb0e80675-09223370606719090390-7b9f5f0c"
# What differs each time, or with the zlib. A busy machine adds seconds to any step.
VARYING = (
    (r"  \d+\.\d s$", ""),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"\b[\d.]+ ms\b", "N ms"),
    (r"Used: \d+ MB", "Used: N MB"),
    (r"\b\d+ B  (sha256 )?\S+", r"N B  \1HASH"),
    (r'"code_size": \d+', '"code_size": N'),
    (r'"code_sha256": "\S+"', '"code_sha256": "HASH"'),
)


@pytest.fixture(scope="module")
def made(emulator):
    """Make the topics, streams, bucket and policy of the samples; return the table's label."""
    sns = emulator.client("sns", ACCOUNT)
    for name in ("lambda_topic", "lambda-chat"):
        sns.create_topic(Name=name)
    emulator.client("kinesis", ACCOUNT).create_stream(StreamName="lambdastream", ShardCount=1)
    west = emulator.client("kinesis", ACCOUNT_07, region_name="us-west-2")
    west.create_stream(StreamName="foo", ShardCount=1)
    emulator.client("s3", ACCOUNT).create_bucket(Bucket="test-1245812163")
    # The emulator lacks this AWS managed policy.
    emulator.client("iam", ACCOUNT).create_policy(
        PolicyName="AWSLambdaExecute",
        PolicyDocument=(DATA / "sns" / "LambdaSNSSamplePolicy.json").read_text(),
    )
    table = emulator.client("dynamodb", ACCOUNT).create_table(
        TableName="lambdachat",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    return table["LatestStreamLabel"]


def profiles(folder, env, account):
    """The environment with the profiles of the samples' configs."""
    file = folder / "credentials"
    keys = f"aws_access_key_id = {account}\naws_secret_access_key = x\n"
    file.write_text("".join(f"[{name}]\n{keys}" for name in ("personal", "cloudnative")))
    return env | {"AWS_SHARED_CREDENTIALS_FILE": str(file)}


def same_each_time(text):
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def run(line, folder, env):
    """Run one line of a transcript: a kappa command in this process, or one of the shell."""
    program, *words = shlex.split(line)
    if program != "kappa":
        return subprocess.run(
            line, shell=True, cwd=folder, capture_output=True, text=True, check=True
        )
    if "logs" not in words:
        return run_kappa(words, env, folder=folder)
    return wait_for(lambda: (done := run_kappa(words, env, folder=folder)).stdout and done, 30)


@pytest.mark.parametrize("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_a_sample_prints_what_its_transcript_shows(file, made, emulator, tmp_path):
    own = ACCOUNT_07 if file.stem == "later" else ACCOUNT
    folder, env = tmp_path / file.stem, profiles(tmp_path, emulator.env(own), own)
    shutil.copytree(DATA / file.stem, folder)
    for config in folder.glob("*.yml"):
        config.write_text(config.read_text().replace(MADE_UP_LABEL, made))
    expected, printed = file.read_text("utf-8"), ""
    for line in re.findall(r"^\$ (.*)$", expected, re.MULTILINE):
        done = run(line, folder, env)
        exit_code = f"[exit code {done.returncode}]\n" if done.returncode else ""
        printed += f"$ {line}\n{done.stderr}{done.stdout}{exit_code}"
    printed = same_each_time(printed.replace(made, MADE_UP_LABEL))
    if os.environ.get("TRANSCRIPTS") == "write":
        file.write_text(printed, "utf-8")
    else:
        assert printed == expected

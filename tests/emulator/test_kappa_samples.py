"""The configs of kappa 0.3's samples and of the 2015 chat still work unchanged."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.builders import run_kappa

ACCOUNT = "461000000003"
DATA = Path(__file__).parents[1] / "data" / "kappa"
MADE_UP_LABEL = "b188ce53-44d7-34a6-aa72-c11eb0e80675-09223370606719090390-7b9f5f0c"


@pytest.fixture(scope="module")
def account(emulator):
    """The resources that the samples expect: topics, a stream, a bucket, a managed policy."""
    sns = emulator.client("sns", ACCOUNT)
    for name in ("lambda_topic", "lambda-chat"):
        sns.create_topic(Name=name)
    emulator.client("kinesis", ACCOUNT).create_stream(StreamName="lambdastream", ShardCount=1)
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
    return {MADE_UP_LABEL: table["LatestStreamLabel"]}


@pytest.fixture
def kappa(account, emulator, tmp_path):
    """Run kappa on a copy of a sample, with the profiles in the samples."""
    credentials = tmp_path / "credentials"
    profiles = ("personal", "cloudnative")
    keys = f"aws_access_key_id = {ACCOUNT}\naws_secret_access_key = x\n"
    credentials.write_text("".join(f"[{name}]\n{keys}" for name in profiles))
    env = emulator.env(ACCOUNT) | {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)}

    def run(sample, *args):
        folder = tmp_path / sample
        if not folder.exists():
            shutil.copytree(DATA / sample, folder)
            file = folder / "config.yml"
            text = file.read_text()
            for made_up, real in account.items():
                text = text.replace(made_up, real)
            file.write_text(text)
        done = run_kappa([folder / "config.yml", *args], env)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.mark.parametrize("sample", ["sns", "kinesis", "s3", "chat-sns", "chat-dynamodb"])
def test_a_sample_is_created_connected_shown_and_deleted(kappa, sample):
    kappa(sample, "create", "--wait")
    kappa(sample, "add_event_sources")
    data = json.loads(kappa(sample, "status", "--json").stdout)
    assert data["function"]["runtime"] == "nodejs"
    assert data["function"]["state"] == "Active"
    (source,) = data["event_sources"]
    assert source["state"] in ("Subscribed", "Enabled", "Notifying")
    done = kappa(sample, "delete").stderr.splitlines()
    removed = [line.split()[1] for line in done if line.startswith("removed")]
    assert removed[:3] == ["event", "function", "role"]

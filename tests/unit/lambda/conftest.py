"""Both functions on an in-process AWS."""

import importlib.util
import json
import sys

import botocore.session
import pytest
from moto import mock_aws

from local.testkit.events import id_token, sns_record
from senders import Verifier
from store_message import Service, store
from tests.support.builders import BUCKET, NOW_S, TABLE, moment
from tests.support.chat.store import RATE_TABLE, store_settings
from transactions import Tables

SESSION = botocore.session.get_session()


@pytest.fixture
def dynamodb():
    """A client of an in-process AWS that has both tables."""
    with mock_aws():
        client = SESSION.create_client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "channel", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "channel", "KeyType": "HASH"},
                {"AttributeName": "id", "KeyType": "RANGE"},
            ],
        )
        client.create_table(
            TableName=RATE_TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "user", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}],
        )
        yield client


@pytest.fixture
def s3(dynamodb):
    """A client of the same AWS that has the website's bucket."""
    client = SESSION.create_client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def other_s3(s3):
    """Another writer's client: what a test does to `s3` does not touch it."""
    return SESSION.create_client("s3", region_name="us-east-1")


@pytest.fixture
def function(dynamodb):
    """The function's service, and what the tests look at."""
    return Function(dynamodb, SESSION.create_client("sts", region_name="us-east-1"))


@pytest.fixture
def refusals(capsys):
    """The reasons in the log so far."""

    def reasons():
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line["reason"] for line in lines if line["event"] == "refused"]

    return reasons


class Function:
    def __init__(self, dynamodb, sts):
        self.dynamodb = dynamodb
        self.sts = sts
        self.now_s = NOW_S
        self.pauses = []
        self.set_up()

    def set_up(self, **settings):
        """Start a new container, with some settings of its own."""
        wanted = store_settings(**settings)
        self.service = Service(
            settings=wanted,
            verifier=Verifier(self.sts, wanted, lambda: self.now_s),
            tables=Tables(self.dynamodb, self.pauses.append),
            clock=lambda: self.now_s,
        )

    def store(self, *records):
        return store({"Records": list(records)}, self.service, "request-1")

    def items(self, table=TABLE):
        return self.dynamodb.scan(TableName=table)["Items"]

    def item(self, row_id):
        return next((item for item in self.items() if item["id"]["S"] == row_id), None)

    def token(self, **claims):
        return id_token(**({"exp": int(self.now_s) + 3600} | claims))

    def message(self, number=1, at_s=0.0, sub=None, **body):
        """A record with a message of one person, sent some seconds after NOW_S."""
        body = {"message": "hello", "client_id": f"c{number}", **body}
        claims = {"sub": sub} if sub else {}
        return sns_record(body, self.token(**claims), Timestamp=moment(at_s))

    def record(self, body=None, **changes):
        return sns_record(body, self.token(), **changes)


@pytest.fixture(scope="session")
def replay():
    """lambda/sns/replay.py as a module; it lies in no package."""
    spec = importlib.util.spec_from_file_location("replay", "lambda/sns/replay.py")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module

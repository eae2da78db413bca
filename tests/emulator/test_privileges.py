"""Each principal makes every call in the table of attempts with its own credentials."""

import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.chat.privileges import ALLOWED, ATTEMPTS, FUNCTIONS, OWN_LOG

SESSION = botocore.session.get_session()  # one for all clients: it reads each service's model once
REFUSALS = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ForbiddenException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnauthorizedOperation",
}
# The embedded AWS differs from AWS: it lets anyone list buckets, and routes some services by a
# call's signature only. unit/lambda_chat/stack/test_rights.py evaluates the policies instead.
TOO_OPEN = {"anonymous": {"list buckets"}}
NOT_ROUTED = {
    "anonymous": {
        "create_keys_and_certificate",
        "describe_endpoint",
        "get_retained_message",
        "get_template",
        "list_secrets",
        "push to a channel",
        "push to another chat",
        "share the topic of alarms",
        "share the topic of failures",
        "share the topic of messages",
        "update_thing_shadow",
    }
}
# It requires sns:PublishBatch instead of sns:Publish, and matches no ARN of a stream or log.
TOO_STRICT = (
    {f"publish a batch to the topic of {topic}" for topic in ("messages", "failures")}
    | {f"{verb} {name}" for verb in OWN_LOG for name in FUNCTIONS}
    | {"describe the stream", "read the stream", "take a place in the stream"}
)


@pytest.fixture(scope="module")
def values(chat):
    """The values for the table's {names}."""
    config = chat.config
    dynamodb, streams = chat.client("dynamodb"), chat.client("dynamodbstreams")
    [rates] = [name for name in dynamodb.list_tables()["TableNames"] if "RateTable" in name]
    stream = {"StreamArn": config.dynamodb_stream_arn}
    shard = streams.describe_stream(**stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(**stream, ShardId=shard, ShardIteratorType="LATEST")
    _, _, _, region, account, _ = config.sns_topic_arn.split(":")
    # local mode has no alarm_email, so no topic of alarms: another topic replaces it
    alarms = chat.client("sns").create_topic(Name="alarms-that-somebody-might-misuse")["TopicArn"]
    yield {
        "account": account,
        "alarms_topic_arn": alarms,
        "dynamodb_stream_arn": config.dynamodb_stream_arn,
        "dynamodb_table": config.dynamodb_table,
        "dynamodb_table_arn": config.dynamodb_table_arn,
        "failures_topic_arn": config.failures_topic_arn,
        "identity_iam_role_arn": config.identity_iam_role_arn,
        "iterator": iterator["ShardIterator"],
        "push_topic": config.push_topics.replace("*", "default") or "push-is-off",
        "queue_arn": f"arn:aws:sqs:{region}:{account}:stolen",
        "rate_table": rates,
        "rate_table_arn": dynamodb.describe_table(TableName=rates)["Table"]["TableArn"],
        "region": region,
        "s3_bucket": config.s3_bucket,
        "shard": shard,
        "sns_topic_arn": config.sns_topic_arn,
        "stack_name": config.stack_name,
        "website_iam_role_arn": config.website_iam_role_arn,
    }
    chat.client("sns").delete_topic(TopicArn=alarms)


@pytest.fixture(scope="module")
def principals(chat, values):
    """Each principal's client keywords; the emulator lets root assume the functions' roles."""
    sts = chat.client("sts")
    token = chat.token("Mallory")
    unsigned = {"config": Config(signature_version=UNSIGNED)}

    def keys(answer):
        found = answer["Credentials"]
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def as_web(role):
        return keys(
            chat.client("sts", **unsigned).assume_role_with_web_identity(
                RoleArn=values[role], RoleSessionName="mallory", WebIdentityToken=token
            )
        )

    return {
        "anonymous": unsigned,
        "page": as_web("website_iam_role_arn"),
        "identity": as_web("identity_iam_role_arn"),
        **{
            name: keys(
                sts.assume_role(
                    RoleArn=f"arn:aws:iam::{values['account']}:role/{values['stack_name']}-{name}",
                    RoleSessionName="mallory",
                )
            )
            for name in FUNCTIONS
        },
    }


def outcome(client, attempt, values):
    """AWS's answer: "done", "refused", or the code of an error of a permitted call."""
    params, _ = attempt.filled(values)
    try:
        getattr(client, attempt.operation)(**params)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "refused" if code in REFUSALS else code
    return "done"


@pytest.mark.parametrize("principal", sorted(ALLOWED))
def test_a_principal_may_do_what_the_table_says_and_nothing_else(
    chat, values, principals, principal, figure
):
    services = {attempt.service for attempt in ATTEMPTS}
    clients = {
        service: SESSION.create_client(
            service, "us-east-1", endpoint_url=chat.endpoint_url, **principals[principal]
        )
        for service in services
    }
    tried = [one for one in ATTEMPTS if one.name not in NOT_ROUTED.get(principal, ())]
    outcomes = {one.name: outcome(clients[one.service], one, values) for one in tried}
    allowed = {name for name, said in outcomes.items() if said != "refused"}
    figure(f"least privilege, {principal}: {len(tried)} actions tried, {len(allowed)} allowed")
    expected = (ALLOWED[principal] - TOO_STRICT) | TOO_OPEN.get(principal, set())
    assert {name: outcomes[name] for name in allowed ^ expected} == {}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_google_token_does_not_open_a_functions_role(chat, values, function):
    sts = chat.client("sts", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError) as caught:
        sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{values['account']}:role/{values['stack_name']}-{function}",
            RoleSessionName="mallory",
            WebIdentityToken=chat.token("Mallory"),
        )
    assert caught.value.response["Error"]["Code"] == "AccessDenied"

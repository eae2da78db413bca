"""AWS calls that an attacker might try against a chat, and the principals that may make them.

Two tests use this table: tests/emulator/test_privileges.py makes every call with the principal's
own credentials, and tests/unit/lambda_chat/stack/test_rights.py evaluates the policies.
"""

import json
from dataclasses import dataclass
from typing import Any

FUNCTIONS = ("store-message", "publish-transcript")
PUBLIC = ("index.html", "config.js", "css/main.css", "js/main.js", "vendor/a.js")
KEY = {"channel": {"S": "privileges"}, "id": {"S": "1"}}
RATE = {"user": {"S": "0123456789abcdef"}}
OTHER = "Other/channel/default"
TRUST = {"Version": "2012-10-17", "Statement": []}


@dataclass(frozen=True)
class Attempt:
    """A call: its operation and parameters in the SDK, its action and resource in IAM."""

    name: str
    service: str
    operation: str
    params: dict[str, Any]
    action: str
    resource: str

    def filled(self, values):
        """The call's parameters and the resource, with {names} replaced by values."""
        return fill(self.params, values), fill(self.resource, values)


def fill(node, values):
    """Replace {name} by its value in every string."""
    if isinstance(node, dict):
        return {fill(key, values): fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [fill(item, values) for item in node]
    if isinstance(node, str):
        for name, value in values.items():
            node = node.replace(f"{{{name}}}", value)
    return node


def s3_attempts():
    """Attempts on the website's bucket."""
    for key in (*PUBLIC, "config.json", "headers.json", "data/default.json", "data/channels.json"):
        yield at_object("read", "get_object", "GetObject", key)
    for key in ("index.html", "js/main.js", "config.js", "headers.json"):
        yield at_object("write", "put_object", "PutObject", key, Body="forged")
    for key in ("data/default.json", "data/channels.json"):
        yield at_object("write", "put_object", "PutObject", key, Body='{"channels":[]}')
    for key in ("index.html", "data/default.json"):
        yield at_object("delete", "delete_object", "DeleteObject", key)
        yield at_object(
            "tag", "put_object_tagging", "PutObjectTagging", key, Tagging={"TagSet": []}
        )
    yield at_object("upload in parts", "create_multipart_upload", "PutObject", "js/main.js")
    for what, operation, action, params in (
        ("list", "list_objects_v2", "ListBucket", {}),
        ("list versions of", "list_object_versions", "ListBucketVersions", {}),
        ("read the policy of", "get_bucket_policy", "GetBucketPolicy", {}),
        ("set the policy of", "put_bucket_policy", "PutBucketPolicy", {"Policy": "{}"}),
        ("remove the policy of", "delete_bucket_policy", "DeleteBucketPolicy", {}),
        ("open", "delete_public_access_block", "PutBucketPublicAccessBlock", {}),
        ("let origins into", "put_bucket_cors", "PutBucketCORS", {"CORSConfiguration": {
            "CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}}),
        ("redirect", "put_bucket_website", "PutBucketWebsite", {"WebsiteConfiguration": {
            "IndexDocument": {"Suffix": "evil.html"}}}),
        ("notify from", "put_bucket_notification_configuration", "PutBucketNotification",
         {"NotificationConfiguration": {}}),
        ("delete", "delete_bucket", "DeleteBucket", {}),
    ):  # fmt: skip
        params = {"Bucket": "{s3_bucket}", **params}
        yield Attempt(
            f"{what} the bucket",
            "s3",
            operation,
            params,
            f"s3:{action}",
            "arn:aws:s3:::{s3_bucket}",
        )
    yield Attempt("list buckets", "s3", "list_buckets", {}, "s3:ListAllMyBuckets", "*")


def at_object(verb, operation, action, key, **params):
    """An attempt on an object."""
    params = {"Bucket": "{s3_bucket}", "Key": key, **params}
    resource = f"arn:aws:s3:::{{s3_bucket}}/{key}"
    return Attempt(f"{verb} {key}", "s3", operation, params, f"s3:{action}", resource)


def table_attempts():
    """Attempts on both tables and the stream."""
    for word, key, by in (("messages", KEY, "channel"), ("rates", RATE, "user")):
        table = "{dynamodb_table}" if word == "messages" else "{rate_table}"
        arn = "{dynamodb_table_arn}" if word == "messages" else "{rate_table_arn}"
        change = {"Put": {"TableName": table, "Item": key}}
        names = {"ExpressionAttributeNames": {"#k": by}}
        free = {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(#k)"}
        check = {"ConditionCheck": {**free, **names}}
        query = {
            "KeyConditionExpression": "#k = :k",
            "ExpressionAttributeNames": {"#k": by},
            "ExpressionAttributeValues": {":k": key[by]},
        }
        for verb, operation, action, params in (
            ("query", "query", "Query", query),
            ("scan", "scan", "Scan", {}),
            ("get from", "get_item", "GetItem", {"Key": key}),
            ("put into", "put_item", "PutItem", {"Item": key}),
            ("update in", "update_item", "UpdateItem", {"Key": key}),
            ("delete from", "delete_item", "DeleteItem", {"Key": key}),
            ("describe", "describe_table", "DescribeTable", {}),
            ("bill", "update_table", "UpdateTable", {"BillingMode": "PAY_PER_REQUEST"}),
            ("expire", "update_time_to_live", "UpdateTimeToLive", {"TimeToLiveSpecification": {
                "Enabled": False, "AttributeName": "expires_at"}}),
            ("back up", "create_backup", "CreateBackup", {"BackupName": "stolen"}),
            ("drop", "delete_table", "DeleteTable", {}),
        ):  # fmt: skip
            params = {"TableName": table, **params}
            yield Attempt(
                f"{verb} {word}", "dynamodb", operation, params, f"dynamodb:{action}", arn
            )
        for verb, operation, action, params in (
            ("batch get", "batch_get_item", "BatchGetItem",
             {"RequestItems": {table: {"Keys": [key]}}}),
            ("batch write", "batch_write_item", "BatchWriteItem",
             {"RequestItems": {table: [{"DeleteRequest": {"Key": key}}]}}),
            ("transact on", "transact_write_items", "PutItem", {"TransactItems": [change]}),
            ("check", "transact_write_items", "ConditionCheckItem", {"TransactItems": [check]}),
            ("select from", "execute_statement", "PartiQLSelect",
             {"Statement": f'SELECT * FROM "{table}"'}),
        ):  # fmt: skip
            yield Attempt(
                f"{verb} {word}", "dynamodb", operation, params, f"dynamodb:{action}", arn
            )
    yield Attempt("list tables", "dynamodb", "list_tables", {}, "dynamodb:ListTables", "*")
    stream = {"StreamArn": "{dynamodb_stream_arn}"}
    shard = {**stream, "ShardId": "{shard}", "ShardIteratorType": "LATEST"}
    for name, operation, action, params in (
        ("describe the stream", "describe_stream", "DescribeStream", stream),
        ("take a place in the stream", "get_shard_iterator", "GetShardIterator", shard),
        ("read the stream", "get_records", "GetRecords", {"ShardIterator": "{iterator}"}),
    ):
        yield Attempt(
            name,
            "dynamodbstreams",
            operation,
            params,
            f"dynamodb:{action}",
            "{dynamodb_stream_arn}",
        )


def topic_attempts():
    """Attempts on all topics, and text messages, SNS's most expensive service."""
    for word, arn in (
        ("messages", "{sns_topic_arn}"),
        ("failures", "{failures_topic_arn}"),
        ("alarms", "{alarms_topic_arn}"),
    ):
        batch = {"PublishBatchRequestEntries": [{"Id": "1", "Message": "{}"}]}
        policy = {"AttributeName": "Policy", "AttributeValue": "{}"}
        grant = {"Label": "x", "AWSAccountId": ["111122223333"], "ActionName": ["Publish"]}
        for verb, operation, action, params in (
            ("publish to", "publish", "Publish", {"Message": "{}"}),
            ("publish a batch to", "publish_batch", "Publish", batch),
            (
                "subscribe to",
                "subscribe",
                "Subscribe",
                {"Protocol": "sqs", "Endpoint": "{queue_arn}"},
            ),
            ("read", "get_topic_attributes", "GetTopicAttributes", {}),
            ("open", "set_topic_attributes", "SetTopicAttributes", policy),
            ("share", "add_permission", "AddPermission", grant),
            ("list subscribers of", "list_subscriptions_by_topic", "ListSubscriptionsByTopic", {}),
            ("delete", "delete_topic", "DeleteTopic", {}),
        ):
            params = {"TopicArn": arn, **params}
            yield Attempt(
                f"{verb} the topic of {word}", "sns", operation, params, f"sns:{action}", arn
            )
    text = {"PhoneNumber": "+12065550100", "Message": "buy"}
    yield Attempt("send a text to a phone", "sns", "publish", text, "sns:Publish", "+12065550100")
    yield Attempt("list topics", "sns", "list_topics", {}, "sns:ListTopics", "*")
    make = {"Name": "another"}
    yield Attempt(
        "make a topic", "sns", "create_topic", make, "sns:CreateTopic", "{other_topic_arn}"
    )


def function_attempts():
    """Attempts on both functions and their event sources."""
    for name in FUNCTIONS:
        function = f"{{stack_name}}-{name}"
        arn = f"arn:aws:lambda:{{region}}:{{account}}:function:{function}"
        grant = {"StatementId": "x", "Action": "lambda:InvokeFunction", "Principal": "*"}
        for verb, operation, action, params in (
            ("invoke", "invoke", "InvokeFunction", {"Payload": "{}"}),
            ("read", "get_function", "GetFunction", {}),
            ("read who may invoke", "get_policy", "GetPolicy", {}),
            ("replace the code of", "update_function_code", "UpdateFunctionCode",
             {"ZipFile": b"x"}),
            ("replace the settings of", "update_function_configuration",
             "UpdateFunctionConfiguration", {"Timeout": 900}),
            ("open", "add_permission", "AddPermission", grant),
            ("stop", "put_function_concurrency", "PutFunctionConcurrency",
             {"ReservedConcurrentExecutions": 0}),
            ("delete", "delete_function", "DeleteFunction", {}),
        ):  # fmt: skip
            params = {"FunctionName": function, **params}
            yield Attempt(f"{verb} {name}", "lambda", operation, params, f"lambda:{action}", arn)
    yield Attempt("list functions", "lambda", "list_functions", {}, "lambda:ListFunctions", "*")
    mapping = {
        "EventSourceArn": "{dynamodb_stream_arn}",
        "FunctionName": "{stack_name}-store-message",
    }
    yield Attempt(
        "feed the stream to another function", "lambda", "create_event_source_mapping",
        {**mapping, "StartingPosition": "LATEST"}, "lambda:CreateEventSourceMapping", "*",
    )  # fmt: skip


def push_attempts():
    """Attempts on the MQTT broker by calls; listening is no call: tests/emulator/test_listening.py.

    {push_topic} is a topic that publish_transcript may push to.
    """
    arn = "arn:aws:iot:{region}:{account}"
    for name, topic in (("push to a channel", "{push_topic}"), ("push to another chat", OTHER)):
        params = {"topic": topic, "qos": 0, "payload": b"forged"}
        yield Attempt(name, "iot-data", "publish", params, "iot:Publish", f"{arn}:topic/{topic}")
    shadow = {"thingName": "privileges", "payload": b'{"state":{}}'}
    for service, operation, action, params, resource in (
        ("iot-data", "get_retained_message", "GetRetainedMessage", {"topic": "{push_topic}"},
         f"{arn}:topic/{{push_topic}}"),
        ("iot-data", "update_thing_shadow", "UpdateThingShadow", shadow, f"{arn}:thing/privileges"),
        ("iot", "describe_endpoint", "DescribeEndpoint", {"endpointType": "iot:Data-ATS"}, "*"),
        ("iot", "create_keys_and_certificate", "CreateKeysAndCertificate", {"setAsActive": True},
         "*"),
    ):  # fmt: skip
        yield Attempt(operation, service, operation, params, f"iot:{action}", resource)


def account_attempts():
    """Attempts on the account: roles, logs, metrics, the stack, queues, secrets."""
    for name in FUNCTIONS:
        group = f"/aws/lambda/{{stack_name}}-{name}"
        stream = {"logGroupName": group, "logStreamName": "privileges"}
        arn = f"arn:aws:logs:{{region}}:{{account}}:log-group:{group}"
        line = {**stream, "logEvents": [{"timestamp": 0, "message": "forged"}]}
        for verb, operation, action, params, below in (
            (
                "open a log of",
                "create_log_stream",
                "CreateLogStream",
                stream,
                ":log-stream:privileges",
            ),
            ("write the log of", "put_log_events", "PutLogEvents", line, ":log-stream:privileges"),
            (
                "read the log of",
                "filter_log_events",
                "FilterLogEvents",
                {"logGroupName": group},
                ":*",
            ),
            (
                "delete the log of",
                "delete_log_group",
                "DeleteLogGroup",
                {"logGroupName": group},
                ":*",
            ),
        ):
            yield Attempt(
                f"{verb} {name}", "logs", operation, params, f"logs:{action}", arn + below
            )
    for role in ("website_iam_role_arn", "identity_iam_role_arn", *FUNCTIONS):
        arn = (
            f"{{{role}}}"
            if "role" in role
            else f"arn:aws:iam::{{account}}:role/{{stack_name}}-{role}"
        )
        params = {"RoleArn": arn, "RoleSessionName": "privileges"}
        yield Attempt(f"assume {role}", "sts", "assume_role", params, "sts:AssumeRole", arn)
    role = "{stack_name}-store-message"
    arn = f"arn:aws:iam::{{account}}:role/{role}"
    admin = {"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    inline = {"RoleName": role, "PolicyName": "x", "PolicyDocument": json.dumps(TRUST)}
    trust = {"RoleName": role, "PolicyDocument": json.dumps(TRUST)}
    for operation, action, params, resource in (
        ("list_roles", "ListRoles", {}, "*"),
        ("get_role", "GetRole", {"RoleName": role}, arn),
        ("attach_role_policy", "AttachRolePolicy", admin, arn),
        ("put_role_policy", "PutRolePolicy", inline, arn),
        ("update_assume_role_policy", "UpdateAssumeRolePolicy", trust, arn),
        ("create_user", "CreateUser", {"UserName": "eve"}, "arn:aws:iam::{account}:user/eve"),
        (
            "create_access_key",
            "CreateAccessKey",
            {"UserName": "eve"},
            "arn:aws:iam::{account}:user/eve",
        ),
    ):
        yield Attempt(operation, "iam", operation, params, f"iam:{action}", resource)
    stack = {"StackName": "{stack_name}"}
    arn = "arn:aws:cloudformation:{region}:{account}:stack/{stack_name}/*"
    metric = {"Namespace": "LambdaChat", "MetricData": [{"MetricName": "Stored", "Value": 1}]}
    for service, operation, action, params, resource in (
        ("cloudformation", "describe_stacks", "cloudformation:DescribeStacks", {}, "*"),
        ("cloudformation", "get_template", "cloudformation:GetTemplate", stack, arn),
        ("cloudformation", "delete_stack", "cloudformation:DeleteStack", stack, arn),
        ("cloudwatch", "put_metric_data", "cloudwatch:PutMetricData", metric, "*"),
        ("cloudwatch", "describe_alarms", "cloudwatch:DescribeAlarms", {}, "*"),
        ("logs", "describe_log_groups", "logs:DescribeLogGroups", {}, "*"),
        ("sqs", "create_queue", "sqs:CreateQueue", {"QueueName": "stolen"},
         "arn:aws:sqs:{region}:{account}:stolen"),
        ("secretsmanager", "list_secrets", "secretsmanager:ListSecrets", {}, "*"),
    ):  # fmt: skip
        yield Attempt(operation, service, operation, params, action, resource)


ATTEMPTS = (
    *s3_attempts(),
    *table_attempts(),
    *topic_attempts(),
    *function_attempts(),
    *push_attempts(),
    *account_attempts(),
)
EVERYONE = {f"read {key}" for key in PUBLIC}
OWN_LOG = ("open a log of", "write the log of")
ALLOWED = {
    "anonymous": EVERYONE,
    "page": EVERYONE
    | {
        "publish to the topic of messages",
        "publish a batch to the topic of messages",
        "query messages",
        "read data/channels.json",
        "read data/default.json",
    },
    "identity": set(),
    "store-message": EVERYONE
    | {f"{verb} store-message" for verb in OWN_LOG}
    | {
        "publish a batch to the topic of failures",
        "publish to the topic of failures",
        "check rates",
        "delete from messages",
        "get from messages",
        "put into messages",
        "transact on messages",
        "update in messages",
        "update in rates",
    },
    "publish-transcript": EVERYONE
    | {f"{verb} publish-transcript" for verb in OWN_LOG}
    | {
        "describe the stream",
        "publish a batch to the topic of failures",
        "publish to the topic of failures",
        "push to a channel",
        "query messages",
        "read data/channels.json",
        "read data/default.json",
        "read the stream",
        "take a place in the stream",
        "write data/channels.json",
        "write data/default.json",
    },
}

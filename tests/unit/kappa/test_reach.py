"""Every member of the calls that set something is reached by a config, or listed with a reason.

The tables are walked whole: an answer with a value for each member becomes a config, whose
parameters must be the answer again. The other calls are those of a plan for a full config.
"""

from datetime import UTC, datetime

import botocore.session
import msgspec

from kappa.config.setting_types import file_type
from kappa.config.settings import ASYNC, FUNCTION, MAPPING, URL
from kappa.function.log_group import plan_retention
from kappa.function.plan import plan_function
from kappa.function.state import FunctionState
from kappa.iam.plan import plan_rights
from kappa.iam.state import IamState
from kappa.package.zip import Archive
from kappa.plan.step import steps
from kappa.sources.plan import plan_sources
from kappa.sources.sns import Topic
from kappa.sources.state import SourcesState
from tests.support.builders import OWNER, kappa_config
from tests.support.kappa.event_sources import BUCKET, PLACE, TOPIC
from tests.support.kappa.event_sources import FUNCTION as ARN

SESSION = botocore.session.get_session()
LAMBDA = SESSION.get_service_model("lambda")
ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
URI = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/greeter:1"
TEXTS = {
    "SubnetId": "subnet-1",
    "SecurityGroupId": "sg-1",
    "KMSKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1",
    "ResourceArn": QUEUE,
    "DestinationArn": QUEUE,
    "LayerVersionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:a:1",
    "Pattern": "{}",
}
FUNCTION_KEYS = {"name": "greeter", "path": "code", "handler": "a.b", "runtime": "python3.13"}


def sample(shape):
    """A value of a shape with every member in it."""
    kind = shape.type_name
    if kind == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if kind == "list":
        return [sample(shape.member)]
    if kind == "map":
        return {sample(shape.key): sample(shape.value)}
    if kind in ("integer", "long", "double"):
        return shape.metadata.get("max", 1)
    if kind == "timestamp":
        return datetime(2026, 1, 1, tzinfo=UTC)
    if kind == "boolean":
        return True
    return next(iter(shape.enum), TEXTS.get(shape.name, "text"))


def leaves(shape, at=""):
    """The paths of all members that hold a value."""
    if shape.type_name == "structure" and shape.members:
        return {
            leaf
            for name, member in shape.members.items()
            for leaf in leaves(member, f"{at}.{name}" if at else name)
        }
    if shape.type_name == "list":
        return leaves(shape.member, at)
    return {at}


def sent(value, at=""):
    """The paths of the values of some parameters."""
    if isinstance(value, dict):
        return {
            leaf
            for name, item in value.items()
            for leaf in sent(item, f"{at}.{name}" if at else name)
        }
    if isinstance(value, list | tuple):
        return {leaf for item in value for leaf in sent(item, at)}
    return {at}


def reached(operation, member_paths):
    """The leaves of a call below which parameters have values; a map's keys are no members."""
    wanted = leaves(operation.input_shape)
    return {leaf for leaf in wanted if any(f"{at}.".startswith(f"{leaf}.") for at in member_paths)}


def read(section):
    data = {"lambda": {**FUNCTION_KEYS, **section}}
    return msgspec.convert(data, file_type(data)).lambda_


def of_function():
    answer = sample(LAMBDA.shape_for("FunctionConfiguration"))
    section = FUNCTION.section(answer)
    section["image"] = {"uri": URI, **section["image"]}
    return FUNCTION.sent(read(section), {})


def of_mapping():
    section = MAPPING.section(sample(LAMBDA.shape_for("EventSourceMappingConfiguration")))
    (source,) = read({"event_sources": [section]}).event_sources
    return MAPPING.sent(source, {})


def of_async():
    section = ASYNC.section(sample(LAMBDA.shape_for("FunctionEventInvokeConfig")))
    return ASYNC.sent(read({"async": section}).async_, {})


def of_url():
    answer = sample(LAMBDA.shape_for("GetFunctionUrlConfigResponse"))
    section = URL.section({**answer, "InvokeMode": "RESPONSE_STREAM"})
    section["cors"]["allow_methods"] = ["GET"]
    return URL.sent(read({"url": section}).url, {})


OF_TABLES = {
    "CreateFunction": of_function,
    "UpdateFunctionConfiguration": of_function,
    "CreateEventSourceMapping": of_mapping,
    "UpdateEventSourceMapping": of_mapping,
    "PutFunctionEventInvokeConfig": of_async,
    "CreateFunctionUrlConfig": of_url,
    "UpdateFunctionUrlConfig": of_url,
}
FULL = {
    **FUNCTION_KEYS,
    "alias": "live",
    "publish": True,
    "architectures": ["arm64"],
    "tags": {"a": "b"},
    "reserved_concurrency": 1,
    "log_retention_days": 1,
    "permissions": [
        {
            "statement_id": "a",
            "principal": "alexa-appkit.amazon.com",
            "source_arn": QUEUE,
            "source_account": ACCOUNT,
            "event_source_token": "t",
            "principal_org_id": "o-a1b2c3d4e5",
        }
    ],
    "url": {"auth": "NONE"},
    "event_sources": [
        {"arn": TOPIC, "filter_policy": "{}"},
        {
            "arn": BUCKET,
            "events": ["s3:ObjectCreated:*"],
            "key_filters": [{"type": "prefix", "value": "a"}],
        },
        {"name": "nightly", "schedule": "rate(1 day)", "description": "a", "input": "{}"},
        {
            "name": "retried",
            "schedule": "rate(1 day)",
            "input_transformer": {"template": "<a>", "paths": {"a": "$.a"}},
            "retry_policy": {"maximum_retry_attempts": 1, "maximum_event_age_s": 60},
            "dead_letter": QUEUE,
        },
        {
            "arn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/shop/r",
            "pattern": "{}",
            "input_path": "$.a",
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/r",
        },
    ],
}


def planned():
    """The parameters of every call that a deploy makes for a new function with everything."""
    config = kappa_config(
        FULL,
        policy={"name": "p", "document": "policy.json", "description": "d"},
        role={"name": "r"},
    )
    archive = Archive(b"zip", "sha", ("greeter.py",), 3)
    state = SourcesState(current={TOPIC: Topic(), BUCKET: {}}, target_arn=f"{ARN}:live")
    plan = [
        *plan_rights(config, {"Version": "2012-10-17"}, PLACE, IamState(), OWNER),
        *plan_retention(config, None),
        *plan_function(config, archive, "role", FunctionState(), OWNER),
        *plan_sources(config, PLACE, state, ()),
    ]
    calls = {}
    for step in steps(plan):
        calls.setdefault((step.service, step.operation), set()).update(sent(step.params))
    return calls


# Members that kappa fills in: names and ids, and what a config says elsewhere.
FILLED_IN = {
    "Code.ImageUri": "image.uri",
    "Code.S3Bucket": "s3_bucket",
    "Code.S3Key": "s3_prefix",
    "Code.S3ObjectVersion": "the version that kappa has just uploaded is the newest",
    "CodeSha256": "what was compared",
    "Enabled": "enabled",
    "EventSourceArn": "arn",
    "FunctionName": "name",
    "FunctionVersion": "publish",
    "PackageType": "image",
    "Publish": "publish, by a call of its own",
    "Qualifier": "alias",
    "RevisionId": "what was compared",
    "Role": "iam.role",
    "UUID": "the mapping",
}
# What is of others: targets that are no function, and a bucket's other notifications.
OF_OTHERS = (
    "ExpectedBucketOwner",
    "NotificationConfiguration.EventBridgeConfiguration",
    "NotificationConfiguration.QueueConfigurations",
    "NotificationConfiguration.TopicConfigurations",
    "SkipDestinationValidation",
    *(
        f"Targets.{kind}"
        for kind in (
            "AppSyncParameters",
            "BatchParameters",
            "EcsParameters",
            "HttpParameters",
            "KinesisParameters",
            "RedshiftDataParameters",
            "RoleArn",
            "RunCommandParameters",
            "SageMakerPipelineParameters",
            "SqsParameters",
        )
    ),
)
OWN_GROUP = "kappa makes a plain log group; logging.group names one of your own"
# What no config can set, and why: fewer than fifteen. Something new in the model needs a key.
UNREACHED = {
    "CodeSigningConfigArn": "GetFunction does not show it: a call of its own reads and sets it",
    "Description": "of versions, aliases and roles: nothing depends on it",
    "DestinationConfig.OnSuccess": "Lambda takes it for no event source",
    "MaxSessionDuration": "Lambda's sessions do not depend on it",
    "PermissionsBoundary": "iam.role.arn uses a role of your own",
    "PublishTo": "kappa publishes versions by number",
    "RoutingConfig": "an alias of kappa's is on one version",
    "S3ObjectStorageMode": "AWS copies: a lifecycle rule may remove what kappa uploads",
    "SourceKMSKeyArn": "a key that somebody gave the zip stays",
    "Tags": "the function, its role and its policy have the config's; nothing else has tags",
    "deletionProtectionEnabled": "kappa never deletes a log group",
    "kmsKeyId": OWN_GROUP,
    "logGroupClass": OWN_GROUP,
    "tags": OWN_GROUP,
}


def unreached():
    calls = planned()
    for name, of_table in OF_TABLES.items():
        calls.setdefault(("lambda", botocore.xform_name(name)), set()).update(sent(of_table()))
    left = set()
    for (service, operation), member_paths in calls.items():
        model = SESSION.get_service_model(service)
        names = {botocore.xform_name(name): name for name in model.operation_names}
        call = model.operation_model(names[operation])
        left |= leaves(call.input_shape) - reached(call, member_paths)
    return {at for at in left if at not in FILLED_IN and not at.startswith(OF_OTHERS)}


def test_what_no_config_reaches_is_listed_with_a_reason():
    named = {
        at: next((name for name in UNREACHED if f".{name}." in f".{at}."), at) for at in unreached()
    }
    assert set(named.values()) == set(UNREACHED)
    assert len(UNREACHED) < 15

"""Deployed twice, the second finds nothing: answers in the form that AWS gives them.

The emulator answers much as it was sent. `answered` turns what a plan sends into what AWS answers,
by recorded answers: it adds defaults, leaves out what is empty, and knows its own order.
"""

import pytest

from kappa.config.model import Async
from kappa.function import async_calls
from kappa.function.plan import (
    plan_function,
)
from kappa.function.version_state import VersionsState
from kappa.package.zip import Archive
from kappa.plan.step import steps
from tests.support.builders import OWNER, kappa_config, owned

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/kappa/greeter"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:greeter"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:letters"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b"
LAYERS = tuple(f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{name}:1" for name in ("b", "a"))
ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
IMAGE = {"path": "", "handler": "", "runtime": ""}
URI = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/greeter:1"


def answered(sent, has=None):
    """GetFunction's Configuration after these parameters; `has` is what it was before."""
    has = has or {
        "FunctionName": "greeter",
        "FunctionArn": ARN,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "CodeSha256": "sha",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0a"},
    }
    own = {"Code", "ImageConfig", "Tags", "Publish"}
    found = {**has, **{key: value for key, value in sent.items() if key not in own}}
    found |= {"State": "Active", "LastUpdateStatus": "Successful"}
    if "VpcConfig" in sent:
        found["VpcConfig"] = network(sent["VpcConfig"])
    if "Layers" in sent:
        found["Layers"] = [{"Arn": arn, "CodeSize": 1} for arn in sent["Layers"]]
    if "SnapStart" in sent:
        found["SnapStart"] = {**sent["SnapStart"], "OptimizationStatus": "Off"}
    if "LoggingConfig" in sent:
        found["LoggingConfig"] = logging(sent["LoggingConfig"])
    if "ImageConfig" in sent:
        image = {key: value for key, value in sent["ImageConfig"].items() if value}
        found["ImageConfigResponse"] = {"ImageConfig": image}
    absent = {
        "DeadLetterConfig": {"TargetArn": ""},
        "KMSKeyArn": "",
        "ImageConfigResponse": {"ImageConfig": {}},
        "Layers": [],
    }
    return {key: value for key, value in found.items() if absent.get(key) != value}


def network(sent):
    """A network that was taken away leaves empty lists behind."""
    ids = {key: sent[key][::-1] for key in ("SubnetIds", "SecurityGroupIds")}
    if not ids["SubnetIds"]:
        return {**ids, "VpcId": ""}
    return {"Ipv6AllowedForDualStack": False, **sent, **ids, "VpcId": "vpc-1"}


def logging(sent):
    """JSON has levels, said or not, and Text has none."""
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    given = {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter", **sent}
    return {**levels, **given} if given["LogFormat"] == "JSON" else given


EMPTY = {
    "description": "",
    "environment": {},
    "layers": (),
    "vpc": {},
    "tracing": False,
    "ephemeral_storage_mb": 512,
    "kms_key": "",
    "dead_letter": "",
    "logging": {},
    "snap_start": False,
    "tags": {},
    "reserved_concurrency": "none",
    "async_": Async(),
}
FULL = {
    "description": "  Greets \N{SNOWMAN}  ",
    "timeout": 9,
    "memory_size": 256,
    "environment": {
        "GREETING": 'Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{SNOWMAN} \\ "',
        "NO": "",
    },
    "architectures": ("arm64",),
    "ephemeral_storage_mb": 512,
    "layers": LAYERS,
    "vpc": {
        "subnet_ids": ("subnet-2", "subnet-1", "subnet-3"),
        "security_group_ids": ("sg-2", "sg-1"),
    },
    "tracing": True,
    "kms_key": KEY,
    "tags": {"Team": "tea", "stra\N{LATIN SMALL LETTER SHARP S}e": "\N{SNOWMAN}", "empty": ""},
    "reserved_concurrency": 0,
    "dead_letter": QUEUE,
    "logging": {"format": "JSON", "system_level": "WARN", "group": "/ours"},
    "snap_start": True,
    "async_": Async(maximum_retry_attempts=0, on_failure=QUEUE),
}
OF_IMAGE = {
    key: value
    for key, value in FULL.items()
    if key not in ("layers", "snap_start", "architectures")
}


def planned(said, state):
    """What deploy does about a function, but for versions."""
    archive = None if said.get("image") else ARCHIVE
    return plan_function(kappa_config(said), archive, ROLE_ARN, state, OWNER)


def deployed(said, state):
    """What GetFunction and its like answer once a plan is carried out."""
    settings, tags, after, reserved = (
        state.settings,
        dict(state.tags),
        state.asynchronous,
        state.concurrency,
    )
    code = {"ImageUri": said["image"]["uri"]} if said.get("image") else {}
    for step in steps(planned(said, state)):
        sent = dict(step.params)
        if step.operation in ("create_function", "update_function_configuration"):
            settings = answered(sent, settings)
        if step.operation == "update_function_code" and "Architectures" in sent:
            settings = {**settings, "Architectures": sent["Architectures"]}
        if step.operation in ("create_function", "tag_resource"):
            tags |= sent.get("Tags", {})
        if step.operation == "untag_resource":
            tags = {key: value for key, value in tags.items() if key not in sent["TagKeys"]}
        if step.operation == "put_function_concurrency":
            reserved = sent["ReservedConcurrentExecutions"]
        if step.operation == "delete_function_concurrency":
            reserved = None
        if step.operation == "put_function_event_invoke_config":
            to = {"OnFailure": {}, "OnSuccess": {}, **sent.get("DestinationConfig", {})}
            after = {**sent, "DestinationConfig": to, "FunctionArn": f"{ARN}:$LATEST"}
        if step.operation == "delete_function_event_invoke_config":
            after = None
    return owned(settings, (), after, tags=tags, concurrency=reserved, code=code)


@pytest.mark.parametrize(
    "said",
    [
        {},
        FULL,
        EMPTY,
        {**IMAGE, **OF_IMAGE, "image": {"uri": URI, "command": ("a", "b")}},
        {**IMAGE, "image": {"uri": URI, "command": (), "entry_point": (), "working_directory": ""}},
        {**IMAGE, "image": {"uri": URI}},
        {"logging": {"format": "JSON"}},
        {"logging": {"format": "Text"}},
        {"logging": {"group": "/ours"}},
        {"vpc": {"subnet_ids": ("subnet-1",), "security_group_ids": ("sg-1",), "ipv6": True}},
        {"async_": Async(on_failure="")},
        {"async_": Async(on_success=QUEUE, on_failure="")},
    ],
)
def test_a_second_deploy_changes_nothing(said):
    state = deployed(said, owned())
    assert steps(planned(said, state)) == []


@pytest.mark.parametrize(("first", "then"), [(FULL, EMPTY), (EMPTY, FULL), (FULL, {})])
def test_a_deploy_after_a_change_of_the_config_is_whole_too(first, then):
    state = deployed(then, deployed(first, owned()))
    assert steps(planned(then, state)) == []
    assert steps(planned({}, state)) == []


def test_what_a_new_function_has_is_what_every_empty_value_asks_for():
    state = deployed({}, owned())
    assert steps(planned({**EMPTY, "tracing": "PassThrough"}, state)) == []


def test_a_fresh_version_is_as_the_function_is():
    """$LATEST and its version differ in ARN, revision and number; lists lack their states."""
    latest = answered({"Role": ROLE_ARN, "Handler": "greeter.handler"})
    listed = {
        key: value for key, value in latest.items() if key not in ("State", "LastUpdateStatus")
    }
    newest = {**listed, "FunctionArn": f"{ARN}:1", "RevisionId": "b", "Version": "1"}
    state = VersionsState({**listed, "FunctionArn": f"{ARN}:$LATEST", "RevisionId": "a"}, (newest,))
    assert state.current == 1


def test_asynchronous_settings_that_only_go_ask_for_nothing():
    assert not async_calls.wants(Async(on_failure="", on_success=""))
    assert not async_calls.wants(Async())
    assert async_calls.wants(Async(maximum_retry_attempts=0))

"""The function's settings: what becomes of them in AWS's words."""

from types import SimpleNamespace

import pytest

from kappa.config.model import Async
from kappa.errors import Conflict, NotFound
from kappa.function.plan import (
    plan_function,
)
from kappa.function.state import read_function
from kappa.package.zip import Archive
from kappa.plan.step import Note
from tests.support.builders import OWNER, assert_valid, kappa_config, owned

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/greeter"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:greeter"
ARCHIVE = Archive(b"zip", "sha", ("greeter.py",), 3)
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:letters"
LAYER = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:tools:3"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b"
URI = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/greeter:1"
HAS = {
    "FunctionName": "greeter",
    "FunctionArn": FUNCTION_ARN,
    "Runtime": "python3.13",
    "Role": ROLE_ARN,
    "Handler": "greeter.handler",
    "CodeSha256": "sha",
}
SAME = [Note("unchanged", "settings of greeter"), Note("unchanged", "code of greeter")]


def planned(said, state=None, archive=ARCHIVE):
    state = owned(HAS) if state is None else state
    found = plan_function(kappa_config(said), archive, ROLE_ARN, state, OWNER)
    assert_valid(found)
    return found


def updated(said, **has):
    """What changes of the settings, and what was there."""
    step = planned(said, owned({**HAS, **has}))[0]
    if isinstance(step, Note):
        return {}, {}
    return {key: value for key, value in step.params.items() if key != "FunctionName"}, step.before


VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "Ipv6AllowedForDualStack": False}
NO_VPC = {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}
TEXT = {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"}
JSON = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": "/ours"}


@pytest.mark.parametrize(
    ("said", "has", "changed"),
    [
        ({"vpc": {"subnet_ids": ("subnet-1",), "security_group_ids": ("sg-1",)}}, {}, VPC),
        ({"vpc": {}}, {"VpcConfig": {**VPC, "VpcId": "vpc-1"}}, NO_VPC),
        (
            {"vpc": {"subnet_ids": ("subnet-2",), "security_group_ids": ("sg-1",)}},
            {"VpcConfig": {**VPC, "Ipv6AllowedForDualStack": True}},
            {**VPC, "SubnetIds": ["subnet-2"], "Ipv6AllowedForDualStack": True},
        ),
        ({"layers": (LAYER,)}, {}, [LAYER]),
        ({"layers": ()}, {"Layers": [{"Arn": LAYER, "CodeSize": 1}]}, []),
        ({"tracing": True}, {}, {"Mode": "Active"}),
        (
            {"tracing": "PassThrough"},
            {"TracingConfig": {"Mode": "Active"}},
            {"Mode": "PassThrough"},
        ),
        ({"ephemeral_storage_mb": 1024}, {}, {"Size": 1024}),
        ({"kms_key": KEY}, {}, KEY),
        ({"kms_key": ""}, {"KMSKeyArn": KEY}, ""),
        ({"dead_letter": QUEUE}, {}, {"TargetArn": QUEUE}),
        ({"dead_letter": ""}, {"DeadLetterConfig": {"TargetArn": QUEUE}}, {"TargetArn": ""}),
        ({"logging": {"format": "JSON"}}, {}, {**TEXT, "LogFormat": "JSON"}),
        ({"logging": {"group": "/new"}}, {"LoggingConfig": JSON}, {**JSON, "LogGroup": "/new"}),
        (
            {"logging": {"format": "Text"}},
            {"LoggingConfig": JSON},
            {"LogFormat": "Text", "LogGroup": "/ours"},
        ),
        ({"logging": {}}, {"LoggingConfig": JSON}, TEXT),
        ({"snap_start": True}, {}, {"ApplyOn": "PublishedVersions"}),
        (
            {"snap_start": False},
            {"SnapStart": {"ApplyOn": "PublishedVersions"}},
            {"ApplyOn": "None"},
        ),
    ],
)
def test_a_setting_that_differs_is_sent_whole_with_what_it_replaces(said, has, changed):
    params, before = updated(said, **has)
    assert list(params.values()) == [changed]
    assert list(before) == list(params)
    assert before != params


@pytest.mark.parametrize(
    ("said", "has"),
    [
        ({"vpc": {}}, {}),
        ({"vpc": {}}, {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}}),
        (
            {"vpc": {"subnet_ids": ("subnet-2", "subnet-1"), "security_group_ids": ("sg-1",)}},
            {"VpcConfig": {**VPC, "SubnetIds": ["subnet-1", "subnet-2"]}},
        ),
        ({"layers": ()}, {}),
        ({"tracing": False}, {}),
        ({"ephemeral_storage_mb": 512}, {}),
        ({"kms_key": ""}, {}),
        ({"dead_letter": ""}, {}),
        ({"logging": {"application_level": "INFO", "format": "JSON"}}, {"LoggingConfig": JSON}),
        ({"logging": {}}, {"LoggingConfig": TEXT}),
        ({"snap_start": False}, {}),
        (
            {"snap_start": True},
            {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}},
        ),
        ({}, {"LoggingConfig": JSON, "KMSKeyArn": KEY, "Layers": [{"Arn": LAYER}]}),
    ],
)
def test_a_setting_that_is_equal_or_not_said_stays(said, has):
    assert updated(said, **has) == ({}, {})


def test_the_order_of_layers_counts():
    other = LAYER.replace("tools", "more")
    has = {"Layers": [{"Arn": LAYER}, {"Arn": other}]}
    assert updated({"layers": (other, LAYER)}, **has)[0] == {"Layers": [other, LAYER]}


def test_a_new_function_is_made_with_its_settings_and_without_those_that_remove():
    said = {"layers": (LAYER,), "vpc": {}, "kms_key": "", "tags": {"a": "b"}, "dead_letter": ""}
    params = planned(said, owned())[0].params
    assert params == {
        "FunctionName": "greeter",
        "Runtime": "python3.13",
        "Role": ROLE_ARN,
        "Handler": "greeter.handler",
        "Layers": [LAYER],
        "Code": {"ZipFile": b"zip"},
        "Tags": {"a": "b", **OWNER.tags},
    }


def image(**said):
    return {"path": "", "handler": "", "runtime": "", "image": {"uri": URI, **said}}


def test_a_function_of_an_image_is_made_without_handler_and_runtime():
    said = image(command=("app.main",))
    params = planned(said, owned(), archive=None)[0].params
    assert params == {
        "FunctionName": "greeter",
        "Role": ROLE_ARN,
        "ImageConfig": {"Command": ["app.main"], "EntryPoint": [], "WorkingDirectory": ""},
        "Code": {"ImageUri": URI},
        "Tags": OWNER.tags,
        "PackageType": "Image",
    }


def of_image(uri=URI, **config):
    has = {key: HAS[key] for key in ("FunctionName", "FunctionArn", "Role")}
    response = {"ImageConfigResponse": {"ImageConfig": config}}
    return owned({**has, "PackageType": "Image", **response}, code={"ImageUri": uri})


def test_another_image_is_new_code():
    code = planned(image(), of_image("old"), archive=None)[1]
    assert code.params == {"FunctionName": "greeter", "ImageUri": URI}
    assert code.before == {"ImageUri": "old"}
    assert planned(image(), of_image(), archive=None) == SAME


def test_an_image_keeps_of_its_settings_what_is_not_said():
    settings = planned(image(command=()), of_image(Command=["a"], EntryPoint=["b"]), None)[0]
    assert settings.params["ImageConfig"] == {
        "Command": [],
        "EntryPoint": ["b"],
        "WorkingDirectory": "",
    }


def test_a_zip_cannot_become_an_image():
    with pytest.raises(Conflict, match="Zip, which AWS cannot change to Image"):
        planned(image(), owned({**HAS, "PackageType": "Zip"}), archive=None)


def test_tags_are_added_changed_and_removed_but_not_those_of_aws():
    has = {"a": "1", "b": "2", "c": "3", "aws:cloudformation:stack-name": "x"}
    removed, added = planned({"tags": {"a": "1", "b": "9", "d": "4"}}, owned(HAS, tags=has))[2:]
    assert added.params == {"Resource": FUNCTION_ARN, "Tags": {"b": "9", "d": "4"}}
    assert added.before == {"Tags": {"b": "2"}}
    assert removed.params == {"Resource": FUNCTION_ARN, "TagKeys": ["c"]}


def test_tags_that_are_equal_or_not_said_stay():
    state = owned(HAS, tags={"a": "1", "aws:x": "y"})
    assert planned({"tags": {"a": "1"}}, state)[2:] == [Note("unchanged", "tags of greeter")]
    assert planned({}, state) == SAME


@pytest.mark.parametrize(
    ("said", "has", "operation"),
    [
        (5, None, "put_function_concurrency"),
        (0, None, "put_function_concurrency"),
        (0, 5, "put_function_concurrency"),
        ("none", 5, "delete_function_concurrency"),
        ("none", 0, "delete_function_concurrency"),
        ("none", None, None),
        (5, 5, None),
        (0, 0, None),
    ],
)
def test_reserved_concurrency_is_brought_to_what_the_config_says(said, has, operation):
    (item,) = planned({"reserved_concurrency": said}, owned(HAS, concurrency=has))[2:]
    assert getattr(item, "operation", None) == operation
    if operation:
        assert item.before == {"ReservedConcurrentExecutions": has}


def test_only_what_the_config_speaks_of_is_read():
    def read(said, **more):
        calls = []

        def call(_service, operation, _doing, params):
            calls.append((operation, params.get("Qualifier", "")))
            raise NotFound("nothing")

        def pages(_service, operation, *_rest):
            calls.append((operation, ""))
            return []

        read_function(SimpleNamespace(call=call, pages=pages), kappa_config(said), **more)
        return sorted(calls)

    grants = [{"statement_id": "a", "principal": "sns.amazonaws.com"}]
    assert read({}) == [("get_function", "")]
    assert read({"grants": grants}) == [("get_function", ""), ("get_policy", "")]
    assert read({"grants": grants}, permissions=False) == [("get_function", "")]
    assert read({"grants": grants, "alias": "current", "async_": Async()}) == [
        ("get_function", ""),
        ("get_function_event_invoke_config", "current"),
        ("get_policy", "current"),
        ("list_aliases", ""),
        ("list_versions_by_function", ""),
    ]


def test_permissions_and_asynchronous_settings_are_the_aliases_own_and_come_after_it():
    said = {
        "alias": "current",
        "grants": [{"statement_id": "a", "principal": "sns.amazonaws.com"}],
        "async_": Async(maximum_retry_attempts=0),
    }
    plan = planned(said, owned())
    assert [step.operation for step in plan] == [
        "create_function",
        "publish_version",
        "create_alias",
        "add_permission",
        "put_function_event_invoke_config",
    ]
    assert [step.params.get("Qualifier") for step in plan[3:]] == ["current", "current"]


def test_asynchronous_destinations_are_removed_by_an_empty_text_and_all_by_an_empty_mapping():
    to = {"OnSuccess": {"Destination": QUEUE}, "OnFailure": {}}
    state = owned(HAS, asynchronous={"MaximumRetryAttempts": 1, "DestinationConfig": to})
    (step,) = planned({"async_": Async(on_success="")}, state)[2:]
    assert step.params == {"FunctionName": "greeter", "MaximumRetryAttempts": 1}
    assert step.before == {"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}}
    (gone,) = planned({"async_": Async()}, state)[2:]
    assert gone.operation == "delete_function_event_invoke_config"
    assert planned({"async_": Async()})[2:] == [Note("gone", "asynchronous settings of greeter")]

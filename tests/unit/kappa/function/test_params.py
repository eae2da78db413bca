"""The function's settings: what the config may say, and what becomes of it in AWS's words."""

import json
from types import SimpleNamespace

import pytest

from kappa.config.function_fields import Async, Image, Logging, Vpc
from kappa.config.function_rules import check_regions
from kappa.config.read import read_config
from kappa.errors import ConfigError, Conflict, NotFound
from kappa.function import plan as function
from kappa.function.plan import FunctionState
from kappa.packing.archive import Archive
from kappa.plan.step import Already
from tests.support.builders import assert_valid, kappa_config

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
SAME = [Already("unchanged", "settings of greeter"), Already("unchanged", "code of greeter")]


def planned(said, state=None, archive=ARCHIVE):
    state = FunctionState(HAS) if state is None else state
    found = function.plan(kappa_config(said), archive, ROLE_ARN, state)
    assert_valid(found)
    return found


def updated(said, **has):
    """What changes of the settings, and what was there."""
    step = planned(said, FunctionState({**HAS, **has}))[0]
    if isinstance(step, Already):
        return {}, {}
    return {key: value for key, value in step.params.items() if key != "FunctionName"}, step.before


VPC = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "Ipv6AllowedForDualStack": False}
NO_VPC = {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}
TEXT = {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"}
JSON = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": "/ours"}


@pytest.mark.parametrize(
    ("said", "has", "changed"),
    [
        ({"vpc": Vpc(subnet_ids=("subnet-1",), security_group_ids=("sg-1",))}, {}, VPC),
        ({"vpc": Vpc()}, {"VpcConfig": {**VPC, "VpcId": "vpc-1"}}, NO_VPC),
        (
            {"vpc": Vpc(subnet_ids=("subnet-2",), security_group_ids=("sg-1",))},
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
        ({"logging": Logging(format="JSON")}, {}, {**TEXT, "LogFormat": "JSON"}),
        ({"logging": Logging(group="/new")}, {"LoggingConfig": JSON}, {**JSON, "LogGroup": "/new"}),
        (
            {"logging": Logging(format="Text")},
            {"LoggingConfig": JSON},
            {"LogFormat": "Text", "LogGroup": "/ours"},
        ),
        ({"logging": Logging()}, {"LoggingConfig": JSON}, TEXT),
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
        ({"vpc": Vpc()}, {}),
        ({"vpc": Vpc()}, {"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}}),
        (
            {"vpc": Vpc(subnet_ids=("subnet-2", "subnet-1"), security_group_ids=("sg-1",))},
            {"VpcConfig": {**VPC, "SubnetIds": ["subnet-1", "subnet-2"]}},
        ),
        ({"layers": ()}, {}),
        ({"tracing": False}, {}),
        ({"ephemeral_storage_mb": 512}, {}),
        ({"kms_key": ""}, {}),
        ({"dead_letter": ""}, {}),
        ({"logging": Logging(application_level="INFO", format="JSON")}, {"LoggingConfig": JSON}),
        ({"logging": Logging()}, {"LoggingConfig": TEXT}),
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
    said = {"layers": (LAYER,), "vpc": Vpc(), "kms_key": "", "tags": {"a": "b"}, "dead_letter": ""}
    params = planned(said, FunctionState())[0].params
    assert params == {
        "FunctionName": "greeter",
        "Runtime": "python3.13",
        "Role": ROLE_ARN,
        "Handler": "greeter.handler",
        "Layers": [LAYER],
        "Code": {"ZipFile": b"zip"},
        "Tags": {"a": "b"},
    }


def image(**said):
    return {"path": "", "handler": "", "runtime": "", "image": Image(uri=URI, **said)}


def test_a_function_of_an_image_is_made_without_handler_and_runtime():
    said = image(command=("app.main",))
    params = planned(said, FunctionState(), archive=None)[0].params
    assert params == {
        "FunctionName": "greeter",
        "Role": ROLE_ARN,
        "ImageConfig": {"Command": ["app.main"], "EntryPoint": [], "WorkingDirectory": ""},
        "Code": {"ImageUri": URI},
        "PackageType": "Image",
    }


def of_image(uri=URI, **config):
    has = {key: HAS[key] for key in ("FunctionName", "FunctionArn", "Role")}
    response = {"ImageConfigResponse": {"ImageConfig": config}}
    return FunctionState({**has, "PackageType": "Image", **response}, code={"ImageUri": uri})


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
    with pytest.raises(Conflict, match="AWS cannot make it Image"):
        planned(image(), FunctionState({**HAS, "PackageType": "Zip"}), archive=None)


def test_tags_are_added_changed_and_removed_but_not_those_of_aws():
    has = {"a": "1", "b": "2", "c": "3", "aws:cloudformation:stack-name": "x"}
    removed, added = planned(
        {"tags": {"a": "1", "b": "9", "d": "4"}}, FunctionState(HAS, tags=has)
    )[2:]
    assert added.params == {"Resource": FUNCTION_ARN, "Tags": {"b": "9", "d": "4"}}
    assert added.before == {"Tags": {"b": "2"}}
    assert removed.params == {"Resource": FUNCTION_ARN, "TagKeys": ["c"]}


def test_tags_that_are_equal_or_not_said_stay():
    state = FunctionState(HAS, tags={"a": "1", "aws:x": "y"})
    assert planned({"tags": {"a": "1"}}, state)[2:] == [Already("unchanged", "tags of greeter")]
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
    (item,) = planned({"reserved_concurrency": said}, FunctionState(HAS, concurrency=has))[2:]
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

        function.read(SimpleNamespace(call=call, pages=pages), kappa_config(said), **more)
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
    plan = planned(said, FunctionState())
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
    state = FunctionState(HAS, asynchronous={"MaximumRetryAttempts": 1, "DestinationConfig": to})
    (step,) = planned({"async_": Async(on_success="")}, state)[2:]
    assert step.params == {"FunctionName": "greeter", "MaximumRetryAttempts": 1}
    assert step.before == {"DestinationConfig": {"OnSuccess": {"Destination": QUEUE}}}
    (gone,) = planned({"async_": Async()}, state)[2:]
    assert gone.operation == "delete_function_event_invoke_config"
    assert planned({"async_": Async()})[2:] == [Already("gone", "asynchronous settings of greeter")]


BASE = """\
iam:
  role:
    name: greeter-role
lambda:
  name: greeter
  path: code
  handler: greeter.handler
  runtime: python3.13
"""


def read(tmp_path, *more, base=BASE):
    file = tmp_path / "config.yml"
    file.write_text(base + "".join(f"  {line}\n" for line in more))
    return read_config(file)


def test_every_setting_reads(tmp_path):
    config = read(
        tmp_path,
        "vpc: {subnet_ids: [subnet-0a], security_group_ids: [sg-0a], ipv6: true}",
        f"layers: [{LAYER}]",
        "tracing: true",
        "ephemeral_storage_mb: 32768",
        "logging: {format: JSON, application_level: WARN, system_level: WARN, group: /a/b}",
        f"dead_letter: {QUEUE}",
        "reserved_concurrency: none",
        "tags: {team: tea, cost: 007, live: true, empty: ''}",
        f"kms_key: {KEY}",
        "alias: current",
        "publish: true",
        "keep_versions: 3",
        f"async: {{on_success: {QUEUE}, on_failure: ''}}",
    ).function
    assert config.log_group == "/a/b"
    assert config.tags == {"team": "tea", "cost": "007", "live": "true", "empty": ""}
    assert (config.tracing, config.reserved_concurrency) == (True, "none")


def test_an_image_reads_without_path_handler_and_runtime(tmp_path):
    base = "iam: {role: {name: r}}\nlambda:\n  name: greeter\n"
    config = read(tmp_path, f"image: {{uri: {URI}, command: [a, b]}}", base=base)
    assert config.function.image == Image(uri=URI, command=("a", "b"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("vpc: {subnet_ids: [subnet-1]}", "9: lambda.vpc needs both subnet_ids and security_gr"),
        ("vpc: {ipv6: true}", "9: lambda.vpc.ipv6 needs subnet_ids."),
        ("vpc: {subnets: []}", "9: unknown key lambda.vpc.subnets.\n  Did you mean `subnet_ids`?"),
        ("vpc: {subnet_ids: [vpc-1]}", "lambda.vpc.subnet_ids[0] is 'vpc-1'.\n  Allowed: a subnet"),
        ("vpc: nothing", "9: lambda.vpc is 'nothing'.\n  Allowed: a mapping with subnet_ids, sec"),
        (
            "layers: [tools]",
            "9: lambda.layers[0] is 'tools'.\n  Allowed: the ARN of a layer's vers",
        ),
        (f"layers: [{LAYER.removesuffix(':3')}]", "Allowed: the ARN of a layer's version"),
        (f"layers: [{LAYER}, {LAYER[:-1]}4]", "9: lambda.layers[1]: the layer"),
        (f"layers: [{', '.join([LAYER] * 6)}]", "Allowed: a list of at most 5 layers"),
        ("tracing: maybe", "9: lambda.tracing is 'maybe'.\n  Allowed: Active (or true), Pass"),
        ("ephemeral_storage_mb: 511", "is '511'.\n  Allowed: 512 to 32768 (MB)."),
        ("ephemeral_storage_mb: 32769", "is '32769'.\n  Allowed: 512 to 32768 (MB)."),
        ("logging: {format: XML}", "lambda.logging.format is 'XML'.\n  Allowed: JSON, Text."),
        ("logging: {system_level: WARN}", "9: lambda.logging.system_level needs format: JSON."),
        ("logging: {group: 'a b'}", "Allowed: 1 to 512 letters, digits and ._-/#."),
        ("dead_letter: letters", "9: lambda.dead_letter is 'letters'.\n  Allowed: the ARN of a to"),
        (f"dead_letter: {KEY}", "Allowed: the ARN of a topic or a queue, or '' for none."),
        ("kms_key: alias/mine", "9: lambda.kms_key is 'alias/mine'.\n  Allowed: the ARN of a KMS"),
        ("reserved_concurrency: -1", "is '-1'.\n  Allowed: 0 or more executions at once, or none"),
        ("reserved_concurrency: many", "is 'many'.\n  Allowed: 0 or more executions"),
        ("tags: {aws:mine: x}", "9: the tag aws:mine begins with aws:, which is AWS's own."),
        ("tags: {a: [b]}", "9: lambda.tags.a must be one value."),
        ("tags: {a*: b}", "9: 'a*' is no tag."),
        (f"tags: {{a: {'x' * 257}}}", "At most 256 letters"),
        (f"tags: {{{', '.join(f'k{n}: v' for n in range(51))}}}", "9: lambda.tags has 51"),
        ("tags: [a]", "9: lambda.tags is of the wrong kind."),
        ("alias: '12'", "9: lambda.alias is '12'.\n  Allowed: 1 to 128 letters, digits, - and _"),
        ("keep_versions: 0", "9: lambda.keep_versions is '0'.\n  Allowed: 1 to 1000 (versions)."),
        ("publish: often", "9: lambda.publish is 'often'.\n  Allowed: true or false."),
        ("image: {uri: nginx}", "9: lambda.image.uri is 'nginx'.\n  Allowed: an image in ECR"),
        (f"image: {{uri: {URI}}}", "6: lambda.path does not go with lambda.image, which has its"),
        ("async: {on_failure: me}", "lambda.async.on_failure is 'me'.\n  Allowed: the ARN of a"),
    ],
)
def test_a_wrong_setting_is_said_with_line_key_and_what_is_allowed(tmp_path, more, said):
    with pytest.raises(ConfigError) as error:
        read(tmp_path, more)
    assert said in str(error.value)
    assert f"{tmp_path / 'config.yml'}:" in error.value.message


def test_layers_of_awss_own_have_no_version_and_are_in_every_region(tmp_path):
    own = "arn:aws:lambda:::awslayer:"
    config = read(tmp_path, f"layers: ['{own}One', '{own}Two']")
    check_regions(config, "eu-west-1")
    with pytest.raises(ConfigError, match=r"layers\[1\]: the layer .*One is given twice"):
        read(tmp_path, f"layers: ['{own}One', '{own}One']")


@pytest.mark.parametrize(
    ("variables", "size_bytes"),
    [
        # Both were recorded: of these 4,096 bytes AWS takes, of 4,097 it does not.
        ({"LARGE_VAR": "x" * 4080}, 4096),
        ({"LARGE_VAR": "x" * 4081}, 4097),
        ({"SMALL_VAR": "ok", "LARGE_VAR": "x" * 4064}, 4097),
        ({"QUOTED": '"\\' * 1022}, 4101),
        ({"GREETING": "\N{SNOWMAN}" * 1360}, 4095),
    ],
)
def test_variables_are_measured_as_aws_measures_them(tmp_path, variables, size_bytes):
    lines = [
        f"  {name}: {json.dumps(text, ensure_ascii=False)}" for name, text in variables.items()
    ]
    if size_bytes <= 4096:
        assert read(tmp_path, "environment:", *lines).function.environment == variables
        return
    with pytest.raises(ConfigError, match=f"{size_bytes} bytes as JSON; Lambda takes 4096"):
        read(tmp_path, "environment:", *lines)


def test_snap_start_needs_the_smallest_storage(tmp_path):
    with pytest.raises(ConfigError, match="SnapStart goes with ephemeral_storage_mb: 512 only"):
        read(tmp_path, "snap_start: true", "ephemeral_storage_mb: 1024")


@pytest.mark.parametrize("key", ["path", "handler", "runtime"])
def test_a_function_of_a_zip_needs_path_handler_and_runtime(tmp_path, key):
    base = "".join(line for line in BASE.splitlines(True) if f"  {key}:" not in line)
    with pytest.raises(ConfigError, match=rf"lambda\.{key} is missing"):
        read(tmp_path, base=base)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        (f"layers: [{LAYER}]", "lambda.layers[0]"),
        (f"kms_key: {KEY}", "lambda.kms_key"),
        (f"dead_letter: {QUEUE}", "lambda.dead_letter"),
        (f"async: {{on_failure: {QUEUE}}}", "lambda.async.on_failure"),
        (f"async: {{on_success: {QUEUE}}}", "lambda.async.on_success"),
        (
            f"event_sources: [{{arn: 'arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s'}}]",
            "lambda.event_sources[0].arn",
        ),
    ],
)
def test_what_lambda_reaches_in_its_own_region_only_must_be_there(tmp_path, more, key):
    config = read(tmp_path, more)
    check_regions(config, "us-east-1")
    with pytest.raises(ConfigError) as error:
        check_regions(config, "eu-west-1")
    assert error.value.message == (
        f"{tmp_path / 'config.yml'}:9: {key} is in us-east-1, the function in eu-west-1."
    )


def test_a_malformed_arn_is_said_and_no_traceback(tmp_path):
    stream = f"arn: 'arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s'"
    with pytest.raises(
        ConfigError, match=r"9: lambda\.event_sources\[0\]\.on_failure is .*\n.*the ARN of a topic"
    ):
        read(tmp_path, f"event_sources: [{{{stream}, on_failure: 'arn:aws:sqs:us:me:q'}}]")


def test_a_topic_and_a_bucket_may_be_elsewhere(tmp_path):
    topic = f"{{arn: 'arn:aws:sns:us-east-1:{ACCOUNT}:t'}}"
    bucket = "{arn: 'arn:aws:s3:::b', events: ['s3:ObjectCreated:*']}"
    check_regions(read(tmp_path, f"event_sources: [{topic}, {bucket}]"), "eu-west-1")


def test_an_image_must_be_in_the_functions_region(tmp_path):
    base = "iam: {role: {name: r}}\nlambda:\n  name: greeter\n"
    config = read(tmp_path, f"image: {{uri: {URI}}}", base=base)
    check_regions(config, "us-east-1")
    with pytest.raises(ConfigError, match=r"4: lambda\.image\.uri is in us-east-1"):
        check_regions(config, "eu-west-1")


@pytest.mark.parametrize("topic_in", ["us-east-1", "eu-south-1"])
def test_a_topic_of_another_region_than_an_opt_in_function_is_refused(tmp_path, topic_in):
    topic = f"arn: arn:aws:sns:{topic_in}:123456789012:t"
    config = read(tmp_path, f"event_sources: [{{{topic}}}]")
    check_regions(config, topic_in)
    with pytest.raises(ConfigError, match=f"the topic t is in {topic_in}, the function in ap-e"):
        check_regions(config, "ap-east-1")

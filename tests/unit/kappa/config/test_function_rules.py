"""Settings of a function in a config: what is read, what is refused, and in which words."""

import json

import pytest

from kappa.config.function_rules import check_regions, lets_anyone_in
from kappa.config.read import read_config
from kappa.errors import ConfigError
from tests.support.builders import MINIMAL
from tests.support.kappa.configs import error_of

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:letters"
LAYER = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:tools:3"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b"
URI = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/greeter:1"


def read(tmp_path, *more, base=MINIMAL):
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
    assert (config.function.image.uri, config.function.image.command) == (URI, ("a", "b"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("vpc: {subnet_ids: [subnet-1]}", "9: lambda.vpc needs both subnet_ids and security_gr"),
        ("vpc: {subnets: []}", "9: unknown key lambda.vpc.subnets.\n  Did you mean `subnet_ids`?"),
        ("vpc: {subnet_ids: [vpc-1]}", "lambda.vpc.subnet_ids[0] is 'vpc-1'.\n  Allowed: a subnet"),
        ("vpc: nothing", "9: lambda.vpc is 'nothing'.\n  Allowed: a mapping with subnet_ids, sec"),
        (
            "layers: [tools]",
            "9: lambda.layers[0] is 'tools'.\n  Allowed: the ARN of a layer's vers",
        ),
        (f"layers: [{LAYER.removesuffix(':3')}]", "Allowed: the ARN of a layer's version"),
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
        ("tags: {a: [b]}", "9: lambda.tags.a must be one value."),
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
    check_regions(read(tmp_path, f"layers: ['{own}One', '{own}Two']"), "eu-west-1")


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


@pytest.mark.parametrize(
    ("build", "command"),
    [("make", "make"), ("[npm, run, build]", ("npm", "run", "build")), ("[go, 1]", ("go", "1"))],
)
def test_a_build_is_a_text_or_a_list(tmp_path, build, command):
    function = read(tmp_path, f"build: {build}", "build_inputs: [src, '*.json']").function
    assert (function.build, function.build_inputs) == (command, ("src", "*.json"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("build: ' '", "9: lambda.build is empty."),
        ("build: []", "9: lambda.build is empty."),
        ("build: {a: b}", "9: lambda.build"),
        ("build_inputs: [src]", "9: lambda.build_inputs has no effect without lambda.build."),
    ],
)
def test_a_build_that_does_nothing_is_an_error(tmp_path, more, said):
    (tmp_path / "config.yml").write_text(f"{MINIMAL}  {more}\n")
    assert error_of(tmp_path / "config.yml").startswith(said)


def test_an_image_is_not_built(tmp_path):
    base = "iam: {role: {name: r}}\nlambda:\n  name: greeter\n"
    with pytest.raises(ConfigError, match=r"lambda\.build does not go with lambda\.image"):
        read(tmp_path, f"image: {{uri: {URI}}}", "build: make", base=base)


@pytest.mark.parametrize("key", ["path", "handler", "runtime"])
def test_a_function_of_a_zip_needs_path_handler_and_runtime(tmp_path, key):
    base = "".join(line for line in MINIMAL.splitlines(True) if f"  {key}:" not in line)
    with pytest.raises(ConfigError, match=rf"lambda\.{key} is missing") as caught:
        read(tmp_path, base=base)
    assert caught.value.hint.startswith(f"Add it, such as `{key}: ")


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


@pytest.mark.parametrize("key", ["source_arn", "source_account", "principal_org_id"])
def test_a_permission_never_loses_a_condition(write, key):
    more = (
        f"  permissions:\n    - statement_id: a\n      principal: s3.amazonaws.com\n      {key}:\n"
    )
    assert error_of(write(more=more)).startswith(f"12: lambda.permissions[0].{key} has no value.")


@pytest.mark.parametrize(
    ("principal", "source_arn", "narrower", "anyone"),
    [
        ("*", "", ("", "", ""), True),
        ("*", "arn:aws:sns:us-east-1:*:news", ("", "", ""), True),
        ("*", f"arn:aws:sns:us-east-1:{ACCOUNT}:news", ("", "", ""), False),
        ("*", "", (ACCOUNT, "", ""), False),
        ("*", "", ("", "o-a1b2c3d4e5", ""), False),
        ("*", "", ("", "", "skill"), False),
        ("sns.amazonaws.com", "", ("", "", ""), False),
    ],
)
def test_a_permission_lets_anyone_in_if_nothing_makes_it_narrower(
    principal, source_arn, narrower, anyone
):
    assert lets_anyone_in(principal, source_arn, *narrower) is anyone

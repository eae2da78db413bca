"""Whatever AWS may answer of a function: what `init --from` writes of it is a config, and no more.

Each setting is in the config as AWS has it, or named; nobody is let in who is not let in today.
"""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kappa.commands.adopt.files import adopted_files
from kappa.config.read import read_config
from kappa.function.log_group import LogGroup
from kappa.function.params import current, desired
from kappa.function.permissions import grants, read_statement
from tests.support.kappa.existing import SETTINGS, existing, raw

WORDS = st.one_of(
    st.text(max_size=12), st.sampled_from(["${x}", "${x:-y}", "on", "1.10", "007", ""])
)
NAMES = st.one_of(st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{1,8}", fullmatch=True), WORDS)
ARNS = st.one_of(
    st.sampled_from(
        [
            "arn:aws:lambda:eu-west-1:123456789012:layer:a:1",
            "arn:aws:lambda:eu-west-1:123456789012:layer:a:2",
            "arn:aws:lambda:::awslayer:a",
            "arn:aws:sqs:eu-west-1:123456789012:q",
            "arn:aws:sns:eu-west-1:123456789012:t",
            "arn:aws:kms:eu-west-1:123456789012:key/1-a",
            "arn:aws:s3:::b",
        ]
    ),
    WORDS,
)
CONFIGURATION = st.fixed_dictionaries(
    {},
    optional={
        "Description": WORDS,
        "Timeout": st.integers(0, 6000),
        "MemorySize": st.integers(0, 40000),
        "EphemeralStorage": st.fixed_dictionaries({"Size": st.integers(512, 40000)}),
        "Environment": st.fixed_dictionaries(
            {"Variables": st.dictionaries(NAMES, WORDS, max_size=3)}
        ),
        "Layers": st.lists(st.fixed_dictionaries({"Arn": ARNS}), max_size=6),
        "KMSKeyArn": ARNS,
        "DeadLetterConfig": st.fixed_dictionaries({"TargetArn": ARNS}),
        "TracingConfig": st.fixed_dictionaries(
            {"Mode": st.sampled_from(["Active", "PassThrough"])}
        ),
        "SnapStart": st.fixed_dictionaries(
            {"ApplyOn": st.sampled_from(["PublishedVersions", "None"])}
        ),
        "LoggingConfig": st.fixed_dictionaries(
            {
                "LogFormat": st.sampled_from(["JSON", "Text"]),
                "LogGroup": st.one_of(st.just("/aws/lambda/greeter"), WORDS),
            },
            optional={
                "ApplicationLogLevel": st.sampled_from(["WARN", "LOUD"]),
                "SystemLogLevel": st.sampled_from(["WARN", "LOUD"]),
            },
        ),
        "VpcConfig": st.fixed_dictionaries(
            {
                "SubnetIds": st.lists(
                    st.sampled_from(["subnet-1", "subnet-2", "net"]), unique=True
                ),
                "SecurityGroupIds": st.lists(st.sampled_from(["sg-1", "x"]), unique=True),
                "Ipv6AllowedForDualStack": st.booleans(),
            }
        ),
    },
)
# A config's key for each of AWS's.
KEYS = {
    "Description": "description",
    "Timeout": "timeout",
    "MemorySize": "memory_size",
    "EphemeralStorage": "ephemeral_storage_mb",
    "Environment": "environment",
    "Layers": "layers",
    "KMSKeyArn": "kms_key",
    "DeadLetterConfig": "dead_letter",
    "TracingConfig": "tracing",
    "SnapStart": "snap_start",
    "LoggingConfig": "logging",
    "VpcConfig": "vpc",
}
NONE = {"Description": "", "KMSKeyArn": ""}
VALUES = st.one_of(
    st.sampled_from(["true", "false", "123456789012", "o-1234567890", "NONE", "AWS_IAM"]), ARNS
)
CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "ArnLike", "StringLike", "Bool", "Null", "IpAddress"]),
    st.dictionaries(
        st.sampled_from(
            [
                "AWS:SourceArn",
                "aws:SourceAccount",
                "aws:PrincipalOrgID",
                "lambda:EventSourceToken",
                "lambda:FunctionUrlAuthType",
                "lambda:InvokedViaFunctionUrl",
                "aws:SourceIp",
            ]
        ),
        st.one_of(VALUES, st.lists(VALUES, max_size=2)),
        max_size=2,
    ),
    max_size=2,
)
PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": "123456789012"},
        {"Service": "sns.amazonaws.com"},
        {"AWS": ["a", "b"]},
        {"AWS": "AIDA1"},
    ]
)
STATEMENTS = st.lists(
    st.builds(
        raw,
        Sid=st.one_of(st.sampled_from(["a", "b", "kappa-url", "kappa-url-invoke"]), WORDS),
        Effect=st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        Principal=PRINCIPALS,
        Action=st.sampled_from(["lambda:InvokeFunction", "lambda:InvokeFunctionUrl", ["x", "y"]]),
        Condition=CONDITIONS,
    ),
    max_size=3,
)
URLS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"AuthType": st.sampled_from(["NONE", "AWS_IAM"])},
        optional={
            "Cors": st.fixed_dictionaries(
                {},
                optional={
                    "AllowMethods": st.lists(st.sampled_from(["GET", "TEA"])),
                    "MaxAge": st.integers(0, 99999),
                },
            )
        },
    ),
)


@settings(deadline=None)
@given(
    CONFIGURATION,
    st.dictionaries(NAMES, WORDS, max_size=3),
    st.one_of(st.none(), st.integers(0, 10)),
    st.sampled_from([None, 1, 2, 3, 30]),
)
def test_each_setting_is_written_as_it_is_or_named(configuration, tags, reserved, log_days):
    function = {"Tags": tags, "Concurrency": {"ReservedConcurrentExecutions": reserved}}
    group = log_days and LogGroup(log_days)
    new = adopted_files(existing(configuration, function, log_group=group), "config.yml")
    config = read_config(Path("config.yml"), text=new.files["config.yml"])
    said = "\n".join(new.remarks)
    has = SETTINGS | configuration
    sent = desired(config, "role", has)
    for name in configuration:
        key = KEYS[name]
        if name in sent:
            assert sent[name] == current(has, name)
        else:
            nothing = current({"FunctionName": "x"}, name) in (current(has, name), None)
            usual = nothing or name in ("LoggingConfig", "VpcConfig")
            assert usual or f"- {key}: " in said
    mine = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    assert config.function.tags == (mine or None) or "- tags: " in said
    assert config.function.reserved_concurrency == reserved
    assert config.function.log_retention_days == log_days or "- log_retention_days: 2" in said


@settings(deadline=None)
@given(STATEMENTS, URLS)
def test_nobody_is_let_in_who_is_not_let_in_today(statements, url):
    read = tuple(read_statement(one, "greeter") for one in statements)
    new = adopted_files(existing(statements=read, url=url), "config.yml")
    function = read_config(Path("config.yml"), text=new.files["config.yml"]).function
    for permission in function.permissions:
        assert any(grants(one, permission) for one in read)
    said = "\n".join(new.remarks)
    for one in read:
        written = any(grants(one, permission) for permission in function.permissions)
        assert written or (function.url and function.url.auth == "NONE") or "permission" in said
        assert not one.foreign or not written
    if url and url["AuthType"] == "NONE" and function.url:
        assert sum(one.via_url or one.url_auth == "NONE" for one in read) >= 2

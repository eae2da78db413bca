"""An existing function, written down as a config."""

import io
import json
import os
import zipfile
from dataclasses import replace
from typing import get_args

import botocore.session
import pytest
import yaml
from click.testing import CliRunner

from kappa.cli.main import cli
from kappa.commands.adopt.command import adopted, read
from kappa.commands.adopt.found import Found, line
from kappa.commands.adopt.rest import read_rest, unknown_settings
from kappa.commands.adopt.sources import adopt_sources
from kappa.commands.init import NewFiles, starter, write_files
from kappa.commands.validate import plain_config
from kappa.config.function_fields import AsyncRetries, EphemeralStorage, EventAge, Image
from kappa.config.function_rules import check_regions
from kappa.config.model import Memory, Timeout
from kappa.config.read import read_config, read_policy_document
from kappa.config.source_fields import (
    BatchSize,
    BatchWindow,
    MaxAge,
    Parallel,
    TumblingWindow,
)
from kappa.errors import ArchiveError, ConfigError, Denied, NotFound
from kappa.function.permissions import Statement, as_statement, plan_grant, read_statement
from kappa.sources import polled
from tests.support.kappa.projects import TRUST

ROLE = {
    "RoleName": "greeter-role",
    "Path": "/service-role/",
    "Arn": "arn:aws:iam::123456789012:role/service-role/greeter-role",
    "AssumeRolePolicyDocument": TRUST,
}
POLICY = {
    "PolicyName": "greeter-policy",
    "Path": "/",
    "Arn": "arn:aws:iam::123456789012:policy/greeter-policy",
    "Document": {"Version": "2012-10-17", "Statement": []},
}
SETTINGS = {
    "FunctionName": "greeter",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:greeter",
    "Runtime": "python3.13",
    "Handler": "greeter.handler",
    "Role": ROLE["Arn"],
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 512},
    "TracingConfig": {"Mode": "PassThrough"},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in ({"greeter.py": "def handler(event, context): ...\n"} | files).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def found(settings=None, function=None, **changes):
    default = {
        "function": {"Configuration": SETTINGS | (settings or {}), **(function or {})},
        "statements": (),
        "sources": [],
        "role": ROLE,
        "policy": POLICY,
        "asynchronous": None,
        "url": None,
        "log_days": None,
        "zipped": zipped(),
    }
    return Found(**default | changes)


@pytest.fixture
def imported(tmp_path):
    """Write what was found into a folder, and read it as a config."""

    def write(what):
        write_files(tmp_path, adopted(what, "config.yml"))
        return read_config(tmp_path / "config.yml")

    return write


def test_a_plain_function_says_no_more_than_it_has(imported):
    config = imported(found())
    assert plain_config(config) == {
        "region": "eu-west-1",
        "iam": {
            "policy": {"name": "greeter-policy", "path": "/", "document": "policy.json"},
            "role": {"name": "greeter-role", "path": "/service-role/"},
        },
        "lambda": {
            "name": "greeter",
            "path": "code",
            "handler": "greeter.handler",
            "runtime": "python3.13",
            "architectures": ["arm64"],
            "memory_size": 128,
            "timeout": 3,
        },
    }
    assert read_policy_document(config) == POLICY["Document"]


def test_what_a_function_has_is_said(imported):
    settings = {
        "Description": "Greets",
        "Environment": {"Variables": {"AGENT": "007"}},
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "mine", "SystemLogLevel": "WARN"},
        "SnapStart": {"ApplyOn": "PublishedVersions"},
    }
    function = {
        "Tags": {"team": "tea", "aws:cloudformation:stack-name": "x"},
        "Concurrency": {"ReservedConcurrentExecutions": 0},
    }
    statements = (
        Statement("any", "123456789012", "lambda:InvokeFunction"),
        Statement("url", "*", "lambda:InvokeFunctionUrl", url_auth="NONE"),
        Statement("url2", "*", "lambda:InvokeFunction", via_url=True),
    )
    url = {"AuthType": "NONE", "InvokeMode": "BUFFERED", "Cors": {"AllowOrigins": ["*"]}}
    config = imported(
        found(settings, function, statements=statements, url=url, log_days=7)
    ).function
    assert config.environment == {"AGENT": "007"}
    assert (config.ephemeral_storage_mb, config.log_retention_days) == (None, 7)
    assert config.vpc.subnet_ids == ("subnet-1",)
    assert (config.logging.format, config.logging.group) == ("JSON", "mine")
    assert config.snap_start is True
    assert (config.tags, config.reserved_concurrency) == ({"team": "tea"}, 0)
    assert [one.statement_id for one in config.permissions] == ["any"]
    assert config.url.cors.allow_origins == ("*",)


def test_a_role_with_several_policies_is_used_as_it_is(imported):
    config = imported(found(policy=None))
    assert (config.role.arn, config.policy) == (ROLE["Arn"], None)
    assert "uses it as it is" in adopted(found(policy=None), "config.yml").remarks[0]


def test_a_policy_of_aws_is_named_by_its_arn(imported):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    config = imported(found(policy={"PolicyName": "x", "Arn": arn}))
    assert (config.policy.arn, config.policy.document) == (arn, "")


def test_packages_that_are_in_the_zip_are_not_installed_again(imported):
    config = imported(found(zipped=zipped(**{"requirements.txt": "tea==1.0"})))
    assert config.function.requirements == ()


def test_a_container_image_has_no_code(tmp_path):
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greeter:1"
    settings = {"PackageType": "Image", "Runtime": None, "Handler": None}
    new = adopted(found(settings, {"Code": {"ImageUri": uri}}, zipped=None), "config.yml")
    assert yaml.safe_load(new.files["config.yml"])["lambda"]["image"] == {"uri": uri}
    assert not any(name.startswith("code/") for name in new.files)


def test_a_program_in_the_zip_stays_one(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o100755 << 16
        archive.writestr(info, "#!/bin/sh\n")
    write_files(tmp_path, adopted(found(zipped=buffer.getvalue()), "config.yml"))
    assert (tmp_path / "code" / "bootstrap").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../evil.py", "a/../../../evil.py", "..\\evil.py"])
def test_a_zip_that_leads_outside_writes_nothing(tmp_path, name):
    folder = tmp_path / "project"
    new = adopted(found(zipped=zipped(**{name: "x"})), "config.yml")
    with pytest.raises(ConfigError, match="leads outside"):
        write_files(folder, new)
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_name_in_a_zip_stays_inside(tmp_path):
    folder = tmp_path / "project"
    write_files(folder, adopted(found(zipped=zipped(**{"/evil.py": "x"})), "config.yml"))
    assert (folder / "code" / "evil.py").read_text() == "x"


def test_a_symbolic_link_in_a_zip_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="symbolic link"):
        adopted(found(zipped=buffer.getvalue()), "config.yml")


def test_what_is_no_zip_is_an_error():
    with pytest.raises(ArchiveError, match="cannot be read"):
        adopted(found(zipped=b"no zip"), "config.yml")


def test_a_mapping_says_only_what_lambda_would_not_say_itself():
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    plain = {
        "EventSourceArn": arn,
        "State": "Enabled",
        "BatchSize": 100,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "StartingPosition": "LATEST",
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
    }
    assert polled.adopt(plain).sections[0] == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
    }
    more = {
        "State": "Disabled",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 5},
        "FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}]},
    }
    assert polled.adopt(plain | more).sections[0] == {
        "arn": arn,
        "batch_size": 100,
        "starting_position": "LATEST",
        "enabled": False,
        "report_batch_item_failures": True,
        "maximum_concurrency": 5,
        "filter_criteria": ['{"a": [1]}'],
    }


def test_the_starter_is_named_by_its_folder(tmp_path):
    folder = tmp_path / "my function!"
    write_files(folder, starter(folder / "config.yml"))
    config = read_config(folder / "config.yml")
    assert (config.function.name, config.function.handler) == (
        "my-function",
        "my_function.handler",
    )


@pytest.mark.parametrize("name", ["with space", "x" * 65])
def test_a_name_that_lambda_refuses_is_no_starter(tmp_path, name):
    with pytest.raises(ConfigError, match="no name of a function"):
        starter(tmp_path / "config.yml", name)


def test_a_file_that_exists_is_never_overwritten(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(ConfigError, match="b exists already"):
        write_files(tmp_path, NewFiles({"a": b"new", "b": b"new"}))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="exists already"):
        write_files(tmp_path, NewFiles({"a": b"new"}))


def test_files_are_written_all_or_none(tmp_path):
    folder = tmp_path / "new" / "project"
    clashing = NewFiles({"config.yml": b"x", "code/a": b"x", "code/a/b": b"x"})
    with pytest.raises(ConfigError):
        write_files(folder, clashing)
    assert list(tmp_path.iterdir()) == []


def test_files_that_were_there_stay_when_writing_fails(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine").write_text("mine")
    with pytest.raises(ConfigError):
        write_files(tmp_path, NewFiles({"code/a": b"x", "code/mine/b": b"x"}))
    assert [path.name for path in tmp_path.rglob("*")] == ["code", "mine"]


@pytest.mark.parametrize(
    ("mask", "mode", "program"), [(0o077, 0o600, 0o700), (0o022, 0o644, 0o755)]
)
def test_the_umask_decides_who_may_read_what_init_writes(tmp_path, mask, mode, program):
    old = os.umask(mask)
    try:
        write_files(tmp_path / "x", NewFiles({"a": b"", "b": b""}, frozenset({"b"})))
    finally:
        os.umask(old)
    modes = [(tmp_path / "x" / name).stat().st_mode & 0o777 for name in ("a", "b")]
    assert modes == [mode, program]


def whole(**changes):
    """A config of what was found, and what is said about it."""
    new = adopted(found(**changes), "config.yml")
    return yaml.safe_load(new.files["config.yml"]), "\n".join(new.remarks)


def raw(**changes):
    default = {
        "Sid": "any",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunction",
        "Resource": SETTINGS["FunctionArn"],
    }
    return default | changes


PUBLIC_URL = (
    raw(
        Sid="FunctionURLAllowPublicAccess",
        Action="lambda:InvokeFunctionUrl",
        Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
    ),
    raw(
        Sid="FunctionURLAllowInvokeAction",
        Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    ),
)
EXPRESSED = {
    "an organization": raw(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}),
    "a skill": raw(
        Principal={"Service": "alexa-appkit.amazon.com"},
        Condition={"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}},
    ),
    "an account through the URL": raw(
        Principal={"AWS": "arn:aws:iam::210987654321:root"},
        Condition={"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    ),
    "everybody": raw(),
    "everybody with keys on the URL": raw(
        Action="lambda:InvokeFunctionUrl",
        Condition={"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
    ),
    "an account's topics": raw(
        Principal={"Service": "sns.amazonaws.com"},
        Condition={
            "StringEquals": {"AWS:SourceAccount": "210987654321"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:210987654321:*"},
        },
    ),
}


@pytest.mark.parametrize("statement", EXPRESSED.values(), ids=EXPRESSED)
@pytest.mark.parametrize("url", [None, {"AuthType": "AWS_IAM"}])
def test_a_condition_is_written_down_and_deploy_has_nothing_to_change(imported, statement, url):
    has = (read_statement(statement, "greeter"),)
    function = imported(found(statements=has, url=url)).function
    (one,) = function.permissions
    assert [item.mark for item in plan_grant("greeter", one, has)] == ["exists"]
    (step,) = plan_grant("greeter", one, ())
    assert as_statement(one) == replace(has[0], principal=one.principal)
    assert step.params["Principal"] == has[0].principal


@pytest.mark.parametrize(
    "statement",
    [
        raw(Effect="Deny"),
        raw(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        raw(Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        raw(Principal={"AWS": ["111111111111", "222222222222"]}),
        raw(Sid="with space"),
        raw(Condition={"StringEquals": {"lambda:EventSourceToken": "${x:-y}"}}),
    ],
)
def test_what_a_permission_cannot_express_is_named_whole_and_not_written(statement):
    config, said = whole(statements=(read_statement(statement, "greeter"),))
    assert "permissions" not in config["lambda"]
    assert statement["Sid"] in said
    for condition in statement.get("Condition", {}).values():
        assert [key in said for key in condition.values()] == [True]


def test_what_is_left_out_stands_at_the_head_of_the_config():
    deny = read_statement(raw(Effect="Deny"), "greeter")
    new = adopted(found(statements=(deny,)), "config.yml")
    head = [one for one in new.files["config.yml"].decode().splitlines() if one.startswith("# ")]
    assert head[2:] == [f"# {one}" for one in new.remarks]
    assert "no `deploy` brings it back" in head[2]
    assert json.loads(head[3].removeprefix("# - permission any: ")) == raw(Effect="Deny")


def test_the_permissions_of_a_public_url_are_the_urls():
    statements = tuple(read_statement(one, "greeter") for one in PUBLIC_URL)
    config, said = whole(statements=statements, url={"AuthType": "NONE"})
    assert "permissions" not in config["lambda"]
    assert (config["lambda"]["url"], said) == ({"auth": "NONE"}, "")


@pytest.mark.parametrize(
    "statements",
    [
        (),
        PUBLIC_URL[:1],
        PUBLIC_URL[1:],
        (PUBLIC_URL[0] | {"Principal": {"AWS": "210987654321"}}, PUBLIC_URL[1]),
    ],
)
def test_a_url_that_not_everybody_may_call_is_not_opened(statements):
    statements = tuple(read_statement(one, "greeter") for one in statements)
    url = {"AuthType": "NONE", "FunctionUrl": "https://x.on.aws/"}
    config, said = whole(statements=statements, url=url)
    assert "url" not in config["lambda"]
    assert "URL https://x.on.aws/ (auth NONE)" in said
    assert len(config["lambda"].get("permissions", ())) == len(statements)


@pytest.mark.parametrize("auth", ["NONE", "AWS_IAM"])
def test_a_permission_by_a_name_of_kappas_own_beside_a_url_is_named(auth):
    raws = (*PUBLIC_URL, raw(Sid="kappa-url-x", Principal={"AWS": "210987654321"}))
    statements = tuple(read_statement(one, "greeter") for one in raws)
    config, said = whole(statements=statements, url={"AuthType": auth})
    assert "kappa-url-x" not in str(config)
    assert "permission kappa-url-x: the name is kappa's own beside `url`" in said


def test_what_deploy_takes_away_from_a_closed_url_is_named():
    kept = read_statement(raw(Sid="kappa-url-invoke"), "greeter")
    config, said = whole(statements=(kept,), url={"AuthType": "AWS_IAM"})
    assert "permissions" not in config["lambda"]
    assert "permission kappa-url-invoke: `deploy` takes it away" in said


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ({"PermissionsBoundary": {"PermissionsBoundaryArn": "arn:x"}}, "a permissions boundary"),
        ({"AssumeRolePolicyDocument": {"Statement": [*TRUST["Statement"] * 2]}}, "trusts others"),
        (
            {
                "AssumeRolePolicyDocument": {
                    "Statement": TRUST["Statement"][0]
                    | {"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}
                }
            },
            "under a condition",
        ),
    ],
)
def test_a_role_that_kappa_would_make_wider_is_only_used(role, why):
    config, said = whole(role=ROLE | role)
    assert config["iam"] == {"role": {"arn": ROLE["Arn"]}}
    assert why in said


def test_a_policy_that_would_be_filled_in_is_left_alone(tmp_path):
    document = {"Statement": [{"Resource": "${region:-x}"}]}
    new = adopted(found(policy=POLICY | {"Document": document}), "config.yml")
    assert yaml.safe_load(new.files["config.yml"])["iam"] == {"role": {"arn": ROLE["Arn"]}}
    assert "policy.json" not in new.files


def test_a_policys_own_variables_are_no_reason_to_leave_it_alone(imported):
    document = {"Statement": [{"Resource": "arn:aws:s3:::b/${aws:username}/${*}"}]}
    config = imported(found(policy=POLICY | {"Document": document}))
    assert read_policy_document(config) == document


def test_what_a_role_has_besides_is_named():
    tags = [{"Key": "team", "Value": "tea"}]
    _, said = whole(role=ROLE | {"Tags": tags, "MaxSessionDuration": 7200})
    assert "of the role greeter-role: tags, session duration" in said


def test_kappas_own_tags_of_a_role_are_not_named():
    tags = [{"Key": "kappa:region", "Value": "eu-west-1"}]
    _, said = whole(role=ROLE | {"Tags": tags})
    assert "of the role" not in said


def test_settings_without_a_key_are_named():
    settings = {
        "FileSystemConfigs": [{"Arn": "arn:efs", "LocalMountPath": "/mnt/tea"}],
        "DurableConfig": {"ExecutionTimeout": 60},
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"},
        "CapacityProviderConfig": {"X": {"CapacityProviderArn": "arn:cp"}},
        "LoggingConfig": {"LogFormat": "Text", "Later": "x"},
        "OfTomorrow": {"A": 1},
        "Empty": {"A": []},
    }
    function = {
        "Configuration": SETTINGS | settings,
        "Code": {"Location": "https://x", "RepositoryType": "S3", "SourceKMSKeyArn": "arn:kms"},
        "Tags": {"team": "tea", "aws:cloudformation:stack-name": "x"},
        "ResponseMetadata": {"a": 1},
    }
    assert unknown_settings(function) == [
        'LoggingConfig: {"Later": "x"}',
        'file system: [{"Arn": "arn:efs", "LocalMountPath": "/mnt/tea"}]',
        'durable execution: {"ExecutionTimeout": 60}',
        'tenant isolation: {"TenantIsolationMode": "PER_TENANT"}',
        'capacity provider: {"X": {"CapacityProviderArn": "arn:cp"}}',
        'OfTomorrow: {"A": 1}',
        "key of the zip: arn:kms",
        'AWS\'s own tags: {"aws:cloudformation:stack-name": "x"}',
    ]


def test_tags_that_may_not_be_read_are_named():
    function = {"Configuration": SETTINGS, "TagsError": {"Message": "not authorized"}}
    assert unknown_settings(function) == ["tags: not authorized (it takes lambda:ListTags)"]


def test_the_settings_of_an_image_and_ipv6_are_kept(imported):
    image = {"Command": ["a.b"], "EntryPoint": ["/x"], "WorkingDirectory": "/w"}
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/greeter:1"
    settings = {
        "PackageType": "Image",
        "Runtime": None,
        "Handler": None,
        "ImageConfigResponse": {"ImageConfig": image},
        "VpcConfig": {
            "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["sg-1"],
            "Ipv6AllowedForDualStack": True,
        },
    }
    function = imported(found(settings, {"Code": {"ImageUri": uri}}, zipped=None)).function
    assert function.image == Image(
        uri=uri, command=("a.b",), entry_point=("/x",), working_directory="/w"
    )
    assert function.vpc.ipv6 is True


def test_a_layer_of_awss_own_is_written_and_read(imported):
    layers = [{"Arn": f"arn:aws:lambda:::awslayer:{name}"} for name in ("One", "Two")]
    config = imported(found({"Layers": layers}))
    assert config.function.layers == tuple(one["Arn"] for one in layers)
    check_regions(config, "eu-west-1")


def test_a_value_that_kappa_would_fill_in_is_named_without_its_text():
    secret = {"A": "${secret:-value}", "B": "plain"}
    config, said = whole(settings={"Environment": {"Variables": secret}})
    assert "environment" not in config["lambda"]
    assert "environment: A, B (kappa would fill in" in said
    assert "secret" not in said


def test_a_setting_that_kappa_refuses_is_left_out_and_named():
    settings = {"Timeout": 9999, "Layers": [{"Arn": "arn:aws:lambda:x"}]}
    config, said = whole(settings=settings, log_days=2)
    assert not {"timeout", "layers", "log_retention_days"}.intersection(config["lambda"])
    assert "- timeout: 9999 (lambda.timeout is '9999'.)" in said
    assert "- log_retention_days: 2 (lambda.log_retention_days is 2.)" in said


def test_a_function_that_no_config_can_express_writes_nothing():
    settings = {"PackageType": "Image", "Runtime": None, "Handler": None}
    function = {"Code": {"ImageUri": "elsewhere/greeter:1"}}
    with pytest.raises(ConfigError, match="cannot be put into a config"):
        adopted(found(settings, function, zipped=None), "config.yml")


def test_the_limits_are_those_of_awss_own_model():
    shapes = botocore.session.get_session().get_service_model("lambda")
    for kind, name in {
        Timeout: "Timeout",
        Memory: "MemorySize",
        EphemeralStorage: "EphemeralStorageSize",
        EventAge: "MaximumEventAgeInSeconds",
        AsyncRetries: "MaximumRetryAttempts",
        BatchSize: "BatchSize",
        BatchWindow: "MaximumBatchingWindowInSeconds",
        TumblingWindow: "TumblingWindowInSeconds",
        Parallel: "ParallelizationFactor",
        MaxAge: "MaxAge",
    }.items():
        meta = get_args(kind)[1]
        limits = shapes.shape_for(name).metadata
        assert (name, meta.ge, meta.le) == (name, limits["min"], limits["max"])


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        "lib/.git/hooks/post-checkout",
        ".GIT/config",
        ".g\u200cit/config",
        ".hg/hgrc",
        "lib/__pycache__/x.py",
        "x.pyc",
        ".DS_Store",
        ".lambdaignore",
    ],
)
def test_what_packing_leaves_out_is_left_out_on_the_way_back(name):
    new = adopted(found(zipped=zipped(**{name: "x"})), "config.yml")
    assert [one for one in new.files if one.startswith("code/")] == ["code/greeter.py"]
    assert new.remarks == (f"Of the zip, what packing leaves out: {line(name)}.",)


@pytest.mark.parametrize("folder", ["", "lib/"])
def test_a_folder_is_no_git_repository_by_itself(folder):
    names = ("HEAD", "config", "objects/x", "refs/heads/main")
    new = adopted(found(zipped=zipped(**{f"{folder}{one}": "x" for one in names})), "config.yml")
    assert f"code/{folder}HEAD" not in new.files
    assert f"code/{folder}config" in new.files
    assert f"{folder}HEAD" in new.remarks[0]


def test_a_file_called_head_is_kept_elsewhere():
    new = adopted(found(zipped=zipped(HEAD="x", **{"objects/x": "x"})), "config.yml")
    assert "code/HEAD" in new.files


def test_a_zip_that_is_damaged_inside_is_an_error():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "x" * 1000)
    data = bytearray(buffer.getvalue())
    data[34:40] = b"\xff" * 6
    with pytest.raises(ArchiveError, match="cannot be read"):
        adopted(found(zipped=bytes(data)), "config.yml")


class Account:
    """AWS, with one function; `answers` are by operation, an error is raised."""

    def __init__(self, **answers):
        self.answers = answers

    def call(self, service, operation, doing, params):
        answer = self.answers.get(operation, NotFound("none"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service, operation, doing, key, params=None):
        return self.call(service, operation, doing, params).get(key, [])


def test_variables_that_may_not_be_decrypted_are_an_error_that_names_the_permission():
    error = {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt"}
    settings = SETTINGS | {"Environment": {"Error": error}, "KMSKeyArn": "arn:aws:kms:x"}
    account = Account(get_function={"Configuration": settings})
    with pytest.raises(Denied) as raised:
        read(account, "greeter")
    assert raised.value.hint == "Ask for the permission kms:Decrypt on arn:aws:kms:x."


def test_what_hangs_on_a_function_is_named():
    arn = SETTINGS["FunctionArn"]
    account = Account(
        list_aliases={"Aliases": [{"Name": "live", "FunctionVersion": "3"}]},
        list_provisioned_concurrency_configs={
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": f"{arn}:live", "RequestedProvisionedConcurrentExecutions": 2}
            ]
        },
        get_function_code_signing_config={"CodeSigningConfigArn": "arn:csc"},
        get_function_recursion_config={"RecursiveLoop": "Allow"},
        get_runtime_management_config={"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": "arn:r"},
    )
    assert read_rest(account, "greeter") == (
        "alias live of version 3, and what is bound to it",
        "provisioned concurrency: 2 of live",
        "code signing: arn:csc",
        "recursion setting: Allow",
        "runtime pin: Manual arn:r",
    )


def test_what_hangs_on_a_function_as_on_any_other_is_not_named():
    account = Account(
        get_function_recursion_config={"RecursiveLoop": "Terminate"},
        get_runtime_management_config={"UpdateRuntimeOn": "Auto"},
        get_function_code_signing_config={"CodeSigningConfigArn": ""},
    )
    assert read_rest(account, "greeter") == ()


def test_what_may_not_be_read_is_named():
    account = Account(get_function_recursion_config=Denied("AWS refused reading it"))
    assert read_rest(account, "greeter") == (
        "recursion setting, if there is any: AWS refused reading it",
    )


MSK = "arn:aws:kafka:eu-west-1:123456789012:cluster/c/0-1"


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        ({"EventSourceArn": MSK, "Topics": ["t"]}, MSK),
        ({"EventSourceArn": "arn:aws:mq:eu-west-1:123456789012:broker:b:b-1"}, "arn:aws:mq"),
        ({"EventSourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:d"}, "arn:aws:rds"),
        ({"SelfManagedEventSource": {"Endpoints": {}}, "Topics": ["tea"]}, '["tea"]'),
    ],
)
def test_a_mapping_of_a_kind_that_kappa_lacks_is_named(mapping, name):
    mapping = {"UUID": "1", "State": "Enabled", "FunctionArn": SETTINGS["FunctionArn"], **mapping}
    account = Account(list_event_source_mappings={"EventSourceMappings": [mapping]})
    sources = adopt_sources(account, SETTINGS["FunctionArn"], ())
    assert sources.sections == ()
    assert name in sources.left_out[0]


def test_settings_of_a_mapping_without_a_key_are_named():
    arn = "arn:aws:sqs:eu-west-1:123456789012:q"
    mapping = {
        "UUID": "1",
        "EventSourceArn": arn,
        "State": "Enabled",
        "BatchSize": 10,
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "ProvisionedPollerConfig": {"MinimumPollers": 2},
        "ScalingConfig": {"MaximumConcurrency": 5},
        "DestinationConfig": {"OnFailure": {}},
    }
    account = Account(list_event_source_mappings={"EventSourceMappings": [mapping]})
    sources = adopt_sources(account, SETTINGS["FunctionArn"], ())
    assert sources.sections == ({"arn": arn, "batch_size": 10, "maximum_concurrency": 5},)
    assert sources.left_out == (
        f'of event source {arn}: MetricsConfig: {{"Metrics": ["EventCount"]}}',
        f'of event source {arn}: ProvisionedPollerConfig: {{"MinimumPollers": 2}}',
    )


TOPIC = "arn:aws:sns:eu-west-1:123456789012:news"


@pytest.mark.parametrize(
    ("condition", "found_sources"),
    [
        ({"ArnLike": {"AWS:SourceArn": TOPIC}}, [{"arn": TOPIC}]),
        (
            {
                "ArnLike": {"AWS:SourceArn": TOPIC},
                "StringEquals": {"aws:PrincipalOrgID": "o-1234567890"},
            },
            [],
        ),
        ({"ArnLike": {"AWS:SourceArn": TOPIC}, "Bool": {"aws:SecureTransport": "true"}}, []),
        ({"ArnLike": {"AWS:SourceArn": f"{TOPIC[:-4]}*"}}, []),
    ],
)
def test_a_source_is_adopted_only_with_its_permission(condition, found_sources):
    statement = raw(Principal={"Service": "sns.amazonaws.com"}, Condition=condition)
    listed = {"Endpoint": SETTINGS["FunctionArn"], "SubscriptionArn": f"{TOPIC}:1"}
    account = Account(
        list_event_source_mappings={},
        list_subscriptions_by_topic={"Subscriptions": [listed]},
        get_subscription_attributes={"Attributes": {}},
    )
    statements = (read_statement(statement, "greeter"),)
    sources = adopt_sources(account, SETTINGS["FunctionArn"], statements)
    assert list(sources.sections) == found_sources
    assert bool(sources.left_out) == (not found_sources)
    assert all("sns" in one and "permission any" in one for one in sources.left_out)


def test_a_topic_of_an_opt_in_region_is_adopted():
    topic = TOPIC.replace("eu-west-1", "ap-east-1")
    function = SETTINGS["FunctionArn"]
    condition = {"ArnLike": {"AWS:SourceArn": topic}}
    account = Account(
        list_event_source_mappings={},
        list_subscriptions_by_topic={
            "Subscriptions": [{"Endpoint": function, "SubscriptionArn": f"{topic}:1"}]
        },
        get_subscription_attributes={"Attributes": {}},
    )
    principal = {"Service": "sns.ap-east-1.amazonaws.com"}
    statement = read_statement(raw(Principal=principal, Condition=condition), "greeter")
    assert adopt_sources(account, function, (statement,)).sections == ({"arn": topic},)


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000 + "x"])
def test_a_name_that_is_too_long_is_an_error_and_writes_nothing(tmp_path, name):
    with pytest.raises(ConfigError, match="File name too long"):
        write_files(tmp_path / "project", NewFiles({"config.yml": b"", f"code/{name}": b"x"}))
    assert list(tmp_path.iterdir()) == []


def rule_sources(targets, **rule):
    arn = "arn:aws:events:eu-west-1:123456789012:rule/nightly"
    statement = raw(
        Principal={"Service": "events.amazonaws.com"},
        Condition={"ArnLike": {"AWS:SourceArn": arn}},
    )
    default = {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"}
    account = Account(
        list_event_source_mappings={},
        list_targets_by_rule={
            "Targets": [{"Arn": SETTINGS["FunctionArn"], **one} for one in targets]
        },
        describe_rule=default | rule,
    )
    statements = (read_statement(statement, "greeter"),)
    return adopt_sources(account, SETTINGS["FunctionArn"], statements)


def test_a_rule_is_adopted_and_what_its_target_has_besides_is_named():
    role = "arn:aws:iam::123456789012:role/r"
    target = {"Id": "greeter", "Input": "{}", "RetryPolicy": {"MaximumRetryAttempts": 1}}
    sources = rule_sources([target], RoleArn=role, State="DISABLED")
    (source,) = sources.sections
    assert source == {
        "arn": "arn:aws:events:eu-west-1:123456789012:rule/nightly",
        "schedule": "rate(1 day)",
        "input": "{}",
        "role_arn": role,
        "enabled": False,
    }
    assert sources.left_out == (
        f'of event source {source["arn"]}: RetryPolicy: {{"MaximumRetryAttempts": 1}}',
    )


@pytest.mark.parametrize("targets", [[{"Id": "1"}], [{"Id": "greeter"}, {"Id": "2"}]])
def test_a_rule_with_targets_that_are_not_kappas_is_named(targets):
    sources = rule_sources(targets)
    assert sources.sections == ()
    assert sources.left_out[0].endswith(f"target {', '.join(one['Id'] for one in targets)}")


def test_the_notifications_of_two_prefixes_of_a_bucket_are_both_adopted():
    bucket, function = "arn:aws:s3:::photos", SETTINGS["FunctionArn"]
    event = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}

    def notification(prefix):
        rules = [{"Name": "Prefix", "Value": prefix}]
        return {**event, "Id": prefix, "Filter": {"Key": {"FilterRules": rules}}}

    others = {**event, "LambdaFunctionArn": f"{function}-2"}
    listed = [notification("in/"), others, notification("out/")]
    statement = raw(
        Principal={"Service": "s3.amazonaws.com"},
        Condition={"ArnLike": {"AWS:SourceArn": bucket}},
    )
    account = Account(
        list_event_source_mappings={},
        get_bucket_notification_configuration={"LambdaFunctionConfigurations": listed},
    )
    sources = adopt_sources(account, function, (read_statement(statement, "greeter"),))
    assert sources.left_out == ()
    assert [one["key_filters"] for one in sources.sections] == [
        [{"type": "prefix", "value": "in/"}],
        [{"type": "prefix", "value": "out/"}],
    ]


def test_names_in_a_zip_are_those_of_the_files_that_they_are(imported):
    names = {"./requirements.txt": "tea==1.0", "x//y.py": "", "./.git/config": "x"}
    config = imported(found(zipped=zipped(**names)))
    assert config.function.requirements == ()
    code = config.file.parent / "code"
    assert sorted(path.name for path in code.rglob("*.*")) == [
        *("greeter.py", "requirements.txt", "y.py")
    ]
    new = adopted(found(zipped=zipped(**names)), "config.yml")
    assert "code/x/y.py" in new.files


def test_what_invokes_a_version_by_its_number_is_named():
    arn = SETTINGS["FunctionArn"]
    account = Account(
        list_versions_by_function={"Versions": [{"Version": "$LATEST"}, {"Version": "1"}]},
        list_event_source_mappings={
            "EventSourceMappings": [
                {
                    "UUID": "u",
                    "FunctionArn": f"{arn}:1",
                    "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q",
                }
            ]
        },
    )
    (rest,) = read_rest(account, "greeter")
    assert rest.startswith("version 1: event source ")


@pytest.mark.parametrize(
    "name",
    [
        "function:live",
        "greeter:live",
        "123456789012:function:greeter:1",
        f"{SETTINGS['FunctionArn']}:live",
    ],
)
def test_a_version_or_an_alias_is_not_adopted(tmp_path, name):
    args = [str(tmp_path / "config.yml"), "init", "--from", name]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 2
    assert f"Give --from {name.rpartition(':')[0]}." in done.stderr
    assert list(tmp_path.iterdir()) == []
